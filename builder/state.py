"""Is there nothing to do? What the last build was asked and said, and what every file was like before it.

A build that is asked the same again, and finds every input as it was and the output folder whole, says the
same again and is done. This is the first thing that the command looks at, before it has imported anything
else: keep this module to what Python has loaded anyway.
"""

from __future__ import annotations

import marshal
import os
import sys
import time

from builder.kept import packed, read_kept, unpacked, write_kept

TYPE_CHECKING = False  # as in `typing`, whose import takes a third of the time of a build with nothing to do
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any, BinaryIO

    Identity = tuple[int, int, int, int]  # size, times of change in ns, inode: other for another content

# A file that changed this shortly before a build began may change again within the same tick of the
# file system's clock, and look the same: such a build is not remembered.
TICK = 50_000_000  # nanoseconds
NOWHERE = (0, 0, 0, 0)  # where a link leads to nothing
MANY = 3000  # files: for fewer, a process more is not worth its price
LANGUAGES = ("LC_ALL", "LC_MESSAGES", "LANG")
CONFIG_FILES = ("fencepost.toml", "pyproject.toml", "_config.yml")
SECONDS = "\ue000seconds\ue000"  # where what was said holds the time that it took


def said_before(arguments: Sequence[str]) -> tuple[tuple[str, str, int] | None, Seen | None]:
    """Return standard output, standard error and exit code of a build that would do nothing now, or None.

    With None comes what was seen of the site, if anything was: it serves the build that is needed.
    """
    started = time.perf_counter()
    if not arguments or arguments[0] != "build":
        return None, None
    for place in (".", *(word for word in arguments[1:] if not word.startswith("-"))):
        stored = read_kept(_place(place))
        if stored and stored["asked"] == _asked(arguments):
            root, folders, output = stored["before"]["of"]
            is_worth_it = sys.platform == "linux" and len(stored["before"]["files"]) > MANY
            lookout = Lookout(stored) if is_worth_it else None
            now = snapshot(root, folders, output, stored["before"]["variables"])
            if now == stored["before"] and _holds(stored, lookout):
                if lookout:
                    lookout.end()
                seconds = f"{time.perf_counter() - started:.2f}"
                out, err, status = stored["said"]
                return (out.replace(SECONDS, seconds), err.replace(SECONDS, seconds), status), None
            if lookout:
                lookout.ask(output)
            return None, Seen(now, lookout)
    return None, None


class Seen:
    """What the command has seen of a site before a build of it begins, and who looks at its output folder."""

    def __init__(self, snapshot: Mapping[str, Any], lookout: Lookout | None) -> None:
        self.snapshot = snapshot
        self.lookout = lookout


class Lookout:
    """A process that looks at the output folder while this one looks at the sources, and imports, and writes.

    It says whether the files are as the last build left them, without being asked; then it is asked for the times
    of the folders that they lie in: in the output folder, or in another state of it.
    """

    def __init__(self, built: Mapping[str, Any]) -> None:
        self.manifest = built["manifest"]
        self.written = built["written"]
        self.output = built["before"]["of"][2]
        self._whole: bool | None = None
        questions, ours = os.pipe()
        theirs, answers = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            try:
                os.close(ours)
                os.close(theirs)
                with os.fdopen(questions, "rb") as hear, os.fdopen(answers, "wb") as say:
                    _look_out(built, hear, say)
            finally:
                os._exit(0)
        os.close(questions)
        os.close(answers)
        self._questions, self._answers = ours, os.fdopen(theirs, "rb")

    def is_whole(self) -> bool:
        """Are the files of the output folder as the last build left them, and that build the last one still?"""
        if self._whole is None:
            self._whole = bool(self._answer())
        return self._whole and _identity(self.manifest) == self.written

    def ask(self, place: str) -> None:
        """Ask for the times of the folders below `place`."""
        try:
            os.write(self._questions, packed(place))
        except OSError:
            return  # somebody has ended it: there will be no answer

    def times(self) -> list[int] | None:
        """Return what the oldest question asked for, as `folder_times` does; None if nobody knows."""
        self.is_whole()
        times: list[int] | None = self._answer()
        return times

    def end(self) -> None:
        """Leave no process and no pipe behind."""
        if self._pid:
            os.close(self._questions)
            self._answers.close()
            os.kill(self._pid, 9)
            os.waitpid(self._pid, 0)
            self._pid = 0

    def _answer(self) -> Any:
        try:
            return unpacked(marshal.load(self._answers))
        except (EOFError, ValueError, TypeError):
            return None


def _look_out(built: Mapping[str, Any], questions: BinaryIO, answers: BinaryIO) -> None:
    """What a lookout does, until nobody can ask it any more."""
    site = _site_of(built)
    os.chdir(built["before"]["of"][2])  # short paths are looked up sooner
    _say(site is not None and _has_files("", site), answers)
    folders = [*site["folders"]] if site else []
    place = marshal.load(questions)
    # Only where there is a build to be done.
    from builder.execute.prctl import PR_SET_DUMPABLE, PR_SET_PDEATHSIG, prctl

    prctl(PR_SET_DUMPABLE, 0)  # no cell is to read our environment in /proc
    prctl(PR_SET_PDEATHSIG, 9)
    while True:
        os.chdir(place)
        _say(folder_times("", folders), answers)
        place = marshal.load(questions)


def _say(answer: object, answers: BinaryIO) -> None:
    # Packed, since bytes are read from a pipe at once, and a list number by number.
    marshal.dump(packed(answer), answers)
    answers.flush()


def folder_times(prefix: str, folders: Iterable[str]) -> list[int]:
    """When each of these folders, with a prefix, changed, in ns; 0 for one that is not there."""
    times, stat = [], os.stat
    for folder in folders:
        try:
            times.append(stat(prefix + folder or ".").st_mtime_ns)
        except OSError:
            times.append(0)
    return times


def snapshot(root: str, folders: Iterable[str], output: str, variables: Iterable[str]) -> dict[str, Any]:
    """Return what a build depends on, by name, size and times: equal means unchanged.

    `folders` hold its sources, `output` lies perhaps among them and is none; `variables` of the environment
    may be seen by cells.
    """
    folders = list(folders)
    files: dict[str, Identity] = {}
    for folder in folders:
        _add_files(folder, output, files)
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
    settled = began - TICK
    return any(changed > settled or moved > settled for _, changed, moved, _ in identities)


def is_of(
    taken: Mapping[str, Any], root: str, folders: Iterable[str], output: str, variables: Iterable[str]
) -> bool:
    """Has this snapshot been taken of just these?"""
    return bool(taken) and taken["of"] == [root, [*folders], output] and [*taken["variables"]] == [*variables]


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
    config: str,
    told: Iterable[Sequence[object]],
) -> None:
    """Keep what a build of the site in `root` said that began, at `began` in ns, with `before`.

    It holds until a time, and as long as the files `inputs`, which cells read, the `manifest` and the files of the
    output that it names stay. `config` is a digest of its options and `told` the fields of its problems and notes:
    a publish asks for them.
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
    needed = {"before", "inputs", "manifest", "written", "config", "told"}
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


def _holds(stored: Mapping[str, Any], lookout: Lookout | None) -> bool:
    """Is all as it was besides the files of a snapshot?"""
    return (
        stored["until"] > time.time()
        and all(_identity(path) == identity for path, identity in stored["inputs"].items())
        and (lookout.is_whole() if lookout else is_whole(stored))
    )


def is_whole(built: Mapping[str, Any]) -> bool:
    """Is every file of the output folder there as a build left it, and has there been no other build?"""
    site = _site_of(built)
    return site is not None and _has_files(f"{built['before']['of'][2]}/", site)


def _site_of(built: Mapping[str, Any]) -> dict[str, Any] | None:
    """The manifest of the output folder, if it is that of just this build."""
    manifest = built["manifest"]
    if _identity(manifest) != built["written"] or os.path.exists(f"{manifest}.next"):
        return None
    site: dict[str, Any] | None = read_kept(manifest)
    return site


def _has_files(prefix: str, site: Mapping[str, Any]) -> bool:
    """Are the files of a manifest, with a prefix, as the build left them?"""
    paths = (prefix + path for path in site["paths"])
    try:
        return all(
            found.st_size == size and found.st_mtime_ns == changed
            for found, size, changed in zip(map(os.lstat, paths), site["sizes"], site["times"], strict=True)
        )
    except OSError:
        return False


def _place(root: str) -> str:
    return os.path.join(root, ".fencepost", "state")


def _add_files(folder: str, output: str, files: dict[str, Identity]) -> None:
    """Add every file below a folder, but for hidden ones and the output."""
    try:
        entries = os.scandir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return
    with entries:
        for entry in entries:
            if entry.name.startswith(".") or entry.name == "__pycache__":
                continue
            if entry.is_dir(follow_symlinks=False):
                if entry.path != output:
                    _add_files(entry.path, output, files)
                continue
            stat = entry.stat(follow_symlinks=False)
            files[entry.path] = (stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino)
            if entry.is_symlink():
                files[f"{entry.path} ->"] = _identity(entry.path) or NOWHERE


def _identity(path: str) -> Identity | None:
    try:
        stat = os.stat(path)
    except OSError:
        return None
    return stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino


def _digest(text: str) -> str:
    import hashlib  # only where a site lets its cells see variables

    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
