"""What a page shows under a cell: the laws of the splice, in one pure function.

shown(cell, output, insert=True) -> the parts to show, or None: leave what the author wrote
"""

from __future__ import annotations

import re

from builder.marks import merge
from builder.model import Cell, Failure, Markup, Output, Part, Text

TRACEBACK = "Traceback (most recent call last)"
ERROR_LINE = re.compile(r"(?:\w+\.)*(\w*(?:Error|Exception|Warning|Interrupt|Exit|Iteration))(?::|$)")


def shown(cell: Cell, output: Output, *, insert: bool, error: bool) -> tuple[Part, ...] | None:
    """Return what stands under `cell` on the page.

    None: the authored fence stays as it is (or nothing is shown, where there is none). `insert`: may a
    cell without an output fence get a block of its own? `error`: may the cell raise? (An empty tuple:
    the author asked for no output.)
    """
    if not (cell.options.output and cell.options.include):
        return ()
    parts = output.parts
    if output.failure is not None:
        if output.failure.kind != "raised" or not (error or expects(cell, output.failure)):
            return None
        text = _error_text(cell, output.failure)
        if text is None:
            return None
        parts = (*parts, Text(text))
    if not parts or (cell.authored is None and not insert):
        return None
    if cell.authored is None:
        return parts
    return with_marks(cell.authored.body, tuple(map(_as_text, parts)))


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
    owner: list[int] = []  # which part a printed line belongs to
    for number, part in enumerate(parts):
        if isinstance(part, Text):
            lines = part.text.removesuffix("\n").split("\n")
            printed += lines
            owner += [number] * len(lines)
    if not printed:
        return parts
    texts: dict[int, list[str]] = {}
    for line, index in merge(authored.removesuffix("\n").split("\n") if authored else [], printed):
        texts.setdefault(owner[index], []).append(line)
    return tuple(
        Text("\n".join(texts[number]) + "\n", part.value) if isinstance(part, Text) else part
        for number, part in enumerate(parts)
    )


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


def _error_text(cell: Cell, failure: Failure) -> str | None:
    """How an allowed exception is shown; None: as the author has it."""
    authored = cell.authored.body if cell.authored else ""
    if TRACEBACK not in authored:
        return failure.message + "\n" if expects(cell, failure) else traceback_text(failure)
    if failure.message.strip() in authored:
        return None
    return traceback_text(failure)
