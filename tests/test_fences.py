"""Fences, cells and their outputs; and outputs written back with every other byte in its place."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.fences import (
    find_fences,
    line_spans,
    parse_info,
    read_cells,
    replace_outputs,
    without_options,
)
from builder.model import Cell, CellOptions, Problem

SEED = Path(__file__).parents[1] / "content/posts/2023-03-06-pytorch-grammar-4.md"


def cells_of(text: str) -> tuple[Cell, ...]:
    cells, problems = read_cells(text, 1, "a.md")
    assert problems == ()
    return cells


# --- info strings ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("info", "language", "options"),
    [
        ("", "", {}),
        ("python", "python", {}),
        ("Python", "python", {}),
        ("python3", "python3", {}),
        ("py", "py", {}),
        ("  python  ", "python", {}),
        ("c++", "c++", {}),
        ("objective-c", "objective-c", {}),
        ("{python}", "python", {}),
        ("{ python }", "python", {}),
        ("{{python}}", "python", {}),
        ("{code-cell} python", "python", {}),
        ("{code-cell} ipython3", "python", {}),
        ("{code-cell}", "python", {}),
        ("{code-cell} r", "r", {}),
        ("{.python .input n=3}", "python", {".input": True, "n": "3"}),
        ("{.python #lst:a}", "python", {"#lst:a": True}),
        ("{.output}", "output", {}),
        ("python {eval=false echo=false}", "python", {"eval": "false", "echo": "false"}),
        ("{python, echo=FALSE}", "python", {"echo": "FALSE"}),
        ("{python label, fig.cap='a, b'}", "python", {"label": True, "fig.cap": "a, b"}),
        ("python linenos", "python", {"linenos": True}),
        ('python title="a b"', "python", {"title": "a b"}),
        ("python title='{x=1}'", "python", {"title": "{x=1}"}),
        ('python title="open', "python", {"title": '"open'}),
        ("python title=", "python", {"title": ""}),
        ("python a = 1", "python", {"a": "1"}),
        ("{linenos=table,hl_lines=[3]}", "", {"linenos": "table", "hl_lines": "[3]"}),
        ("python {linenos=table,hl_lines=[3, 5-7]}", "python", {"linenos": "table", "hl_lines": "[3, 5-7]"}),
        ("python{1,3-5}", "python", {"1": True, "3-5": True}),
        ("python:train.py", "python", {}),
        ('title="x"', "", {"title": "x"}),
        ("}{,=,{", "", {}),
    ],
)
def test_info_string(info: str, language: str, options: dict[str, Any]) -> None:
    parsed = parse_info(info)
    assert parsed.language == language
    assert dict(parsed.options) == options


@given(st.text(st.sampled_from("python {}[]=,.#'\"\\code-cell \t가"), max_size=40))
def test_no_info_string_is_too_odd(info: str) -> None:
    parsed = parse_info(info)
    assert not set(parsed.language) & set(" \t{},=")
    assert parsed.braced <= parsed.options.keys()


# --- fences ----------------------------------------------------------------------------------


def test_line_spans_know_three_line_ends_and_no_other() -> None:
    text = "a\r\nb\rc\n\n\u2028d\x0be\x85f"
    assert [text[start:end] for start, end, _ in line_spans(text)] == ["a", "b", "c", "", "\u2028d\x0be\x85f"]
    assert "".join(text[start:stop] for start, _, stop in line_spans(text)) == text
    assert line_spans("") == []
    assert line_spans("a\n") == [(0, 1, 2)]


@pytest.mark.parametrize(
    ("text", "start", "stop", "prefix", "body"),
    [
        ("```\na\n```\n", 1, 4, "", "a\n"),
        ("```\n```", 1, 3, "", ""),
        ("x\n\n   ~~~~\n   a\n    b\n   ~~~~~\n", 3, 7, "   ", "a\n b\n"),
        ("- ```\n  a\n\n  b\n  ```\n", 1, 6, "  ", "a\n\nb\n"),
        ("10. x\n\n    ```\n    a\n    ```\n", 3, 6, "    ", "a\n"),
        ("> ```\n> a\n>\n>  b\n> ```\n", 1, 6, "> ", "a\n\n b\n"),
        ("- > 1. ```\n  >    a\n  >    ```\n", 1, 4, "  >    ", "a\n"),
        ("-\t```\n\ta\n\t```\n", 1, 4, " \t", "a\n"),
        ("```\n``\n ~~~\n    ```\n```\n", 1, 6, "", "``\n ~~~\n    ```\n"),
        ("\ufeff```\na\n```\n", 1, 4, "", "a\n"),
        ("<br>\n```\na\n```\n", 2, 5, "", "a\n"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_fence(text: str, start: int, stop: int, prefix: str, body: str, end: str) -> None:
    (fence,) = find_fences(text.replace("\n", end), 1)
    assert (fence.start, fence.stop, fence.prefix, fence.body) == (start, stop, prefix, body)
    assert fence.closed


@pytest.mark.parametrize(
    ("text", "body"),
    [
        ("```", ""),
        ("```\n", ""),
        ("```\n\n", "\n"),
        ("```\na\n    ```", "a\n    ```\n"),
        ("```\na\n~~~\n", "a\n~~~\n"),
        ("````\na\n```\n", "a\n```\n"),
        ("> ```\n> a\n\n```x\n```", "a\n"),
        ("- ```\n  a\nb\n", "a\n"),
    ],
)
def test_a_fence_that_is_never_closed(text: str, body: str) -> None:
    fence = find_fences(text, 1)[0]
    assert not fence.closed
    assert fence.body == body
    cells, problems = read_cells(text, 1, "a.md")
    assert cells == ()
    assert problems[0] == Problem(
        "error",
        "a.md",
        1,
        "markdown",
        "the fence opened here is never closed",
        f"add a closing {fence.marker}",
    )


def test_lines_are_those_of_the_file() -> None:
    text = "---\ntitle: x\n---\n\n```python\n1\n```\n"
    assert [(fence.start, fence.stop) for fence in find_fences(text, 4)] == [(5, 8)]
    assert find_fences(text, 9) == ()


# --- cells -----------------------------------------------------------------------------------

CELL = "```python\nprint(1)\n```\n"


def test_the_seed() -> None:
    cells, problems = read_cells(SEED.read_text("utf-8"), 17, "seed.md")
    assert problems == ()
    places = [(cell.code.start, cell.authored.start, cell.authored.stop) for cell in cells if cell.authored]
    assert places == [
        (27, 35, 42),
        (47, 60, 75),
        (78, 82, 85),
        (90, 97, 112),
        (115, 128, 132),
        (139, 148, 153),
        (158, 164, 169),
    ]
    assert [cell.number for cell in cells] == [1, 2, 3, 4, 5, 6, 7]
    assert all(cell.source == cell.code.body and cell.options == CellOptions() for cell in cells)


@pytest.mark.parametrize(
    "info", ["python", "Python", "PY", "python3", "{python}", "{code-cell} python", "python linenos"]
)
def test_what_is_a_cell(info: str) -> None:
    assert len(cells_of(f"```{info}\n1\n```\n")) == 1


@pytest.mark.parametrize("info", ["", "text", "pycon", "bash", "pyhton", "r", "python2", 'title="python"'])
def test_what_is_no_cell(info: str) -> None:
    assert cells_of(f"```{info}\n1\n```\n") == ()


@pytest.mark.parametrize(
    ("text", "authored"),
    [
        (CELL + "```\n1\n```\n", "1\n"),
        (CELL + "\n \t\n```\n1\n```\n", "1\n"),
        (CELL + "~~~~ text\n1\n~~~~\n", "1\n"),
        (CELL + "```Output\n1\n```\n", "1\n"),
        (CELL + "```console\n1\n```\n", "1\n"),
        (CELL + "```{.text .output}\n1\n```\n", "1\n"),
        (CELL + "```\n```\n", ""),
        ("- ```python\n  1\n  ```\n\n  ```\n  1\n  ```\n", "1\n"),
        ("> ```python\n> 1\n> ```\n>\n> ```\n> 1\n> ```\n", "1\n"),
        ("1. x\n   ```python\n   1\n   ```\n   ```\n   1\n   ```\n", "1\n"),
        (CELL + "```python\n1\n```\n", None),
        (CELL + "```bash\n1\n```\n", None),
        (CELL + "```json\n1\n```\n", None),
        (CELL + "so:\n```\n1\n```\n", None),
        (CELL + "<!-- x -->\n```\n1\n```\n", None),
        (CELL + "[a]: /url\n\n```\n1\n```\n", None),
        (CELL + "---\n```\n1\n```\n", None),
        (CELL + "    indented\n", None),
        (CELL + "> ```\n> 1\n> ```\n", None),
        (CELL + "- ```\n  1\n  ```\n", None),
        ("- ```python\n  1\n  ```\n\n```\n1\n```\n", None),
        ("- ```python\n  1\n  ```\n- ```\n  1\n  ```\n", None),
        ("> ```python\n> 1\n> ```\n\n> ```\n> 1\n> ```\n", None),
        (CELL, None),
    ],
)
def test_the_output_fence_of_a_cell(text: str, authored: str | None) -> None:
    cell = cells_of(text)[0]
    assert (cell.authored.body if cell.authored else None) == authored


def test_only_the_first_of_two_output_fences_is_an_output() -> None:
    (cell,) = cells_of(CELL + "```\n1\n```\n```\n2\n```\n")
    assert cell.authored is not None
    assert cell.authored.body == "1\n"


def test_an_output_fence_that_is_never_closed_is_none() -> None:
    cells, problems = read_cells(CELL + "```\n1\n", 1, "a.md")
    assert [cell.authored for cell in cells] == [None]
    assert [problem.line for problem in problems] == [4]


# --- options ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("info", "top", "options"),
    [
        ("python", "", CellOptions()),
        ("python {eval=false echo=FALSE}", "", CellOptions(eval=False, echo=False)),
        ("python eval=false", "", CellOptions(eval=False)),
        ("python error example", "", CellOptions()),  # words are no options
        ("python", "#| eval: false\n#| echo: false\n", CellOptions(eval=False, echo=False)),
        ("python {eval=false}", "#| eval: True\n", CellOptions(eval=True)),
        ("python", "#| output: no\n#| error: yes\n#| include: false\n#| check: false\n", None),
        ("python", '#| fig-cap: "A: b"\n#| fig_alt: c # d\n#| label: fig-a\n', None),
        ("{python, fig.cap='x'}", "", CellOptions(fig_cap="x")),
        ("python", "#| timeout: 5\n", CellOptions(timeout=5.0)),
        ("python", "#|echo: false\n", CellOptions(echo=False)),
        ("python", "x = 1\n#| eval: false\n", CellOptions()),  # only lines at the top are options
        ("python", "# | eval: false\n", CellOptions()),
        (
            "python",
            "#| code-fold: true\n#| warning: false\n#| layout:\n#|   - eval: 1\n#| export\n",
            CellOptions(),
        ),
        ("python title='x' linenos evall=false", "", CellOptions()),  # of another tool
        ("{.python .input n=3}", "", CellOptions()),
    ],
)
def test_options(info: str, top: str, options: CellOptions | None) -> None:
    if options is None:
        options = {
            "#| out": CellOptions(output=False, error=True, include=False, check=False),
            "#| fig": CellOptions(fig_cap="A: b", fig_alt="c", label="fig-a"),
        }[top[:6]]
    (cell,) = cells_of(f"```{info}\n{top}print(1)\n```\n")
    assert cell.options == options
    assert cell.source == f"{top}print(1)\n"


@pytest.mark.parametrize(
    ("info", "top", "problem"),
    [
        (
            "python {evall=false}",
            "",
            ("warning", 3, "no cell option is called `evall`", "eval"),
        ),
        (
            "python",
            "#| echo: true\n#| outptu: x\n",
            ("warning", 5, "no cell option is called `outptu`", "output"),
        ),
        (
            "python",
            "#| figcap: x\n",
            ("warning", 4, "no cell option is called `figcap`", "fig-cap"),
        ),
        (
            "python {eval=maybe}",
            "",
            ("error", 3, 'cell option `eval` must be true or false, not "maybe"', ""),
        ),
        ("python eval=x", "", ("warning", 3, 'cell option `eval` must be true or false, not "x"', "")),
        ("python", "#| eval:\n", ("error", 4, 'cell option `eval` must be true or false, not ""', "")),
        (
            "python",
            "#| timeout: -1\n",
            ("error", 4, "cell option `timeout` must be more than 0 seconds, not -1", ""),
        ),
        ("python", "#| timeout: x\n", ("error", 4, 'cell option `timeout` must be a number, not "x"', "")),
    ],
)
def test_problems_of_options(info: str, top: str, problem: tuple[str, int, str, str]) -> None:
    cells, (found,) = read_cells(f"# x\n\n```{info}\n{top}print(1)\n```\n", 1, "a.md")
    assert len(cells) == 1
    level, line, message, near = problem
    assert (found.level, found.line, found.message) == (level, line, message)
    assert found.hint == (f"did you mean `{near}`?" if near else "")


def test_the_page_shows_no_option_lines() -> None:
    assert without_options("#| eval: false\n  #| x\n\nprint()\n#| y\n") == "\nprint()\n#| y\n"
    assert without_options("print('\x0c')\n") == "print('\x0c')\n"
    assert without_options("#| eval: false\n") == ""


# --- writing outputs back --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "new", "expected"),
    [
        (CELL + "```\nold\n```\n", "new\n", CELL + "```\nnew\n```\n"),
        (CELL + "```\nold\n```", "a\n\nb", CELL + "```\na\n\nb\n```"),
        (CELL + "``` text\nold\n```  \nprose", "", CELL + "``` text\n```  \nprose"),
        (CELL + "```\n```\n", "new\n", CELL + "```\nnew\n```\n"),
        (CELL + "```\nold\n```\n", "```\nx\n", CELL + "````\n```\nx\n````\n"),
        (CELL + "```\nold\n```\n", "  `````  \n", CELL + "``````\n  `````  \n``````\n"),
        (CELL + "```\nold\n```\n", "```x\n~~~~\n", CELL + "```\n```x\n~~~~\n```\n"),
        (CELL + "~~~ text\nold\n~~~~~\n", "~~~~\n", CELL + "~~~~~ text\n~~~~\n~~~~~\n"),
        (
            "- ```python\n  1\n  ```\n\n  ```\n  old\n  ```\n  end",
            "a\n\n  b\n",
            "- ```python\n  1\n  ```\n\n  ```\n  a\n\n    b\n  ```\n  end",
        ),
        (
            "> ```python\n> 1\n> ```\n> ```\n> old\n>```\nend",
            "a\n\nb\n",
            "> ```python\n> 1\n> ```\n> ```\n> a\n>\n> b\n>```\nend",
        ),
        (CELL + "   ```\n old\n ```\n", "  a\n", CELL + "   ```\n     a\n ```\n"),
        # The line end is that of the opening line; other lines keep theirs.
        ("a\r" + CELL + "```\r\nold\n```\rb\r\n", "x\ny\n", "a\r" + CELL + "```\r\nx\r\ny\r\n```\rb\r\n"),
        ("\ufeff" + CELL + "```\nold\n```\n", "new\n", "\ufeff" + CELL + "```\nnew\n```\n"),
    ],
)
def test_replace(text: str, new: str, expected: str) -> None:
    assert replace_outputs(text, cells_of(text), {1: new}) == expected


def test_an_output_that_is_what_it_was_stays_as_it_was_written() -> None:
    text = "> ```python\n> 1\n> ```\n> ```\n>old\n>   \n> ```\n"
    (cell,) = cells_of(text)
    assert cell.authored is not None
    assert replace_outputs(text, [cell], {1: cell.authored.body}) == text


@pytest.mark.parametrize("new", [{2: "x"}, {3: "x"}, {1: "a\rb"}, {1: "a\0b"}])
def test_what_cannot_be_replaced(new: dict[int, str]) -> None:
    text = CELL + "```\nold\n```\n\n" + CELL
    with pytest.raises(ValueError, match="cell"):
        replace_outputs(text, cells_of(text), new)


_LINES = st.text(st.sampled_from("ab `~>-#\t가한\u2028\x85\x0b"), max_size=8)
_BODIES = st.lists(_LINES, max_size=5).map(lambda lines: "".join(line + "\n" for line in lines))
_FIRST_REST = st.sampled_from(
    [
        ("", ""),
        ("- ", "  "),
        ("10. ", "    "),
        ("> ", "> "),
        (">", ">"),
        ("- > ", "  > "),
        ("> 1. ", ">    "),
        ("-\t", "\t"),
        (" * - ", "     "),
    ]
)


@st.composite
def posts(draw: st.DrawFn) -> str:
    """A post with one or two cells and outputs, in any container, with any line ends."""
    blocks: list[str] = []
    for _ in range(draw(st.integers(1, 2))):
        marker = draw(st.sampled_from(["````````", "~~~~~~~~~"]))
        lines = ["```python", "print(1)", "```"]
        lines += [""] * draw(st.integers(0, 2))
        lines += [
            marker + draw(st.sampled_from(["", " text", "output"])),
            *draw(_BODIES).split("\n")[:-1],
            marker,
        ]
        first, rest = draw(_FIRST_REST)
        blocks += ["", draw(_LINES.map(lambda line: "p" + line.replace("`", ""))), "", first + lines[0]]
        blocks += [rest + line for line in lines[1:]]
    ends = draw(st.sampled_from([["\n"], ["\r\n"], ["\r"], ["\n", "\r\n"]]))
    text = "".join(map(str.__add__, blocks, itertools.cycle(ends)))
    return draw(st.sampled_from(["", "\ufeff"])) + text + draw(st.sampled_from(["", "end"]))


@given(posts())
def test_replacing_outputs_by_themselves_is_the_identity(text: str) -> None:
    cells = cells_of(text)
    assert cells
    assert all(cell.authored for cell in cells)
    assert replace_outputs(text, cells, {c.number: c.authored.body for c in cells if c.authored}) == text


@given(posts(), st.lists(_BODIES, min_size=2, max_size=2))
def test_replaced_outputs_are_read_again_and_all_else_stays(text: str, bodies: list[str]) -> None:
    cells = cells_of(text)
    new = {cell.number: body for cell, body in zip(cells, bodies, strict=False)}
    replaced = replace_outputs(text, cells, new)
    again = cells_of(replaced)
    assert {cell.number: cell.authored.body for cell in again if cell.authored} == new
    assert _outside(replaced, again) == _outside(text, cells)
    assert replace_outputs(replaced, again, new) == replaced


def _outside(text: str, cells: tuple[Cell, ...]) -> str:
    """The text without the bodies of its output fences, and with markers of one length."""
    spans = line_spans(text)
    inside = {n for c in cells if c.authored for n in range(c.authored.start, c.authored.stop - 2)}
    kept = "".join(text[start:stop] for n, (start, _, stop) in enumerate(spans) if n not in inside)
    for run in ("`" * 8, "~" * 9):
        while run + run[0] in kept:
            kept = kept.replace(run + run[0], run)
    return kept
