"""What a page shows under a cell: the laws of the splice, in one pure function.

shown(cell, output, insert=True) -> the parts to show, or None: leave what the author wrote
"""

from __future__ import annotations

import re

from builder.marks import merge
from builder.model import Cell, ExecuteConfig, Failure, Markup, Output, Part, Text

TRACEBACK = "Traceback (most recent call last)"
ERROR_LINE = re.compile(r"(?:\w+\.)*(\w*(?:Error|Exception|Warning|Interrupt|Exit|Iteration))(?::|$)")


def shown(cell: Cell, output: Output, execute: ExecuteConfig) -> tuple[Part, ...] | None:
    """Return what stands under `cell` on the page, by the options of its post.

    None: the authored fence stays as it is (or nothing is shown, where there is none). An empty tuple: the
    author asked for no output.
    """
    if not (cell.options.output and cell.options.include):
        return ()
    return None if execute.outputs == "authored" else spliced(cell, output, execute)


def spliced(cell: Cell, output: Output, execute: ExecuteConfig) -> tuple[Part, ...] | None:
    """Return the real output of `cell` with the author's marks; None where the authored text stays."""
    failure = output.failure
    if failure is not None and _same_traceback(cell, failure):
        return None
    parts = printed_parts(cell, output, execute)
    if parts and cell.picture != (0, 0) and not execute.replace_figures:  # the author's picture stays
        parts = tuple(part for part in parts if isinstance(part, Text))
    if not parts or (cell.authored is None and not execute.insert_outputs):
        return None
    return parts if cell.authored is None else with_marks(cell.authored.body, parts)


def printed_parts(cell: Cell, output: Output, execute: ExecuteConfig) -> tuple[Part, ...] | None:
    """Return what `cell` really showed, in the form of its authored output; None if it failed.

    An exception that may be raised (by an option, or as the authored output says) is part of what is
    shown. A table is text where the author shows text.
    """
    parts, failure = output.parts, output.failure
    if failure is not None:
        if failure.kind != "raised" or not (may_raise(cell, execute) or expects(cell, failure)):
            return None
        parts = (*parts, Text(_error_text(cell, failure)))
    return parts if cell.authored is None else tuple(map(_as_text, parts))


def may_raise(cell: Cell, execute: ExecuteConfig) -> bool:
    """May the cell raise whatever it wants, by its options?"""
    return execute.error if cell.options.error is None else cell.options.error


def expected_error(cell: Cell) -> str:
    """Return the name of the exception that the authored output ends with, or "" (law 7)."""
    if cell.authored is None:
        return ""
    lines = [line for line in cell.authored.body.split("\n") if line.strip()]
    candidates = lines if TRACEBACK in cell.authored.body else lines[-1:]
    for line in reversed(candidates):
        found = ERROR_LINE.match(line)
        if found:
            return found[1]
    return ""


def expects(cell: Cell, failure: Failure) -> bool:
    """Does the authored output say that the cell raises just this kind of exception?"""
    name = expected_error(cell)
    return bool(name) and failure.message.split(":", 1)[0].rsplit(".", 1)[-1] == name


def with_marks(authored: str, parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Return `parts` with the marks of the authored text put into their text parts."""
    printed: list[str] = []
    coloured: list[str] = []  # the same lines; "" for one that has no colours
    owner: list[int] = []  # which part a printed line belongs to
    for number, part in enumerate(parts):
        if isinstance(part, Text):
            lines = part.text.removesuffix("\n").split("\n")
            printed += lines
            coloured += part.coloured.removesuffix("\n").split("\n") if part.coloured else [""] * len(lines)
            owner += [number] * len(lines)
    if not printed:
        return parts
    texts: dict[int, list[str]] = {}
    marks: dict[int, set[int]] = {}
    shades: dict[int, list[str]] = {}
    for line, index in merge(authored.removesuffix("\n").split("\n") if authored else [], printed):
        above = texts.setdefault(owner[index], [])
        if line != printed[index] and line.strip():
            marks.setdefault(owner[index], set()).add(len(above))
        above.append(line)
        shade = coloured[index] if line == printed[index] else ""
        shades.setdefault(owner[index], []).append(shade or line)
    return tuple(
        Text(
            _joined(texts[n]),
            part.value,
            _joined(shades[n]) if part.coloured else "",
            frozenset(marks.get(n, ())),
        )
        if isinstance(part, Text)
        else part
        for n, part in enumerate(parts)
    )


def _joined(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


def _as_text(part: Part) -> Part:
    """A table, where the author shows text: a fence holds its plain form."""
    return Text(part.text, value=True) if isinstance(part, Markup) else part


def joined_text(parts: tuple[Part, ...]) -> str:
    """Return the text of all text parts, as one output fence would hold it."""
    return "".join(part.text for part in parts if isinstance(part, Text))


def traceback_text(failure: Failure) -> str:
    """Return the traceback of a failure as Python words it, with frames of the post's cells only."""
    lines = [f"{TRACEBACK}:"]
    for frame in failure.frames:
        lines.append(f'  File "<cell {frame.cell}>", line {frame.line}, in {frame.name}')
        if frame.source:
            lines.append(f"    {frame.source}")
    return "\n".join([*lines, failure.message]) + "\n"


def _error_text(cell: Cell, failure: Failure) -> str:
    """How an exception that may be raised is shown: by its last line alone if the author shows no more."""
    if expects(cell, failure) and cell.authored and TRACEBACK not in cell.authored.body:
        return failure.message + "\n"
    return traceback_text(failure)


def _same_traceback(cell: Cell, failure: Failure) -> bool:
    """Has the author a traceback, in whatever form, of just this exception?"""
    authored = cell.authored.body if cell.authored else ""
    return failure.kind == "raised" and TRACEBACK in authored and failure.message.strip() in authored
