"""Outputs kept on disk, so that a cell is run only when something that it depends on has changed.

Two levels, since what a run reads is known only when it has run:

    codes/<code key>.json   the inputs that the last run of this code was seen to use, and its run key
    runs/<run key>.json     the outputs; the run key is the code key with the present values of those inputs
    posts/<digest>.json     how a post was when it last ran, so that `why` can say what has changed
    blobs/<sha256>.<type>   figures, copies of images, diagrams, by content
    images/, diagrams/      what is known of each image file and each diagram, by content

Every file is put in place by a rename, and carries a checksum or is named by one: a damaged or foreign
file is a miss, never a wrong page. The folder may be deleted at any time.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from builder.execute.keys import ENGINE, Input, Values, digest
from builder.execute.record import decode, encode, figures_of
from builder.model import Config, Problem, Run, SiteError
from builder.sizes import size_text

UNFINISHED = ".new-"  # how the names of files begin that are being written


class Cache:
    """The folder of outputs of one site."""

    def __init__(self, folder: Path, root: Path) -> None:
        self.folder = folder / f"v{ENGINE}"
        self.values = Values(root, self.folder / "files.json")
        self.damaged: set[str] = set()  # names of files that are not as we wrote them

    def load(self, key: str) -> Run | None:
        """Return the run whose code key is `key`, if its inputs still have the values they had."""
        known = self._known(key)
        return self._run(self._run_key(key, known["inputs"])) if known else None

    def proven(self, key: str) -> Run | None:
        """Return the last run of this code, whatever its inputs were."""
        known = self._known(key)
        return self._run(known["last"]) if known else None

    def store(self, key: str, run: Run, inputs: Sequence[Input]) -> None:
        """Keep a run and the inputs that it used."""
        known = [list(pair) for pair in inputs]
        last = self._run_key(key, known)
        _write(self.folder / "runs" / f"{last}.json", encode(run))
        _write(self.folder / "codes" / f"{key}.json", {"inputs": known, "last": last})

    def inputs(self, key: str) -> tuple[Input, ...]:
        """Return the inputs that the last run of this code used."""
        known = self._known(key)
        return tuple((kind, name) for kind, name in known["inputs"]) if known else ()

    def last_recipe(self, path: str) -> dict[str, Any] | None:
        """Return what `remember` kept for a post."""
        stored = self._read(self._recipe(path))
        return stored if isinstance(stored, dict) else None

    def remember(self, path: str, recipe: dict[str, Any]) -> None:
        """Keep how a post was when it last ran, for `why`."""
        _write(self._recipe(path), recipe)

    def blob(self, name: str) -> bytes | None:
        """Return the bytes of a figure, or None if they are not there whole."""
        path = self.folder / "blobs" / name
        content = read_blob(path)
        if content is None and path.exists():
            self.damaged.add(name)
        return content

    def store_blob(self, content: bytes, kind: str) -> str:
        """Keep a figure's bytes; return their name."""
        name = blob_name(content, kind)
        if self.blob(name) is None:
            put(self.folder / "blobs" / name, content)
        return name

    def kept(self, room: str, key: str) -> Any:
        """Return what `keep` put there, or None."""
        return self._read(self.folder / room / f"{key}.json")

    def keep(self, room: str, key: str, value: object) -> None:
        """Keep something else that is dear to make, under a digest of all that it depends on."""
        _write(self.folder / room / f"{key}.json", value)

    def _known(self, key: str) -> dict[str, Any] | None:
        """Return the inputs of the last run of a code, and that run's key."""
        stored = self._read(self.folder / "codes" / f"{key}.json")
        return stored if isinstance(stored, dict) else None

    def _run(self, run_key: str) -> Run | None:
        """Return a run if all of it is there, whole."""
        stored = self._read(self.folder / "runs" / f"{run_key}.json")
        if stored is None:
            return None
        try:
            run = decode(stored)
        except (KeyError, TypeError, ValueError):
            return None
        return run if all(self.blob(name) is not None for name in figures_of(run)) else None

    def tidy(self) -> None:
        """Remove what killed builds have left. No other build of the site may be under way."""
        for path in self.folder.glob(f"*/{UNFINISHED}*"):
            path.unlink(missing_ok=True)

    def _read(self, path: Path) -> Any:
        """Return the value in a file of ours; None if it is not there, or not as we wrote it."""
        try:
            content = path.read_bytes()
        except OSError:
            return None
        checksum, _, body = content.partition(b"\n")
        if _checksum(path, body) != checksum:
            self.damaged.add(path.name)
            return None
        return json.loads(body)

    def _recipe(self, path: str) -> Path:
        return self.folder / "posts" / f"{digest(path)[:32]}.json"

    def _run_key(self, key: str, inputs: Sequence[Sequence[str]]) -> str:
        return digest([key, self.values.all((kind, name) for kind, name in inputs)])


def site_cache(config: Config) -> Cache:
    """Return the cache of a site, in its own folder."""
    return Cache(config.root / ".fencepost" / "cache", config.root)


def blob_name(content: bytes, kind: str) -> str:
    """Return the name of a figure by its content: 16 hexadecimal digits and its type."""
    return f"{hashlib.sha256(content).hexdigest()[:16]}.{kind}"


def read_blob(path: Path) -> bytes | None:
    """Return the bytes of a file that is named by its content; None if they are others."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    return content if blob_name(content, path.suffix[1:]) == path.name else None


def put(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, also beside other writers of the same file.

    Raises SiteError if the disk does not take it.
    """
    import tempfile  # not at the top: most builds put nothing there

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=UNFINISHED)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            Path(name).replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as error:
        message = f"{path.parent}: {error.strerror}"
        hint = f"the file needs {size_text(len(content))}"
        raise SiteError(Problem("error", ".fencepost", 0, "output", message, hint)) from error


def _write(path: Path, value: object) -> None:
    body = json.dumps(value, ensure_ascii=False, sort_keys=True).encode("utf-8", "surrogatepass")
    put(path, _checksum(path, body) + b"\n" + body)


def _checksum(path: Path, body: bytes) -> bytes:
    """Return a checksum of what a file holds and where it belongs: of a swapped file it is another one."""
    place = f"{path.parent.name}/{path.name}\n".encode()
    return hashlib.sha256(place + body).hexdigest().encode()
