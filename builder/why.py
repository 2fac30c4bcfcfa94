"""Why is a cell run again? What of its key has changed since its post last ran."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from builder.execute.cache import Cache
from builder.execute.freeze import Freeze
from builder.execute.keys import cell_keys, changes, effective_eval
from builder.execute.run import recipe
from builder.frozen import frozen
from builder.model import Post


@frozen
class Reason:
    """Is one cell cached, and if not, why not? `line` is that of its fence."""

    path: str
    line: int
    cell: int
    cached: bool
    causes: tuple[str, ...]


def why(post: Post, cache: Cache, freeze: Freeze) -> Iterator[Reason]:
    """Yield a Reason for each cell that is to be run at all."""
    key = cell_keys(post)[-1] if post.cells else ""
    known = cache.load(key) is not None or freeze.current(post, cache.values) is not None
    last = cache.last_recipe(post.path)
    values = cache.values.all((kind, name) for kind, name, _ in (last or {}).get("inputs", ()))
    now = recipe(post, values)
    shared = [] if known else _shared_causes(last, now)
    for cell in post.cells:
        if effective_eval(post, cell.number):
            causes = [] if known else [*shared, *_own_causes(last, now, cell.number)]
            if not (known or causes):
                causes = [_whole_post(last, now)]
            yield Reason(post.path, cell.code.start, cell.number, known, tuple(causes))


def _shared_causes(last: Mapping[str, Any] | None, now: Mapping[str, Any]) -> list[str]:
    """What has changed for all cells: options and inputs."""
    if last is None:
        return ["its post has not run yet"]
    old = {(kind, name): value for kind, name, value in last["inputs"]}
    causes = changes(last["options"], now["options"])
    for kind, name, value in now["inputs"]:
        before = old.get((kind, name), "")
        if before != value:
            causes.append(f"{_input(kind, name)}: {_shown(kind, before)} -> {_shown(kind, value)}")
    return causes


def _own_causes(last: Mapping[str, Any] | None, now: Mapping[str, Any], number: int) -> Iterator[str]:
    """What has changed in this cell and in those before it."""
    if last is None:
        return
    for other in range(1, number + 1):
        old = last["cells"][other - 1] if other <= len(last["cells"]) else None
        new = now["cells"][other - 1]
        where = "its source" if other == number else f"cell {other}, before it"
        if old is None:
            yield f"{'it' if other == number else where} is new"
        elif old["source"] != new["source"]:
            yield f"{where}: {_first_change(old['source'], new['source'])}"
        else:
            yield from (f"{where}: {change}" for change in changes(_plain(old), _plain(new)))


def _whole_post(last: Mapping[str, Any] | None, now: Mapping[str, Any]) -> str:
    """Why a cell is run again when nothing up to it has changed: a page has the outputs of one session."""
    if last is not None and len(last["cells"]) > len(now["cells"]):
        return "a cell behind it was removed, and a post runs as a whole"
    if last is not None and last["cells"] != now["cells"]:
        return "a cell behind it has changed, and a post runs as a whole"
    return "its outputs are not in the cache (it was cleaned, or the last run was stopped by a limit)"


def _plain(cell: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in cell.items() if name != "source"}


def _first_change(old: str, new: str) -> str:
    """The first line that differs, old and new."""
    before, after = old.split("\n"), new.split("\n")
    at = 0
    while at < min(len(before), len(after)) and before[at] == after[at]:
        at += 1
    return f"`{_line(before, at)}` -> `{_line(after, at)}`"


def _line(lines: Sequence[str], at: int) -> str:
    return lines[at].strip() if at < len(lines) else ""


def _input(kind: str, name: str) -> str:
    names = {"import": f"package {name}", "file": f"file {name}", "variable": f"variable {name}"}
    return names.get(kind, "Python")


def _shown(kind: str, value: str) -> str:
    if not value:
        return "(none)"
    return value[:12] if kind in ("file", "variable") else value
