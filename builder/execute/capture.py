"""What a cell printed, as a reader sees it: the bytes of a terminal become clean lines of text."""

from __future__ import annotations

import re

# One control sequence: CSI (colours, cursor), OSC (titles, links), or a short escape.
ESCAPE = re.compile(
    r"\x1b(?:\[([0-?]*)[ -/]*([@-~])|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[PX^_][^\x1b]*(?:\x1b\\)?|[ -/]*[0-~]?)"
)
MOVES = re.compile(r"[\r\b]|\x1b\[[0-9;]*[ABCDGKJ]")
# Characters that neither HTML nor XML may hold, but for tab and newline.
FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]")
ADDRESS = re.compile(r"\bat 0x([0-9a-fA-F]{6,16})\b")


class Addresses:
    """Gives the memory addresses of one run stable numbers, in the order of their appearance."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def mask(self, text: str) -> str:
        """Return `text` with every `at 0x7f3a…` numbered."""
        return ADDRESS.sub(self._numbered, text) if "at 0x" in text else text

    def _numbered(self, found: re.Match[str]) -> str:
        number = self._numbers.setdefault(found[1].lower(), len(self._numbers) + 1)
        return f"at 0x{number:012x}"


def decode(data: bytes) -> tuple[str, bool]:
    """Return the text of captured bytes, and whether all of them were UTF-8."""
    try:
        return data.decode(), True
    except UnicodeDecodeError:
        return data.decode(errors="replace"), False


def clean(text: str) -> str:
    """Return what a terminal would show in the end: progress bars in their last state, no escapes.

    Carriage returns, backspaces, and the erasing and cursor sequences that progress bars use are carried
    out; every other escape is dropped, and so is every character that XML forbids. The text ends with a
    newline unless it is empty.
    """
    text = text.replace("\r\n", "\n")
    if MOVES.search(text):
        text = _displayed(text)
    if "\x1b" in text:
        text = ESCAPE.sub("", text)
    text = FORBIDDEN.sub("", text)
    return text if not text or text.endswith("\n") else text + "\n"


def _displayed(text: str) -> str:
    """Play `text` on a screen without a bottom or a right edge."""
    screen: list[list[str]] = [[]]
    row = column = at = 0
    while at < len(text):
        character = text[at]
        if character == "\x1b":
            found = ESCAPE.match(text, at)
            assert found is not None  # the last alternative matches a lone ESC
            row, column = _move(screen, row, column, found[1] or "", found[2] or "")
            at = found.end()
            continue
        at += 1
        if character == "\n":
            row, column = row + 1, 0
        elif character == "\r":
            column = 0
        elif character == "\b":
            column = max(column - 1, 0)
        else:
            while row >= len(screen):
                screen.append([])
            line = screen[row]
            line += [" "] * (column - len(line))
            line[column : column + 1] = [character]
            column += 1
    while row > len(screen):
        screen.append([])
    body = "\n".join("".join(line) for line in screen)
    return body + "\n" if row >= len(screen) and body else body


def _move(screen: list[list[str]], row: int, column: int, argument: str, kind: str) -> tuple[int, int]:
    """Carry out one cursor or erase sequence; return the new row and column."""
    first = argument.split(";")[0]
    count = int(first) if first.isdigit() and len(first) < 5 else 0
    line = screen[row] if row < len(screen) else []
    if kind == "A":
        row = max(row - max(count, 1), 0)
    elif kind == "B":
        row += max(count, 1)
    elif kind == "C":
        column += max(count, 1)
    elif kind == "D":
        column = max(column - max(count, 1), 0)
    elif kind == "G":
        column = max(count, 1) - 1
    elif kind == "K" and count == 0:
        del line[column:]
    elif kind == "K" and count == 1:
        line[: column + 1] = [" "] * min(column + 1, len(line))
    elif kind == "K":
        line.clear()
    elif kind == "J":
        del line[column:]
        del screen[row + 1 :]
    return row, column
