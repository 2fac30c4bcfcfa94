"""How do an authored output and the real one differ?

compare(authored, printed, drew_random=...) -> Difference(kinds, what)

Both texts are parsed into logical lines (`builder.values`), the lines are aligned, and each pair is compared as
what it says: words, numbers, tensors, arrays, lists. Where that fails, printed line by printed line.

| the authored output has                                                          | kind      |
|----------------------------------------------------------------------------------|-----------|
| the same characters (but for one line end at the end)                            | `exact`   |
| other blank lines, trailing blanks, indentation, padding                         | `space`   |
| the rows of a tensor or array wrapped elsewhere                                  | `space`   |
| rules and headings between the lines, and white-space lines beside them          | `marks`   |
| numbers within tolerance, or equal in the digits of the shorter one              | `close`   |
| `grad_fn=<AddBackward>` for `<AddBackward0>`, `1.0` for `np.float64(1.0)`        | `close`   |
| another memory address, time, speed or progress bar                              | `close`   |
| the same exception (type and message), other frames or none                      | `close`   |
| an array in full that is now printed with `...`                                  | `close`   |
| a line `...`, `…` or `생략` for lines; `...` in a line or value for a part of it | `cut`     |
| other numbers, in the same places, and random numbers were drawn                 | `random`  |
| other numbers, in the same places                                                | `numbers` |
| another shape, dtype (also int for float), device, grad_fn or other attribute    | `shape`   |
| other words; a line too many, or missing                                         | `text`    |
| an exception of another type or with another message, or none, or one too many   | `error`   |

`exact` stands alone. A pair of lines that differs in more than white space is not also `space`.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple, TypeAlias

from builder.frozen import frozen
from builder.marks import is_mark_shaped, is_rule, marks_of, merge
from builder.splice import ERROR_LINE, TRACEBACK
from builder.values import BOOLS, CLOSED_BY, ELLIPSIS, Group, Line, Node, Number, parse

# The first kind of these that was found gives a Difference its sentence.
MOST_SERIOUS_FIRST = ("error", "text", "shape", "numbers", "random", "cut", "close", "marks", "space")

TENSORS = frozenset({"tensor", "array", "masked_array"})
# Keywords of a tensor's text that hold its values; all others describe it.
SPARSE = frozenset({"indices", "values", "crow_indices", "col_indices", "ccol_indices", "row_indices"})
VALUES = SPARSE | {"scale", "zero_point", "data", "mask", "fill_value"}
TYPE_WORD = re.compile(
    r"(?:(?:torch|np|numpy)\.)?(?:bfloat|float|q?u?int|complex)[0-9]+"
    r"|(?:torch|np|numpy)\.(?:bool|half|float|double|short|int|long|char|byte)|bool|object"
    r"|torch\.(?:cuda\.)?\w*Tensor|(?:cpu|cuda|mps|xpu|meta)(?::[0-9]+)?"
)
CUT = re.compile(
    r"[\W_이하중간]*(?:생략|중략|후략|전략|omitted|snip|truncated|\.\.\.|\. \. \.|…|⋮)[\W_생략이하중간]*"
)
LONGEST_CUT = 60  # characters; a longer line says something

FEWEST_DECIMALS = 2  # of a number that may be a rounded one
NOISY_DIGITS = 4  # significant digits of a number whose last digit may be off by one
SAMPLE = 1_000  # as many numbers of an array show how precisely it was printed
DIGITS = re.compile(r"(?<![0-9eE.])(?<![eE][-+])([0-9]*)\.?([0-9]*)")
EXPONENT = re.compile(r"[eE]([-+]?[0-9]+)")

# Aligning by difflib may cost the square of this; beyond it, lines that stand once on both sides are anchors.
MOST_PAIRS = 10_000


@frozen
class Tolerance:
    """How far apart may two floats be, to be called close? Integers are equal or not.

    `rtol`: torch prints five digits of a number near 1, and two right ways to compute a float32 (another
    order of a sum, another processor) agree in four of them. `atol`: a float32 near 1 is known to 1.2e-7,
    and what is less than that is rounding noise: 1.5e-8 may stand for 0.

    What was printed counts too. If one side shows fewer decimals, but at least two, then the other need only
    round to it (1.33 and 1.33333, but not 1. and 1.4: that few digits mean an exact number). If both show the
    same decimals and at least four significant digits, the last one may be off by one. In an array the
    longest number tells, since all are printed alike.
    """

    rtol: float = 1e-4
    atol: float = 1e-7


@frozen
class Difference:
    """The kinds of difference, and one short sentence on the most serious one ("" when exact)."""

    kinds: frozenset[str]
    what: str


class Finding(NamedTuple):
    """One difference. `by`: how far numbers are apart at most."""

    kind: str
    what: str = ""
    by: float = 0.0


UNSAID = Finding("text")  # two rows that do not fit: the line says it best
CUT_INSIDE = Finding("cut", "`...` stands for a part of the output")
EXACT = Difference(frozenset({"exact"}), "")
DEFAULT = Tolerance()


def compare(authored: str, printed: str, *, drew_random: bool, tolerance: Tolerance = DEFAULT) -> Difference:
    """Return how the authored output differs from the printed one.

    `drew_random`: did this or an earlier cell draw random numbers, so that other numbers are no news?
    """
    authored, printed = authored.removesuffix("\n"), printed.removesuffix("\n")
    if authored == printed:
        return EXACT
    mine, real = authored.split("\n"), printed.split("\n")
    if [line for line, _ in merge(mine, real)] == mine:
        return Difference(frozenset({"marks"}), _marks(len(marks_of(mine, real))))
    before, error = _split_error(authored)
    real_before, real_error = _split_error(printed)
    findings = list(_compare_errors(error, real_error, tolerance))
    if error or real_error:
        before, real_before = before.rstrip(), real_before.rstrip()
    findings += _compare_texts(before, real_before, tolerance)
    return _summary(findings, drew_random)


def _summary(findings: Sequence[Finding], drew_random: bool) -> Difference:
    """Return what all the findings say together."""
    if drew_random:
        findings = [f._replace(kind="random") if f.kind == "numbers" else f for f in findings]
    kinds = {finding.kind for finding in findings}
    if not kinds:  # only white space around an exception is not looked at line by line
        return Difference(frozenset({"space"}), "white space differs")
    worst = next(kind for kind in MOST_SERIOUS_FIRST if kind in kinds)
    found = [finding for finding in findings if finding.kind == worst]
    if worst == "numbers":
        by = max(finding.by for finding in found)
        what = f"values differ by up to {by:.3g} (beyond tolerance)" if 0 < by < math.inf else "values differ"
    elif worst == "random":
        what = "other random numbers"
    elif worst == "marks":
        what = _marks(len(found))
    else:
        what = found[0].what
    return Difference(frozenset(kinds), what)


def _marks(count: int) -> str:
    return "1 mark of the author" if count == 1 else f"{count} marks of the author"


# --- exceptions ------------------------------------------------------------------------------


class _Error(NamedTuple):
    """The part of an output that shows an exception: all of it, and its last line `Type: message`."""

    block: str
    line: str


def _split_error(text: str) -> tuple[str, _Error | None]:
    """Split an output into what was printed before the exception that it shows, and that exception.

    An exception is all from a traceback on (Python's or IPython's), or a last line `SomeError: ...`. The
    frames of a traceback name files that only its author has, so that only the last line is compared (from the
    line with the type on, if the message has several): the same one under other frames, or none, is `close`.
    """
    lines = text.split("\n")
    first = next((at for at, line in enumerate(lines) if TRACEBACK in line), len(lines))
    if first < len(lines):
        after = range(len(lines) - 1, first, -1)
        last = next((at for at in after if ERROR_LINE.match(lines[at])), None)
        if last is None:
            last = next((at for at in after if lines[at].strip()), first)
        if first > 0 and is_rule(lines[first - 1]):
            first -= 1
    else:
        last = next((at for at in range(len(lines) - 1, -1, -1) if lines[at].strip()), 0)
        found = ERROR_LINE.match(lines[last])
        if not found or re.match(
            r"\s*[-+.]?[0-9]", lines[last][found.end() :]
        ):  # a loss may be called SomeError
            return text, None
        first = last
    return "\n".join(lines[:first]), _Error("\n".join(lines[first:]), "\n".join(lines[last:]).strip())


def _compare_errors(mine: _Error | None, real: _Error | None, tolerance: Tolerance) -> Iterator[Finding]:
    """Compare two exceptions by their last lines."""
    if mine is None and real is None:
        return
    if mine is None or real is None:
        names = (_quote(error.line) if error else "no exception" for error in (mine, real))
        yield Finding("error", " instead of ".join(names))
        return
    found = list(_compare_texts(_short_name(mine.line), _short_name(real.line), tolerance))
    if any(finding.kind not in ("space", "close", "cut") for finding in found):
        yield Finding("error", _instead(mine.line, real.line))
    elif any(finding.kind == "cut" for finding in found):
        yield CUT_INSIDE
    elif mine.block != real.block:
        yield _unlike(mine.block, real.block)


def _short_name(line: str) -> str:
    """Return the last line of a traceback without the module of the exception's type."""
    name, colon, message = line.partition(":")
    return name.rsplit(".", 1)[-1] + colon + message


# --- lines -----------------------------------------------------------------------------------

Row: TypeAlias = tuple[Line | None, Line | None]
"""An authored line and its printed partner; None where one has none."""


def _compare_texts(
    authored: str, printed: str, tolerance: Tolerance, *, joined: bool = True
) -> Iterator[Finding]:
    """Compare two outputs without exceptions. Not `joined`: printed line by printed line."""
    missing: list[str] = []
    extra: list[str] = []
    blanks: list[tuple[str, ...]] = []  # the white-space lines since the last pair, and
    between = ""  # whether "marks" or a "cut" stand there
    for mine, real in _rows(parse(authored, joined=joined), parse(printed, joined=joined)):
        if mine is None:
            missing.append(real.text if real else "")
            continue
        blanks.append(mine.blank)
        if real is not None:
            # Beside a mark, white-space lines are the author's; beside a cut, nobody knows.
            same = real.blank in blanks or (between == "marks" and not real.blank) or between == "cut"
            if not same:
                yield Finding("space", "blank lines differ")
            blanks, between = [], ""
            yield from _compare_lines(mine, real, tolerance, joined)
        elif _is_cut(mine):
            between = "cut"
            yield Finding("cut", f"{_quote(mine.text)} stands for lines of the output")
        elif is_mark_shaped(mine.text):
            between = between or "marks"
            yield Finding("marks")
        else:
            extra.append(mine.text)
    if missing:
        yield Finding("text", f"{_count(missing)} missing: {_quote(missing[0])}")
    if extra:
        yield Finding("text", f"{_count(extra)} not printed: {_quote(extra[0])}")


def _compare_lines(mine: Line, real: Line, tolerance: Tolerance, joined: bool) -> Iterator[Finding]:
    """Compare two logical lines."""
    if mine.text == real.text:
        return
    findings = list(_compare_nodes(mine.nodes, real.nodes, tolerance))
    if not findings:
        yield _unlike(mine.text, real.text)
    elif joined and "\n" in mine.text + real.text and any(f.kind == "text" for f in findings):
        yield from _compare_texts(mine.text, real.text, tolerance, joined=False)
    else:
        sentence = _instead(mine.text, real.text)
        yield from (Finding("text", sentence) if finding == UNSAID else finding for finding in findings)


def _unlike(mine: str, real: str) -> Finding:
    """Return how two texts look that say the same."""
    if "".join(mine.split()) == "".join(real.split()):
        return Finding("space", "white space differs")
    pairs = zip(mine.split("\n"), real.split("\n"), strict=False)
    one, other = next(((a, b) for a, b in pairs if a.split() != b.split()), (mine, real))
    return Finding("close", f"{_quote(one)} says the same as {_quote(other)}")


def _count(texts: Sequence[str]) -> str:
    count = sum(text.count("\n") + 1 for text in texts)
    return "1 line is" if count == 1 else f"{count} lines are"


def _quote(text: str) -> str:
    """Return the beginning of the text, for a sentence."""
    return _excerpt(_one_line(text), 0)


def _instead(mine: str, real: str) -> str:
    """Say that one text stands where the other should, and show both from where they differ."""
    one, other = _one_line(mine), _one_line(real)
    same = 0
    while same < min(len(one), len(other)) and one[same] == other[same]:
        same += 1
    start = max(same - 10, 0) if same > 25 else 0
    return f"{_excerpt(one, start)} instead of {_excerpt(other, start)}"


def _one_line(text: str) -> str:
    first, rest, _ = text.strip().partition("\n")
    return " ".join(first[:200].split()) + (" …" if rest else "")


def _excerpt(text: str, start: int) -> str:
    end = start + 40
    shown = text[start:end] if len(text) <= end else text[start : end - 1] + "…"
    return f"`{'…' if start else ''}{shown}`"


# --- which line belongs to which -------------------------------------------------------------


def _rows(mine: Sequence[Line], real: Sequence[Line]) -> list[Row]:
    """Align lines: equal, then equal but for the numbers, then by position.

    Printed lines that a cut stands for are left out.
    """
    return _split(mine, real, _squeezed, _gap)


def _gap(mine: Sequence[Line], real: Sequence[Line]) -> list[Row]:
    """Align lines of which no two are equal.

    What stands before the first cut is the beginning of the printed lines, what stands behind the last one is
    their end, and what stands between two cuts is somewhere between.
    """
    cuts = [at for at, line in enumerate(mine) if _is_cut(line)]
    if not cuts:
        return _split(mine, real, _skeleton, _rest)
    if _count_text(mine) > len(real) and any("\n" in line.text for line in real):
        return _rows(_printed_lines(mine), _printed_lines(real))  # the cut may be one in a value
    head, middle, tail = mine[: cuts[0]], mine[cuts[0] : cuts[-1] + 1], mine[cuts[-1] + 1 :]
    stop = min(_count_text(head), len(real))
    start = max(len(real) - _count_text(tail), stop)
    return [
        *_gap(head, real[:stop]),
        *_split(middle, real[stop:start], _skeleton, _left_out),
        *_gap(tail, real[start:]),
    ]


def _left_out(mine: Sequence[Line], real: Sequence[Line]) -> list[Row]:
    """Align lines around a cut, which stands for all of `real`."""
    return [(line, None) for line in mine]


def _rest(mine: Sequence[Line], real: Sequence[Line]) -> list[Row]:
    """Align lines that have nothing in common: by position, once every value is taken apart into printed lines."""
    if mine and real and any("\n" in line.text for line in (*mine, *real)):
        return _rows(_printed_lines(mine), _printed_lines(real))
    free = iter(real)
    rows: list[Row] = [(line, None if _is_decoration(line) else next(free, None)) for line in mine]
    return [*rows, *((None, line) for line in free)]


def _printed_lines(lines: Sequence[Line]) -> list[Line]:
    text = "\n".join("\n".join([*line.blank, line.text]) for line in lines)
    return parse(text, joined=False)[:-1]


def _split(
    mine: Sequence[Line],
    real: Sequence[Line],
    key: Callable[[Line], str],
    align: Callable[[Sequence[Line], Sequence[Line]], list[Row]],
) -> list[Row]:
    """Pair lines with equal keys, and `align` what lies between the pairs."""
    rows: list[Row] = []
    i = j = 0
    ends = [(len(mine), len(real))]
    for at, partner in _anchors([key(line) for line in mine], [key(line) for line in real]) + ends:
        if i < at or j < partner:
            rows += align(mine[i:at], real[j:partner])
        rows += zip(mine[at : at + 1], real[partner : partner + 1], strict=True)
        i, j = at + 1, partner + 1
    return rows


def _anchors(mine: Sequence[str], real: Sequence[str]) -> list[tuple[int, int]]:
    """Return pairs of places with equal keys, in order."""
    start, stop = 0, min(len(mine), len(real))
    while start < stop and mine[start] == real[start]:
        start += 1
    ends = 0
    while ends < stop - start and mine[-1 - ends] == real[-1 - ends]:
        ends += 1
    left, right = mine[start : len(mine) - ends], real[start : len(real) - ends]
    inner = _blocks(left, right) if len(left) * len(right) <= MOST_PAIRS else _unique(left, right)
    return [
        *((at, at) for at in range(start)),
        *((start + i, start + j) for i, j in inner),
        *((len(mine) - at, len(real) - at) for at in range(ends, 0, -1)),
    ]


def _blocks(mine: Sequence[str], real: Sequence[str]) -> list[tuple[int, int]]:
    """Anchors as difflib finds them."""
    blocks = SequenceMatcher(None, mine, real, False).get_matching_blocks()
    return [(i + k, j + k) for i, j, size in blocks for k in range(size)]


def _unique(mine: Sequence[str], real: Sequence[str]) -> list[tuple[int, int]]:
    """Anchors among the keys that stand once on either side: the longest run in order on both ("patience")."""
    counts = Counter(mine), Counter(real)
    place = {key: j for j, key in enumerate(real) if counts[0][key] == counts[1][key] == 1}
    pairs = [(i, place[key]) for i, key in enumerate(mine) if key in place]
    ends: list[int] = []  # ends[n]: the smallest place in `real` at which a run of n + 1 pairs ends,
    tips: list[int] = []  # and the last pair of that run
    before = [-1] * len(pairs)
    for number, (_, j) in enumerate(pairs):
        length = bisect_left(ends, j)
        before[number] = tips[length - 1] if length else -1
        ends[length : length + 1] = [j]
        tips[length : length + 1] = [number]
    run: list[tuple[int, int]] = []
    number = tips[-1] if tips else -1
    while number >= 0:
        run.append(pairs[number])
        number = before[number]
    return run[::-1]


def _squeezed(line: Line) -> str:
    return " ".join(line.text.split())


def _skeleton(line: Line) -> str:
    """Return what two lines have in common that differ only in numbers, shapes and types."""
    return " ".join(map(_bones, line.nodes))


def _bones(node: Node) -> str:
    if isinstance(node, Number):
        return "0"
    if isinstance(node, str):
        return node
    inner = "0" if node.numeric or node.name in TENSORS else " ".join(map(_bones, node.items))
    return f"{node.name}{node.bracket}{inner}"


def _is_cut(line: Line) -> bool:
    """Does the author say with this line that others are left out?"""
    return len(line.text) <= LONGEST_CUT and CUT.fullmatch(line.text) is not None


def _is_decoration(line: Line) -> bool:
    return is_mark_shaped(line.text) or _is_cut(line)


def _count_text(lines: Iterable[Line]) -> int:
    return sum(not _is_decoration(line) for line in lines)


# --- values ----------------------------------------------------------------------------------


def _compare_nodes(mine: Sequence[Node], real: Sequence[Node], tolerance: Tolerance) -> Iterator[Finding]:
    """Compare two rows of words, numbers and values."""
    pairs = _zip(mine, real)
    if pairs is None:
        yield UNSAID
        return
    if _cuts(mine, real):
        yield CUT_INSIDE
    for one, other in pairs:
        if isinstance(one, Group) and isinstance(other, Group):
            yield from _compare_groups(one, other, tolerance)
        elif isinstance(one, Number) and isinstance(other, Number):
            yield from _compare_numbers([(one, other)], tolerance)
        elif one != other:
            kind = "shape" if _is_type(one) and _is_type(other) else "text"
            yield Finding(kind, f"`{_show([one])}` instead of `{_show([other])}`")


def _compare_groups(mine: Group, real: Group, tolerance: Tolerance) -> Iterator[Finding]:
    """Compare two values in brackets."""
    if (mine.name, mine.bracket) != (real.name, real.bracket):
        yield Finding("text", f"`{mine.name}{mine.bracket}` instead of `{real.name}{real.bracket}`")
    elif mine.name in TENSORS:
        yield from _compare_tensors(mine, real, tolerance)
    elif mine.name in ("torch.Size", "device"):
        if mine != real:
            yield Finding("shape", f"`{_show([mine])}` instead of `{_show([real])}`")
    elif mine.numeric and real.numeric:
        yield from _compare_arrays(mine, real, tolerance, typed=mine.spaced)
    else:
        yield from _compare_nodes(mine.items, real.items, tolerance)


def _compare_tensors(mine: Group, real: Group, tolerance: Tolerance) -> Iterator[Finding]:
    """Compare two tensors or NumPy arrays: first what describes them, then their values."""
    (elements, keywords), (real_elements, real_keywords) = _arguments(mine), _arguments(real)
    for key in [*keywords, *(key for key in real_keywords if key not in keywords)]:
        one, other = keywords.get(key), real_keywords.get(key)
        if one is not None and other is not None and key in VALUES:
            yield from _compare_nodes(one, other, tolerance)
        elif one != other and not (key == "shape" and not (one and other) and _is_elided(real_elements)):
            says = (f"{key}={_show(value)}" if value else f"no {key}" for value in (one, other))
            yield Finding("shape", " instead of ".join(says))
    if _is_array(elements) and _is_array(real_elements):
        yield from _compare_arrays(elements[0], real_elements[0], tolerance, typed=True)
    else:
        yield from _compare_nodes(elements, real_elements, tolerance)


def _arguments(call: Group) -> tuple[list[Node], dict[str, list[Node]]]:
    """Split what stands in the brackets of a call into positional nodes and keywords."""
    positional: list[Node] = []
    keywords: dict[str, list[Node]] = {}
    argument: list[Node] = []
    for item in (*call.items, ","):
        if item != ",":
            argument.append(item)
            continue
        if len(argument) > 2 and argument[1] == "=":
            keywords[str(argument[0])] = argument[2:]
        else:
            positional += argument
        argument = []
    return positional, keywords


def _compare_arrays(mine: Node, real: Node, tolerance: Tolerance, *, typed: bool) -> Iterator[Finding]:
    """Compare two numeric nodes: the shape, the type of the elements (where `typed`), the values."""
    pairs: list[tuple[str, str]] = []
    found = _pair_up(mine, real, pairs)
    if found == "shape":
        yield Finding("shape", f"shape {_shape(mine)} instead of {_shape(real)}")
        return
    if found == "cut":
        yield CUT_INSIDE
    if _is_spaced(mine) != _is_spaced(real):
        yield Finding("text", "brackets with commas on one side only")
    if typed:
        kind, real_kind = _kind([x for x, _ in pairs]), _kind([y for _, y in pairs])
        if kind != real_kind:
            yield Finding("shape", f"{kind} values instead of {real_kind}")
    yield from _compare_numbers(pairs, tolerance)


def _pair_up(mine: Node, real: Node, pairs: list[tuple[str, str]]) -> str:
    """Append the pairs of elements of two numeric nodes to `pairs`.

    Return "shape" if they do not fit, "cut" if the author left elements out, or "".
    """
    if isinstance(mine, str) and isinstance(real, str):
        if mine != ELLIPSIS != real:
            pairs.append((mine, real))
            return ""
        return "" if mine == real else "shape"
    if isinstance(mine, str) or isinstance(real, str) or mine.bracket != real.bracket:
        return "shape"
    matched = _zip(mine.items, real.items)
    if matched is None:
        return "shape"
    found = "cut" if _cuts(mine.items, real.items) else ""
    for one, other in matched:
        inner = _pair_up(one, other, pairs)
        if inner == "shape":
            return inner
        found = found or inner
    return found


def _zip(mine: Sequence[Node], real: Sequence[Node]) -> list[tuple[Node, Node]] | None:
    """Pair the items of two rows; None if one has more.

    An ellipsis in only one of them stands for any number of items of the other.
    """
    if (ELLIPSIS in mine) == (ELLIPSIS in real):
        return list(zip(mine, real, strict=True)) if len(mine) == len(real) else None
    if ELLIPSIS in real:
        pairs = _zip(real, mine)
        return pairs and [(one, other) for other, one in pairs]
    head = mine.index(ELLIPSIS)
    tail = len(mine) - head - 1
    if head + tail > len(real):
        return None
    return [
        *zip(mine[:head], real, strict=False),
        *zip(mine[head + 1 :], real[len(real) - tail :], strict=True),
    ]


def _cuts(mine: Sequence[Node], real: Sequence[Node]) -> bool:
    """Is the ellipsis in this row the author's, not that of torch or NumPy?"""
    return ELLIPSIS in mine and ELLIPSIS not in real


def _is_array(nodes: Sequence[Node]) -> bool:
    """Are these the elements of an array of numbers, which may be a single number?"""
    if len(nodes) != 1:
        return False
    return (
        nodes[0].numeric if isinstance(nodes[0], Group) else isinstance(nodes[0], Number) or nodes[0] in BOOLS
    )


def _is_spaced(node: Node) -> bool:
    return isinstance(node, Group) and node.spaced


def _is_elided(nodes: Sequence[Node]) -> bool:
    """Did torch or NumPy leave out elements of this array?"""
    return ELLIPSIS in nodes or any(isinstance(node, Group) and _is_elided(node.items) for node in nodes[:1])


def _is_type(node: Node) -> bool:
    return isinstance(node, str) and TYPE_WORD.fullmatch(node) is not None


def _kind(elements: Sequence[str]) -> str:
    """Return what the printed elements of an array are, for want of a dtype."""
    text = " ".join(elements)
    if "True" in text or "False" in text:
        return "bool"
    if "j" in text:
        return "complex"
    return "float" if any(sign in text for sign in ".enN") else "int"


def _shape(node: Node) -> str:
    """Return the shape of a numeric node, as a tuple is written."""
    sizes: list[str] = []
    while isinstance(node, Group):
        sizes.append("…" if ELLIPSIS in node.items else str(len(node.items)))
        node = node.items[0] if node.items else ""
    return f"({sizes[0]},)" if len(sizes) == 1 else f"({', '.join(sizes)})"


def _show(nodes: Sequence[Node]) -> str:
    """Return nodes as text, near to how they were printed."""
    texts: list[str] = []
    for node in nodes:
        if isinstance(node, Group):
            inner = (", " if node.numeric else "").join(_show([item]) for item in node.items[:9])
            texts.append(f"{node.name}{node.bracket}{inner}{CLOSED_BY[node.bracket]}")
        else:
            texts.append(node)
    return "".join(texts)


# --- numbers ---------------------------------------------------------------------------------


class _Precision(NamedTuple):
    """How precisely numbers were printed: digits after the point, and significant ones, of the longest."""

    decimals: int
    digits: int


def _compare_numbers(pairs: Sequence[tuple[str, str]], tolerance: Tolerance) -> Iterator[Finding]:
    """Compare the numbers (or bools) of one value, pair by pair, by the precision with which it was printed."""
    differing = [pair for pair in pairs if pair[0] != pair[1]]
    sample = [pair for pair in differing[:SAMPLE] if not _is_int(pair[0]) or not _is_int(pair[1])]
    precision = _precision(one for one, _ in sample)
    real_precision = _precision(other for _, other in sample)
    farthest = -1.0
    for one, other in differing:
        mine, real = _value(one), _value(other)
        distance = _distance(mine, real)
        if distance <= farthest:
            continue
        if _is_int(one) and _is_int(other):
            close = one.lstrip("+0") == other.lstrip("+0")
        else:
            allowed = tolerance.atol + tolerance.rtol * min(_size(mine), _size(real))
            close = math.isfinite(distance) and distance <= allowed + _slack(
                one, other, precision, real_precision
            )
        if not close:
            farthest = distance
    if farthest >= 0:
        yield Finding("numbers", by=farthest)


def _slack(one: str, other: str, precision: _Precision, real_precision: _Precision) -> float:
    """Return by how much two numbers may differ because so few digits of them were printed (see Tolerance)."""
    unit = _power(_exponent(one) - precision.decimals)
    real_unit = _power(_exponent(other) - real_precision.decimals)
    coarser = precision if unit > real_unit else real_precision
    if coarser.decimals < FEWEST_DECIMALS:
        return 0.0
    if unit != real_unit:
        return (
            max(unit, real_unit) * 0.501
        )  # a little more than half: the numbers are binary, the digits are not
    return unit * 1.001 if min(precision.digits, real_precision.digits) >= NOISY_DIGITS else 0.0


def _precision(numbers: Iterable[str]) -> _Precision:
    decimals = digits = 0
    for number in numbers:
        for whole, fraction in DIGITS.findall(number):
            decimals = max(decimals, len(fraction))
            digits = max(digits, len((whole + fraction).lstrip("0")))
    return _Precision(decimals, digits)


def _value(number: str) -> complex:
    """Return the value of a printed number or bool."""
    if number in BOOLS:
        return float(number == "True")
    return complex(number.replace(" ", "")) if number.endswith("j") else float(number)


def _distance(mine: complex, real: complex) -> float:
    """Return how far apart two numbers are; infinity if that is no number, nothing between two `nan`."""
    if mine == real or (mine != mine and real != real):
        return 0.0
    distance = _size(mine - real)
    return math.inf if math.isnan(distance) else distance


def _size(value: complex) -> float:
    return abs(value) if isinstance(value, float) else math.hypot(value.real, value.imag)


def _is_int(number: str) -> bool:
    return number.lstrip("+-").isdigit()


def _exponent(number: str) -> int:
    """Return the power of ten in the notation of a number (1.5e-05: -5)."""
    found = EXPONENT.search(number)
    return int(found[1]) if found else 0


def _power(exponent: int) -> float:
    return 10.0 ** max(-300, min(exponent, 300))
