"""The picture that social networks show of a post: its title, the site and the date, in Korean type.

1200 x 630, two colours of the theme, few shades: a PNG of some kilobytes. A card is made again only when what it
shows is another, and kept by content from one build to the next.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import struct
import zlib
from bisect import bisect_right
from itertools import groupby
from typing import TYPE_CHECKING

from builder.model import Config, Problem, SiteError
from builder.whole import write_whole

if TYPE_CHECKING:
    from PIL import Image, ImageFont

SIZE = (1200, 630)

_MARGIN = 90
_ROOM = (SIZE[0] - 2 * _MARGIN, 330)  # for the title: width, height
_TITLE_SIZES = (84, 76, 68, 60, 54, 48, 42)
_SMALL = 34
_LONGEST = 400  # characters of a text that are looked at: fewer have room
_LINE = 1.28  # height of a line, in sizes of the type
_GROUND, _INK, _ACCENT = (0x10, 0x1D, 0x1C), (0xF4, 0xF7, 0xF6), (0x6F, 0xCA, 0xBE)
_SHADES = [round(value / 17) for value in range(256)]  # a value of eight bits in four
_STRIP = 15  # rows that are looked at together: is anything written there?
_VERSION = 2  # of how a card looks


def has_cards(config: Config) -> bool:
    """Does this site have cards? Programs want to know their whole address."""
    return config.cards and bool(config.url)


def card(config: Config, title: str, below: str) -> bytes:
    """The card with this title, the name of the site above it and a line `below` it."""
    font = _font_file(config)
    stat = os.stat(font)
    what = [_VERSION, config.title, title, below, stat.st_size, stat.st_mtime_ns]
    kept = config.root / ".fencepost" / "cards" / hashlib.sha256(json.dumps(what).encode()).hexdigest()
    with contextlib.suppress(OSError):
        return kept.read_bytes()
    try:
        content = draw(font, config.title, title, below)
    except OSError as error:
        message = f"`card_font` is no font that can be used: {error}"
        raise SiteError(Problem("error", config.card_font or font, 0, "config", message)) from None
    with contextlib.suppress(OSError):
        if kept.parent.parent.is_dir():
            write_whole(kept, content, shared=True)
    return content


def draw(font: str, above: str, title: str, below: str) -> bytes:
    """A PNG with three texts."""
    from PIL import ImageDraw  # not at the top: few builds draw

    above, title, below = (" ".join(text[:_LONGEST].split()) for text in (above, title, below))
    image = _begun(font, above).copy()
    pencil = ImageDraw.Draw(image)
    small = _type(font, _SMALL)
    size, lines = set_title(title, font)
    large = _type(font, size)
    height = round(size * _LINE)
    top = 130 + (_ROOM[1] - height * len(lines)) // 2
    for number, line in enumerate(lines):
        at = (_MARGIN, top + number * height)
        pencil.text(at, line, fill=255, font=large, stroke_width=size / 60)
    pencil.text((_MARGIN, SIZE[1] - 70 - _SMALL), fitted(below, small, _ROOM[0]), fill=200, font=small)
    return _png(image)


@functools.lru_cache(maxsize=4)
def _begun(font: str, above: str) -> Image.Image:
    """What is the same on all cards of a site."""
    from PIL import Image, ImageDraw

    image = Image.new("L", SIZE, 0)
    small = _type(font, _SMALL)
    ImageDraw.Draw(image).text((_MARGIN, 70), fitted(above, small, _ROOM[0]), fill=128, font=small)
    return image


# --- the file ----------------------------------------------------------------------------------


def _png(image: Image.Image) -> bytes:
    """A PNG of a picture in sixteen shades between ground, accent and ink, and a bar at its left.

    A library compresses every row of it, which takes longer than to draw it: most are the same on every card.
    """
    pixels, empty = image.tobytes(), bytes(SIZE[0] * _STRIP)
    strips = [pixels[at : at + len(empty)] == empty for at in range(0, len(pixels), len(empty))]
    image.paste(128, (0, 0, 15, SIZE[1]))
    image = image.point(_SHADES)
    parts, at = [], 0
    for is_empty, run in groupby(strips):
        stop = at + _STRIP * len(tuple(run))
        parts.append(_ground(stop - at) if is_empty else _part(image.crop((-2, at, SIZE[0], stop))))
        at = stop
    checksum = zlib.adler32(b"".join([rows for rows, _ in parts]))
    data = b"".join([b"\x78\x01", *(packed for _, packed in parts), b"\x03\0", struct.pack(">I", checksum)])
    header = struct.pack(">IIBBBBB", *SIZE, 4, 3, 0, 0, 0)  # four bits a pixel, which are places in a palette
    palette = bytes([channel for step in range(16) for channel in _shade(step / 15)])
    chunks = ((b"IHDR", header), (b"PLTE", palette), (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks
    )


def _part(image: Image.Image) -> tuple[bytes, bytes]:
    """Rows as a PNG has them, and compressed so that they can stand anywhere in its stream.

    A row begins with a byte 0, for which there are two pixels more at the left.
    """
    image.putpalette(b"")
    rows = image.tobytes("raw", "P;4")
    # Even runs are what such a picture is made of: half the time of the usual way, and fewer bytes.
    stream = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS, 9, zlib.Z_RLE)
    return rows, stream.compress(rows) + stream.flush(zlib.Z_FULL_FLUSH)


@functools.cache
def _ground(height: int) -> tuple[bytes, bytes]:
    """So many rows with nothing but the bar."""
    from PIL import Image

    image = Image.new("L", (SIZE[0] + 2, height), 0)
    image.paste(_SHADES[128], (2, 0, 2 + 15, height))
    return _part(image)


def _shade(part: float) -> tuple[int, int, int]:
    """The colour between ground (0), accent (about one half) and ink (1)."""
    low, high, at = (_GROUND, _ACCENT, part * 2) if part <= 0.5 else (_ACCENT, _INK, part * 2 - 1)
    red, green, blue = (round(a + (b - a) * at) for a, b in zip(low, high, strict=True))
    return red, green, blue


# --- type --------------------------------------------------------------------------------------


def set_title(title: str, font: str) -> tuple[int, list[str]]:
    """The largest size at which a title has room, and its lines; what is too long even then ends in `…`."""
    size = _TITLE_SIZES[-1]
    for size in _TITLE_SIZES:
        lines = broken(title, _type(font, size), _ROOM[0])
        if len(lines) * round(size * _LINE) <= _ROOM[1]:
            return size, lines
    most = _ROOM[1] // round(size * _LINE)
    return size, [*lines[: most - 1], fitted(lines[most - 1] + "…", _type(font, size), _ROOM[0])]


def broken(text: str, font: ImageFont.FreeTypeFont, width: float) -> list[str]:
    """A text in lines of at most `width`, broken between words; in a word only where it is longer than a line."""
    text = " ".join(text.split())
    if font.getlength(text) <= width:
        return [text]
    lines = [""]
    for word in text.split() or [""]:
        joined = f"{lines[-1]} {word}".strip()
        if font.getlength(joined) <= width:
            lines[-1] = joined
            continue
        if lines[-1]:
            lines.append("")
        while font.getlength(word) > width:
            stop = max(_most(word, font, width), 1)
            lines[-1] = word[:stop]
            lines.append("")
            word = word[stop:]
        lines[-1] = word
    return lines


def fitted(text: str, font: ImageFont.FreeTypeFont, width: float) -> str:
    """A text on one line, cut with `…` where it is longer than `width`."""
    text = " ".join(text.split())
    if font.getlength(text) <= width:
        return text
    return text[: _most(text, font, width - font.getlength("…"))].rstrip(" …") + "…"


def _most(text: str, font: ImageFont.FreeTypeFont, width: float) -> int:
    """How many characters of a text have room."""
    return bisect_right(range(len(text) + 1), width, key=lambda n: font.getlength(text[:n])) - 1


@functools.cache
def _type(file: str, size: int) -> ImageFont.FreeTypeFont:
    from PIL import ImageFont

    return ImageFont.truetype(file, size, layout_engine=ImageFont.Layout.BASIC)


def _font_file(config: Config) -> str:
    """The font of the cards: the site's own, or one that has Hangul."""
    if config.card_font:
        return str(config.templates / config.card_font)
    from pylopdf_fonts_ko import sans_path

    return str(sans_path())
