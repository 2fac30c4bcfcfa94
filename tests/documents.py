"""Documents and outputs as Hypothesis makes them: every shape of fence, and every hostile byte."""

from __future__ import annotations

from hypothesis import strategies as st

PROSE = [
    "글과 **강조(bold)**는",
    "text\twith a tab",
    "- item",
    "1. one",
    "> quote",
    "## 제목",
    "---",
    "<br>",
    "",
    "    code",
    "trailing  ",
]
CODE = ["print(1)", "x = [1,\n     2]", "print('```')", "# 한글", "", "\tindented()", "~~~"]
OUTPUT = [
    "1",
    "tensor([1., 2.])",
    "-----",
    "## x, x.grad",
    "  ",
    "",
    "```",
    "~~~~",
    "\ttab",
    "가나다",
    "> quote",
    "    four",
    "a\u2028b",
]
CONTAINERS = ["", "", "", "> ", "- ", "1. ", "> - ", ">"]


@st.composite
def _fence(draw: st.DrawFn, info: str, lines: list[str]) -> list[str]:
    marker = draw(st.sampled_from(["```", "~~~", "````", "`````"]))
    indent = " " * draw(st.integers(0, 3))
    body = "\n".join(lines).split("\n")
    trail = draw(st.sampled_from(["", "", " ", "\t"]))
    return [
        f"{indent}{marker}{info}",
        *(indent + line if line else line for line in body),
        f"{indent}{marker}{trail}",
    ]


def _contained(container: str, lines: list[str]) -> list[str]:
    """Put lines into a list item or a quote."""
    if not container:
        return lines
    rest = "".join(c if c in "> " else " " for c in container)
    return [(container if number == 0 else rest) + line for number, line in enumerate(lines)]


@st.composite
def documents(draw: st.DrawFn) -> str:
    """A post with some cells, in any container, with any line ends."""
    lines: list[str] = []
    if draw(st.booleans()):
        lines += ["---", draw(st.sampled_from(["title: 제목", "", "tags: [a, b]"])), "---"]
    for _ in range(draw(st.integers(1, 4))):
        lines += draw(st.lists(st.sampled_from(PROSE), max_size=3))
        lines.append("")
        block = draw(
            _fence(
                draw(st.sampled_from(["python", "py", "Python", "{python}", 'python title="x"'])),
                draw(st.lists(st.sampled_from(CODE), min_size=1, max_size=3)),
            )
        )
        if draw(st.integers(0, 3)):
            block += [""] * draw(st.integers(0, 2))
            block += draw(
                _fence(
                    draw(st.sampled_from(["", "text", "output"])),
                    draw(st.lists(st.sampled_from(OUTPUT), max_size=5)),
                )
            )
        lines += _contained(draw(st.sampled_from(CONTAINERS)), block)
        lines.append("")
    end = draw(st.sampled_from(["\n", "\n", "\r\n", "\r"]))
    text = end.join(lines)
    bom = draw(st.sampled_from(["", "", "\ufeff"]))
    return bom + text + draw(st.sampled_from(["", end, end * 2]))


HOSTILE = [
    *("", "\n", "\n\n", "a\rb\n", "a\x00b", "\x1b[31mred\x1b[0m", "```\nx\n```\n", "~~~\n", "a\x0cb\x0bc"),
    *(
        "a\u2028b\x85c\n",
        "``````````\n",
        "  \n",
        "\tx\n",
        "> x\n",
        "-----\n",
        "## h\n",
        "가\n나\n",
        "\ufeff",
        "\ud800",
    ),
]
LARGE = ["a" * 1_000_000, "x\n" * 200_000, "tensor([1., 2.])\n" * 60_000]


def outputs() -> st.SearchStrategy[str]:
    """What a cell printed, raw; one in 200 is a megabyte."""
    plain = st.lists(st.sampled_from(OUTPUT), max_size=6).map("\n".join)
    small = st.one_of(plain, plain, plain, st.sampled_from(HOSTILE), st.text(max_size=40))
    large = st.sampled_from(LARGE)
    return st.integers(0, 199).flatmap(lambda number: large if number == 199 else small)
