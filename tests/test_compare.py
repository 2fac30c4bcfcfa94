"""The kinds of difference between an authored output and the real one: a table, and laws."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builder import compare as module
from builder.compare import MOST_SERIOUS_FIRST, Tolerance, compare
from builder.marks import merge

CASES = Path(__file__).parent / "cases" / "compare"
HEADER = re.compile(r"%% (?P<name>[^:]*?)(?P<random> \(random\))?: (?P<kinds>[a-z ]+)")


def read_cases() -> Iterator[object]:
    """Yield the cases of every table (cases/compare/README says how they are written)."""
    for path in sorted(CASES.glob("*.txt")):
        lines = [line for line in path.read_text("utf-8").splitlines() if not line.startswith("%#")]
        starts = [at for at, line in enumerate(lines) if line.startswith("%% ")]
        for start, stop in zip(starts, [*starts[1:], len(lines)], strict=True):
            header = HEADER.fullmatch(lines[start])
            assert header, lines[start]
            middle = lines.index("%%", start, stop)
            authored, printed = (
                "".join(re.sub("·+$", lambda dots: " " * len(dots[0]), line) + "\n" for line in part)
                for part in (lines[start + 1 : middle], lines[middle + 1 : stop])
            )
            yield pytest.param(
                authored,
                printed,
                bool(header["random"]),
                set(header["kinds"].split()),
                id=f"{path.stem}: {header['name']}{header['random'] or ''}",
            )


TABLE = list(read_cases())


@pytest.mark.parametrize(("authored", "printed", "drew_random", "kinds"), TABLE)
def test_kinds(authored: str, printed: str, drew_random: bool, kinds: set[str]) -> None:
    difference = compare(authored, printed, drew_random=drew_random)
    assert (set(difference.kinds), difference.what) == (kinds, difference.what)
    assert bool(difference.what) == (kinds != {"exact"})
    assert len(difference.what) < 150
    assert "\n" not in difference.what


def test_table_is_large() -> None:
    assert len(TABLE) >= 150
    assert {kind for case in TABLE for kind in case.values[3]} == {"exact", *MOST_SERIOUS_FIRST}  # type: ignore[attr-defined]


def test_says_what_differs() -> None:
    def what(authored: str, printed: str) -> str:
        return compare(authored, printed, drew_random=False).what

    tensor = "tensor([[36., 36.],\n        [36., 36.]])\n"
    assert what(tensor.split("\n", 1)[1], tensor) == "1 line is missing: `tensor([[36., 36.],`"
    assert what("a\nb\nc\n", "a\n") == "2 lines are not printed: `b`"
    assert what("tensor([0.1000])", "tensor([0.4000])") == "values differ by up to 0.3 (beyond tolerance)"
    assert what("tensor([[1, 2, 3]])", "tensor([[1], [2]])") == "shape (1, 3) instead of (2, 1)"
    assert (
        what("tensor(1.)", "tensor(1.0000, dtype=torch.float64)") == "no dtype instead of dtype=torch.float64"
    )
    assert what("tensor(1)", "tensor(1.)") == "int values instead of float"
    assert what("KeyError: 'a'", "KeyError: 'b'") == "`KeyError: 'a'` instead of `KeyError: 'b'`"
    assert what("x is 1", "y is 1") == "`x` instead of `y`"
    assert what("a\n...\nd\n", "a\nb\nc\nd\n") == "`...` stands for lines of the output"
    assert what("-----\n1\n=====\n", "1\n=====\n") == "1 mark of the author"


def test_most_serious_difference_is_named() -> None:
    difference = compare("tensor([1, 2])\n3\n\n", "tensor([1, 2, 3])\n4\n", drew_random=False)
    assert difference.kinds == {"shape", "numbers", "space"}
    assert difference.what == "shape (2,) instead of (3,)"


def test_tolerance() -> None:
    def kinds(authored: str, printed: str, tolerance: Tolerance) -> set[str]:
        return set(compare(authored, printed, drew_random=False, tolerance=tolerance).kinds)

    assert kinds("tensor([0.50, 0.60])", "tensor([0.51, 0.60])", Tolerance()) == {"numbers"}
    assert kinds("tensor([0.50, 0.60])", "tensor([0.51, 0.60])", Tolerance(rtol=0.05)) == {"close"}
    assert kinds("tensor([0.50, 0.60])", "tensor([0.51, 0.60])", Tolerance(atol=0.02)) == {"close"}
    assert kinds("1", "2", Tolerance(rtol=9, atol=9)) == {"numbers"}  # integers are equal or not


# --- the seed post ---------------------------------------------------------------------------

TENSOR = "tensor([[{0}, {0}, {0}],\n        [{0}, {0}, {0}],\n        [{0}, {0}, {0}]]{1})\n"
ONES = TENSOR.format("1.", ", requires_grad=True")
SIXES = TENSOR.format("6.", ", grad_fn=<AddBackward0>")
SQUARES = TENSOR.format("36.", ", grad_fn=<MulBackward0>")
GRADIENTS = TENSOR.format("1.3333", "")
MEAN = "tensor(36., grad_fn=<MeanBackward0>)\n"
RULE = "-" * 49 + "\n"
BLANK = "        \n"
SCALED = "tensor([2.0480e+02, 2.0480e+03, 2.0480e-01])\n"
SEED = {
    1: (TENSOR.format("0.7729", "") + BLANK + "False\n", TENSOR.format("1.4888", "") + "False\n"),
    2: (
        ONES + RULE[:-1] + "  \n" + SIXES + "True\n" + RULE + SQUARES.split("\n", 1)[1] + MEAN + RULE,
        ONES + SIXES + "True\n" + SQUARES + MEAN,
    ),
    3: (MEAN, MEAN),
    4: (
        "## x, x.grad\n" + ONES + GRADIENTS + BLANK + "## y, y.grad\n" + SIXES + "None\n",
        ONES + GRADIENTS + SIXES + "None\n",
    ),
    5: (
        "tensor([-1502.9976,  -581.3363,   240.9863], grad_fn=<MulBackward0>)\n" + SCALED,
        "tensor([1325.5638,  509.9565, -686.8892], grad_fn=<MulBackward0>)\n" + SCALED,
    ),
    6: ("True\nTrue\nFalse\n",) * 2,
    7: ("True\nFalse\ntensor(True)\n",) * 2,
}


def test_seed_post() -> None:
    """Cell 4: the white-space line stands beside a mark and stays with it, so that it is no difference of its own."""
    kinds = {n: set(compare(*texts, drew_random=True).kinds) for n, texts in SEED.items()}
    exact = {"exact"}
    assert list(kinds.values()) == [
        {"random", "space"}, {"text", "marks"}, exact, {"marks"}, {"random"}, exact, exact
    ]  # fmt: skip
    kinds = {n: set(compare(accepted(*texts), texts[1], drew_random=True).kinds) for n, texts in SEED.items()}
    assert list(kinds.values()) == [exact, {"marks"}, exact, {"marks"}, exact, exact, exact]


def accepted(authored: str, printed: str) -> str:
    """What `accept` writes."""
    merged = merge(authored.removesuffix("\n").split("\n"), printed.removesuffix("\n").split("\n"))
    return "\n".join(line for line, _ in merged) + "\n"


# --- laws ------------------------------------------------------------------------------------

FRAGMENTS = [
    "tensor(", "array(", "np.float64(", "[", "]", "(", ")", "{", "}", ",", "'", ":", "1.", "-0.5000",
    "nan", "inf", "1e-5", "2.j", "1e999j", "99999999999999999999", "...", "…", "생략", "-----",
    "dtype=torch.int64", "grad_fn=<AddBackward0>", "cuda:0", "True", "None", "loss:", "ValueError:",
    "## 결과", "at 0x7f00", "1.23 s", "100%|██| 1/1 [00:01<00:00]", "Parameter containing:\n",
    "Traceback (most recent call last)", "\n", "\n\n", " ", "\t", "\r", "\0",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(FRAGMENTS), max_size=30).map("".join) | st.text(max_size=60)


@given(TEXTS, st.booleans())
def test_a_text_is_exactly_itself(text: str, drew_random: bool) -> None:
    assert compare(text, text, drew_random=drew_random).kinds == {"exact"}


@settings(max_examples=500)
@given(TEXTS, TEXTS, st.booleans())
def test_any_two_texts_compare(one: str, other: str, drew_random: bool) -> None:
    difference = compare(one, other, drew_random=drew_random)
    kinds = set(difference.kinds)
    assert kinds == {"exact"} or (kinds and kinds <= set(MOST_SERIOUS_FIRST))
    assert ("exact" in kinds) == (one.removesuffix("\n") == other.removesuffix("\n"))
    assert not kinds & ({"numbers"} if drew_random else {"random"})
    assert bool(difference.what) == ("exact" not in kinds)


@settings(max_examples=300)
@given(TEXTS, TEXTS)
def test_harmless_both_ways(one: str, other: str) -> None:
    """Marks and cuts are the author's only; without them no side is special."""
    there, back = (compare(*pair, drew_random=False).kinds for pair in ((one, other), (other, one)))
    if not (there | back) & {"marks", "cut"}:
        assert (there <= {"exact", "space", "close"}) == (back <= {"exact", "space", "close"})


@settings(max_examples=300)
@given(TEXTS, TEXTS)
def test_what_accept_writes_differs_in_marks_only(authored: str, printed: str) -> None:
    assert compare(accepted(authored, printed), printed, drew_random=False).kinds <= {"exact", "marks"}


LINES = st.lists(st.sampled_from(["a", "b", "", "x 1", "[1, 2]", "epoch 2, loss 0.5"]), max_size=12).map(
    "\n".join
)


@given(LINES, st.text(" \n", max_size=3), st.integers(0, 20))
def test_white_space_between_lines_is_space(text: str, blank: str, at: int) -> None:
    lines = text.split("\n")
    lines[at % len(lines)] += blank
    kinds = compare("\n".join(lines), text, drew_random=False).kinds
    assert kinds <= {"exact", "space"}


ARRAYS = st.tuples(st.integers(1, 4), st.integers(1, 12)).flatmap(
    lambda shape: st.lists(
        st.lists(st.floats(-100, 100), min_size=shape[1], max_size=shape[1]),
        min_size=shape[0],
        max_size=shape[0],
    )
)


def printed_tensor(rows: list[list[float]], seed: int, decimals: int = 4, commas: bool = True) -> str:
    """Rows as torch (or NumPy) prints them, but wrapped and padded anywhere."""
    chance = random.Random(seed)

    def gap() -> str:
        return chance.choice([" ", "  ", "\n        "])

    comma = "," if commas else ""
    inner = [(comma + gap()).join(f"{number:.{decimals}f}" for number in row) for row in rows]
    body = (comma + gap()).join(f"[{row}]" for row in inner)
    return f"tensor([{body}],{gap()}grad_fn=<MulBackward0>)\n" if commas else f"[{body}]\n"


@given(ARRAYS, st.integers(), st.integers(), st.booleans())
def test_reflow_is_space(rows: list[list[float]], one: int, other: int, commas: bool) -> None:
    texts = printed_tensor(rows, one, commas=commas), printed_tensor(rows, other, commas=commas)
    assert compare(*texts, drew_random=False).kinds <= {"exact", "space"}


@given(ARRAYS, st.integers(), st.integers(2, 8), st.integers(2, 8))
def test_precision_is_close(rows: list[list[float]], seed: int, one: int, other: int) -> None:
    texts = printed_tensor(rows, seed, one), printed_tensor(rows, seed, other)
    assert compare(*texts, drew_random=False).kinds <= {"exact", "close"}


@given(ARRAYS, ARRAYS, st.integers(), st.integers(), st.booleans())
def test_two_tensors_never_differ_as_text(
    rows: list[list[float]], others: list[list[float]], one: int, other: int, drew_random: bool
) -> None:
    kinds = compare(printed_tensor(rows, one), printed_tensor(others, other), drew_random=drew_random).kinds
    far = "random" if drew_random else "numbers"
    same_shape = (len(rows), len(rows[0])) == (len(others), len(others[0]))
    assert kinds <= ({"exact", "space", "close", far} if same_shape else {"shape"})


@pytest.mark.parametrize(
    "text", ["[" * 5000, "[" * 5000 + "]" * 5000, "([{" * 3000, "tensor(" * 3000 + ")" * 3000]
)
def test_deep_brackets(text: str) -> None:
    assert compare(text, text[1:], drew_random=False).kinds
    assert compare(text, "x", drew_random=False).kinds == {"text"}


def large_outputs() -> Iterator[tuple[str, str, str]]:
    """Yield outputs of about 1 MB, of kinds that posts have and of kinds that only malice has."""
    chance = random.Random(0)

    def tensor() -> str:
        return printed_tensor([[chance.random() for _ in range(10)] for _ in range(11_000)], 0)

    def log() -> str:
        return "".join(f"Epoch {n}, loss: {chance.random():.4f}, accuracy: 0.5\n" for n in range(24_000))

    yield "tensor", tensor(), tensor()
    yield "log", log(), log()
    text = log()
    yield "a line more", text, "start\n" + text
    yield "marks", "".join(f"-----\n{line}\n" for line in text.split("\n")), text
    yield "blank", "\n" * 1_000_000, " " * 1_000_000
    yield "one line", "x 1 " * 250_000, "x 2 " * 250_000
    yield "digits", "1" * 1_000_000, "2" * 1_000_000
    yield "clocks", "[1:00" * 200_000, "1:00:00" * 140_000
    yield "cuts", "...\nb\n" * 20_000, "a\n" * 50_000


@pytest.mark.parametrize(
    ("authored", "printed"), [pytest.param(a, b, id=name) for name, a, b in large_outputs()]
)
def test_a_megabyte_is_quick(authored: str, printed: str) -> None:
    start = time.process_time()
    compare(authored, printed, drew_random=False)
    assert time.process_time() - start < 30  # 1 or 2 s where nothing else runs


def test_many_lines_are_aligned_by_those_that_stand_once() -> None:
    count = 2 * int(module.MOST_PAIRS**0.5)
    lines = [f"word{'x' * n}" for n in range(count)]
    moved = ["first", *lines[:50], "between", *lines[50:-1]]
    difference = compare("\n".join(moved), "\n".join(lines), drew_random=False)
    assert difference.kinds == {"text"}
    assert difference.what.startswith("1 line is missing: `wordxxx")
