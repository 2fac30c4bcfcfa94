"""Accept: the real outputs written into the sources, with every byte outside the output fences kept.

A plan is made first, for all posts, and nothing is written while it is made. Each file is then written
whole or not at all, only if it is still the one that was read, and can be put back by `undo`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from builder.check import Checked
from builder.execute.keys import digest
from builder.fences import insert_outputs, replace_outputs
from builder.frozen import frozen
from builder.model import Config, Finding, Output, Post, Problem
from builder.posts import parse_post
from builder.splice import joined_text, spliced

# Kinds of an output that needs no rewriting when it has no other: what its author left out stays left out.
SETTLED = {"exact", "marks", "cut"}


class AcceptError(Exception):
    """A post cannot be accepted; nothing of it was written."""

    def __init__(self, path: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.problem = Problem("error", path, 0, "accept", message, hint)


@frozen
class Rewrite:
    """What accepting does to one post."""

    post: Post
    text: str
    findings: tuple[Finding, ...]  # of the cells that are rewritten


def plan(
    checked: Checked, config: Config, *, insert: bool, random: bool, named: bool
) -> tuple[list[Rewrite], list[Problem]]:
    """Return what accepting would write, and a problem for each post that cannot be accepted.

    `insert`: may a fence be put under a cell that has none? In a post that shows its authored outputs, random
    ones are left as they are, unless `random` says otherwise, or the post was `named`.
    """
    rewrites, problems = [], []
    for post in checked.posts:
        keep_random = post.execute.outputs == "authored" and not (random or named)
        chosen = {
            finding.cell: finding
            for finding in checked.findings
            if finding.path == post.path
            and not set(finding.kinds) <= SETTLED
            and not (keep_random and "random" in finding.kinds)
        }
        run = checked.runs.of.get(post.path)
        if run is None or not chosen:
            continue
        try:
            rewrite = _rewrite(post, run.outputs, chosen, config, insert=insert)
        except AcceptError as error:
            problems.append(error.problem)
            continue
        if rewrite is not None:
            rewrites.append(rewrite)
    return rewrites, problems


def write(rewrites: Sequence[Rewrite], config: Config) -> None:
    """Write all of a plan, and keep the old files for `undo`. Raises AcceptError before anything is written
    if a file is no longer the one that was read, or cannot be written."""
    targets = [_target(rewrite, config) for rewrite in rewrites]
    _keep(rewrites, targets, config)
    for rewrite, target in zip(rewrites, targets, strict=True):
        _replace(target, _bytes(rewrite.text))


def undo(config: Config) -> list[str]:
    """Put back what the last accept changed; return the paths. Raises AcceptError if there is nothing, or
    if a file has been changed since."""
    folder = _undo_folder(config)
    try:
        entries = json.loads((folder / "files.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise AcceptError("", "there is nothing to undo") from None
    for entry in entries:
        if _hash(_read(Path(entry["target"]), entry["path"])) != entry["after"]:
            raise AcceptError(entry["path"], "has been changed since it was accepted", "undo it by hand")
    for entry in entries:
        _replace(Path(entry["target"]), (folder / entry["before"]).read_bytes())
    shutil.rmtree(folder)
    return [entry["path"] for entry in entries]


# --- one post ----------------------------------------------------------------------------------


def _rewrite(
    post: Post, outputs: Sequence[Output], chosen: dict[int, Finding], config: Config, *, insert: bool
) -> Rewrite | None:
    replaced, inserted = {}, {}
    for cell in post.cells:
        if cell.number not in chosen:
            continue
        parts = spliced(cell, outputs[cell.number - 1], post.execute)
        text = joined_text(parts) if parts else ""
        if cell.authored is not None and text and text != cell.authored.body:
            replaced[cell.number] = text
        elif cell.authored is None and text and insert:
            inserted[cell.number] = text
    if not (replaced or inserted):
        return None
    text = replace_outputs(post.text, post.cells, replaced)
    text = insert_outputs(text, parse_post(text, post.path, config, post.page)[0].cells, inserted)
    _verify(post, text, {**replaced, **inserted}, config)
    findings = tuple(chosen[number] for number in sorted({**replaced, **inserted}))
    return Rewrite(post, text, findings)


def _verify(post: Post, text: str, written: dict[int, str], config: Config) -> None:
    """Raise AcceptError unless the new text says just what it should: our own work is checked, too."""
    new, _ = parse_post(text, post.path, config, post.page)
    same_code = [cell.source for cell in new.cells] == [cell.source for cell in post.cells]
    bodies = {cell.number: cell.authored.body for cell in new.cells if cell.authored}
    if (
        not same_code
        or any(bodies.get(number) != body for number, body in written.items())
        or _without_outputs(new, set(written)) != _without_outputs(post, set(written))
    ):
        raise AcceptError(post.path, "its outputs cannot be written without changing other parts of the post")


def _without_outputs(post: Post, numbers: set[int]) -> list[str]:
    """The lines of a post outside the output fences of some cells."""
    lines = post.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    fences = [cell.authored for cell in post.cells if cell.number in numbers and cell.authored]
    for fence in sorted(fences, key=lambda fence: -fence.start):
        del lines[fence.start - 1 : fence.stop - 1]
    return lines


# --- files -------------------------------------------------------------------------------------


def _target(rewrite: Rewrite, config: Config) -> Path:
    """The file behind a post, if it can be written and is as it was read."""
    path = rewrite.post.path
    target = (config.root / path).resolve()
    if _read(target, path) != _bytes(rewrite.post.text):
        raise AcceptError(path, "has changed since it was read", "run accept again")
    if not os.access(target, os.W_OK) or not target.stat().st_mode & 0o222:
        raise AcceptError(path, "is read-only", "make it writable, or leave it as it is")
    return target


def _read(target: Path, path: str) -> bytes:
    try:
        return target.read_bytes()
    except OSError as error:
        raise AcceptError(path, f"cannot be read: {error.strerror}") from None


def _replace(target: Path, content: bytes) -> None:
    """Write a file whole or not at all; it keeps its mode, and its owner where that is allowed."""
    stat = target.stat()
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:50]}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        shutil.copystat(target, name)
        os.utime(name)
        with contextlib.suppress(PermissionError):
            os.chown(name, stat.st_uid, stat.st_gid)
        Path(name).replace(target)
    except OSError as error:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise AcceptError(str(target), f"cannot be written: {error.strerror}") from error


def _keep(rewrites: Iterable[Rewrite], targets: Iterable[Path], config: Config) -> None:
    """Keep the files as they are now, for `undo`."""
    folder = _undo_folder(config)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    entries = []
    for rewrite, target in zip(rewrites, targets, strict=True):
        name = digest(rewrite.post.path)[:16]
        (folder / name).write_bytes(_bytes(rewrite.post.text))
        after = _hash(_bytes(rewrite.text))
        entries.append({"path": rewrite.post.path, "target": str(target), "before": name, "after": after})
    (folder / "files.json").write_text(json.dumps(entries), encoding="utf-8")


def _undo_folder(config: Config) -> Path:
    return config.root / ".fencepost" / "undo"


def _bytes(text: str) -> bytes:
    return text.encode("utf-8")


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
