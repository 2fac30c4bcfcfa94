"""The freeze: a committed copy of outputs, from which a site is built where there is no torch.

    _freeze/posts/2023-03-06-a.md.json    the outputs of one post, the keys of its cells, what they used
    _freeze/figures/<sha256>.svg          figures, by content

The files are made to be read in a diff: a line of output is a line of the file, and nothing in them
changes when nothing else did.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from builder.execute.cache import Cache, put, read_blob
from builder.execute.keys import Input, Values, cell_keys
from builder.execute.record import decode_output, encode_output, figures_of
from builder.frozen import frozen
from builder.model import Config, Failure, Output, Post, Run

HINT = "run `fencepost freeze` where the cells can run, and commit its folder"


@frozen
class Frozen:
    """What the freeze holds of one post."""

    keys: tuple[str, ...]
    inputs: tuple[tuple[str, str, str], ...]  # kind, name, value
    run: Run


class Freeze:
    """The folder of committed outputs of one site."""

    def __init__(self, config: Config) -> None:
        self.folder = config.freeze
        self._root = config.root
        self._content = config.content.relative_to(config.root).as_posix()

    def load(self, post: Post) -> Frozen | None:
        """Return what is frozen of a post, current or not; None if that is nothing, or damaged."""
        try:
            stored = json.loads(self._file(post.path).read_text(encoding="utf-8"))
            outputs = tuple(_decode(cell) for cell in stored["cells"])
            keys = tuple(cell["key"] for cell in stored["cells"])
            inputs = tuple((kind, name, value) for kind, name, value in stored["inputs"])
            return Frozen(keys, inputs, Run(outputs, stored["facts"], tuple(stored["warnings"])))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def current(self, post: Post, values: Values) -> Run | None:
        """Return the frozen run of a post if all that it depends on, versions too, is as it was."""
        frozen = self.load(post)
        if frozen is None or frozen.keys != cell_keys(post):
            return None
        if any(values.of(kind, name) != value for kind, name, value in frozen.inputs):
            return None
        return frozen.run if all(self.blob(name) for name in figures_of(frozen.run)) else None

    def inputs(self, post: Post) -> tuple[Input, ...]:
        """Return the inputs of what is frozen of a post, current or not."""
        frozen = self.load(post)
        return tuple((kind, name) for kind, name, _ in frozen.inputs) if frozen else ()

    def files(self, post: Post) -> tuple[Input, ...]:
        """Return the files that the frozen run of a post read, and where the freeze keeps it."""
        own = self._file(post.path).relative_to(self._root).as_posix()
        return ("file", own), *(pair for pair in self.inputs(post) if pair[0] == "file")

    def verified(self, post: Post, values: Values) -> Run:
        """Return the frozen run of a post; a cell whose code or files changed, and those behind it, fail."""
        frozen = self.load(post)
        if frozen is None:
            return _unfrozen(post, Run(()), 0, "is not frozen")
        keys = cell_keys(post)
        same = 0
        while same < min(len(keys), len(frozen.keys)) and keys[same] == frozen.keys[same]:
            same += 1
        for kind, name, value in frozen.inputs:
            if kind == "file" and values.of(kind, name) != value:
                at = _first_cell_with(post, PurePosixPath(name).name)
                if at < same:
                    return _unfrozen(
                        post, frozen.run, at, f"is not frozen as it stands: `{name}` has changed"
                    )
        missing = [name for name in figures_of(frozen.run) if self.blob(name) is None]
        if missing:
            return _unfrozen(post, frozen.run, 0, f"has lost its frozen figure {missing[0]}")
        if same < len(keys):
            return _unfrozen(post, frozen.run, same, "is not frozen as it stands: its code has changed")
        return frozen.run

    def store(self, post: Post, run: Run, inputs: Sequence[Input], cache: Cache) -> bool:
        """Freeze a run; return whether the files of the freeze changed."""
        cells = zip(cell_keys(post), run.outputs, strict=True)
        stored = {
            "cells": [{"key": key, **_encode(output)} for key, output in cells],
            "facts": dict(run.facts),
            "inputs": [
                [kind, name, value]
                for kind, name, value in cache.values.all(inputs)
                if kind != "variable" and not Path(name).is_absolute()
            ],
            "warnings": list(run.warnings),
        }
        text = json.dumps(stored, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
        changed = _put_if_other(self._file(post.path), text.encode("utf-8", "surrogatepass"))
        for name in figures_of(run):
            changed |= _put_if_other(self.folder / "figures" / name, cache.blob(name) or b"")
        return changed

    def prune(self, posts: Iterable[Post]) -> int:
        """Remove what belongs to no post, and figures that no post shows; return the number of files."""
        kept = {self._file(post.path) for post in posts}
        runs = [frozen.run for frozen in map(self.load, posts) if frozen is not None]
        kept |= {self.folder / "figures" / name for run in runs for name in figures_of(run)}
        stale = [path for path in self.folder.rglob("*") if path.is_file() and path not in kept]
        for path in stale:
            path.unlink()
        return len(stale)

    def blob(self, name: str) -> bytes | None:
        """Return the bytes of a frozen figure."""
        return read_blob(self.folder / "figures" / name)

    def _file(self, path: str) -> Path:
        return self.folder / f"{path.removeprefix(self._content + '/')}.json"


def _unfrozen(post: Post, run: Run, at: int, message: str) -> Run:
    """The outputs before cell index `at`, and failures from there on."""
    failed = Output((), Failure("unfrozen", message, hint=HINT))
    behind = Output((), Failure("unrun", "", causes=(at + 1,)))
    outputs = (*run.outputs[:at], failed, *[behind] * (len(post.cells) - at - 1))
    return Run(outputs, run.facts, run.warnings if at else ())


def _first_cell_with(post: Post, text: str) -> int:
    """The index of the first cell whose source holds `text`; 0 if none does."""
    return next((i for i, cell in enumerate(post.cells) if text in cell.source), 0)


def _put_if_other(path: Path, content: bytes) -> bool:
    try:
        if path.read_bytes() == content:
            return False
    except OSError:
        pass
    put(path, content)
    return True


def _encode(output: Output) -> dict[str, Any]:
    """As the cache has it, but without what went to the terminal, and with texts as lists of lines."""
    plain = encode_output(output)
    plain.pop("stderr", None)
    for part in plain["parts"]:
        for name in ("text", "html", "coloured"):
            if part.get(name):
                part[name] = part[name].split("\n")
    return plain


def _decode(plain: dict[str, Any]) -> Output:
    for part in plain["parts"]:
        for name in ("text", "html", "coloured"):
            if isinstance(part.get(name), list):
                part[name] = "\n".join(part[name])
    return decode_output(plain)
