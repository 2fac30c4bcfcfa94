"""What an output says, apart from how it is laid out: text -> logical lines of words, numbers and values.

parse(text) -> [Line(text, nodes, blank)]

The parser knows brackets, not types: `tensor([[1., 2.],\\n [3., 4.]], dtype=torch.float64)` is a `Group` named
`tensor` that holds a numeric `Group` and the words `dtype`, `=`, `torch.float64`. A value may run over several
printed lines, and then it is one logical line. Brackets that do not fit (prose, a value with a line lost) are
plain words: nothing is ever refused. One pass, one linear regular expression, bounded depth.

White space is gone from the nodes, and so is whatever says the same in other words: the number in
`AddBackward0`, `np.float64(1.0)` for `1.0`, `…` for `...`. Addresses and times are `Masked`: they differ in
every run.
"""

from __future__ import annotations

import re
from typing import TypeAlias

from builder.frozen import frozen

ELLIPSIS = "..."
CLOSED_BY = {"(": ")", "[": "]", "{": "}"}
PARAMETER = "Parameter containing:"  # the line above a tensor that belongs to it
BOOLS = frozenset({"True", "False"})

# Brackets deeper than this are plain words, so that no walk over a tree can exhaust the stack.
DEEPEST = 100


class Number(str):
    """A number as it was printed: an integer, a float or a complex number, `nan` or `inf`."""

    __slots__ = ()


class Masked(str):
    """Something that differs from run to run; its text only names the sort: `time`, `address`, `bar`."""

    __slots__ = ()


@frozen
class Group:
    """A pair of brackets and what stands between them.

    `items` holds the commas, unless the group is `numeric`: brackets without a name that hold numbers, bools,
    ellipses and other numeric groups only. `spaced`: only white space stands between them, or between the
    elements of one of them, as `print` shows a NumPy array.
    """

    name: str  # the word directly before the bracket: "tensor", "torch.Size", or ""
    bracket: str  # the opening one: ( [ {
    items: tuple[Node, ...]
    numeric: bool
    spaced: bool


Node: TypeAlias = str | Group
"""A word, a mark of punctuation, a `Number`, something `Masked`, or a `Group`."""


@frozen
class Line:
    """A logical line: a printed line, or all the lines of a value that goes on over them.

    `blank` holds the white-space lines directly before it. The last line that `parse` returns is the end of the
    text: empty, but for its `blank`.
    """

    text: str
    nodes: tuple[Node, ...]
    blank: tuple[str, ...]


class _Break(int):
    """The end of the printed line of that number."""


class _Frame:
    """A bracket that is still open."""

    __slots__ = ("bracket", "items", "name")

    def __init__(self, name: str, bracket: str) -> None:
        self.name = name
        self.bracket = bracket
        self.items: list[Node | _Break] = []


_UNIT = r"(?:ns|[µμu]s|ms|secs?|seconds?|s|min(?:ute)?s?|hours?|초|분)"
_REAL = r"(?:[0-9]++\.?[0-9]*+|\.[0-9]++)(?:[eE][-+]?[0-9]{1,4}+)?"
_SPECIAL = r"(?:nan|NaN|inf|Inf)(?!\w)"

# No alternative can scan further than one line, and none can go back over what a quantifier has taken.
_TOKEN = re.compile(
    rf"""[^\S\n]*+(?:
      (?P<address> (?<=at\ )0x[0-9a-fA-F]++ | 0x[0-9a-fA-F]{{8,}}+ )
    | (?P<time>
        (?:CPU\ times|Wall\ time):[^\n]*+                                   # %time
      | [0-9.]++\ ?{_UNIT}\ ±[^\n]*+ | [0-9]++\ loops,\ best\ of[^\n]*+     # %timeit, new and old
      | [0-9]++:[0-9][0-9]:[0-9][0-9](?:\.[0-9]++)?                         # 0:00:01.234567
      | (?:[0-9]++(?:\.[0-9]++)?\ ?{_UNIT}(?:/\w++)?(?![\w/])\ ?)++         # 1.23 s, 1min 3s, 12ms/step
      | [0-9]++(?:\.[0-9]++)?\ ?(?:it|iter|step|batch|sample|image|example)(?:e?s)?/s(?:ec)?(?!\w) )
    | (?P<bar> (?<=%)\|[^|\n]*+\| | \[[0-9]++:[0-9][0-9][^][\n]*+\] )        # tqdm
    | (?P<number> [-+]?(?:{_REAL}|{_SPECIAL})(?:j|\ *+[-+](?:{_REAL}|nan|inf)j)? )
    | (?P<word> Parameter\ containing: | (?:cpu|cuda|mps|xpu):[0-9]++
      | [^\W\d]\w*+(?:\.[^\W\d]\w*+)*+ )
    | (?P<newline> \n )
    | (?P<open> [(\[{{] )
    | (?P<close> [)\]}}] )
    | (?P<other> \.{{3,}}+ | … | [-=*~\#+]{{2,}}+ | \S )
    )""",
    re.VERBOSE,
)
_BACKWARD = re.compile(r"(?:Th)?(\w+Backward)[0-9]*")
_NUMPY_SCALAR = re.compile(r"(?:np|numpy)\.(?:float|int|uint|bool|complex|str|longdouble)[0-9_]*")


def parse(text: str, *, joined: bool = True) -> list[Line]:
    """Return the logical lines of `text` (without its last line end), and the end of it.

    Not `joined`: every printed line is one.
    """
    printed = text.split("\n")
    lines: list[Line] = []
    blank: list[str] = []
    nodes: list[Node] = []
    start = 0
    for node in _tree(text, joined):
        if not isinstance(node, _Break):
            nodes.append(node)
        elif nodes:
            lines.append(Line("\n".join(printed[start : node + 1]), tuple(nodes), tuple(blank)))
            start, nodes, blank = node + 1, [], []
        else:
            blank += printed[start : node + 1]
            start = node + 1
    blank += printed[start:] if text else []
    return [*lines, Line("", (), tuple(blank))]


def _tree(text: str, joined: bool) -> list[Node | _Break]:
    """Return the nodes of all lines in one list, each line closed by its `_Break`."""
    base = _Frame("", "")
    stack = [base]
    items = base.items  # always those of the innermost frame
    number = 0  # of the printed line
    word_end = -1  # where the last token ended, if it was a word
    stripped = text.rstrip()
    for match in _TOKEN.finditer(stripped):
        kind = match.lastgroup or "other"
        token = match[kind]
        if kind == "number":
            items.append(Number(token))
        elif kind == "other":
            items.append(ELLIPSIS if token == "…" or token.startswith(ELLIPSIS) else token)
        elif kind == "word":
            items.append(_canonical(token))
            word_end = match.end()
        elif kind == "newline":
            if len(stack) > 1 and not (joined and (not items or _goes_on(items[-1]))):
                items = _dissolve(stack, 1)
            if not (joined and items and items[-1] == PARAMETER):
                items.append(_Break(number))
            number += 1
        elif kind == "open" and len(stack) <= DEEPEST:
            name = items.pop() if match.start(kind) == word_end else ""
            stack.append(_Frame(str(name), token))
            items = stack[-1].items
        elif kind == "close" and any(CLOSED_BY.get(frame.bracket) == token for frame in stack):
            while CLOSED_BY.get(stack[-1].bracket) != token:
                items = _dissolve(stack, len(stack) - 1)
            frame = stack.pop()
            items = stack[-1].items
            items += _closed(frame)
        elif kind in ("open", "close"):
            items.append(token)
        else:
            items.append(Masked(kind))
    _dissolve(stack, 1)
    if stripped:
        base.items.append(_Break(number))
    return base.items


def _canonical(word: str) -> str:
    """Return the one spelling of a word that has several."""
    if "Backward" in word:
        found = _BACKWARD.fullmatch(word)
        return found[1] if found else word
    if word.startswith("np.") and word in ("np.True_", "np.False_"):
        return word[3:-1]
    return word


def _goes_on(last: Node | _Break) -> bool:
    """May a value of which `last` is the last item so far go on in the next printed line?

    Torch and lists break behind a comma or a bracket, NumPy also behind a number, a bool or a string; blank
    lines stand between the matrices of an array.
    """
    if isinstance(last, (Group, Number, _Break)):
        return True
    return last in (",", "'", '"', ELLIPSIS, PARAMETER) or last in BOOLS


def _dissolve(stack: list[_Frame], depth: int) -> list[Node | _Break]:
    """Make plain words of the brackets open above `depth`; return the items of what is innermost then."""
    items = stack[depth - 1].items
    for frame in stack[depth:]:
        items += [frame.name, frame.bracket] if frame.name else [frame.bracket]
        items += frame.items
    del stack[depth:]
    return items


def _closed(frame: _Frame) -> list[Node]:
    """Return what the frame's bracket holds as a node; or what stands in it, where the bracket says nothing."""
    items: list[Node] = [item for item in frame.items if not isinstance(item, _Break)]
    if not frame.name and frame.bracket != "{":
        elements = [item for item in items if item != ","]
        if all(map(_is_numeric, elements)):
            if frame.bracket == "(" and len(items) == 1 and str(items[0]).endswith("j"):
                return items  # (1+2j) is how Python writes 1+2j
            spaced = len(items) == len(elements) > 1
            spaced = spaced or any(isinstance(element, Group) and element.spaced for element in elements[:1])
            return [Group("", frame.bracket, tuple(elements), True, spaced)]
    if _NUMPY_SCALAR.fullmatch(frame.name):
        return items
    return [Group(frame.name, frame.bracket, tuple(items), False, False)]


def _is_numeric(item: Node) -> bool:
    """Is this an element of an array of numbers?"""
    if isinstance(item, Group):
        return item.numeric
    return isinstance(item, Number) or item == ELLIPSIS or item in BOOLS
