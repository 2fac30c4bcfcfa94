"""`::: {.name}` … `:::`, tabs among them, and what is neither."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.markdown.dialect import parse, to_html
from tests.test_markdown import rendered


def html(text: str, kramdown: bool = False) -> str:
    return to_html(parse(text, kramdown=kramdown)).replace("\n", "")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("::: {.a .b #c}\ntext\n:::", '<div class="a b" id="c"><p>text</p></div>'),
        ("::: notice--info\ntext\n:::", '<div class="notice--info"><p>text</p></div>'),
        (":::: a\n::: b\nx\n:::\ny\n::::", '<div class="a"><div class="b"><p>x</p></div><p>y</p></div>'),
        ("::: a\n::: b\nx\n:::\n:::", '<div class="a"><div class="b"><p>x</p></div></div>'),
        ("::: a\n```\n:::\n```\n:::", '<div class="a"><pre><code>:::</code></pre></div>'),
        ("::: a\n~~~~\n~~~\n:::\n~~~~\n:::", '<div class="a"><pre><code>~~~:::</code></pre></div>'),
        ("text\n::: a\nx\n:::\nafter", '<p>text</p><div class="a"><p>x</p></div><p>after</p>'),
        ("> ::: a\n> x\n> :::\n\nb", '<blockquote><div class="a"><p>x</p></div></blockquote><p>b</p>'),
        ("- ::: a\n  x\n  :::\n- b", '<ul><li><div class="a"><p>x</p></div></li><li>b</li></ul>'),
        ("::: a\n:::", '<div class="a"></div>'),
        ('::: {.a title="<b>"}\nx\n:::', '<div class="a" title="&lt;b&gt;"><p>x</p></div>'),
        # what is none
        ("::: a\nx", "<p>::: ax</p>"),
        ("::: a\n::: b\nx\n:::", '<p>::: a</p><div class="b"><p>x</p></div>'),
        (":::", "<p>:::</p>"),
        ("    ::: a\n    :::", "<pre><code>::: a:::</code></pre>"),
        ("::: two words\n:::", "<p>::: two words:::</p>"),
        ("T\n: d", "<dl><dt>T</dt><dd>d</dd></dl>"),
    ],
)
def test_shapes(text: str, wanted: str) -> None:
    assert html(text) == wanted


def test_kramdown_has_none() -> None:
    assert html("::: a\nx\n:::", kramdown=True) == "<p>::: ax:::</p>"


TABS = """::: {.panel-tabset}
## A `x`
one
### inner
## B {#own}
```python
print(1)
```
:::

::: {.panel-tabset .wide}
### C
:::
"""


def test_tabs() -> None:
    result = rendered(TABS)
    assert re.findall(r"<input[^>]*>", result.html) == [
        '<input type="radio" class="tab" name="tab.1" id="tab.1.1" checked>',
        '<input type="radio" class="tab" name="tab.1" id="tab.1.2">',
        '<input type="radio" class="tab" name="tab.2" id="tab.2.1" checked>',
    ]
    assert (
        '<label class="tab-title" for="tab.1.1">A <code>x</code></label>\n<div class="tab-panel">'
        in result.html
    )
    assert '<div class="tabs wide">' in result.html
    assert [heading.id for heading in result.toc] == ["inner"]
    assert result.html.count("<div") == result.html.count("</div>")
    assert 'id="cell-1"' in result.html


def test_tabs_without_headings_and_text_before_them() -> None:
    assert html("::: {.panel-tabset}\nx\n:::") == '<div class="panel-tabset"><p>x</p></div>'
    assert html("::: {.panel-tabset}\nx\n# a\ny\n:::").startswith('<div class="tabs"><p>x</p><input')


def test_one_that_is_never_closed_is_said() -> None:
    [problem] = rendered("a\n\n::: b\nc\n", body_line=1).problems
    assert (problem.line, problem.kind) == (3, "markdown")


def test_many_openings_take_no_more_than_linear_time() -> None:
    start = time.process_time()
    html("::: a\n" * 20_000)
    assert time.process_time() - start < 20


@given(
    st.lists(
        st.sampled_from(
            ["::: a", ":::", "::::", "x", "", "```", "> ", "- ", "  ", "## h", "::: panel-tabset"]
        )
    )
)
def test_no_text_is_lost_and_every_element_is_closed(lines: list[str]) -> None:
    shown = html("\n".join(lines))
    assert shown.count("<div") == shown.count("</div>")
    assert shown.count("x") >= lines.count("x")
