"""The quick parsers and the quick renderer give what markdown-it's own give, for any text."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import pytest
from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.token import Token

from builder.markdown.blocks import Blocks, _Lines
from builder.markdown.texts import Markdown, Texts
from builder.markdown.tokens import Html, new_token

FRAGMENTS = (
    *"`~*_[]<>!&$\\^{}()|:-#+= \t\n\n\n가a1",
    *("**", "``", "```\n", "](", "- ", "> ", "1. ", "    ", "한글 ", "a b c\n", "<b>", "</b>", "<!--", "-->"),
    *(
        "&amp;",
        "![",
        "<http://a.b>",
        "\n===\n",
        "\n---\n",
        "|---|\n",
        "  \n",
        "\\\n",
        "[a]: b\n",
        "~~",
        "* * *\n",
    ),
    *("**a b**", "*가*", "__d__", "_e_", "*f**", "(g)**", "**h", "“", "\u00a0"),
    *("`a b`", "` `", "[a b](/c#d)", "[a](//b)", "[가](b.md?c=d&e)", "(https://a-b.c:1/)", "(http://a.b)"),
)

# Lines of lists, tables, fences and headings, plain ones and others.
LINES = (
    *(
        "- a",
        "- b `c`",
        "* **x** y",
        "- [a](b)",
        "- [ ] t",
        "- [x]: /u",
        "- 2020년",
        "1. a",
        "2. b",
        "7) c",
        "-",
    ),
    *(
        "-  two",
        "- 1. x",
        "- - n",
        "- ***",
        "-\tb",
        "  more",
        "    deep",
        "   - sub",
        "",
        "",
        "",
        "",
        "> - a",
        "---",
    ),
    *("```", "```py", "``` x ```", "````", "~~~", "   ``` ", "    ```", "```  ", "> ```", "- ```"),
    *(
        "# h",
        "## h ##",
        "#",
        "## a `b` \t",
        "  # i",
        "text",
        "text  ",
        "[a]: b",
        "<div>",
        "===",
        "***",
        "\x0b",
    ),
    *(
        "| a | b |",
        "|---|---|",
        "|:--|--:|",
        "| c | d | e |",
        "| f |",
        "|-|",
        "||",
        "|x\\|y|z|",
        "| g | h |  ",
    ),
)


def markdown(*, quick: bool) -> MarkdownIt:
    md = Markdown("commonmark", renderer_cls=Html) if quick else MarkdownIt("commonmark")
    if quick:
        md.block, md.inline = Blocks(), Texts()
        md.configure("commonmark")
    md.options["xhtmlOut"] = False
    return md.enable(["table", "strikethrough"])


STOCK, QUICK = markdown(quick=False), markdown(quick=True)


def seen(md: MarkdownIt, text: str) -> tuple[list[Mapping[str, Any]], str]:
    return [token.as_dict() for token in md.parse(text)], md.render(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n \t\n",
        "no end",
        "a\n\n\n   b  \n \t ",
        "# a\n\nb\n===\n\nc\n---\n\n***\n\n    code\n\tcode\n",
        "- a\n- b\n\n  c\n\n1) d\n   - e\n",
        "- \n\n  a\n-\n- b",
        "> a\nb\n> - c\n>\n> d",
        "```py x\n a\n\n```\n~~~\nnever closed",
        "| a | b |\n|---|:-:|\n| `c` | d\\|e |\n\nf",
        "<div>\na\n\n</div>\n\n[b]\n\n[b]: /c 'd'\n",
        "*a **b** c* __d__ ~~e~~ `f` ``g ` h`` \\* &lt; &#35; i\\\nj  \nk",
        '[a ![b](c) *d*](e "f") <g@h.i> <http://j.k> [l] [m][n] ![o]\n\n[n]: p\n',
        "[a]b] [c[d] [e](f(g)h) ]( [ ![ ! ]",
        "a: b = c + d - e # f % g @ h > i } j",
    ],
)
def test_what_is_parsed_and_written_is_the_same(text: str) -> None:
    assert seen(QUICK, text) == seen(STOCK, text)


@pytest.mark.parametrize("seed", range(20))
def test_it_is_the_same_for_any_text(seed: int) -> None:
    choose = random.Random(seed)
    for _ in range(40):
        text = "".join(choose.choices(FRAGMENTS, k=choose.randint(1, 40)))
        assert seen(QUICK, text) == seen(STOCK, text), text


@pytest.mark.parametrize("seed", range(20))
def test_it_is_the_same_for_any_lines(seed: int) -> None:
    choose = random.Random(seed)
    for _ in range(100):
        text = "\n".join(choose.choices(LINES, k=choose.randint(1, 12)))
        assert seen(QUICK, text) == seen(STOCK, text), text


@pytest.mark.parametrize(
    "text", ["a", "a\n", "\n", " \t a\n\n\t", "  ", "a\n  ", "\t\ta\n \tb\n   \t", "\n\n a \n"]
)
def test_lines_are_measured_as_by_markdown_it(text: str) -> None:
    ours, theirs = _Lines(text, QUICK, {}, []), StateBlock(text, QUICK, {}, [])
    for name in ("src", "bMarks", "eMarks", "tShift", "sCount", "bsCount", "lineMax"):
        assert getattr(ours, name) == getattr(theirs, name), name


def test_text_that_is_nested_too_deep_is_left_out_as_by_markdown_it() -> None:
    for text in (">" * 60 + " a\n\nb", "[" * 60 + "a" + "](b)" * 60):
        assert seen(QUICK, text) == seen(STOCK, text)


def test_every_rule_of_texts_has_to_be_known() -> None:
    md = markdown(quick=True)
    md.inline.ruler.push("novel", lambda state, silent: False)
    with pytest.raises(KeyError, match="novel"):
        md.parse("a <b>")


def test_a_token_is_the_same_as_one_of_its_own_constructor() -> None:
    assert new_token("a", "b", 1, 2, "c", block=True) == Token("a", "b", 1, level=2, content="c", block=True)


def test_addresses_are_written_as_by_markdown_it() -> None:
    choose = random.Random(1)
    parts = (
        "http://",
        "https://",
        "/",
        "a",
        "b.c",
        ".",
        "?",
        "#",
        "=",
        "&",
        "한",
        "%20",
        ":80",
        "@",
        "(",
        "~",
    )
    long = ("a" * 63, "b" * 64, "mailto:", "javascript:", "HTTP://", "data:", " ", "\\", "-", "_")
    for _ in range(5000):
        address = "".join(choose.choices((*parts, *long), k=choose.randint(0, 8)))
        assert QUICK.normalizeLink(address) == STOCK.normalizeLink(address), address
