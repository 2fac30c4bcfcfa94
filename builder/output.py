"""Pages -> the output folder: the old site or the new one at every moment.

The new site is laid out in a folder of its own on the same disk, with hard links for the files that stay as
they are, and the two folders are exchanged by one rename. The old site is kept as the *spare*: the next
build brings it up to date, by what has changed since, and exchanges again. So a change costs what it
changes, however large the site is.

A manifest outside the output folder says which files are ours: nothing else is ever removed.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from builder.frozen import frozen
from builder.kept import read_kept, write_kept
from builder.model import Config, Problem, SiteError
from builder.sizes import size_text
from builder.state import Lookout, folder_times
from builder.whole import write_whole

FileId: TypeAlias = tuple[str, int, int]  # SHA-256, size in bytes, time of change in ns
AT_FDCWD = -100
RENAME_EXCHANGE = 2


@frozen
class Written:
    """What writing a site came to: the files that it has, and numbers of what was done for it."""

    files: Mapping[str, FileId]
    written: int
    removed: int


class Tree:
    """The next state of the output folder.

    tree = Tree(config)                  reads the manifest; refuses a folder with foreign files
    tree.begin(keep)                     lays out what stays as it is
    tree.put(path, content) -> FileId    in any process
    tree.finish(files) -> Written        exchanges the folders, if anything has changed
    tree.needs_spare(), tree.link_spare(paths), tree.keep_spare(whole)    a spare, where there is none yet
    tree.leave()                         makes the old site the spare

    A `lookout` looks at the times of folders while this process does other things.
    """

    def __init__(self, config: Config, lookout: Lookout | None = None) -> None:
        self._config = config
        self._output = str(config.output)
        self._manifest = Manifest.of(config)
        if lookout is not None and not self._manifest.is_confirmed_by(lookout):
            lookout.end()
            lookout = None
        self._lookout = lookout
        self._present, self._ours, self._folders = (
            self._manifest.all if lookout else self._manifest.look(config.output)
        )
        self._next = str(self._manifest.next_site)
        self._anew = False  # was the next site laid out anew, from nothing?
        self._made: set[str] = set()  # folders of the next site that are there
        self._behind: list[str] = []  # paths in which the next site was not the present one, when it began
        self._lag: list[str] | None = None  # in which paths what is to be the spare differs from the new site

    def has(self, path: str) -> bool:
        """Is the file there as the last build left it?"""
        return path in self._ours

    def identity(self, path: str) -> FileId:
        """Return the identity of a file that `has` says is there."""
        return self._ours[path]

    def begin(self, keep: Collection[str]) -> None:
        """Lay out the next site with the files `keep` of the present one. Raises SiteError."""
        with self._told_apart():
            lag = self._manifest.take_spare()
            self._anew = lag is None
            if lag is None:
                Path(self._next).mkdir(parents=True)
                self._link(keep)
            else:
                self._behind = lag
                self._ask_times(self._next)
                self._remove(path for path in lag if path not in self._ours)
                self._link(path for path in lag if path in self._ours)

    def put(self, path: str, content: bytes | Path) -> FileId:
        """Put a file into the next site; one with the same bytes stays the file that it is."""
        digest = _hash(content)
        old = self._ours.get(path)
        target = f"{self._next}/{path}"
        if old is not None and old[0] == digest:
            if not os.path.exists(target):
                self._link([path])
            return old
        if old is not None or not self._anew:
            _clear(target)  # never written to: it may be a file of the present site, too
        folder = path[: path.rfind("/") + 1]
        if folder not in self._made:
            _make_folder(f"{self._next}/{folder}")
            self._made.add(folder)
        stat = _write(target, content)
        return digest, stat.st_size, stat.st_mtime_ns

    def finish(self, files: Mapping[str, FileId]) -> Written:
        """Make the output folder hold `files`, which are all in the next site, and nothing else.

        Raises SiteError, with nothing changed, if it holds files that no build of ours wrote.
        """
        changed = {path for path, identity in files.items() if self._ours.get(path) != identity}
        gone = [path for path in self._present if path not in files]
        self._refuse_foreign(files)
        with self._told_apart():
            self._remove(path for path in self._ours if path not in files)
            if not changed and not gone and os.path.isdir(self._output):
                self._manifest.settle(files, self._folders)
                self._lag = []
            else:
                self._exchange(files, [*changed, *gone])
        return Written(files, len(changed), len(gone))

    def needs_spare(self) -> bool:
        """Has the site been made from nothing, so that no old one has been left as a spare?"""
        return self._lag is None and not self._manifest.spare.is_dir()

    def link_spare(self, paths: Iterable[str]) -> list[bool]:
        """Link files of the new site into a spare, in any process; say of each whether that could be done.

        The first edit would have to do it otherwise, and people wait for that.
        """
        made: set[str] = set()
        linked = []
        for path in paths:
            folder = path[: path.rfind("/") + 1]
            try:
                if folder not in made:
                    _make_folder(f"{self._manifest.spare}/{folder}")
                    made.add(folder)
                os.link(f"{self._output}/{path}", f"{self._manifest.spare}/{path}")
                linked.append(True)
            except OSError:  # a disk that has no links, or no room: a spare only saves time
                linked.append(False)
        return linked

    def keep_spare(self, whole: bool) -> None:
        """Let the next build use the spare that has been linked, or forget it."""
        try:
            if whole:
                self._manifest.trust_spare()
                return
        except OSError:  # the site is in place, and needs no spare
            pass
        self._manifest.tidy()

    def abandon(self) -> None:
        """Forget the next site."""
        self._manifest.tidy()

    def leave(self) -> None:
        """Make the old site the spare, but for what somebody put into it while the new one was made."""
        if self._lag is not None:
            with self._told_apart():
                if self._lag:
                    self._give_back()
                self._manifest.keep_spare(self._lag)

    def _exchange(self, files: Mapping[str, FileId], lag: list[str]) -> None:
        self._manifest.announce(files, self._next_folders(files, lag))
        if os.path.isdir(self._output):
            os.chmod(self._next, os.stat(self._output).st_mode & 0o7777)
            try:
                _swap(self._manifest.next_site, self._config.output)
            except OSError:
                self._manifest.recall()
                raise
            self._manifest.confirm()
            self._ask_times(self._next)
            self._lag = lag
        else:
            self._config.output.parent.mkdir(parents=True, exist_ok=True)
            os.rename(self._next, self._output)
            self._manifest.confirm()

    def _next_folders(self, files: Mapping[str, FileId], changed: Iterable[str]) -> dict[str, int]:
        """The folders of the next site, and their times."""
        if self._anew:
            return _with_times(self._next, sorted(_folders_of(files)))
        # But for what has been done to it, it has the folders of the present one.
        touched = _folders_of([*self._behind, *changed])
        others = {folder: time for folder, time in self._times().items() if folder not in touched}
        return others | _with_times(self._next, touched)

    def _ask_times(self, site: str) -> None:
        """Let the lookout begin to look for what `_times` is to return."""
        if self._lookout:
            self._lookout.ask(site)

    def _times(self) -> dict[str, int]:
        """The folders of the present site that are in the next one, of which was asked, and their times."""
        times = self._lookout.times() if self._lookout else None
        if times is None:
            return _with_times(self._next, self._folders)
        return {folder: time for folder, time in zip(self._folders, times, strict=True) if time}

    def _give_back(self) -> None:
        """What somebody put into the old site while the new one was made goes back to where they put it."""
        for folder, time in self._times().items():
            if time == self._folders[folder]:
                continue
            for path in _scan(Path(f"{self._next}/{folder}"))[0]:
                found = folder + path
                if found not in self._present and not os.path.exists(f"{self._output}/{found}"):
                    _make_parent(f"{self._output}/{found}")
                    os.rename(f"{self._next}/{found}", f"{self._output}/{found}")

    def _link(self, paths: Iterable[str]) -> None:
        """Let the next site have files of the present one: as the same files where the disk can do that."""
        for path in paths:
            source, target = f"{self._output}/{path}", f"{self._next}/{path}"
            _clear(target)
            _make_parent(target)
            try:
                os.link(source, target)
            except OSError as error:
                if error.errno in (errno.ENOSPC, errno.EDQUOT):
                    raise
                shutil.copy2(source, target)

    def _remove(self, paths: Iterable[str]) -> None:
        """Remove files of the next site, and the folders that are empty then."""
        for path in paths:
            target = f"{self._next}/{path}"
            try:
                os.unlink(target)
            except OSError:
                if os.path.lexists(target) and not os.path.isdir(target):  # it may have become a folder
                    raise
            parent = os.path.dirname(path)
            while parent:
                try:
                    os.rmdir(f"{self._next}/{parent}")
                except OSError:
                    break
                parent = os.path.dirname(parent)

    def _refuse_foreign(self, files: Mapping[str, FileId]) -> None:
        foreign = [
            path
            for path in self._present
            if path not in self._ours
            and not (path in files and self._manifest.knows(path))
            and not (path in files and _hash(self._config.output / path) == files[path][0])
        ]
        if foreign:
            self.abandon()
            more = f" and {len(foreign) - 3} more" if len(foreign) > 3 else ""
            message = (
                f"the output folder holds files that no build wrote: {', '.join(sorted(foreign)[:3])}{more}"
            )
            hint = "move them to the content folder, or choose another folder with --output"
            raise SiteError(Problem("error", _shown(self._config), 0, "output", message, hint))

    @contextlib.contextmanager
    def _told_apart(self) -> Iterator[None]:
        """Tell of a disk that does not take the site; the present one stays."""
        try:
            yield
        except OSError as error:
            raise self.failure(error) from error

    def failure(self, error: OSError) -> SiteError:
        """What to tell of a disk that does not take the site."""
        new = sum(stat.st_size for stat in _scan(self._manifest.next_site)[0].values() if stat.st_nlink == 1)
        self.abandon()
        hint = ""
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            hint = f"free some space in {self._manifest.next_site.parent}"
            hint += f": the new files need {size_text(new)} and more" if new else ""
        where = error.filename or self._config.output
        message = f"{where}: {error.strerror}"
        return SiteError(Problem("error", _shown(self._config), 0, "output", message, hint))


class Manifest:
    """Which files of one output folder builds of ours wrote, and how they were then.

    While a new site is being put in place, it is announced in a second file: whichever of the two sites a
    killed build has left, all of it is ours.
    """

    def __init__(self, home: Path, near: Path, name: str) -> None:
        self.path = home / f"manifest-{name}"
        self._announced = home / f"manifest-{name}.next"
        self._lag = home / f"spare-{name}.json"
        self.spare = near / f".spare-{name}"
        self.next_site = near / f".next-{name}"
        self.files, self.folders = _read_files(self.path)
        self.announced, _ = _read_files(self._announced)

    @classmethod
    def of(cls, config: Config) -> Manifest:
        """Read the manifest of `config.output`; a missing or damaged one says that nothing is ours."""
        home = config.root / ".fencepost"
        name = _name_of(config)
        near = home if _same_disk(home, config.output) else config.output.parent
        return cls(home, near, name)

    def knows(self, path: str) -> bool:
        """Did a build of ours ever write a file of this name here?"""
        return path in self.files or path in self.announced

    @property
    def all(self) -> tuple[Collection[str], dict[str, FileId], dict[str, int]]:
        """What `look` returns of a folder that is as a build of ours left it."""
        return self.files.keys(), self.files, self.folders

    def is_confirmed_by(self, lookout: Lookout) -> bool:
        """Has a lookout seen the output folder just as it is here?"""
        return (
            lookout.manifest == str(self.path)
            and not self.announced
            and lookout.is_whole()
            and lookout.times() == [*self.folders.values()]
        )

    def look(self, folder: Path) -> tuple[Collection[str], dict[str, FileId], dict[str, int]]:
        """Return the files below a folder, those that are as a build of ours left them, and the times of folders.

        Where every folder has the time that it had, none is listed again.
        """
        place = str(folder)
        stat = os.stat
        if self.folders and not self.announced:
            ours = {}
            try:
                for prefix, time in self.folders.items():
                    if stat(f"{place}/{prefix}").st_mtime_ns != time:
                        break
                else:
                    for path, identity in self.files.items():
                        found = stat(f"{place}/{path}", follow_symlinks=False)
                        if found.st_mtime_ns == identity[2] and found.st_size == identity[1]:
                            ours[path] = identity
                    return self.files.keys(), ours, self.folders
            except OSError:  # a file is gone that was there a moment ago: all is to be listed
                pass
        files, folders = _scan(folder)
        return files, self.unchanged(files), folders

    def unchanged(self, present: Mapping[str, os.stat_result]) -> dict[str, FileId]:
        """Return those of the present files that are just as a build of ours left them."""
        found = {}
        for path, stat in present.items():
            for known in (self.files, self.announced):
                identity = known.get(path)
                if identity and identity[1] == stat.st_size and identity[2] == stat.st_mtime_ns:
                    found[path] = identity
        return found

    def take_spare(self) -> list[str] | None:
        """Make the spare the next site; return the paths in which it differs from the present one.

        None: there is no spare that can be trusted, and the next site is to be laid out anew.
        """
        shutil.rmtree(self.next_site, ignore_errors=True)
        lag = None
        with contextlib.suppress(OSError, ValueError):
            if not self.announced:
                lag = list(json.loads(self._lag.read_text(encoding="utf-8")))
        self._lag.unlink(missing_ok=True)  # from here on the spare is no whole site
        if lag is not None and self.spare.is_dir():
            self.spare.rename(self.next_site)
            return lag
        shutil.rmtree(self.spare, ignore_errors=True)
        return None

    def keep_spare(self, lag: list[str]) -> None:
        """Make the next site, which after an exchange is the old one, the spare."""
        shutil.rmtree(self.spare, ignore_errors=True)
        self.next_site.rename(self.spare)
        self.trust_spare(lag)

    def trust_spare(self, lag: Collection[str] = ()) -> None:
        """Say that the spare is a whole site, and in which paths it differs from the present one."""
        write_whole(self._lag, json.dumps(sorted(lag)).encode())

    def announce(self, files: Mapping[str, FileId], folders: Mapping[str, int]) -> None:
        """Say that the files and folders of the next site are ours, before it is put in place."""
        digests, sizes, times = zip(*files.values(), strict=True) if files else ((), (), ())
        columns = {
            "paths": [*files],
            "digests": digests,
            "sizes": sizes,
            "times": times,
            "folders": {**folders},
        }
        write_kept(self._announced, columns)

    def recall(self) -> None:
        """Say that the next site was not put in place."""
        self._announced.unlink(missing_ok=True)

    def confirm(self) -> None:
        """Say that the next site is the present one."""
        self._announced.replace(self.path)
        for path in (self.path, self._announced):
            _earlier(path).unlink(missing_ok=True)

    def settle(self, files: Mapping[str, FileId], folders: Mapping[str, int]) -> None:
        """Say that the present site is `files`, if a killed build or an earlier version has left that open."""
        if self.announced or not self.folders:
            self.announce(files, folders)
            self.confirm()

    def tidy(self) -> None:
        """Remove the next site, the spare and what a killed build has left."""
        for folder in (self.next_site, self.spare):
            shutil.rmtree(folder, ignore_errors=True)
        self._lag.unlink(missing_ok=True)
        for path in (self.path, self._announced, self._lag):
            path.with_name(f"{path.name}.new").unlink(missing_ok=True)

    def forget(self) -> None:
        """Remove all that is known of the output folder."""
        self.tidy()
        for path in (self.path, self._announced):
            path.unlink(missing_ok=True)
            _earlier(path).unlink(missing_ok=True)


def manifest_path(config: Config) -> Path:
    """Where the manifest of `config.output` is."""
    return config.root / ".fencepost" / f"manifest-{_name_of(config)}"


def clean_output(config: Config) -> int:
    """Remove the files that builds wrote, and the folders that are empty then; return their number."""
    manifest = Manifest.of(config)
    mine = manifest.unchanged(_scan(config.output)[0])
    for path in mine:
        (config.output / path).unlink()
    for place, _, _ in sorted(os.walk(config.output), reverse=True):
        with contextlib.suppress(OSError):
            Path(place).rmdir()
    manifest.forget()
    return len(mine)


def _read_files(path: Path) -> tuple[dict[str, FileId], dict[str, int]]:
    """The files of a manifest, and the times of the folders that they lie in."""
    try:
        stored = read_kept(path) or json.loads(_earlier(path).read_text(encoding="utf-8"))
        if "files" in stored:  # as it was written before there were columns
            files = {name: (digest, size, time) for name, (digest, size, time) in stored["files"].items()}
            return files, {}
        identities = zip(stored["digests"], stored["sizes"], stored["times"], strict=True)
        return dict(zip(stored["paths"], identities, strict=True)), dict(stored["folders"])
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}, {}


def _earlier(manifest: Path) -> Path:
    """Where earlier versions had a manifest, as JSON."""
    return manifest.with_name(f"{manifest.name}.json")


def _folders_of(paths: Iterable[str]) -> set[str]:
    """The folders that files lie in, and those around them, each with a slash at its end; "" is the outermost."""
    folders = {""}
    for folder in {path[: path.rfind("/") + 1] for path in paths}:
        while folder not in folders:
            folders.add(folder)
            folder = folder[: folder.rfind("/", 0, -1) + 1]
    return folders


def _with_times(site: str, folders: Collection[str]) -> dict[str, int]:
    """Those of the folders that are there, and when each has changed."""
    times = zip(folders, folder_times(f"{site}/", folders), strict=True)
    return {folder: time for folder, time in times if time}


def _scan(folder: Path) -> tuple[dict[str, os.stat_result], dict[str, int]]:
    """Return every file below a folder, by its path with forward slashes, and the times of its folders.

    Links are not followed.
    """
    files: dict[str, os.stat_result] = {}
    folders: dict[str, int] = {}
    waiting = [("", str(folder))]
    while waiting:
        prefix, place = waiting.pop()
        try:
            with os.scandir(place) as entries:
                folders[prefix] = os.stat(place).st_mtime_ns
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append((f"{prefix}{entry.name}/", entry.path))
                    else:
                        files[prefix + entry.name] = entry.stat(follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            continue
    return files, folders


def _hash(content: bytes | Path) -> str:
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    try:
        with content.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def _write(target: str, content: bytes | Path) -> os.stat_result:
    """Make the file `target`, and say how it is then."""
    if isinstance(content, Path):
        shutil.copyfile(content, target)
        return os.stat(target)
    # With the system's own calls: a file object costs as much as the file.
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        written = 0
        while written < len(content):
            written += os.write(descriptor, content[written:] if written else content)
        return os.fstat(descriptor)
    finally:
        os.close(descriptor)


def _clear(target: str) -> None:
    """Remove what stands where a file of the next site is to be.

    That is the old file, a folder that was called so, or a file that was called as one of its folders.
    """
    try:
        os.unlink(target)
    except FileNotFoundError:
        pass
    except OSError:
        if os.path.isdir(target):
            shutil.rmtree(target)
        parent = os.path.dirname(target)
        while not os.path.isdir(parent):
            with contextlib.suppress(OSError):  # another process may do the same
                os.unlink(parent)
            parent = os.path.dirname(parent)


def _make_folder(folder: str) -> None:
    """Make a folder and those above it; one at a time, since mostly that above is there."""
    try:
        os.mkdir(folder)
    except FileExistsError:
        pass
    except FileNotFoundError:
        os.makedirs(folder, exist_ok=True)


def _make_parent(target: str) -> None:
    parent = os.path.dirname(target)
    if not os.path.isdir(parent):
        os.makedirs(parent, exist_ok=True)


def _swap(staging: Path, output: Path) -> None:
    """Exchange two folders, by one rename where the system has that."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if hasattr(libc, "renameat2"):
            names = os.fsencode(staging), os.fsencode(output)
            if libc.renameat2(AT_FDCWD, names[0], AT_FDCWD, names[1], RENAME_EXCHANGE) == 0:
                return
            if ctypes.get_errno() not in (errno.ENOSYS, errno.EINVAL):
                number = ctypes.get_errno()
                raise OSError(number, os.strerror(number), str(output))
    aside = staging.with_name(staging.name + "-old")
    shutil.rmtree(aside, ignore_errors=True)
    output.rename(aside)
    staging.rename(output)
    aside.rename(staging)


def _same_disk(home: Path, output: Path) -> bool:
    home.mkdir(parents=True, exist_ok=True)
    near = output
    while not near.exists():
        near = near.parent
    return home.stat().st_dev == near.stat().st_dev


def _name_of(config: Config) -> str:
    """What the files of one output folder are called; a site may be moved as a whole."""
    return hashlib.sha256(os.fsencode(_shown(config))).hexdigest()[:12]


def _shown(config: Config) -> str:
    output = config.output
    return output.relative_to(config.root).as_posix() if output.is_relative_to(config.root) else str(output)
