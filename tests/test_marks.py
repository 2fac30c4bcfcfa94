"""Marks: where the author's rules and headings stand between the lines that are really printed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builder.marks import is_mark_shaped, marks_of, merge

CASES = {
    # name: (authored, printed, merged); lines are separated by "|"
    "no marks: the printed lines": ("old|lines", "new", "new"),
    "a rule stays behind its predecessor": ("a|---|b", "a|b", "a|---|b"),
    "a rule behind a changed line": ("x 1|---|y", "x 2|y", "x 2|---|y"),
    "a heading stays before its successor": ("a|## h|b", "a|new|b", "a|new|## h|b"),
    "a rule with new lines behind it": ("a|---|b", "a|new|b", "a|---|new|b"),
    "first stays first": ("## h|b", "new|b", "## h|new|b"),
    "a rule that is first stays first": ("---|b", "new|b", "---|new|b"),
    "last stays last": ("a|---", "a|new", "a|new|---"),
    "only marks": ("---|## h", "a", "---|## h|a"),
    "a printed rule is output": ("a|---|b", "a|---|b", "a|---|b"),
    "a printed rule that the author lacks": ("a|b", "a|---|b", "a|---|b"),
    "a printed heading with another number is output": ("## epoch 1|a", "## epoch 2|a", "## epoch 2|a"),
    "white space beside a mark moves with it": ("a|  |## h|b", "a|b", "a|  |## h|b"),
    "other white space is dropped": ("a|  |b", "a|b", "a|b"),
    "white space far from the mark is dropped": ("---|a|  |b", "a|b", "---|a|b"),
    "a printed blank line stays": ("a|b|---", "a||b", "a||b|---"),
    "trailing blanks of a mark are kept": ("a|-----  |b", "a|b", "a|-----  |b"),
    "printed bytes win over the author's blanks": ("a  |---|b", "a|b", "a|---|b"),
    "a lost row comes back behind the rule": ("T|---|row 2|row 3", "T|row 1|row 2|row 3", "T|---|row 1|row 2|row 3"),
    "marks in a row keep their order": ("a|---|## h|b", "a|b", "a|---|## h|b"),
    "a stale line between marks goes": ("a|---|stale|===|b", "a|b", "a|---|===|b"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_where_marks_go(name: str) -> None:
    authored, printed, merged = (text.split("|") for text in CASES[name])
    assert [line for line, _ in merge(authored, printed)] == merged


def test_the_seed_post_cell_2_gets_its_lost_row_back(seed_text: str) -> None:
    authored = seed_text.split("\n")[60:73]
    printed = [line for line in authored if not is_mark_shaped(line)]
    printed.insert(7, "tensor([[36., 36., 36.],")
    merged = [line for line, _ in merge(authored, printed)]
    assert len(merged) == 14
    assert merged[3] == "-------------------------------------------------  "
    assert merged[7:12] == [
        "True",
        "-------------------------------------------------",
        "tensor([[36., 36., 36.],",
        "        [36., 36., 36.],",
        "        [36., 36., 36.]], grad_fn=<MulBackward0>)",
    ]


LINES = st.lists(
    st.sampled_from(["", "  ", "---", "----", "# a", "## b 1", "x 1", "x 2", "y", "=== ", "-----"]),
    max_size=9,
)


@settings(max_examples=500)
@given(LINES, LINES)
def test_merging_again_changes_nothing(authored: list[str], printed: list[str]) -> None:
    merged = [line for line, _ in merge(authored, printed)]
    assert [line for line, _ in merge(merged, printed)] == merged


@settings(max_examples=500)
@given(LINES, LINES)
def test_every_printed_line_and_every_mark_is_there_in_order(authored: list[str], printed: list[str]) -> None:
    merged = merge(authored, printed)
    rest = [line for line, _ in merged]
    for line in printed:
        rest = rest[rest.index(line) + 1 :]
    assert [index for _, index in merged] == sorted(index for _, index in merged)
    if printed:
        lines = [line for line, _ in merged]
        for mark in marks_of(authored, printed):
            assert mark in lines


def test_a_large_output_is_merged_in_time() -> None:
    printed = [f"line {number % 7}" for number in range(50_000)]
    merged = merge(["---", *printed[:1000], "## h", *printed[1000:]], printed)
    assert len(merged) == len(printed) + 2
