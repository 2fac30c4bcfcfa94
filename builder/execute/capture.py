"""What a cell printed, as a reader sees it: the bytes of a terminal become clean lines of text."""

from __future__ import annotations

import re
from typing import Final

from builder.markdown.colours import PLAIN, Style, restyled, sequence

# One control sequence: CSI (colours, cursor), OSC (titles, links), or a short escape.
ESCAPE: Final = re.compile(
    r"\x1b(?:\[([0-?]*)[ -/]*([@-~])|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[PX^_][^\x1b]*(?:\x1b\\)?|[ -/]*[0-~]?)"
)
TOKEN: Final = re.compile(rf"[^\x1b\r\n\b]+|[\r\n\b]|{ESCAPE.pattern}")
MOVES: Final = re.compile(r"[\r\b\x1b]")
# Characters that neither HTML nor XML may hold, but for tab and newline.
FORBIDDEN: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
ADDRESS: Final = re.compile(r"\bat 0x([0-9a-fA-F]{6,16})\b")
# Beyond these a screen takes nothing in: a few bytes can ask for a lot of blanks.
LINES: Final = 50_000
COLUMNS: Final = 240


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


def legal(text: str) -> str:
    """Return `text` without the characters that HTML or XML forbid."""
    return FORBIDDEN.sub("", text)


def clean(text: str) -> str:
    """Return what a terminal would show in the end: see `displayed`."""
    return displayed(text)[0]


def displayed(text: str) -> tuple[str, str]:
    """Return what a terminal would show in the end, and the same with its colours, "" if it has none.

    Carriage returns, backspaces, and the erasing and cursor sequences that progress bars use are carried
    out; every other escape is dropped, and so is every character that XML forbids. The text ends with a
    newline unless it is empty. In the coloured form every line is whole by itself: see `colours`.
    """
    text = text.replace("\r\n", "\n")
    coloured = ""
    if MOVES.search(text):
        screen = _Screen()
        screen.play(text)
        text, coloured = screen.text(), screen.coloured()
    else:
        text = legal(text)
    end = "" if not text or text.endswith("\n") else "\n"
    return text + end, coloured + end if coloured else ""


class _Screen:
    """A screen as high as what is written on it. A place holds a character behind its style."""

    def __init__(self) -> None:
        self.lines: list[list[str]] = [[]]
        self.row = self.column = 0
        self.style: Style = PLAIN
        self.styled = False

    def play(self, text: str) -> None:
        for token in TOKEN.finditer(text):
            match token[0]:
                case "\n":
                    self.row, self.column = self.row + 1, 0
                    if self.row == len(self.lines) < LINES:
                        self.lines.append([])
                case "\r":
                    self.column = 0
                case "\b":
                    self.column = max(self.column - 1, 0)
                case escape if escape.startswith("\x1b"):
                    self._obey(token[1] or "", token[2] or "")
                case run:
                    self._write(legal(run))

    def text(self) -> str:
        lines = ("".join(line) if not self.styled else "".join(c[-1] for c in line) for line in self.lines)
        return "\n".join(lines)

    def coloured(self) -> str:
        """Return the lines with their styles; "" if there are none."""
        if not self.styled:
            return ""
        return "\n".join(_coloured(line) for line in self.lines)

    def _write(self, run: str) -> None:
        if self.row >= len(self.lines):
            return
        line = self.lines[self.row]
        if self.column > len(line):
            line += " " * (self.column - len(line))
        start = sequence(self.style)
        line[self.column : self.column + len(run)] = [start + c for c in run] if start else run
        self.styled = self.styled or bool(start)
        self.column += len(run)

    def _obey(self, argument: str, kind: str) -> None:
        """Carry out one sequence, if it is one that programs use who do not know the size of the screen."""
        first = argument.split(";")[0]
        count = int(first) if first.isdigit() and len(first) < 5 else 0
        steps = max(count, 1)
        match kind:
            case "m":
                self.style = restyled(self.style, argument)
            case "A":
                self.row = max(self.row - steps, 0)
            case "B":
                self.row = min(self.row + steps, max(self.row, len(self.lines) - 1))
            case "C":
                self.column = min(self.column + steps, max(self.column, COLUMNS))
            case "D":
                self.column = max(self.column - steps, 0)
            case "G":
                self.column = min(steps - 1, COLUMNS)
            case "K" | "J" if self.row < len(self.lines):
                self._erase(count, kind)

    def _erase(self, count: int, kind: str) -> None:
        line = self.lines[self.row]
        if kind == "J":
            del line[self.column :]
            del self.lines[self.row + 1 :]
        elif count == 0:
            del line[self.column :]
        elif count == 1:
            line[: self.column + 1] = " " * min(self.column + 1, len(line))
        else:
            line.clear()


def _coloured(line: list[str]) -> str:
    """Join the places of a line; a sequence stands only where the style changes, and none is left open."""
    pieces = []
    now = ""
    for place in line:
        style = place[:-1]
        if style != now:
            pieces.append(("\x1b[0m" if now else "") + style)
            now = style
        pieces.append(place[-1])
    return "".join(pieces) + ("\x1b[0m" if now else "")
