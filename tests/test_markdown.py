"""A post and its outputs -> HTML, table of contents, summary."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.fences import read_cells
from builder.markdown.render import Rendered, render
from builder.model import ExecuteConfig, Figure, FrontMatter, Heading, Markup, Part, Post, Text

SEED = Path(__file__).parent.parent / "content/posts/2023-03-06-pytorch-grammar-4.md"
CELL = "```python\nprint(1 < 2)\n```\n"
FIGURE = Figure("ab.svg", 640, 480, "Line plot")


def post(text: str, body_line: int = 1) -> Post:
    cells, _ = read_cells(text, body_line, "content/a.md")
    return Post("content/a.md", text, FrontMatter(), body_line, cells, ExecuteConfig())


def rendered(
    text: str,
    shown: Mapping[int, tuple[Part, ...] | None] | None = None,
    body_line: int = 1,
    resolve: Any = lambda href, line: href,
) -> Rendered:
    return render(post(text, body_line), shown or {}, resolve, lambda blob: f"/figures/{blob}")


def html(text: str, *parts: Part, keep: bool = False) -> str:
    return rendered(text, {} if keep else {1: parts}).html


def without_anchors(markup: str) -> str:
    return re.sub(r' <a class="anchor".*?</a>', "", markup)


class Tree(HTMLParser):
    """Reads a page as a browser does: every tag with its attributes, and that tags are closed in order."""

    VOID = frozenset({"br", "hr", "img", "input", "link", "source"})

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


# --- cells ----------------------------------------------------------------------------------


def test_a_cell_and_its_output_are_one_frame() -> None:
    assert html(CELL, Text("True\n")) == (
        '<div class="cell" id="cell-1">\n'
        '<div class="cell-code" role="group" aria-label="In [1]"><pre class="highlight" tabindex="0">'
        '<code class="language-python"><span class="nb">print</span><span class="p">(</span>'
        '<span class="mi">1</span> <span class="o">&lt;</span> <span class="mi">2</span>'
        '<span class="p">)</span>\n'
        "</code></pre>\n</div>\n"
        '<div class="cell-output" role="group" aria-label="Out [1]"><pre tabindex="0">True\n</pre>\n</div>\n'
        "</div>\n"
    )


AUTHORED = CELL + "```\nauthored <b>\n```\n"


@pytest.mark.parametrize(
    ("shown", "there", "not_there"),
    [
        ({}, ["authored &lt;b&gt;"], []),
        ({1: None}, ["authored &lt;b&gt;"], []),
        ({1: (Text("real\n"),)}, [">real\n<"], ["authored"]),
        ({1: ()}, ["cell-code"], ["authored", "cell-output"]),
    ],
)
def test_what_stands_below_a_cell(shown: Any, there: list[str], not_there: list[str]) -> None:
    page = rendered(AUTHORED + "after\n", shown).html
    assert all(piece in page for piece in ["after", *there])
    assert not any(piece in page for piece in not_there)
    assert page.count("<pre") == (1 if shown.get(1) == () else 2)


@pytest.mark.parametrize("shown", [None, ()])
def test_a_cell_without_output_has_no_output_block(shown: Any) -> None:
    page = rendered(CELL, {1: shown}).html
    assert "cell-code" in page
    assert "cell-output" not in page


@pytest.mark.parametrize(
    ("options", "code", "output"),
    [("", True, True), ("echo=false", False, True), ("include=false", False, False)],
)
@pytest.mark.parametrize("form", ["info", "lines"])
def test_options_hide(options: str, code: bool, output: bool, form: str) -> None:
    if form == "info":
        text = f"```python {{{options}}}\nx\n```\n"
    else:
        text = f"```python\n#| {options.replace('=', ': ')}\nx\n```\n" if options else "```python\nx\n```\n"
    text += "```\nauthored\n```\n"
    for page in (html(text, Text("real")), html(text, keep=True)):
        assert ('<span class="n">x</span>' in page) == code
        assert ("cell-output" in page) == output
        assert ('class="cell"' in page) == (code or output)
        assert "#|" not in page


def test_option_lines_are_not_shown_and_comments_are() -> None:
    page = html("```python\n#| label: fig-a\n#| fig-cap: b\n# real\n#| not an option here\nx\n```\n")
    assert "fig-" not in page
    assert "# real" in page
    assert "#| not an option here" in page


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("- item\n\n  ```python\n  x\n  ```\n  ```\n  authored\n  ```\n\n- next\n", ["ul", "li", "div"]),
        ("> ```python\n> x\n> ```\n> ```\n> authored\n> ```\n", ["blockquote", "div"]),
        (
            "1. > - ```python\n   >   x\n   >   ```\n   >   ```\n   >   authored\n   >   ```\n",
            ["ol", "li", "blockquote", "ul", "li", "div"],
        ),
        ("\ufeff```python\r\nx\r\n```\r\n```\r\nauthored\r\n```\r\n", ["div"]),
        ("<center>\n```python\nx\n```\n```\nauthored\n```\n</center>\n", ["center", "div"]),
    ],
)
def test_a_cell_at_any_depth(text: str, path: list[str]) -> None:
    page = html(text, Text("real\n"))
    assert "authored" not in page
    assert ">real\n</pre>" in page
    tree = Tree(page)
    assert not tree.open
    names = [tag for tag, _ in tree.tags if tag != "p"]
    assert names[: len(path)] == path


def test_cells_stand_by_their_true_lines_below_front_matter() -> None:
    text = f"---\ntitle: a\n---\ntext\n\n{CELL}\ntext\n\n```python\ny\n```\n"
    page = rendered(text, {1: (Text("one"),), 2: (Text("two"),)}, body_line=4).html
    assert page.index("cell-1") < page.index(">one") < page.index("cell-2") < page.index(">two")


def test_a_cell_that_is_no_fence_of_the_text_is_our_mistake() -> None:
    with pytest.raises(LookupError, match="cell 1"):
        render(
            Post("a.md", "text", FrontMatter(), 1, post(CELL).cells, ExecuteConfig()),
            {},
            lambda href, line: href,
            str,
        )


@pytest.mark.parametrize(
    ("parts", "wanted"),
    [
        ([Text("a\n"), Text("b", value=True)], '<pre tabindex="0">a\nb</pre>\n'),
        ([Text("a"), Text("b")], '<pre tabindex="0">a\nb</pre>\n'),
        ([Text("\n\na")], '<pre tabindex="0">\n\n\na</pre>\n'),
        ([Text('<script>&"\n')], '<pre tabindex="0">&lt;script&gt;&amp;&quot;\n</pre>\n'),
        ([Markup("<table></table>", "t")], '<div class="output-html" tabindex="0"><table></table></div>\n'),
        (
            [Text("a\n"), FIGURE, Text("b\n")],
            '<pre tabindex="0">a\n</pre>\n<figure><img src="/figures/ab.svg" width="640" height="480"'
            ' alt="Line plot" loading="lazy" decoding="async"></figure>\n<pre tabindex="0">b\n</pre>\n',
        ),
    ],
)
def test_parts(parts: list[Part], wanted: str) -> None:
    assert f'aria-label="Out [1]">{wanted}</div>' in html(CELL, *parts)


@pytest.mark.parametrize(
    ("options", "alts", "captions"),
    [
        ("", ["Line plot", "Line plot"], []),
        ('fig-cap="A <b>"', ["Line plot", "Line plot"], ["A <b>"]),
        ('fig-alt="Said \'so\'" fig-cap="B"', ["Said 'so'", "Said 'so'"], ["B"]),
    ],
)
def test_figures_have_words(options: str, alts: list[str], captions: list[str]) -> None:
    page = html(f"```python {{{options}}}\nx\n```\n", FIGURE, FIGURE)
    tree = Tree(page)
    assert [img["alt"] for img in tree.all("img")] == alts
    assert len(tree.all("figcaption")) == len(captions)
    assert all(caption in tree.words for caption in captions)


def test_a_caption_is_the_words_of_a_figure_without_any() -> None:
    page = html('```python {fig-cap="C"}\nx\n```\n', Figure("x.png", 0, 0))
    assert '<img src="/figures/x.png" alt="C"' in page
    assert "width" not in page


# --- other blocks ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("```js\n1\n```", '<code class="language-js"><span class="mf">1</span>\n</code>'),
        ("```\n<b>\n```", '<pre class="highlight" tabindex="0"><code>&lt;b&gt;\n</code></pre>'),
        ("    x < 1", '<pre class="highlight" tabindex="0"><code>x &lt; 1\n</code></pre>'),
        ("```{.c++ .x}\n```", 'class="language-c++"'),
        ('~~~ js title="a"\n~~~', 'class="language-js"'),
        ("a\nb", "<p>a\nb</p>"),
        ("a  \nb", "<p>a<br>\nb</p>"),
        ("~~a~~", "<s>a</s>"),
        ("a ![가 *b*](x.png 'T')", '<img src="x.png" alt="가 b" title="T" decoding="async">'),
        ("|a|b|\n|:-:|--|\n|1|2|", '<div class="table-wrap" tabindex="0">\n<table>\n<thead>'),
        ("|a|b|\n|:-:|--:|\n|1|2|", '<th class="align-center">a</th>\n<th class="align-right">b</th>'),
        ("<b onclick=x>raw</b>", "<p><b onclick=x>raw</b></p>"),
        ("<div>\n*raw*\n</div>", "<div>\n*raw*\n</div>"),
    ],
)
def test_blocks(text: str, wanted: str) -> None:
    page = rendered(text).html
    assert wanted in page
    assert "style=" not in page
    assert not Tree(page).open


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("|a|b|\n|-|-|\n|1|2|3|", 3),
        ("x\n\n> a|b\n> -|-\n> 1|2|3\n", 5),
        ("|a|b|\n|-|-|\n|1|2|\n|1|2|", 0),
        ("|a|b|\n|-|-|\n|1\\|1|2|\n|1|\n1|2", 0),
        ("|a|b|c|\n|-|-|-|\n|1|2|3|\n\n|a|b|\n|-|-|\n|1|2|3|\n", 7),
    ],
)
def test_cells_of_a_table_that_are_dropped_are_said(text: str, line: int) -> None:
    problems = rendered("\n\n" + text, body_line=1).problems
    assert [problem.line - 2 for problem in problems] == ([line] if line else [])
    assert all(problem.level == "warning" and problem.kind == "markdown" for problem in problems)


def test_what_is_nested_too_deep_is_a_problem_at_its_line() -> None:
    text = "---\n---\n" + "\n".join("  " * i + f"- w{i}" for i in range(120))
    result = rendered(text, body_line=3)
    (problem,) = result.problems
    assert (problem.level, problem.path, problem.line, problem.kind) == (
        "error",
        "content/a.md",
        103,
        "markdown",
    )
    assert all(f"w{i}" in result.html for i in range(120))


# --- headings -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headings", "ids"),
    [
        (["1. Autograd(자동미분) 복습"], ["1-autograd자동미분-복습"]),
        (["A", "A", "A"], ["a", "a-1", "a-2"]),
        (["A", "A", "A-1"], ["a", "a-2", "a-1"]),
        (["A-1", "A", "A"], ["a-1", "a", "a-2"]),
        (["!!!", "???", "🙂"], ["section", "section-1", "section-2"]),
        (["`x.grad` and **b**, [l](u) ![p](v)"], ["xgrad-and-b-l-p"]),
        (["a  b\tc_d--e"], ["a--b-c_d--e"]),
        (["\u1112\u1161\u11ab\u1100\u1173\u11af"], ["한글"]),
        (["हिन्दी"], ["हिन्दी"]),
        (["Cell 1", "CELL-1"], ["cell-1-1", "cell-1-2"]),
        (["❤\ufe0f"], ["section"]),
        (["<b>x</b> <br> y"], ["x--y"]),
        (["&amp; \\* a"], ["--a"]),
        ([""], ["section"]),
    ],
)
def test_ids(headings: list[str], ids: list[str]) -> None:
    page = rendered(CELL + "\n\n".join(f"## {heading}\n" for heading in headings)).html
    found = Tree(page).all("h2")
    assert [attrs["id"] for attrs in found] == ids
    assert [a["href"] for a in Tree(page).all("a") if a.get("class") == "anchor"] == [
        f"#{name}" for name in ids
    ]


@given(
    st.lists(
        st.sampled_from(["a", "A", "a-1", "a 1", "a-1-1", "!", "section", "section-1", "cell-1"]), max_size=9
    )
)
def test_no_id_is_doubled_or_empty(headings: list[str]) -> None:
    page = rendered(CELL + "<i id='a-2'></i>\n\n" + "\n\n".join(f"# {heading}" for heading in headings)).html
    ids = [attrs["id"] for _, attrs in Tree(page).tags if "id" in attrs]
    assert len(set(ids)) == len(ids) == len(headings) + 2
    assert all(ids)


def test_many_equal_headings_take_no_square_of_time() -> None:
    start = time.process_time()
    rendered("# a\n" * 5000)
    assert time.process_time() - start < 20


def outline(toc: tuple[Heading, ...]) -> list[Any]:
    return [(heading.level, heading.id, outline(heading.children)) for heading in toc]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("# a\n## b\n### c\n## d", [(1, "a", [(2, "b", [(3, "c", [])]), (2, "d", [])])]),
        ("## a\n#### b\n### c\n## d", [(2, "a", [(4, "b", []), (3, "c", [])]), (2, "d", [])]),
        ("### a\n## b\n# c", [(3, "a", []), (2, "b", []), (1, "c", [])]),
        ("a\n===\nb\n---", [(1, "a", [(2, "b", [])])]),
        ("> # a\n\n- ## b", [(1, "a", [(2, "b", [])])]),
        ("text", []),
        ("```\n# a\n```", []),
    ],
)
def test_toc(text: str, wanted: list[Any]) -> None:
    assert outline(rendered(text).toc) == wanted


def test_entries_of_the_toc_have_no_links_and_keep_code() -> None:
    (heading,) = rendered("# [`x`](u) *b* <a href='q'>c</a> ![d](v) 1 < 2\nx").toc
    assert heading.html == "<code>x</code> <em>b</em> c d 1 &lt; 2"


def test_a_heading_keeps_its_words_and_gets_a_quiet_link() -> None:
    assert rendered("## 1) 정의").html == (
        '<h2 id="1-정의">1) 정의 '
        '<a class="anchor" href="#1-정의" aria-label="Link to this section">#</a></h2>\n'
    )


# --- addresses ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("[a](b.md#c)", [("b.md#c", 3)]),
        ("\n\n![a](한.png)", [("%ED%95%9C.png", 5)]),
        ("a\nb\n[c](d) `x`  \n<https://e.f>", [("d", 5), ("https://e.f", 6)]),
        ("[a]\n\n[a]: /u", [("/u", 3)]),
        ("> - [a](b)\n>   c [d](e)", [("b", 3), ("e", 4)]),
        ("# [a](b)", [("b", 3)]),
        ("|[a](b)|\n|-|\n|[c](d)|", [("b", 3), ("d", 5)]),
        ('<div>\n\n<img src="a b.png">\n', [("a b.png", 5)]),
        ("<p>\n<a\n  title='href=\"no\"' HREF = 'x&amp;y'>z</a>", [("x&y", 4)]),
        ("<p>\n\n<video poster=p src=q>", [("p", 5), ("q", 5)]),
        ("t <a href='a'>b</a>\nu <img\nsrc='c'>", [("a", 3), ("c", 4)]),
        ("<div>\n<img src=a>\n<a\nhref=b></a><img src=c></div>", [("a", 4), ("b", 5), ("c", 6)]),
        ("<!-- <a href='no'> -->\n\n<!-- <a href='no'>", []),
        ("<b href='no'>", []),
        ("`<a href='no'>`\n\n    <a href='no'>", []),
        (
            "<div><source src=''><iframe src=\"i\"></iframe><link href='l'></div>",
            [("", 3), ("i", 3), ("l", 3)],
        ),
        ('<div>\n<a href="it\'s" title="">', [("it's", 4)]),
    ],
)
def test_addresses_are_resolved_with_their_line(text: str, calls: list[tuple[str, int]]) -> None:
    seen: list[tuple[str, int]] = []

    def resolve(href: str, line: int) -> str:
        seen.append((href, line))
        return f"/new?{len(seen)}&\"'<"

    page = rendered("---\n---\n" + text, body_line=3, resolve=resolve).html
    assert seen == calls
    names = {f"/new?{i + 1}&\"'<" for i in range(len(calls))}
    links = {
        value
        for _, attrs in Tree(page).tags
        for key, value in attrs.items()
        if key in ("href", "src", "poster")
    }
    assert names <= links


def test_raw_html_that_need_not_change_stays_byte_for_byte() -> None:
    raw = "<div>\n<a  HREF = 'x'\n title=\"&quot;\">a</a><a name=x>\n</div>\n"
    assert rendered(raw).html == raw


@pytest.mark.parametrize(
    "piece", ["<a ", "<a href=", '<a href="', "<a href='<a \"", "<!--", "<img " + "a" * 50, "<a x=y "]
)
def test_hostile_raw_html_takes_linear_time(piece: str) -> None:
    start = time.process_time()
    rendered("<div>\n" + piece * (200_000 // len(piece)))
    assert time.process_time() - start < 20


# --- scripts --------------------------------------------------------------------------------

PAYLOADS: list[str] = json.loads((Path(__file__).parent / "cases/payloads.json").read_text())

CONTEXTS = {
    "info string": "```{}\ncode\n```\n",
    "tilde info string": "~~~ {}\ncode\n~~~\n",
    "code": "```js\n{}\n```\n",
    "plain fence": "```\n{}\n```\n",
    "span of code": "`` {} ``\n",
    "heading in code": "## `` {} ``\n",
    "link": "[text]({})\n",
    "bracketed link": "[text](<{}>)\n",
    "picture": "![text](<{}>)\n",
    "reference": "[text][r]\n\n[r]: <{}>\n",
    "title": '[text](/u "{}")\n',
    "other title": "![text](/u '{}')\n",
    "words of a picture": "![`` {} ``](/u)\n",
}
TAGS = "p a img pre code span h2 div br em strong s ul ol li figure figcaption"
ATTRIBUTES = "href src alt title class id tabindex aria-hidden loading decoding role aria-label"
SAFE_TAGS = frozenset(TAGS.split())
SAFE_ATTRIBUTES = frozenset(ATTRIBUTES.split())


def is_script(url: str) -> bool:
    """Would a browser run this address? It drops control characters and looks at the scheme."""
    squeezed = re.sub(r"[\x00-\x20\u2028\ufeff]", "", url).lower()
    return squeezed.startswith(("javascript:", "vbscript:", "data:text", "data:image/svg", "file:"))


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_payload_becomes_script(context: str, payload: str) -> None:
    """What breaks out of its place in Markdown is the author's own raw HTML, so here it is kept inside."""
    if context in ("link", "bracketed link", "picture", "reference", "title", "other title"):
        # Markdown's own ends of these places, and raw HTML, are escaped: what stays is inside.
        payload = re.sub(r"([<>()\"'\[\]])", r"\\\1", payload.replace("\\", ""))
    page = rendered(CONTEXTS[context].format(payload), {1: ()}).html
    tree = Tree(page)
    assert {tag for tag, _ in tree.tags} <= SAFE_TAGS
    for _, attrs in tree.tags:
        assert set(attrs) <= SAFE_ATTRIBUTES
        assert not any(is_script(attrs.get(name) or "") for name in ("href", "src"))


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_output_becomes_script(payload: str) -> None:
    text = f"```python {{fig-cap={payload!r}}}\nx\n```\n"
    tree = Tree(
        rendered(CELL + "\n" + text, {1: (Text(payload), Figure(payload, 1, 1, payload)), 2: (FIGURE,)}).html
    )
    assert {tag for tag, _ in tree.tags} <= SAFE_TAGS | {"figure", "figcaption"}
    assert all(set(attrs) <= SAFE_ATTRIBUTES | {"width", "height"} for _, attrs in tree.tags)


# --- summary --------------------------------------------------------------------------------

LONG = "낱말 " * 100


@pytest.mark.parametrize(
    ("text", "summary"),
    [
        (
            "# head\n\nOne **two** `three` [four](u)\nfive.\n\n```\ncode\n```\n\nSix.",
            "One two three four five. Six.",
        ),
        ("- a\n- b\n\n> c", "a b c"),
        (LONG, ("낱말 " * 53).strip() + "…"),
        ("x" * 500, "x" * 160 + "…"),
        ("가" * 159 + " 나다", "가" * 159 + "…"),
        ("a <b>b</b> <!-- c --> ![d](e) f", "a b f"),
        (f"a\n\n{LONG}\n\n<!--more-->\n\nb", f"a {LONG.strip()}"),
        ("a <!-- More --> b\n\nc", "a"),
        ("`<!--more-->` a\n\nb", "<!--more--> a b"),
        ("|a|b|\n|-|-|\n|c|d|\n\ne", "e"),
        ("<!--more-->\n\na", ""),
        ("\u1112\u1161\u11ab", "한"),
        ("", ""),
        ("```python\nx\n```", ""),
    ],
)
def test_summary(text: str, summary: str) -> None:
    assert rendered(text).summary == summary


def test_a_summary_is_cut_behind_a_word() -> None:
    result = rendered("word, " * 60).summary
    assert result.endswith("word…")
    assert len(result) <= 161


# --- the real post --------------------------------------------------------------------------


def test_the_seed_post() -> None:
    text = SEED.read_text()
    body_line = text.split("\n").index("---", 1) + 2
    result = rendered(text, body_line=body_line)
    assert not Tree(result.html).open
    assert result.html.count('class="cell"') == 7
    assert result.html.count('class="cell-output"') == 7
    assert "<strong>자동 미분</strong> 제공" in result.html
    assert outline(result.toc) == [
        (
            2,
            "1-autograd자동미분-복습",
            [(3, "1-정의", []), (3, "2-기울기gradient", []), (3, "3-자동-미분-흐름-예제", [])],
        )
    ]
    assert result.summary.startswith("torch.autograd 패키지는")
    assert result.problems == ()


# --- how code and outputs look ----------------------------------------------------------------


def test_a_fence_has_a_frame_with_its_caption() -> None:
    page = html('```js title="a<b.js" {linenos=true hl_lines="2"}\n1\n2\n```\n')
    assert page.startswith(
        '<div class="code"><div class="code-bar"><span class="code-title">a&lt;b.js</span></div>'
    )
    assert '<pre class="highlight numbered" tabindex="0"><code class="language-js">' in page
    assert page.count('<span class="line">') == 1
    assert page.count('<span class="line marked">') == 1


def test_a_cell_may_be_folded_and_its_option_lines_are_not_counted() -> None:
    page = html('```python {fold=true hl_lines="2"}\n#| label: x\na\nb\n```\n', Text("1\n"))
    assert '<details class="fold"><summary><span class="count">2 lines of code</span></summary><pre' in page
    assert '<span class="line marked"><span class="n">b</span>' in page
    assert page.index("</details>") < page.index('class="cell-output"')


@pytest.mark.parametrize(("lines", "long"), [(50, False), (51, True)])
def test_long_code_says_how_long_it_is(lines: int, long: bool) -> None:
    assert (f'data-lines="{lines}"' in html("```text\n" + "a\n" * lines + "```\n")) is long
    assert "data-lines" not in html("```text {fold=true}\n" + "a\n" * lines + "```\n")


@pytest.mark.parametrize(("lines", "long"), [(30, False), (31, True)])
def test_so_does_a_long_output(lines: int, long: bool) -> None:
    assert (f'data-lines="{lines}"' in html(CELL, Text("a\n" * lines))) is long


def test_what_a_fence_says_wrongly_is_a_warning_at_its_line() -> None:
    [problem] = rendered('---\n---\n\n\na\n\n```js {hl_lines="9"}\n1\n```\n', body_line=5).problems
    assert (problem.level, problem.line, problem.kind) == ("warning", 7, "markdown")
    assert "`hl_lines` names `9`, of 1 lines" in problem.message


def test_marks_are_set_apart_from_what_was_printed() -> None:
    page = html(CELL, Text("a\n---\n<b>\n", marks=frozenset({1})))
    assert 'a\n<span class="author-mark">---</span>\n&lt;b&gt;\n' in page
    coloured = Text("a\n---\n", coloured="\x1b[31ma\x1b[0m\n---\n", marks=frozenset({1}))
    assert '<span class="ansi-red">a</span>\n<span class="author-mark">---</span>\n' in html(CELL, coloured)


def test_of_an_output_that_stays_as_written_the_rules_are_marks() -> None:
    page = html(CELL + "```\n1\n-----\n## no rule\n```\n", keep=True)
    assert '1\n<span class="author-mark">-----</span>\n## no rule\n' in page


def test_no_style_is_written_into_a_page() -> None:
    table = "| a | b |\n|:--|--:|\n| 1 | 2 |\n"
    page = html(table + "\n" + CELL, Text("x\n", coloured="\x1b[1;31;44mx\x1b[0m\n"), FIGURE)
    assert "style=" not in page
    assert 'class="align-right"' in page


def test_a_table_of_pandas_has_the_style_of_the_theme() -> None:
    table = (
        '<div>\n<style scoped>\n    .dataframe tbody tr th {}\n</style>\n<table border="1" class="dataframe">\n'
        '<thead><tr style="text-align: right;"><th></th><th>a</th></tr></thead>\n</table>\n</div>'
    )
    page = html(CELL, Markup(table, "a"))
    assert (
        '<div>\n<table class="dataframe">\n<thead><tr><td></td><th>a</th></tr></thead>\n</table>\n</div>'
        in page
    )
    own = '<style scoped>p {}</style><table border="1"><tr><th></th></tr></table>'
    assert own in html(CELL, Markup(own, "a"))
