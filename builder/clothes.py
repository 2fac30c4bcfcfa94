"""Outputs in other clothes than a bare fence right under their cell, as old posts have them.

    indented     a block indented by four spaces, as a notebook is exported
    code, bash   a fence with such a name
    break        one of these, or a bare fence, behind a line of `<br>`
    label        one of these behind a line `결과`, `출력`, `**[Output]**`, `output:`; also a fence marked
                 `python` that is no program

A label says enough. The other forms mean something only where they are a habit: of the post, which has the
form under two cells or more, or of the site (`execute.output_forms`).
"""

from __future__ import annotations

import ast
import re
import warnings
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Final

from markdown_it.token import Token

from builder.frozen import frozen

FORMS: Final = ("indented", "code", "bash", "break")
_LANGUAGES: Final = {"code": "code", "bash": "bash", "sh": "bash", "shell": "bash"}

# Patterns that are compiled when they are first needed.
_LABEL = (
    r"(?i)(?:<[^>]*>|[*_`#>\[\]({<\s-])*(?:실행\s*)?(?:결과(?:\s*값)?|출력(?:\s*(?:결과|값))?|outputs?|results?|out(?:\s*\[\d*\])?)"
    r"(?:\s*\((?:outputs?|results?|출력|결과)\))?(?:<[^>]*>|[*_`\])}:：>=\s.-])*"
)
_BREAK = r"(?i)(?:\s|&nbsp;|</?\s*br\s*/?>)*</?\s*br\s*/?>(?:\s|&nbsp;|</?\s*br\s*/?>)*"
_PICTURE = r"(?i)\s*(?:<(?:center|p|div|figure|br)\b[^>]*>\s*)*(?:!\[|<img\b|<table\b|<style scoped)"


@frozen
class Dress:
    """What stands below a cell: the token of its text output, its form, and the lines of a picture or table."""

    token: Token | None = None
    form: str = ""  # "bare", "label" or one of FORMS
    picture: tuple[int, int] = (0, 0)  # from 0; the second is the first line behind it


def dress_of(
    tokens: Sequence[Token], index: int, language: Callable[[Token], str], plain: Collection[str]
) -> Dress:
    """What the author put below the cell that is the token at `index`. `plain` are languages of bare fences."""
    at = index + 1
    label = form = ""
    while at < len(tokens) and tokens[at].level == tokens[index].level and not form:
        token = tokens[at]
        if token.type == "fence":
            name = language(token)
            if name in plain:
                form = label or "bare"
            elif name in _LANGUAGES:
                form = label or _LANGUAGES[name]
            elif label == "label" and name == "python" and not _is_program(token.content):
                form = "label"
            else:
                break
        elif token.type == "code_block":
            form = label or "indented"
        elif token.type == "html_block":
            if not label and re.fullmatch(_BREAK, token.content):
                label, at = "break", at + 1
                continue
            return Dress(picture=_lines(token)) if re.match(_PICTURE, token.content) else Dress()
        elif token.type in ("paragraph_open", "heading_open"):
            text = tokens[at + 1].content
            if label != "label" and re.fullmatch(_LABEL, text):
                label, at = "label", at + 3
                continue
            if not label and re.fullmatch(_BREAK, text):
                label, at = "break", at + 3
                continue
            return Dress(picture=_lines(token)) if re.match(_PICTURE, text) else Dress()
        else:
            break
        return Dress(token, form)
    return Dress()


def habits(forms: Sequence[str], of_site: Collection[str]) -> frozenset[str]:
    """The forms that are outputs in a post whose cells have these `forms` below them."""
    numbers = Counter(forms)
    return frozenset({"bare", "label", *of_site, *(form for form in FORMS if numbers[form] > 1)})


def _lines(token: Token) -> tuple[int, int]:
    first, last = token.map or (0, 0)
    return first, last


def _is_program(text: str) -> bool:
    """Is this Python that does anything? The value of an expression is what outputs show."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return not all(isinstance(statement, ast.Expr) for statement in tree.body)
