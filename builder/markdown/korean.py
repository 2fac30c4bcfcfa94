"""What Korean and other scripts without a space at every word need: line ends in paragraphs, and reading time."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Final

from markdown_it.token import Token

# What people read in a minute: syllables of Hangul, characters of Han and kana, words of other scripts.
_SYLLABLES: Final = 500
_CHARACTERS: Final = 400
_WORDS: Final = 200

_HANGUL = re.compile("[\uac00-\ud7a3]+")
# These are dear to compile, and few blogs need them: `re` does that, once, when they are used.
_HAN = "[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]"
_OTHER = r"[^\W\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\U00020000-\U0003ffff]+"
_RARE = re.compile("[^\x00-\x7f\uac00-\ud7a3]")  # what most texts have little of
_LETTER = re.compile(r"\w")
# Bytes of ASCII, all but letters, digits and `_` as spaces.
_BETWEEN: Final = bytes(byte if chr(byte).isalnum() or chr(byte) == "_" else ord(" ") for byte in range(256))


def reading_minutes(text: str) -> int:
    """How many minutes it takes to read `text`, in NFC: at least one."""
    syllables, characters, words = counts(text)
    return max(math.ceil(syllables / _SYLLABLES + characters / _CHARACTERS + words / _WORDS), 1)


def counts(text: str) -> tuple[int, int, int]:
    """The syllables of Hangul, the characters of Han and kana, and the words of other scripts."""
    rare = "".join(_RARE.findall(text))
    if _LETTER.search(rare):
        syllables = len("".join(_HANGUL.findall(text)))
        return syllables, len(re.findall(_HAN, text)), len(re.findall(_OTHER, text))
    # All letters are Hangul or ASCII, which is counted without a look at each word.
    syllables = len(text) - len(text.encode("ascii", "ignore")) - len(rare)
    return syllables, 0, len(text.encode("ascii", "replace").translate(_BETWEEN).split())


def join_lines(tokens: Sequence[Token]) -> None:
    """Let a line end between two letters of Hangul, Han or kana be nothing, where a page would show a space."""
    for token in tokens:
        children = token.children or []
        for before, child, after in zip(children, children[1:], children[2:], strict=False):
            if (
                child.type == "softbreak"
                and _is_joined(before.content[-1:])
                and _is_joined(after.content[:1])
            ):
                child.type, child.content = "text", ""


def _is_joined(character: str) -> bool:
    return bool(character and (_HANGUL.match(character) or re.match(_HAN, character)))
