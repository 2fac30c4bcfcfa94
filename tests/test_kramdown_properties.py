"""Old posts, in every shape: nothing raises, lines stay, and an output put in place of itself changes nothing."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from builder.fences import read_cells, replace_outputs
from builder.jekyll.liquid import expand
from builder.jekyll.rules import jekyll_of
from builder.markdown.dialect import parse, to_html
from builder.markdown.render import render
from builder.model import Text
from builder.posts import parse_post

from .documents import documents
from .samples import CONFIG
from .test_liquid import SCENE

JEKYLL = replace(CONFIG, content=CONFIG.root, jekyll=jekyll_of({}, ()))

PIECES = [
    *(
        "{: .x}",
        "{:toc}",
        "{::comment}",
        "{:/}",
        "$$",
        "$x$",
        "<div>",
        "</div>",
        '<div markdown="1">',
        "<br>",
        "<center>",
    ),
    *(
        "**굵게(b)**는",
        "```python",
        "```",
        "~~~",
        "    code",
        "- a",
        "1. b",
        "> q",
        "| a | b |",
        "|---|---|",
        "[^1]",
        "[^1]: n",
    ),
    *(
        ": def",
        "term",
        "*[A]: b",
        "A",
        "# h",
        "h\n---",
        "",
        "{{ site.title }}",
        "{% raw %}",
        "{% endraw %}",
        "{{ x }}",
    ),
    *(
        "{% highlight python %}",
        "{% endhighlight %}",
        "결과:",
        "<table>",
        "</table>",
        "`a|b`",
        '"',
        "<<",
        "\\\\(",
        "\\\\)",
    ),
]


@given(st.lists(st.sampled_from(PIECES), max_size=14).map("\n".join), st.booleans())
@settings(max_examples=300, deadline=None)
def test_no_text_raises(text: str, kramdown: bool) -> None:
    to_html(parse(text, kramdown=kramdown))
    read_cells(text, 1, "a.md", kramdown=kramdown)


@given(st.lists(st.sampled_from(PIECES), max_size=14).map("\n".join))
@settings(max_examples=200, deadline=None)
def test_liquid_moves_no_line(text: str) -> None:
    assert expand(text, SCENE, "a.md", 1)[0].count("\n") == text.count("\n")


@given(documents())
@settings(max_examples=100, deadline=None)
def test_outputs_put_in_place_of_themselves_change_nothing(text: str) -> None:
    cells, _ = read_cells(text, 1, "a.md", kramdown=True, forms=("indented", "code", "bash", "break"))
    own = {cell.number: cell.authored.body for cell in cells if cell.authored}
    assert replace_outputs(text, cells, own) == text


@given(st.lists(st.sampled_from(PIECES), max_size=16).map("\n".join), st.booleans())
@settings(max_examples=300, deadline=None)
def test_every_cell_is_shown_once(body: str, real: bool) -> None:
    post, _ = parse_post(f"---\ntitle: A\n---\n{body}\n", "_posts/2023-01-01-a.md", JEKYLL, False)
    shown = {cell.number: (Text(f"output {cell.number}\n"),) for cell in post.cells} if real else {}
    html = render(post, shown, lambda address, line: address, lambda blob: blob).html
    for cell in post.cells:
        assert html.count(f'id="cell-{cell.number}"') == 1
        assert not real or html.count(f"output {cell.number}\n") == 1
