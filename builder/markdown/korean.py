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

# These are dear to compile, and few blogs need them: `re` does that, once, when they are used.
_HANGUL = "[\uac00-\ud7a3]+"
_HAN = "[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]"
_OTHER = r"[^\W\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\U00020000-\U0003ffff]+"
_RARE = re.compile("[^\x00-\x7f\uac00-\ud7a3]")  # what most texts have little of
_LETTER = re.compile(r"\w")
# Bytes of ASCII: letters, digits and `_` as `x`, all others as spaces.
_WORDS_AS_X: Final = bytes(
    ord("x" if chr(byte).isalnum() or byte == ord("_") else " ") for byte in range(256)
)


def reading_minutes(text: str) -> int:
    """How many minutes it takes to read `text`, in NFC: at least one."""
    syllables, characters, words = counts(text)
    return max(math.ceil(syllables / _SYLLABLES + characters / _CHARACTERS + words / _WORDS), 1)


def counts(text: str) -> tuple[int, int, int]:
    """The syllables of Hangul, the characters of Han and kana, and the words of other scripts."""
    rare = _RARE.findall(text)
    if rare and _LETTER.search("".join(rare)):
        syllables = len("".join(re.findall(_HANGUL, text)))
        return syllables, len(re.findall(_HAN, text)), len(re.findall(_OTHER, text))
    # All letters are Hangul or ASCII, which is counted without a look at each word.
    ascii = text.encode("ascii", "replace")
    syllables = ascii.count(b"?") - text.count("?") - len(rare)
    return syllables, 0, (b" " + ascii.translate(_WORDS_AS_X)).count(b" x")


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
    return "\uac00" <= character <= "\ud7a3" or (character > "\x7f" and re.match(_HAN, character) is not None)
