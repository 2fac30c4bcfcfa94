"""What a cell showed, in its order: text, values, figures, markup; and no more text than is wanted."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass

from builder.execute.cache import Cache
from builder.execute.capture import Addresses, clean, decode, displayed, legal
from builder.execute.running import Record
from builder.model import Figure, Markup, Part, Text
from builder.sizes import size_text

_PICTURES = {"image/svg+xml": "svg", "image/png": "png", "image/jpeg": "jpg"}
_MARKUP = {"text/html": "html", "text/markdown": "markdown", "text/latex": "latex"}
LARGEST_MARKUP = 4 * 2**20  # characters; an interactive plot has three million


def parts_of(record: Record, out: bytes, addresses: Addresses, cache: Cache) -> tuple[tuple[Part, ...], bool]:
    """Return the parts of a cell in the order shown, and whether all its bytes were UTF-8."""
    parts: list[Part] = []
    whole = True
    at, end = record.out[0], record.out[1] if record.out[1] is not None else len(out)

    def printed(upto: int) -> None:
        nonlocal at, whole
        text, good = decode(out[at:upto])
        plain, coloured = displayed(text)
        whole = whole and good
        if plain:
            parts.append(Text(addresses.mask(plain), coloured=addresses.mask(coloured)))
        at = upto

    for show in record.shows:
        printed(show["out"])
        part = _displayed(show["data"], show["value"], addresses, cache)
        if part is not None:
            parts.append(part)
    printed(end)
    return tuple(parts), whole


def cut(parts: tuple[Part, ...], lines: int, size: int) -> tuple[Part, ...]:
    """Return `parts` with at most so many lines and bytes of text; a last line says how much is cut."""
    kept: list[Part] = []
    room = _Room(lines, size)
    for part in parts:
        if isinstance(part, Text):
            kept += room.take(part)
        elif isinstance(part, Markup) and len(part.html) > LARGEST_MARKUP:
            kept.append(Text(f"… {size_text(len(part.html))} of {part.kind} cut\n"))
        else:
            kept.append(part)
    if room.cut_lines:
        count = f"{room.cut_lines:,} more line{'s' if room.cut_lines > 1 else ''} cut"
        kept.append(Text(f"… {count}\n"))
    return tuple(kept)


@dataclass
class _Room:
    """How much text of a cell is still to be shown."""

    lines: int
    size: int
    cut_lines: int = 0

    def take(self, text: Text) -> list[Text]:
        """Return as much of `text` as there is room for, in one part or none."""
        count = text.text.count("\n")
        if not self.cut_lines and count <= self.lines and len(text.text.encode()) <= self.size:
            self.lines -= count
            self.size -= len(text.text.encode())
            return [text]
        wanted = text.text.split("\n", self.lines)[: self.lines] if not self.cut_lines else []
        kept = []
        for line in wanted:
            self.size -= len(line.encode()) + 1
            if self.size < 0:
                break
            kept.append(line)
        if not kept and wanted and not self.cut_lines:
            line = wanted[0].encode()[: self.size + len(wanted[0].encode()) + 1].decode(errors="ignore")
            rest = size_text(len(wanted[0].encode()) - len(line.encode()))
            kept.append(f"{line} … {rest} of this line cut")
        self.cut_lines += count - len(kept)
        self.lines = 0
        coloured = text.coloured.split("\n", len(kept))[: len(kept)] if text.coloured else []
        if not kept:
            return []
        return [Text(_joined(kept), text.value, _joined(coloured) if coloured else "")]


def _joined(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


def _displayed(data: Mapping[str, str], value: bool, addresses: Addresses, cache: Cache) -> Part | None:
    """Return what a display shows on a page: the first of its forms that a page has a place for."""
    plain = addresses.mask(clean(data.get("text/plain", "")))
    for kind, suffix in _PICTURES.items():
        if kind in data:
            content = data[kind].encode() if suffix == "svg" else base64.b64decode(data[kind])
            width, height = _dimensions(content, suffix)
            return Figure(cache.store_blob(content, suffix), width, height)
    for kind, name in _MARKUP.items():
        if kind in data:
            source = addresses.mask(legal(data[kind]))
            return Markup(source, plain if name == "html" else source.rstrip("\n") + "\n", name)
    return Text(plain, value=value) if plain else None


def _dimensions(content: bytes, suffix: str) -> tuple[int, int]:
    """Return width and height of a picture in CSS pixels; (0, 0) if it does not say."""
    if suffix == "png" and content[:8] == b"\x89PNG\r\n\x1a\n":
        return int.from_bytes(content[16:20]), int.from_bytes(content[20:24])
    if suffix == "svg":
        head = content[:2000].decode(errors="replace")
        sizes = [re.search(rf'\s{name}="([\d.]+)(pt|px|)"', head) for name in ("width", "height")]
        if all(sizes):
            scale = {"pt": 4 / 3, "px": 1, "": 1}
            return tuple(round(float(s[1]) * scale[s[2]]) for s in sizes if s)  # type: ignore[return-value]
    return 0, 0
