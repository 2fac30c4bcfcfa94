"""The promises of accept, on documents and outputs that nobody would write.

`pytest --hypothesis-profile thorough tests/test_properties.py` tries 10,000 of each.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from builder.accept import plan
from builder.check import Checked, check_post
from builder.execute.capture import clean
from builder.execute.keys import cell_keys
from builder.execute.run import Runs
from builder.model import Config, Output, Post, Run, Text
from builder.posts import parse_post
from tests.documents import documents, outputs

ROOT = Path("/site")
CONFIG = Config(
    root=ROOT, content=ROOT / "content", output=ROOT / "o", templates=ROOT / "t", freeze=ROOT / "f"
)
# The default profile tries 300 documents, `thorough` as many as it says.
documents_tried = settings(
    max_examples=max(300, settings().max_examples),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def read(text: str) -> Post:
    return parse_post(text, "content/a.md", CONFIG, False)[0]


def run_of(post: Post, printed: list[str]) -> Run:
    texts = [clean(printed[number % len(printed)]) if printed else "" for number in range(len(post.cells))]
    return Run(tuple(Output((Text(text),) if text else ()) for text in texts))


def accepted(post: Post, run: Run, *, insert: bool) -> str:
    """The text of the post after accept."""
    runs = Runs({post.path: run}, (), 0, 0)
    checked = Checked((post,), runs, tuple(check_post(post, run)), ())
    rewrites, problems = plan(checked, CONFIG, insert=insert, random=False, named=False)
    assert problems == [] or not rewrites
    return rewrites[0].text if rewrites else post.text


def outside(text: str) -> list[str]:
    """The bytes of a post outside its output fences, line by line."""
    post = read(text)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for cell in reversed(post.cells):
        if cell.authored:
            del lines[cell.authored.start - 1 : cell.authored.stop - 1]
    return lines


@documents_tried
@given(documents(), st.lists(outputs(), min_size=1, max_size=4), st.booleans())
def test_accept_is_a_fixpoint_and_touches_nothing_else(text: str, printed: list[str], insert: bool) -> None:
    post = read(text)
    assume(post.cells)
    run = run_of(post, printed)
    new = accepted(post, run, insert=insert)
    after = read(new)
    assert [cell.source for cell in after.cells] == [cell.source for cell in post.cells]
    assert outside(new) == outside(text)
    assert new.startswith("\ufeff") == text.startswith("\ufeff")
    assert accepted(after, run, insert=insert) == new
    kinds = [set(finding.kinds) for finding in check_post(after, run)]
    assert all(kind <= {"exact", "marks", "missing", "silent"} for kind in kinds)
    new.encode("utf-8")


@documents_tried
@given(documents())
def test_accepting_what_is_there_changes_nothing(text: str) -> None:
    post = read(text)
    shown = tuple(
        Output((Text(c.authored.body),) if c.authored and c.authored.body else ()) for c in post.cells
    )
    assert accepted(post, Run(shown), insert=False) == text


@documents_tried
@given(documents(), st.sampled_from(["", "글\n\n", "# h\n\n", "a  \nb\n\n"]))
def test_prose_changes_no_key(text: str, prose: str) -> None:
    assume(text and not text.startswith(("\ufeff", "-")))
    post = read(text)
    moved = read(prose + text)
    assume([c.source for c in moved.cells] == [c.source for c in post.cells])
    same = [bool(c.authored) for c in moved.cells] == [bool(c.authored) for c in post.cells]
    assume(same)
    assert cell_keys(moved) == cell_keys(post)
    assert cell_keys(replace(post, path="content/other.md")) == cell_keys(post)
