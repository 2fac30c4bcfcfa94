"""Is there nothing to do? What the last build was asked and said, and what every file was like before it.

A build that is asked the same again, and finds every input as it was and the output folder whole, says the
same again and is done. This is the first thing that the command looks at, before it has imported anything
else: keep this module to what Python has loaded anyway.
"""

from __future__ import annotations

import os
import sys
import time

from builder.kept import read_kept, write_kept

TYPE_CHECKING = False  # as in `typing`, whose import takes a third of the time of a build with nothing to do
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

# A file that changed this shortly before a build began may change again within the same tick of the
# file system's clock, and look the same: such a build is not remembered.
TICK = 50_000_000  # nanoseconds
LANGUAGES = ("LC_ALL", "LC_MESSAGES", "LANG")
CONFIG_FILES = ("fencepost.toml", "pyproject.toml", "_config.yml")
SECONDS = "\ue000seconds\ue000"  # where what was said holds the time that it took


def said_before(arguments: Sequence[str]) -> tuple[tuple[str, str, int] | None, dict[str, Any] | None]:
    """Return standard output, standard error and exit code of a build that would do nothing now, or None.

    With them comes the snapshot that was taken to see that, if one was: it serves the build that is needed, too.
    """
    started = time.perf_counter()
    if not arguments or arguments[0] != "build":
        return None, None
    for place in (".", *(word for word in arguments[1:] if not word.startswith("-"))):
        stored = read_kept(_place(place))
        if stored and stored["asked"] == _asked(arguments):
            root, folders, output = stored["before"]["of"]
            now = snapshot(root, folders, output, stored["before"]["variables"])
            if now != stored["before"] or not _holds(stored):
                return None, now
            seconds = f"{time.perf_counter() - started:.2f}"
            out, err, status = stored["said"]
            return (out.replace(SECONDS, seconds), err.replace(SECONDS, seconds), status), now
    return None, None


def snapshot(root: str, folders: Iterable[str], output: str, variables: Iterable[str]) -> dict[str, Any]:
    """Return what a build depends on, by name, size and times: equal means unchanged.

    `folders` hold its sources, `output` lies perhaps among them and is none; `variables` of the environment
    may be seen by cells.
    """
    folders = list(folders)
    files: dict[str, list[int]] = {}
    for folder in folders:
        files.update(_files(folder, output))
    for name in CONFIG_FILES:
        identity = _identity(os.path.join(root, name))
        if identity:
            files[os.path.join(root, name)] = identity
    return {
        "python": sys.version,
        "packages": {path: _identity(path) for path in sys.path if path.endswith("-packages")},
        "variables": {name: _digest(os.environ.get(name, "")) for name in variables},
        "files": files,
        "of": [root, folders, output],
    }


def settled(
    root: str, folders: Iterable[str], output: str, variables: Iterable[str]
) -> tuple[int, dict[str, Any]]:
    """Return a snapshot and when it was begun, in ns; if something has just changed, a tick later."""
    folders, variables = list(folders), list(variables)
    began, taken = time.time_ns(), snapshot(root, folders, output, variables)
    if is_fresh(taken["files"].values(), began):
        time.sleep(TICK / 1e9)
        began, taken = time.time_ns(), snapshot(root, folders, output, variables)
    return began, taken


def is_fresh(identities: Iterable[Sequence[int]], began: int) -> bool:
    """Has a file changed so shortly before something began, in ns, that it may change again and look the same?"""
    return max((max(identity[1:3]) for identity in identities), default=0) > began - TICK


def is_of(
    taken: Mapping[str, Any], root: str, folders: Iterable[str], output: str, variables: Iterable[str]
) -> bool:
    """Has this snapshot been taken of just these?"""
    return taken["of"] == [root, [*folders], output] and [*taken["variables"]] == [*variables]


def remember(
    root: str,
    before: Mapping[str, Any],
    arguments: Sequence[str],
    said: tuple[str, str, int],
    *,
    began: int,
    until: float,
    inputs: Iterable[str],
    manifest: str,
    files: Mapping[str, tuple[str, int, int]],
    config: str,
    told: Iterable[Sequence[object]],
) -> None:
    """Keep what a build of the site in `root` said that began, at `began` in ns, with `before`.

    It holds until a time, and as long as the files `inputs`, which cells read, the `manifest` and the `files` of
    the output (digest, size and time by path) stay. `config` is a digest of its options and `told` the fields of
    its problems and notes: a publish asks for them.
    """
    read = {file: _identity(file) for file in inputs}
    every = [*before["files"].values(), *filter(None, read.values())]
    if is_fresh(every, began):
        forget(root)
        return
    stored = {
        "asked": _asked(arguments),
        "before": before,
        "inputs": read,
        "until": min(until, 1e18),
        "manifest": manifest,
        "written": _identity(manifest),
        "files": [*files],
        "sizes": [size for _, size, _ in files.values()],
        "times": [time for _, _, time in files.values()],
        "config": config,
        "told": list(told),
        "said": said,
    }
    write_kept(_place(root), stored)


def forget(root: str) -> None:
    """Let the next build of a site look at all of it."""
    if os.path.exists(_place(root)):
        os.unlink(_place(root))


def last_build(root: str) -> dict[str, Any] | None:
    """Return what is kept of the last build of a site; None if that is nothing."""
    stored: dict[str, Any] = read_kept(_place(root)) or {}
    needed = {"before", "inputs", "manifest", "written", "files", "config", "told"}
    return stored if stored.keys() >= needed else None


def changes(built: Mapping[str, Any]) -> Iterator[str]:
    """What has changed since a build: paths of its sources, a date that has come, the output folder."""
    root, folders, output = built["before"]["of"]
    before, now = built["before"]["files"], snapshot(root, folders, output, ())["files"]
    inputs = {path: _identity(path) for path in built["inputs"]}
    for path in sorted({*before, *now, *inputs}):
        if before.get(path) != now.get(path) or inputs.get(path) != built["inputs"].get(path):
            yield os.path.relpath(path, root)
    if 0 < built["until"] <= time.time():
        yield "the date of a post has come"
    if not is_whole(built):
        yield os.path.relpath(output, root)


def _asked(arguments: Sequence[str]) -> list[str]:
    """What the answer of the command depends on besides files: its words, where it is, and the language."""
    return [os.getcwd(), *(os.environ.get(name, "") for name in LANGUAGES), *arguments]


def _holds(stored: Mapping[str, Any]) -> bool:
    """Is all as it was besides the files of a snapshot?"""
    return (
        stored["until"] > time.time()
        and all(_identity(path) == identity for path, identity in stored["inputs"].items())
        and is_whole(stored)
    )


def is_whole(built: Mapping[str, Any]) -> bool:
    """Is every file of the output folder there as a build left it, and has there been no other build?"""
    manifest, output = built["manifest"], built["before"]["of"][2]
    if _identity(manifest) != built["written"] or os.path.exists(manifest.replace(".json", ".next.json")):
        return False
    try:
        for path, size, changed in zip(built["files"], built["sizes"], built["times"], strict=True):
            stat = os.stat(f"{output}/{path}")
            if stat.st_size != size or stat.st_mtime_ns != changed:
                return False
    except OSError:
        return False
    return True


def _place(root: str) -> str:
    return os.path.join(root, ".fencepost", "state")


def _files(folder: str, output: str) -> Iterator[tuple[str, list[int]]]:
    """Every file below a folder, but for hidden ones and the output."""
    try:
        entries = list(os.scandir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        if entry.name.startswith(".") or entry.name == "__pycache__" or entry.path == output:
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _files(entry.path, output)
        else:
            yield entry.path, _numbers(entry.stat(follow_symlinks=False))
            if entry.is_symlink():
                yield f"{entry.path} ->", _identity(entry.path) or []


def _identity(path: str) -> list[int] | None:
    try:
        return _numbers(os.stat(path))
    except OSError:
        return None


def _numbers(stat: os.stat_result) -> list[int]:
    return [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]


def _digest(text: str) -> str:
    import hashlib  # only where a site lets its cells see variables

    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
