"""Fences: which blocks of a post are cells, which fence is a cell's output, and how outputs are written back.

What is a fence is asked of `dialect`, so that the cells that run are the fences that the page shows.
Lines end at `\\r\\n`, `\\n` or `\\r` and nowhere else, as in markdown-it; `str.splitlines` knows more.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any, Final

from markdown_it.token import Token

from builder.clothes import Dress, dress_of, habits
from builder.config import OptionError, did_you_mean, option_from_text, option_types
from builder.frozen import frozen
from builder.markdown import dialect
from builder.model import Cell, CellOptions, Fence, Level, Problem

PYTHON: Final = frozenset({"python", "python3", "py"})
PLAIN: Final = frozenset({"", "text", "txt", "plain", "plaintext", "output", "console", "stdout", "none"})

# Names of Quarto's that look like ours and mean something else.
_OTHER_NAMES: Final = frozenset({"warning", "fig-align", "fig-subcap", "fig-scap", "timeit"})
_NO_OPTIONS: Final = CellOptions()
_OPTION_TYPES: Final = option_types(CellOptions)
_OPTIONS: Final = {name.replace("_", "-"): name for name in _OPTION_TYPES}
_NEAR: Final = 0.75
_LONGEST_INFO = 1000  # characters; what follows is no option of ours


# --- info strings ----------------------------------------------------------------------------


@frozen
class Info:
    """What an info string says. `language` is in lower case, "" for a bare fence.

    `options` holds every further word in its order: the text of `key=value`, True for a word alone
    (`linenos`, `.input`). `braced` are the names of those that stood in braces.
    """

    language: str = ""
    options: Mapping[str, str | bool] = field(default_factory=dict)
    braced: frozenset[str] = frozenset()


_INFO_WORD = re.compile(
    r"""(?P<brace>[{}])
    | (?P<key>[^\s{},=]+)
      (?: \s*(?P<equals>=)\s*
          (?: "(?P<double>[^"]*)" | '(?P<single>[^']*)' | (?P<list>\[[^\]]*\]) | (?P<bare>[^\s{},]*) ) )?
    """,
    re.VERBOSE,
)


@functools.lru_cache(maxsize=256)  # the fences of a blog say much the same
def parse_info(info: str) -> Info:
    """Read the info string of any tool: `python linenos`, `{code-cell} python`, `{.python .input n=3}`,
    `python title="a b" {eval=false}`. Nothing is an error here."""
    words = list(_info_words(info[:_LONGEST_INFO]))
    language = ""
    if words and words[0][1] is True and not words[0][0].startswith("#"):
        language = _language(words.pop(0)[0])
        if language == "code-cell":
            # Jupyter Book: the language may be left out, and is mostly the name of a kernel.
            named = _language(words.pop(0)[0]) if words and words[0][1] is True else "python"
            language = "python" if named.startswith("ipython") else named
    return Info(
        language,
        {name: value for name, value, _ in words},
        frozenset(name for name, _, braced in words if braced),
    )


def _info_words(info: str) -> Iterator[tuple[str, str | bool, bool]]:
    """(name, value or True, did it stand in braces?) for each word."""
    depth = 0
    for match in _INFO_WORD.finditer(info):
        if brace := match["brace"]:
            depth += 1 if brace == "{" else -1
        else:
            values = (match[name] for name in ("double", "single", "list", "bare"))
            value = next((value for value in values if value is not None), "")
            yield match["key"], value if match["equals"] else True, depth > 0


def _language(word: str) -> str:
    """`.Python` -> `python`; what some tools write behind a colon (`python:main.py`) is no part of it."""
    return re.split("[:;]", word.removeprefix("."))[0].lower()


# --- fences ----------------------------------------------------------------------------------


_LINE = re.compile(r"[^\r\n]*(\r\n|\r|\n|\Z)")


def line_spans(text: str) -> list[tuple[int, int, int]]:
    """(start, end without its line end, end) of every line, as offsets; none behind a last line end."""
    return [
        (match.start(), match.start(1), match.end())
        for match in _LINE.finditer(text)
        if match.end() > match.start()
    ]


def find_fences(text: str, body_line: int) -> tuple[Fence, ...]:
    """Every fence of the body that begins at line `body_line` of `text`, in the order of the file."""
    return tuple(fence for fence, _ in _walk(text, body_line))


def _walk(text: str, body_line: int, kramdown: bool = False) -> Iterator[tuple[Fence, bool]]:
    """Each fence, and whether it directly follows the fence before it: only blank lines stand between
    them, in the same list item or quote."""
    if "```" not in text and "~~~" not in text:
        return
    body = dialect.body_of(text, body_line)
    lines = body.split("\n")
    before: tuple[int, Fence] | None = None
    for index, token in enumerate(dialect.block_tokens(body, kramdown=kramdown)):
        if token.type != "fence":
            continue
        fence = _fence(token, lines, body_line)
        follows = False
        if before is not None and before[0] == index - 1:
            # Neighbours in the list of tokens have one parent. A link's definition makes no token,
            # so the lines between are looked at, too.
            between = lines[before[1].stop - body_line : fence.start - body_line]
            follows = all(not line.strip("> \t") for line in between)
        before = (index, fence)
        yield fence, follows


_MARKERS = re.compile(r"[^>\s]")


def _fence(token: Token, lines: Sequence[str], body_line: int) -> Fence:
    start, stop = token.map or [0, 0]
    body = token.content
    if body and not body.endswith("\n"):
        body += "\n"
    before = lines[start].partition(token.markup)[0]
    return Fence(
        info=token.info.strip(),
        body=body,
        start=body_line + start,
        stop=body_line + stop,
        # Markers of lists and footnotes become spaces: the lines below the first have those.
        prefix=_MARKERS.sub(" ", before) if before else "",
        marker=token.markup,
        closed=stop - start - 2 == body.count("\n"),
    )


# --- cells -----------------------------------------------------------------------------------


def read_cells(
    text: str, body_line: int, path: str, *, kramdown: bool = False, forms: Collection[str] = ()
) -> tuple[tuple[Cell, ...], tuple[Problem, ...]]:
    """The cells of a post in order, each with its output fence, and what is wrong with its fences.

    A fence that is never closed is an error, and neither a cell nor an output. In a post written for Jekyll
    outputs have other forms too, those of the site (`forms`) and those that the post itself is used to.
    """
    if kramdown:
        return _read_old_cells(text, body_line, path, forms)
    walked = list(_walk(text, body_line, kramdown))
    cells: list[Cell] = []
    problems: list[Problem] = []
    for index, (fence, _) in enumerate(walked):
        if not fence.closed:
            message = "the fence opened here is never closed"
            hint = f"add a closing {fence.marker}"
            problems.append(Problem("error", path, fence.start, "markdown", message, hint))
            continue
        info = parse_info(fence.info)
        if info.language not in PYTHON:
            continue
        after, follows = walked[index + 1] if index + 1 < len(walked) else (None, False)
        authored = after if after and follows and after.closed and _is_plain(after) else None
        options, complaints = _read_options(fence, info, path)
        cells.append(Cell(len(cells) + 1, fence, authored, fence.body, options))
        problems += complaints
    return tuple(cells), tuple(problems)


_UNCLOSED: Final = "the fence opened here is never closed: it is shown as text"


def _read_old_cells(
    text: str, body_line: int, path: str, forms: Collection[str]
) -> tuple[tuple[Cell, ...], tuple[Problem, ...]]:
    """The same by the habits of old posts. What is never closed is text for kramdown, and not our business."""
    if "```" not in text and "~~~" not in text:
        return (), ()
    body = dialect.body_of(text, body_line)
    lines = body.split("\n")
    env: dialect.Env = {}
    tokens = dialect.block_tokens(body, env, kramdown=True)
    dresses: dict[int, Dress] = {}
    taken: set[int] = set()  # tokens that are outputs
    for index, token in enumerate(tokens):
        if token.type == "fence" and _language_of(token) == "python" and id(token) not in taken:
            dresses[index] = dress_of(tokens, index, _language_of, PLAIN)
            if dresses[index].form == "label":
                taken.add(id(dresses[index].token))
    known = habits([dress.form for dress in dresses.values()], forms)
    cells: list[Cell] = []
    problems = [
        Problem("warning", path, body_line + line, "markdown", _UNCLOSED, "add a closing fence")
        for line in dialect.unclosed(env)
    ]
    for index, dress in dresses.items():
        fence = _fence(tokens[index], lines, body_line)
        if not fence.closed:
            continue
        authored = None
        if dress.token is not None and dress.form in known:
            make = _fence if dress.token.type == "fence" else _indented
            authored = make(dress.token, lines, body_line)
            authored = authored if authored.closed else None
        options, complaints = _read_options(fence, parse_info(fence.info), path)
        source, quiet = runnable(fence.body)
        if quiet:
            options = dataclasses.replace(options, output=False)
        first, last = dress.picture
        picture = (body_line + first, body_line + last) if last else (0, 0)
        cells.append(Cell(len(cells) + 1, fence, authored, source, options, picture))
        problems += complaints
    return tuple(cells), tuple(problems)


def forms_below(text: str, body_line: int) -> list[str]:
    """What form the output below each cell of an old post has, where it has any."""
    tokens = dialect.block_tokens(dialect.body_of(text, body_line), kramdown=True)
    dresses = [
        dress_of(tokens, index, _language_of, PLAIN)
        for index, token in enumerate(tokens)
        if token.type == "fence" and _language_of(token) == "python"
    ]
    return [dress.form for dress in dresses if dress.form]


def _language_of(token: Token) -> str:
    language = parse_info(token.info).language
    return "python" if language in PYTHON else language


def _indented(token: Token, lines: Sequence[str], body_line: int) -> Fence:
    """A block that is code by its indentation."""
    start, stop = token.map or [0, 0]
    body = token.content if token.content.endswith("\n") else f"{token.content}\n"
    first = lines[start]
    prefix = first[: len(first) - len(body.split("\n", 1)[0])]
    return Fence("", body, body_line + start, body_line + stop, prefix, marker="", closed=True)


_PROMPT = re.compile(r"\s*(?:>>>|\.\.\.)(?: |$)")
_CELL_MAGIC = re.compile(r"%%(time|capture)\b")


def runnable(body: str) -> tuple[str, bool]:
    """The program in the body of a cell, line for line, and whether its output is to be dropped.

    A session at `>>>` prompts is what was typed at them; `%%time` and `%%capture` run what is below them.
    """
    lines = body.split("\n")
    if any(line.lstrip().startswith(">>>") for line in lines):
        typed = []
        for line in lines:
            prompt = _PROMPT.match(line)
            typed.append(line[prompt.end() :] if prompt else "")
        return "\n".join(typed), False
    for number, line in enumerate(lines):
        if magic := _CELL_MAGIC.match(line):
            return "\n".join([*lines[:number], "", *lines[number + 1 :]]), magic[1] == "capture"
        if line.strip() and not line.startswith("#"):
            break
    return body, False


def without_options(source: str) -> str:
    """The code of a cell as the page shows it: without the `#|` lines at its top."""
    if not source.lstrip().startswith("#|"):
        return source
    return "\n".join(source.split("\n")[len(list(_option_lines(source))) :])


def _is_plain(fence: Fence) -> bool:
    return parse_info(fence.info).language in PLAIN


_OPTION_LINE = re.compile(r"#\|(.*)")
_OPTION = re.compile(r"\s?([A-Za-z][\w.-]*)\s*:(?:\s+(.*))?")


def _option_lines(source: str) -> Iterator[str]:
    """What stands behind `#|` on the lines at the top of a cell."""
    for line in source.split("\n"):
        match = _OPTION_LINE.fullmatch(line.strip())
        if not match:
            return
        yield match[1]


def _read_options(fence: Fence, info: Info, path: str) -> tuple[CellOptions, list[Problem]]:
    """The options of a cell: of its info string, then of its `#|` lines, which win."""
    if not info.options and "#|" not in fence.body:
        return _NO_OPTIONS, []
    values: dict[str, Any] = {}
    problems: list[Problem] = []

    def read(key: str, text: str, line: int, *, ours: bool) -> None:
        """`ours`: the key is meant for us, not for another tool, so that a slip is worth a word."""
        option = re.sub(r"[_.]", "-", key.lower())
        if option in _OPTIONS:
            name = _OPTIONS[option]
            try:
                values[name] = option_from_text(name, _OPTION_TYPES[name], text)
            except OptionError as error:
                level: Level = "error" if ours else "warning"
                message = f"cell option {error.message}"
                problems.append(Problem(level, path, line, "cell", message, error.hint))
        elif ours and option not in _OTHER_NAMES and (hint := did_you_mean(option, _OPTIONS, _NEAR)):
            problems.append(Problem("warning", path, line, "cell", f"no cell option is called `{key}`", hint))

    for key, value in info.options.items():
        if isinstance(value, str):
            read(key, value, fence.start, ours=key in info.braced)
    for number, text in enumerate(_option_lines(fence.body), start=1):
        if match := _OPTION.fullmatch(text.rstrip()):
            read(match[1], _unquoted(match[2] or ""), fence.start + number, ours=True)
    return CellOptions(**values), problems


def _unquoted(text: str) -> str:
    """The value of a `#|` line, without quotes and without a comment."""
    text = text.strip()
    if match := re.match(r"""(["'])(.*?)\1\s*(?:#.*)?\Z""", text):
        return match[2]
    return re.sub(r"(?:^|\s)#.*", "", text).rstrip()


# --- writing outputs back --------------------------------------------------------------------


def replace_outputs(text: str, cells: Sequence[Cell], new: Mapping[int, str]) -> str:
    """`text` with new bodies in the output fences of the cells whose numbers are in `new`.

    `cells` are those that `read_cells` found in this very text. Every character outside of these
    fences stays, and a body that is what it was stays as it was written. Raises ValueError if a cell
    has no output fence, or for a text that a fence cannot hold (a NUL, a carriage return).
    """
    fences = {cell.number: cell.authored for cell in cells}
    spans = line_spans(text)
    edits: list[tuple[int, int, str]] = []
    for number, body in new.items():
        fence = fences.get(number)
        if fence is None:
            raise ValueError(f"cell {number} has no output fence")
        if re.search("[\r\0]", body):
            raise ValueError(f"the output of cell {number} holds characters that no fence can hold")
        if body and not body.endswith("\n"):
            body += "\n"
        if body != fence.body:
            edits.append(_edit(text, spans, fence, body))
    for start, stop, written in sorted(edits, reverse=True):
        text = text[:start] + written + text[stop:]
    return text


def insert_outputs(text: str, cells: Sequence[Cell], new: Mapping[int, str]) -> str:
    """`text` with an output fence of its own directly below each cell whose number is in `new`.

    As `replace_outputs`; raises ValueError if a cell has an output fence already.
    """
    spans = line_spans(text)
    chosen = {cell.number: cell for cell in cells}
    for number in sorted(new, reverse=True):
        cell, body = chosen[number], new[number]
        if cell.authored is not None:
            raise ValueError(f"cell {number} has an output fence")
        if re.search("[\r\0]", body):
            raise ValueError(f"the output of cell {number} holds characters that no fence can hold")
        first, last = spans[cell.code.start - 1], spans[cell.code.stop - 2]
        line_end = text[first[1] : first[2]] or "\n"
        marker = "`" * max(3, _longest_run(body, "`") + 1)
        block = [marker, *body.removesuffix("\n").split("\n"), marker]
        lines = [_prefixed(cell.code.prefix, line) + line_end for line in block]
        written = "".join(lines)
        if last[1] == last[2]:  # the cell ends a text without a last line end: so does its output
            written = line_end + written.removesuffix(line_end)
        text = text[: last[2]] + written + text[last[2] :]
    return text


def _edit(text: str, spans: Sequence[tuple[int, int, int]], fence: Fence, body: str) -> tuple[int, int, str]:
    """The change that puts `body` into `fence`: from its opening marker to the end of its closing one."""
    if not fence.marker:
        return _indented_edit(text, spans, fence, body)
    start, opening_end, next_line = spans[fence.start - 1]
    line_end = text[opening_end:next_line]
    opening = text[start:opening_end]
    closing_start, closing_end, _ = spans[fence.stop - 2]
    closing = text[closing_start:closing_end]

    opening_at = opening.index(fence.marker)
    closing_at = closing.index(fence.marker)
    closing_run = closing[closing_at:].rstrip(" \t")
    marker = fence.marker[0] * max(len(fence.marker), _longest_run(body, fence.marker[0]) + 1)
    if len(closing_run) < len(marker):
        closing_run = marker
    lines = [_prefixed(fence.prefix, line) + line_end for line in body.split("\n")[:-1]]
    written = [
        marker + opening[opening_at + len(fence.marker) :] + line_end,
        *lines,
        closing[:closing_at] + closing_run,
    ]
    return start + opening_at, closing_start + len(closing.rstrip(" \t")), "".join(written)


def _indented_edit(
    text: str, spans: Sequence[tuple[int, int, int]], fence: Fence, body: str
) -> tuple[int, int, str]:
    """The same for a block that is indented, which neither begins nor ends with blank lines."""
    start, end, next_line = spans[fence.start - 1]
    line_end = text[end:next_line] or "\n"
    lines = [fence.prefix + line if line else "" for line in body.strip("\n").split("\n")]
    return start, spans[fence.stop - 2][1], line_end.join(lines)


def _prefixed(prefix: str, line: str) -> str:
    # A quote takes one space behind its `>` for itself, if there is one.
    space = " " if prefix.endswith(">") and line.startswith((" ", "\t")) else ""
    return prefix + space + line if line else prefix.rstrip()


def _longest_run(body: str, character: str) -> int:
    """The length of the longest line of `body` that could close a fence of this character, or 0."""
    runs = re.findall(rf"^[ \t]*({re.escape(character)}+)[ \t]*$", body, re.MULTILINE)
    return max(map(len, runs), default=0)
