"""From what the supervisor knows of a post to the run of its cells: parts, failures, facts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from builder.execute.cache import Cache
from builder.execute.capture import Addresses, clean, decode
from builder.execute.deaths import between, death, hint_at, over_limit
from builder.execute.parts import cut, parts_of
from builder.execute.running import Ended, Record
from builder.model import Failure, Frame, Output, Post, Run, Text
from builder.sizes import parse_size
from builder.splice import joined_text

# The fact that says why a post was not run here, for the line of its page that says what it ran with.
NOT_RUN: Final = "not run here:"


def outcome(post: Post, ended: Ended, cache: Cache) -> Run:
    """Return the run of a post that has ended; every cell has an output, whatever became of it."""
    end = ended.end or {}
    if "unavailable" in end:
        failed = Output((), Failure("unavailable", f"was not run: {end['unavailable']}"))
        return Run((failed,) * len(post.cells), {NOT_RUN: end["unavailable"]})
    addresses = Addresses()
    outputs: list[Output] = []
    warnings: list[str] = []
    for record in ended.records:
        output, complaint = _output(post, record, ended, addresses, cache)
        outputs.append(output)
        warnings += complaint
    last = len(outputs)
    if last < len(post.cells) and (not outputs or outputs[-1].failure is None):
        outputs.append(Output((), between(post, ended)))
        last = len(outputs)
    unrun = Output((), Failure("unrun", "the process had ended before", causes=(last,)))
    outputs += [unrun] * (len(post.cells) - last)
    warnings += [f"the thread {name!r} was still running at the end" for name in end.get("threads", ())]
    moved = [Path(name).name for name in end.get("moved", ())]
    warnings += [
        f"`{name}` has changed since a cell read it: the post is run again next time" for name in moved
    ]
    return Run(tuple(outputs), dict(end.get("facts", {})), tuple(warnings), bool(moved))


def so_far(post: Post, ended: Ended, cache: Cache) -> tuple[Output, ...]:
    """Return the outputs of the cells that have begun: of the last one, perhaps only what it has shown yet."""
    addresses = Addresses()
    outputs = []
    for record in ended.records:
        if record.done is None:
            parts, _ = parts_of(record, ended.out, addresses, cache)
            outputs.append(
                Output(cut(parts, post.execute.output_lines, parse_size(post.execute.output_size)))
            )
        else:
            outputs.append(_output(post, record, ended, addresses, cache)[0])
    return tuple(outputs)


def is_unavailable(run: Run) -> bool:
    """Was the post not run since its device is not here?"""
    return NOT_RUN in run.facts


def all_failed(post: Post, why: str) -> Run:
    """Return the run of a post that could not be run at all."""
    failure = Failure("died", f"was not run: no process could be started, or it was ended ({why})")
    return Run(tuple(Output((), failure) for _ in post.cells))


def _output(
    post: Post, record: Record, ended: Ended, addresses: Addresses, cache: Cache
) -> tuple[Output, list[str]]:
    """Return what one cell came to, and what there is to complain of."""
    lines, size = post.execute.output_lines, parse_size(post.execute.output_size)
    parts, whole = parts_of(record, ended.out, addresses, cache)
    parts = cut(parts, lines, size)
    done = record.done
    if done is None:
        failure: Failure | None = death(post, record, ended)
    elif done.get("limit"):
        failure = _stopped(post, record, done, ended)
    else:
        failure = _failure(post, done)
    said = clean(decode(ended.err[record.err[0] : record.err[1]])[0])
    stderr = joined_text(cut((Text(said),), lines, size)) if said else ""
    complaint = [] if whole else [f"cell {record.number} printed bytes that are not UTF-8"]
    return Output(parts, failure, stderr, bool(done and done.get("drew_random"))), complaint


def _failure(post: Post, done: Mapping[str, Any]) -> Failure | None:
    """Return the failure that a session reported of a cell."""
    told = done.get("failure")
    if not told:
        return None
    kind = "raised" if told["kind"] == "interrupted" else told["kind"]
    frames = tuple(Frame(f["cell"], f["line"], f["name"], f["source"]) for f in told.get("frames", ()))
    return Failure(
        kind,
        told["message"],
        told.get("line", 0),
        frames,
        hint_at(post, told),
        tuple(told.get("causes", ())),
        tuple(told.get("names", ())),
    )


def _stopped(post: Post, record: Record, done: Mapping[str, Any], ended: Ended) -> Failure | None:
    """A cell that took the request to stop: as an exception of its own, or by ending in time after all."""
    failure = _failure(post, done)
    if failure is None:
        return None
    limit = over_limit(post, record.number, done["limit"], ended.last_words)
    line = failure.line if failure.kind == "raised" else limit.line
    return Failure("limit", limit.message, line, failure.frames, limit.hint)
