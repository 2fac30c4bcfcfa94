"""The laws of the splice: what stands under a cell."""

from __future__ import annotations

import pytest

from builder.model import (
    Cell,
    CellOptions,
    ExecuteConfig,
    Failure,
    Fence,
    Figure,
    Frame,
    Markup,
    Output,
    Part,
    Text,
)
from builder.splice import expected_error, joined_text, shown

RAISED = Failure("raised", "ZeroDivisionError: division by zero", 1, (Frame(1, 1, "<module>", "1/0"),))
FIGURE = Figure("0123456789abcdef.svg", 100, 50)


def cell(authored: str | None, **options: object) -> Cell:
    code = Fence("python", "1/0\n", 1, 4, "", "```", True)
    output = None if authored is None else Fence("", authored, 4, 7, "", "```", True)
    return Cell(1, code, output, code.body, CellOptions(**options))  # type: ignore[arg-type]


def text_of(authored: str | None, output: Output, *, insert: bool = True, error: bool = False) -> str | None:
    parts = shown(cell(authored), output, ExecuteConfig(insert_outputs=insert, error=error))
    return None if parts is None else joined_text(parts)


def output(*parts: Part | str, failure: Failure | None = None) -> Output:
    return Output(tuple(Text(part) if isinstance(part, str) else part for part in parts), failure)


def test_what_is_printed_replaces_what_the_author_pasted() -> None:
    assert text_of("old\n", output("new\n")) == "new\n"


def test_a_fence_behind_a_cell_that_shows_nothing_is_left() -> None:
    assert text_of("prose\n", output()) is None


def test_a_cell_without_a_fence_gets_a_block_unless_the_site_says_no() -> None:
    assert text_of(None, output("new\n")) == "new\n"
    assert text_of(None, output("new\n"), insert=False) is None


@pytest.mark.parametrize("kind", ["raised", "syntax", "exit", "limit", "died", "skipped", "refused", "unrun"])
def test_a_failed_cell_keeps_its_authored_output(kind: str) -> None:
    failure = Failure(kind, "SomethingElse: no")
    assert text_of("0.5\n", output("half of it\n", failure=failure)) is None


def test_no_output_when_the_author_wants_none() -> None:
    for options in ({"output": False}, {"include": False}):
        assert shown(cell("old\n", **options), output("new\n"), ExecuteConfig()) == ()


def test_an_allowed_error_is_shown_with_the_frames_of_the_post() -> None:
    assert text_of("old\n", output("before\n", failure=RAISED), error=True) == (
        "before\n"
        "Traceback (most recent call last):\n"
        '  File "<cell 1>", line 1, in <module>\n'
        "    1/0\n"
        "ZeroDivisionError: division by zero\n"
    )


def test_an_error_that_the_output_names_is_shown_as_the_author_shows_it() -> None:
    assert text_of("ZeroDivisionError: something\n", output(failure=RAISED)) == (
        "ZeroDivisionError: division by zero\n"
    )


def test_a_traceback_that_ends_in_the_same_line_stays_as_the_author_has_it() -> None:
    authored = "Traceback (most recent call last)\n<ipython> in 1/0\n\nZeroDivisionError: division by zero\n"
    assert text_of(authored, output(failure=RAISED)) is None


def test_another_error_than_the_expected_one_is_a_failure() -> None:
    assert text_of("KeyError: 'a'\n", output(failure=RAISED)) is None


@pytest.mark.parametrize(
    ("authored", "name"),
    [
        ("KeyError: 'a'\n", "KeyError"),
        ("1\n2\nRuntimeError: shapes\n", "RuntimeError"),
        ("torch.cuda.OutOfMemoryError: no\n", "OutOfMemoryError"),
        ("KeyboardInterrupt\n", "KeyboardInterrupt"),
        ("Traceback (most recent call last):\n  x\nValueError: a\nand more\n", "ValueError"),
        ("ValueError: a\nand then this\n", ""),
        ("no error here\n", ""),
        ("Error\n", "Error"),
        ("", ""),
    ],
)
def test_which_error_an_output_expects(authored: str, name: str) -> None:
    assert expected_error(cell(authored)) == name


def test_figures_stand_between_the_texts_in_the_order_shown() -> None:
    parts = shown(cell("a\n---\nb\n"), output("a\n", FIGURE, "b\n"), ExecuteConfig())
    assert parts == (Text("a\n---\n", marks=frozenset({1})), FIGURE, Text("b\n"))


def test_a_table_is_shown_as_text_where_the_author_shows_text() -> None:
    table = Markup("<table></table>", "   a\n0  1\n")
    assert shown(cell("   a\n0  2\n"), output(table), ExecuteConfig()) == (Text("   a\n0  1\n", value=True),)
    assert shown(cell(None), output(table), ExecuteConfig()) == (table,)


def test_a_blank_line_that_is_printed_is_shown() -> None:
    assert text_of("a\n", output("a\n\n")) == "a\n\n"
