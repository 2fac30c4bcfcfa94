"""The one Markdown dialect: what it adds to CommonMark, that it takes nothing away, that no word is lost."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from builder.markdown.dialect import (
    DEEPEST,
    Env,
    block_tokens,
    body_of,
    inline_to_html,
    parse,
    to_html,
    too_deep,
)

STOCK = MarkdownIt("commonmark", {"xhtmlOut": False}).enable(["table", "strikethrough"])


def html(text: str) -> str:
    return to_html(parse(text)).strip()


def fences(tokens: list[Token]) -> list[tuple[str, str, list[int] | None, int, str]]:
    return [(t.info, t.content, t.map, t.level, t.markup) for t in tokens if t.type == "fence"]


# --- emphasis -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("**분할(divide)**은", "<strong>분할(divide)</strong>은"),
        ("**`torch`**를", "<strong><code>torch</code></strong>를"),
        ('**"인용"**을', "<strong>&quot;인용&quot;</strong>을"),
        ("**[링크](u)**를", '<strong><a href="u">링크</a></strong>를'),
        ("***분할(d)***은", "<em><strong>분할(d)</strong></em>은"),
        ("~~취소(x)~~는", "<s>취소(x)</s>는"),
        ("은**(열림)** 뒤", "은<strong>(열림)</strong> 뒤"),
        ("**なに？**それ", "<strong>なに？</strong>それ"),
        ("**中文。**字", "<strong>中文。</strong>字"),
        ("*강조(a)*는 **둘(b)**도", "<em>강조(a)</em>는 <strong>둘(b)</strong>도"),
        # what stays as CommonMark has it
        ("`a`__init__은", "<code>a</code>__init__은"),
        ("snake_case_은", "snake_case_은"),
        ("2 * 3 * 가", "2 * 3 * 가"),
        ("**(divide)**now", "**(divide)**now"),
        ("** 가 **", "** 가 **"),
    ],
)
def test_emphasis_closes_beside_hangul(text: str, wanted: str) -> None:
    assert html(text) == f"<p>{wanted}</p>"


@given(st.text(alphabet="*_~`ab ().!\n[]\\", max_size=40))
@example("**a(b)**c")
def test_without_cjk_letters_inline_text_is_commonmark(text: str) -> None:
    assume(not re.search(r"(?m)^ *~[ \n]", text))  # the text of a definition list
    assert to_html(parse(text)) == STOCK.render(text)


def test_other_parsers_are_not_patched() -> None:
    html("**가(a)**나")
    assert STOCK.render("**가(a)**나") == "<p>**가(a)**나</p>\n"


# --- HTML and fences ------------------------------------------------------------------------

CODE = "```python\n1\n\n2\n```\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<br>\n", ""),
        ("<br/>\n<br/>\n", ""),
        ("<center>\n", "</center>\n"),
        ("<div>\n<p>text</p>\n", "</div>\n"),
        ("<details><summary>x</summary>\n", "</details>\n"),
        ("</div>\n", ""),
        ("<div><!-- a --><pre>x</pre>\n", "</div>\n"),
        ("<div>\n<!--\nnote\n-->\n", "</div>\n"),
    ],
)
@pytest.mark.parametrize("prefix", ["", "> ", "   "])
def test_a_fence_below_html_is_a_fence(before: str, after: str, prefix: str) -> None:
    text = f"{before}{CODE}{after}"
    if prefix == "   ":
        text = "1. item\n\n" + text
        text = "".join(prefix + line if i else line for i, line in enumerate(text.splitlines(True)))
    else:
        text = "".join(prefix + line for line in text.splitlines(True))
    assert [content for _, content, *_ in fences(block_tokens(text))] == ["1\n\n2\n"]


@pytest.mark.parametrize(
    "text",
    [
        "<pre>\n```\n1\n```\n</pre>",
        "<script>\n```\n1\n```\n</script>",
        "<!--\n```\n1\n```\n-->",
        "<div>\n<!--\n```\n1\n```\n-->\n</div>",
        "<div><pre>\n```\n1\n```\n</pre></div>",
        "<div><PRE>\n</script>\n```\n1\n```\n</pre></div>",
        "<div>\n```\nnever closed",
        "<div>\n```\nclosed by a longer one only\n~~~",
        "<div>\n    ```\n    1\n    ```",
        "text <b>\n`x`",
    ],
)
def test_html_that_keeps_its_fence(text: str) -> None:
    assert fences(block_tokens(text)) == []
    assert to_html(parse(text)) == STOCK.render(text)


def test_the_html_above_a_fence_keeps_every_line() -> None:
    assert html("<br>\n<hr>\n```\n1\n```\n</div>\ntext") == (
        "<br>\n<hr>\n<pre><code>1\n</code></pre>\n</div>\ntext"
    )


# --- nesting --------------------------------------------------------------------------------


def ladder(kind: str, depth: int) -> str:
    """`depth` words, each one level deeper than the one before."""
    width = {"list": 2, "ordered": 3, "quote": 2, "mix": 2}[kind]
    rows = []
    for i in range(depth):
        marker = {"list": "- ", "ordered": "1. ", "quote": "> ", "mix": ("> ", "- ")[i % 2]}[kind]
        outer = {"quote": "> " * i, "mix": "".join(("> ", "  ")[k % 2] for k in range(i))}
        rows.append(f"{outer.get(kind, ' ' * width * i)}{marker}w{i}w")
    return "\n".join(rows) + "\n"


@pytest.mark.parametrize("kind", ["list", "ordered", "quote", "mix"])
def test_no_word_is_lost_at_any_depth(kind: str) -> None:
    for depth in range(1, 201):
        env: Env = {}
        page = to_html(parse(ladder(kind, depth) + "\n\nafter\n", env))
        lost = [i for i in range(depth) if f"w{i}w" not in page]
        assert not lost
        assert "after" in page
        levels = {"list": 2, "ordered": 2, "quote": 1, "mix": 1.5}[kind] * (depth - 1)
        assert bool(too_deep(env)) == (levels >= DEEPEST), depth


@pytest.mark.parametrize(("marker", "deepest"), [("- ", 100), ("1. ", 100), ("> ", 200), ("> - ", 67)])
def test_too_deep_on_one_line(marker: str, deepest: int) -> None:
    for depth in (deepest, deepest + 1, 5_000):
        env: Env = {}
        assert "word" in to_html(parse("first\n\n" + marker * depth + "word\n", env))
        assert too_deep(env) == (() if depth == deepest else (2,))


@pytest.mark.parametrize(
    "text",
    ["[" * 3000, "![" * 1000 + "x" + "](a)" * 1000, "**" * 3000 + "가", "![[]()" * 300, "`" * 5000 + "a"],
    ids=lambda text: text[:6],
)
def test_deep_inline_text_ends_without_an_error(text: str) -> None:
    assert html(text)


# --- one structure --------------------------------------------------------------------------

LINES = st.sampled_from(
    [
        "",
        "text",
        "# head",
        "- item",
        "  - deeper",
        "1. one",
        "   in it",
        "> quote",
        "> ```",
        "> > - ```",
        "```python",
        "```",
        "````",
        "~~~",
        "  ```",
        "\t```",
        "- ```",
        "    code",
        "<br>",
        "<center>",
        "</div>",
        "<!--",
        "-->",
        "| a | b |",
        "|---|---|",
        "[r]: /u",
        "[r] ![x](y)",
        "---",
        " \t ",
    ]
)


@given(st.lists(st.tuples(LINES, st.sampled_from(["\n", "\r\n", "\r"])), max_size=25))
@example([("<br>", "\n"), ("```", "\n"), ("```", "\n")])
def test_block_tokens_and_parse_see_the_same(pieces: list[tuple[str, str]]) -> None:
    text = "".join(line + end for line, end in pieces)
    blocks = block_tokens(text)
    whole = parse(text)
    assert fences(blocks) == fences(whole)
    assert [(t.type, t.map, t.level) for t in blocks] == [(t.type, t.map, t.level) for t in whole]
    lines = body_of(text, 1).split("\n")
    for token in blocks:
        if token.type == "fence" and token.map:
            assert token.markup in lines[token.map[0]]


def test_references_work_wherever_they_stand() -> None:
    assert (
        html("[a] and [b][a]\n\n[a]: /u 'T'")
        == '<p><a href="/u" title="T">a</a> and <a href="/u" title="T">b</a></p>'
    )
    assert html("[a]") == "<p>[a]</p>", "no reference of another page is left"


@pytest.mark.parametrize(
    ("text", "line", "body"),
    [
        ("a\nb\nc", 1, "a\nb\nc"),
        ("a\nb\nc", 2, "b\nc"),
        ("a\r\nb\rc\n", 3, "c\n"),
        ("a\x0bb\x85\u2028\nc", 2, "c"),
        ("\ufeffa\nb", 1, "a\nb"),
        ("a\n", 2, ""),
        ("a", 5, ""),
        ("", 1, ""),
    ],
)
def test_body_of(text: str, line: int, body: str) -> None:
    assert body_of(text, line) == body


def test_escapes_and_entities_are_text() -> None:
    (_, inline, _) = parse(r"\*a\* &amp; &lt;b")
    assert inline_to_html(inline.children or []) == "*a* &amp; &lt;b"
    assert {child.type for child in inline.children or []} == {"text"}
