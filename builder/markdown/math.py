r"""Mathematics: `$$…$$`, `$…$`, `\\(…\\)`, `\\[…\\]` and `\begin{align}`, kept from all other rules; as MathML.

A dollar opens before what is no space and closes behind what is none, not before a digit: `$5 to $10` is money.

All formulas of a page are converted at once: its equations are numbered through, and `\eqref` may point forward.
The TeX of each stays in its `alttext`, for those who ask for the words of a page.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import unescape
from typing import TYPE_CHECKING, Final

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from builder.frozen import frozen
from builder.markdown.highlight import escape

if TYPE_CHECKING:
    from math_core import LatexToMathML

INLINE, BLOCK = "math_inline", "math_block"  # types of tokens, whose content is TeX
FOUND: Final = "formulas"  # of an environment: has there been any?

_DOUBLE = re.compile(r"\$\$(.+?)\$\$", re.DOTALL)
_SINGLE = re.compile(r"\$(?![\s$])((?:\\.|[^$\\\n]|\n(?!\s*\n))+?)(?<!\s)\$(?!\d)")
_ROUND = re.compile(r"\\\\\((.+?)\\\\\)", re.DOTALL)
_SQUARE = re.compile(r"\\\\\[(.+?)\\\\\]", re.DOTALL)
_ENVIRONMENT = re.compile(r"\\begin\{((?:align|equation|gather|multline|eqnarray|alignat)\*?)\}")


@frozen
class Formula:
    """The HTML of a formula. Where it could not be converted that is its TeX, and `complaint` says why."""

    html: str
    complaint: str = ""


def add_math(md: MarkdownIt) -> None:
    """Let `md` know mathematics."""
    md.block.ruler.before("fence", "math", _block, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    md.inline.ruler.before("escape", "math", _inline)


def formulas(written: Sequence[tuple[str, bool]], macros: Mapping[str, str] | None = None) -> list[Formula]:
    """The formulas of one page in their order, each given as its TeX and whether it has lines of its own.

    `macros` are further commands, without their backslash: {"R": r"\\mathbb{R}"}. Raises ValueError if they are
    no TeX.
    """
    if not written:
        return []
    converter = _converter(tuple(sorted((macros or {}).items())))
    found = converter.convert_all([(_known_words(tex, display), display) for tex, display in written])
    return [_formula(tex, html) for (tex, _), html in zip(written, found, strict=True)]


def math_html(tex: str, *, display: bool) -> str:
    """The HTML of one formula that stands alone."""
    html = formulas([(tex, display)])[0].html
    return _block_html(html) if display else html


def tex_html(tex: str, *, display: bool) -> str:
    """The TeX of one formula between the marks that every script for mathematics knows."""
    if display:
        return f'<div class="math">\\[{escape(tex)}\\]</div>'
    return f'<span class="math">\\({escape(tex)}\\)</span>'


def convert(tokens: Iterable[Token], macros: Mapping[str, str] | None) -> list[tuple[int, str]]:
    """Put HTML into the `meta` of the formulas among `tokens`; return lines, from 0, and complaints.

    `macros` None: their TeX is left to a script of the site's own.
    """
    places = list(_places(tokens))
    if macros is None:
        for token, tex, _, _ in places:
            if token.type != "html_block":
                token.meta["html"] = tex_html(tex, display=token.type == BLOCK)
        return []
    made = formulas([(tex, display) for _, tex, display, _ in places], macros)
    for (token, *_), formula in zip(places, made, strict=True):
        if token.type == "html_block":
            token.content = _MARKED.sub(lambda _, html=formula.html: html, token.content, 1)  # type: ignore[misc]
        else:
            token.meta["html"] = _block_html(formula.html) if token.type == BLOCK else formula.html
    lines = (line for *_, line in places)
    return [(line, formula.complaint) for line, formula in zip(lines, made, strict=True) if formula.complaint]


def _places(tokens: Iterable[Token]) -> Iterator[tuple[Token, str, bool, int]]:
    """Each formula: the token it is, or is in; its TeX; is it displayed? its line, from 0."""
    for token in tokens:
        line = token.map[0] if token.map else 0
        if token.type == BLOCK:
            yield token, token.content, True, line
        elif token.type == "inline":
            for child in token.children or ():
                if child.type == INLINE:
                    displayed = child.markup == "\\[" or (child.markup == "$$" and "\\tag" in child.content)
                    yield child, child.content, displayed, line + child.meta["line"]
        elif token.type == "html_block" and _MARK in token.content:
            for tex in _MARKED.findall(token.content):
                # In HTML a `<` is written `&lt;`, and `in_html` has escaped that again.
                yield token, unescape(unescape(tex)), True, line


def _block_html(html: str) -> str:
    """A formula on lines of its own, which scrolls where it is too wide."""
    return f'<div class="math" tabindex="0">{html}</div>'


def in_html(html: str) -> str:
    """Raw HTML with the formulas between its tags marked, so that no `<` in them is taken for a tag."""
    return _DOUBLE.sub(lambda found: f"{_MARK}{escape(found[1].strip())}\\]</span>", html)


# --- the conversion --------------------------------------------------------------------------

_MARK: Final = '<span class="math">\\['
_MARKED = re.compile(re.escape(_MARK) + r"(.*?)\\\]</span>", re.DOTALL)
_ERROR = re.compile(r'<(?:p|span) class="math-core-error" title="(?:\d+: )?([^"]*)"')

# What MathJax knows and math-core does not, in words of math-core.
_MACROS: Final = {
    "substack": r"\begin{subarray}{c}#1\end{subarray}",
    "mbox": r"\text{#1}",
    "bold": r"\mathbf{#1}",
}
_ENVIRONMENTS: Final = {
    "split": "aligned",
    "smallmatrix": "matrix",
    "eqnarray": "align",
    "eqnarray*": "align*",
    "flalign": "align",
    "flalign*": "align*",
    "alignat": "align",
    "alignat*": "align*",
}
_OTHER_ENVIRONMENT = re.compile(
    rf"\\(begin|end)\{{({'|'.join(map(re.escape, _ENVIRONMENTS))})\}}(?:(?<=at\}}|t\*\}})\{{\d+\}})?"
)
_NUMBERED = re.compile(r"\\begin\{(?:align|equation|gather|multline)\*?\}")
_NUMBER = re.compile(r"\\(?:tag|label)\b")
_EMPTY_ROW = re.compile(r"\\\\\s*(?=\\end\{)")
_NEEDLESS = re.compile(r"\\require\{\w+\}")
_MATH_IN_TEXT = re.compile(r"\\text\{([^{}$]*)\$([^{}$]*)\$([^{}$]*)\}")
_TEXT = re.compile(r"\\text\{[^{}]*\}")
_BARE = re.compile(r"(?<!\\)_")
_GROUPS = re.compile(r"\\begin\{|\\end\{|\\\\|\\.|[{}]", re.DOTALL)


@functools.cache
def _converter(macros: tuple[tuple[str, str], ...]) -> LatexToMathML:
    from math_core import LatexError, LatexToMathML  # here, since most sites have no formula

    try:
        return LatexToMathML(
            macros=_MACROS | dict(macros),
            continue_on_error=True,
            fancy_error=False,
            allow_unreliable_rendering=True,  # of `\widetilde`, which no browser draws worse than its TeX
        )
    except LatexError as error:
        raise ValueError(str(error).partition(":")[2].strip()) from None


def _known_words(tex: str, display: bool) -> str:
    """The same formula in the words that math-core knows."""
    if "\\" not in tex:
        return tex
    tex = tex.replace("\\*", "*")
    if "\\begin" in tex:
        tex = _OTHER_ENVIRONMENT.sub(lambda found: f"\\{found[1]}{{{_ENVIRONMENTS[found[2]]}}}", tex)
        tex = _EMPTY_ROW.sub("", tex)
    if "\\text{" in tex:
        tex = _MATH_IN_TEXT.sub(r"\\text{\1}\2\\text{\3}", tex) if "$" in tex else tex
        tex = _TEXT.sub(lambda found: _BARE.sub(r"\\_", found[0]), tex) if "_" in tex else tex
    if "\\require" in tex:
        tex = _NEEDLESS.sub("", tex)
    if display and not _NUMBERED.search(tex):
        if _NUMBER.search(tex):
            return f"\\begin{{equation}}{tex}\\end{{equation}}"
        if "\\\\" in tex and _has_lines(tex):
            environment = "aligned" if "&" in tex else "gathered"
            return f"\\begin{{{environment}}}{tex}\\end{{{environment}}}"
    return tex


def _has_lines(tex: str) -> bool:
    r"""Does a `\\` stand outside of all groups and environments, with more behind it?"""
    depth = 0
    for found in _GROUPS.finditer(tex):
        match found[0]:
            case "{":
                depth += 1
            case "}":
                depth -= 1
            case "\\begin{":  # the `}` of its name follows, as in `\end{`
                depth += 2
            case "\\\\" if depth <= 0 and tex[found.end() :].strip():
                return True
    return False


def _formula(tex: str, html: str) -> Formula:
    if not html.startswith("<math"):
        error = _ERROR.match(html)
        return Formula(
            f'<code class="math-error">{escape(tex)}</code>',
            unescape(error[1]).removesuffix(".") if error else "it cannot be converted",
        )
    return Formula(f'<math alttext="{escape(tex)}"{_STYLE.sub(_as_class, html)[5:]}')


# --- styles ----------------------------------------------------------------------------------

# A strict page has no inline styles: the classes stand for them, and are in the theme's math.css.
_STYLE = re.compile(r' style="([^"]*)"')
_SIDES: Final = ("top", "right", "bottom", "left")
_CLASSES: Final = {
    "width:100%": "math-wide",
    "width:50%": "math-half",
    "width:7.5%": "math-edge",
    "text-align:left": "math-left",
    "text-align:right": "math-right",
    "padding-left:1em": "math-gap",
    **{f"padding-{side}:0": f"math-no-{side}" for side in _SIDES},
    **{f"border-{side}:0.05em solid currentcolor": f"math-rule-{side}" for side in _SIDES},
    **{f"border-{side}:0.05em dashed currentcolor": f"math-dashes-{side}" for side in _SIDES},
    "padding-left:0.1em": "math-near-left",
    "padding-right:0.1em": "math-near-right",
    "padding-top:0.1667em": "math-low",
    "padding-right:0.1667em": "math-thin-right",
    "margin-left:-0.1667em": "math-back",
    "margin-left:-0.2222em": "math-back-2",
    "margin-left:-0.2778em": "math-back-3",
    "margin-left:-1em": "math-back-4",
    "math-shift:compact": "math-compact",
    "font-variant-caps:small-caps": "math-small-caps",
}
_DECLARATION = re.compile(r"\s*([\w-]+)\s*:\s*([^;]+?)\s*(?:;|$)")
_LONG_NUMBER = re.compile(r"\d+\.\d{5,}")


def _as_class(style: re.Match[str]) -> str:
    """What stands for ` style="…"`: classes, and attributes of MathML for colours and sizes."""
    names, attributes = [], ""
    for name, value in _DECLARATION.findall(style[1]):
        declaration = f"{name}:{_LONG_NUMBER.sub(lambda found: f'{float(found[0]):.4f}', value)}"
        if name in ("color", "font-size"):
            attributes += f' math{name.removeprefix("font-")}="{value}"'
        elif declaration in _CLASSES:
            names.append(_CLASSES[declaration])
    return (f' class="{" ".join(names)}"' if names else "") + attributes


# --- the rules -------------------------------------------------------------------------------


def _inline(state: StateInline, silent: bool) -> bool:
    start = state.pos
    character = state.src[start]
    if character == "$":
        match = _DOUBLE.match(state.src, start, state.posMax) or _SINGLE.match(state.src, start, state.posMax)
    elif character == "\\":
        match = _ROUND.match(state.src, start, state.posMax) or _SQUARE.match(state.src, start, state.posMax)
    else:
        return False
    if not match:
        return False
    if not silent:
        token = state.push(INLINE, "math", 0)
        token.content = match[1].strip()
        state.env[FOUND] = True
        token.markup = match[0][: match.start(1) - match.start()].replace("\\\\", "\\")
        token.meta = {"line": state.src.count("\n", 0, start)}
    state.pos = match.end()
    return True


def _block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """`$$` … `$$` with nothing else on their lines, or an environment that is a formula by itself."""
    at = state.bMarks[start] + state.tShift[start]
    if state.src[at : at + 1] not in ("$", "\\") or state.is_code_block(start):
        return False
    first = state.src[at : state.eMarks[start]]
    if first.startswith("$$"):
        closing, tail = "$$", first[2:].rstrip()
        if tail.endswith("$$") and len(tail) > 2:
            if "$$" in tail[:-2] or (silent and state.parentType == "paragraph"):
                return False
            return silent or _push(state, start, start + 1, tail[:-2])
        # A formula that goes on in the text of its line is no block.
        if "$$" in tail or (silent and tail):
            return False
    elif environment := _ENVIRONMENT.match(first):
        closing = f"\\end{{{environment[1]}}}"
        if closing in first:
            return silent or _push(state, start, start + 1, first.rstrip())
    else:
        return False
    for line in range(start + 1, end):
        if state.sCount[line] < state.blkIndent and not state.isEmpty(line):
            return False
        text = state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]].rstrip()
        if closing in text:
            if not text.endswith(closing) or text.count(closing) > 1:
                return False
            if silent:
                return True
            lines = state.getLines(start, line + 1, state.blkIndent, False).strip()
            return _push(state, start, line + 1, lines[2:-2] if closing == "$$" else lines)
    return False


def _push(state: StateBlock, start: int, stop: int, tex: str) -> bool:
    state.line = stop
    state.env[FOUND] = True
    token = state.push(BLOCK, "math", 0)
    token.content, token.map, token.block = tex.strip(), [start, stop], True
    return True
