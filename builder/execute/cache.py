"""Outputs kept on disk, so that a cell is run only when something that it depends on has changed.

Two levels, since what a run reads is known only when it has run:

    codes/<code key>.json   the inputs that a run of this code was seen to use (packages, ...)
    runs/<run key>.json     the outputs; the run key is the code key with the present values of those inputs
    blobs/<sha256>.<type>   figures, by content

Every file is put in place by a rename, and carries a checksum or is named by one: a damaged or foreign
file is a miss, never a wrong page. The folder may be deleted at any time.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from builder.model import Failure, Figure, Frame, Markup, Output, Part, Post, Run, Text

# Part of every key: raise it when the same cells would give another record.
ENGINE = 1


def code_key(post: Post, environment: Mapping[str, str]) -> str:
    """Return the key of a post's cells: their sources and options, never the prose around them."""
    options = post.execute
    return _digest(
        [
            ENGINE,
            [
                [cell.source, effective_eval(post, cell.number), may_raise(post, cell.number)]
                for cell in post.cells
            ],
            [options.seed, options.threads, options.shell, options.figure_format],
            sorted((name, environment.get(name, "")) for name in options.environment),
        ]
    )


def effective_eval(post: Post, number: int) -> bool:
    """Is cell `number` of the post to be run at all?"""
    own = post.cells[number - 1].options.eval
    return post.execute.eval if own is None else own and post.execute.eval


def may_raise(post: Post, number: int) -> bool:
    """May cell `number` raise without harm: by its option, or since its authored output says so?"""
    from builder.splice import expected_error

    cell = post.cells[number - 1]
    own = cell.options.error
    return (post.execute.error if own is None else own) or bool(expected_error(cell))


class Cache:
    """The folder of outputs of one site."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / f"v{ENGINE}"

    def load(self, key: str) -> Run | None:
        """Return the run whose code key is `key`, if its inputs still have the values they had."""
        inputs = _read(self.folder / "codes" / f"{key}.json")
        if inputs is None:
            return None
        stored = _read(self.folder / "runs" / f"{_run_key(key, inputs)}.json")
        if stored is None:
            return None
        try:
            run = _decode(stored)
        except (KeyError, TypeError, ValueError):
            return None
        blobs = [part.blob for output in run.outputs for part in output.parts if isinstance(part, Figure)]
        return run if all(self.blob(blob) is not None for blob in blobs) else None

    def store(self, key: str, run: Run, inputs: Sequence[tuple[str, str]]) -> None:
        """Keep a run. `inputs` are (kind, name) pairs as `value_of` knows them."""
        known = [list(pair) for pair in inputs]
        _write(self.folder / "runs" / f"{_run_key(key, known)}.json", _encode(run))
        _write(self.folder / "codes" / f"{key}.json", known)

    def blob(self, name: str) -> bytes | None:
        """Return the bytes of a figure, or None if they are not there whole."""
        try:
            content = (self.folder / "blobs" / name).read_bytes()
        except OSError:
            return None
        return content if blob_name(content, name.rpartition(".")[2]) == name else None

    def store_blob(self, content: bytes, kind: str) -> str:
        """Keep a figure's bytes; return their name."""
        name = blob_name(content, kind)
        if self.blob(name) is None:
            put(self.folder / "blobs" / name, content)
        return name


def value_of(kind: str, name: str) -> str:
    """Return the present value of one input of a run ("" if it is not there)."""
    return _package_version(name) if kind == "package" else platform.python_version()


@cache
def _package_version(name: str) -> str:
    from importlib import metadata

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def blob_name(content: bytes, kind: str) -> str:
    """Return the name of a figure by its content: 16 hexadecimal digits and its type."""
    return f"{hashlib.sha256(content).hexdigest()[:16]}.{kind}"


def put(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, also beside other writers of the same file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()


def _run_key(key: str, inputs: Sequence[Sequence[str]]) -> str:
    return _digest([key, [[kind, name, value_of(kind, name)] for kind, name in inputs]])


def _write(path: Path, value: object) -> None:
    body = json.dumps(value, ensure_ascii=False, sort_keys=True).encode("utf-8", "surrogatepass")
    put(path, hashlib.sha256(body).hexdigest().encode() + b"\n" + body)


def _read(path: Path) -> Any:
    """Return the value in a file of ours; None if it is not there, or not as we wrote it."""
    try:
        checksum, body = path.read_bytes().split(b"\n", 1)
        if hashlib.sha256(body).hexdigest().encode() == checksum:
            return json.loads(body)
    except (OSError, ValueError):
        pass
    return None


_KINDS: dict[str, type[Part]] = {"text": Text, "figure": Figure, "markup": Markup}


def _encode(run: Run) -> dict[str, Any]:
    def part(value: Part) -> dict[str, Any]:
        kind = next(name for name, cls in _KINDS.items() if isinstance(value, cls))
        return {"is": kind, **{name: getattr(value, name) for name in value.__dataclass_fields__}}

    def failure(value: Failure | None) -> dict[str, Any] | None:
        if value is None:
            return None
        plain = {name: getattr(value, name) for name in value.__dataclass_fields__}
        plain["frames"] = [[f.cell, f.line, f.name, f.source] for f in value.frames]
        return plain

    return {
        "outputs": [
            {
                "parts": [part(p) for p in output.parts],
                "failure": failure(output.failure),
                "stderr": output.stderr,
                "drew_random": output.drew_random,
            }
            for output in run.outputs
        ],
        "facts": dict(run.facts),
        "warnings": list(run.warnings),
    }


def _decode(stored: dict[str, Any]) -> Run:
    def part(plain: dict[str, Any]) -> Part:
        return _KINDS[plain.pop("is")](**plain)

    def failure(plain: dict[str, Any] | None) -> Failure | None:
        if plain is None:
            return None
        plain["frames"] = tuple(Frame(*frame) for frame in plain["frames"])
        plain["causes"], plain["names"] = tuple(plain["causes"]), tuple(plain["names"])
        return Failure(**plain)

    outputs = tuple(
        Output(
            tuple(part(p) for p in output["parts"]),
            failure(output["failure"]),
            output["stderr"],
            output["drew_random"],
        )
        for output in stored["outputs"]
    )
    return Run(outputs, stored["facts"], tuple(stored["warnings"]))
