"""kramdown's dialect, where it is not CommonMark. What a whole page becomes is compared with Jekyll's own in
tests/test_jekyll_parity.py; here are the rules, one by one, and what must not hang."""

from __future__ import annotations

import re
import time

import pytest

from builder.markdown.dialect import inline_html, parse, to_html


def html(text: str) -> str:
    return to_html(parse(text, kramdown=True)).replace("\n", "")


CASES = [
    ("**bold:**text", "<p><strong>bold:</strong>text</p>"),
    ("`**`torch`**를", "<p><code>**</code>torch`**를</p>"),
    ("a * b * c", "<p>a * b * c</p>"),
    ("\"a\" -- 'b'... it's", "<p>“a” – ‘b’… it’s</p>"),
    ('\\"a\\" &quot;b&quot; `"c"`', "<p>&quot;a&quot; &quot;b&quot; <code>&quot;c&quot;</code></p>"),
    ("<<a>> b", "<p>«a» b</p>"),
    ("<br>\n**a**", "<p><br><strong>a</strong></p>"),
    ("<div>\n\n**a**\n\n</div>\n**b**", "<div>**a**</div><p><strong>b</strong></p>"),
    ("<div>\n\n```\nx\n```\n\n</div>", "<div><pre><code>x</code></pre></div>"),
    ("<div>\n**never closed**\n\n**b**", "<div>**never closed**<p><strong>b</strong></p>"),
    ('<div class="x" markdown="1">\n**a**\n</div>', '<div class="x"><p><strong>a</strong></p></div>'),
    ('<p markdown="1">**a**</p>', "<p><strong>a</strong></p>"),
    ("text\n2. two", '<p>text</p><ol start="2"><li>two</li></ol>'),
    ("1) a", "<p>1) a</p>"),
    (" # a", "<p># a</p>"),
    ("#", "<p>#</p>"),
    ("a\nb\n===", "<p>ab===</p>"),
    ("```python\nx\n\ny", "<p>```pythonx</p><p>y</p>"),
    ("[a](b c.png)", '<p><a href="b%20c.png">a</a></p>'),
    ('![a](b c.png "t")', '<p><img src="b%20c.png" alt="a" title="t"></p>'),
    ("*[A]: B\n\nA AA", '<p><abbr title="B">A</abbr> AA</p>'),
    ("| `a|b` |\n|---|\n| $$|x|$$ |", None),
    ("{::comment}\nx\n{:/comment}\ny", "<p>y</p>"),
    ("{::nomarkdown}\n<b>*x*</b>\n{:/}", "<b>*x*</b>"),
]


@pytest.mark.parametrize(("text", "wanted"), CASES)
def test_rules(text: str, wanted: str | None) -> None:
    if wanted is None:
        assert html(text).count("<td>") == 1
        assert "a|b" in html(text)
    else:
        assert html(text) == wanted


ATTRIBUTES = [
    ("a\n{: .x #y}", '<p class="x" id="y">a</p>'),
    ("{: .x}\na", '<p class="x">a</p>'),
    ("a\n\n{: .x}\n# b", '<p>a</p><h1 class="x">b</h1>'),
    ("# b {#own}", '<h1 id="own">b</h1>'),
    ("- a\n{: .x}", '<ul class="x"><li>a</li></ul>'),
    ("> a\n{: .x .y}", '<blockquote class="x y"><p>a</p></blockquote>'),
    ('![a](b){: width="5" .c}', '<p><img src="b" alt="a" width="5" class="c"></p>'),
    ("**a**{: .x} *b*{:.y}", '<p><strong class="x">a</strong> <em class="y">b</em></p>'),
    ("[a](b){:target='_blank'}", '<p><a href="b" target="_blank">a</a></p>'),
    ("a {: .x}", "<p>a {: .x}</p>"),
    ("a {:.2f} b", "<p>a {:.2f} b</p>"),
    ("`{:.3f}`", "<p><code>{:.3f}</code></p>"),
]


@pytest.mark.parametrize("kramdown", [True, False])
@pytest.mark.parametrize(("text", "wanted"), ATTRIBUTES)
def test_attribute_lists(text: str, wanted: str, kramdown: bool) -> None:
    assert to_html(parse(text, kramdown=kramdown)).replace("\n", "") == wanted


MATH = [
    ("$$a_1*b*c$$는", "<p>{a_1*b*c}는</p>"),
    ("$x_1$ $5 to $10", "<p>{x_1} $5 to $10</p>"),
    ("\\\\(a_1\\\\) \\\\[b\\\\]", "<p>{a_1} {b}</p>"),
    ("$$\na < b\n\nc\n$$", '<div class="math" tabindex="0">{a &lt; bc}</div>'),
    ("\\begin{align}\na_1 &= b \\\\\n\\end{align}", None),
    ("`$x$` \\$y$", "<p><code>$x$</code> $y$</p>"),
    ("a $ b $ c", "<p>a $ b $ c</p>"),
]


@pytest.mark.parametrize("kramdown", [True, False])
@pytest.mark.parametrize(("text", "wanted"), MATH)
def test_mathematics(text: str, wanted: str | None, kramdown: bool) -> None:
    shown = to_html(parse(text, kramdown=kramdown)).replace("\n", "")
    shown = re.sub(r'<math alttext="([^"]*)".*?</math>', r"{\1}", shown)
    assert shown == wanted if wanted is not None else shown.startswith('<div class="math" tabindex="0">{')


def test_mathematics_in_html_is_no_tag() -> None:
    assert html("<center>$$y_{<t}$$</center>") == '<center><span class="math">\\[y_{&lt;t}\\]</span></center>'


def test_footnotes_definitions_and_tasks() -> None:
    shown = html("a[^x] b[^x]\n\n[^x]: **n**\n\nT\n: d\n\n- [ ] o\n- [x] c\n")
    assert '<sup id="fnref:x"><a href="#fn:x" class="footnote" role="doc-noteref">1</a></sup>' in shown
    assert '<li id="fn:x"><p><strong>n</strong>' in shown
    assert "<dl><dt>T</dt><dd>d</dd></dl>" in shown
    assert shown.count('type="checkbox"') == 2


def test_the_text_of_a_caption() -> None:
    assert inline_html("**a**는 `b`", kramdown=True) == "<strong>a</strong>는 <code>b</code>"


@pytest.mark.parametrize(
    "text",
    [
        "<div>\n" * 2_000,
        "<a " * 20_000,
        "$" * 20_001,
        "$$" + "a" * 100_000,
        "| `" * 5_000 + "\n|---|\n",
        "{:" * 20_000,
        "*[" * 3_000,
        '"' * 20_000,
        "![a](" + "b " * 20_000,
        "```\n" * 3_001,
        '<img src="data:' + "A" * 1_000_000 + '">',
        "<<" * 20_000,
    ],
    ids=lambda text: text[:8],
)
def test_nothing_hangs(text: str) -> None:
    started = time.process_time()
    html(text)
    assert time.process_time() - started < 20
