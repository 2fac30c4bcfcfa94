"""Pages -> the output folder: the old site or the new one at every moment.

The new site is laid out in a folder of its own on the same disk, with hard links for the files that stay as
they are, and the two folders are exchanged by one rename. The old site is kept as the *spare*: the next
build brings it up to date, by what has changed since, and exchanges again. So a change costs what it
changes, however large the site is.

The manifest (manifest.py) says which files are ours: nothing else is ever removed.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import hashlib
import os
import shutil
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from builder.frozen import frozen
from builder.manifest import FileId, Manifest, scan, shown
from builder.model import Config, Problem, SiteError
from builder.sizes import size_text
from builder.state import Lookout, folder_times

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
            for path in scan(Path(f"{self._next}/{folder}"))[0]:
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
            raise SiteError(Problem("error", shown(self._config), 0, "output", message, hint))

    @contextlib.contextmanager
    def _told_apart(self) -> Iterator[None]:
        """Tell of a disk that does not take the site; the present one stays."""
        try:
            yield
        except OSError as error:
            raise self.failure(error) from error

    def failure(self, error: OSError) -> SiteError:
        """What to tell of a disk that does not take the site."""
        new = sum(stat.st_size for stat in scan(self._manifest.next_site)[0].values() if stat.st_nlink == 1)
        self.abandon()
        hint = ""
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            hint = f"free some space in {self._manifest.next_site.parent}"
            hint += f": the new files need {size_text(new)} and more" if new else ""
        where = error.filename or self._config.output
        message = f"{where}: {error.strerror}"
        return SiteError(Problem("error", shown(self._config), 0, "output", message, hint))


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
