"""Pages -> the output folder: the old site or the new one at every moment.

The new site is laid out beside the old one, in a folder on the same disk, with hard links for the files
that stay as they are; then the two folders are exchanged by one rename, and the old one is removed. A
manifest outside the output folder says which files are ours: nothing else is ever removed.
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
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from builder.model import Config, Page, Problem, SiteError
from builder.sizes import size_text

FileId = tuple[str, int, int]  # SHA-256, size in bytes, time of change in ns
AT_FDCWD = -100
RENAME_EXCHANGE = 2


@dataclass(frozen=True, slots=True)
class Written:
    """What writing a site came to: numbers of files."""

    pages: int
    written: int
    removed: int


def write_pages(pages: Iterable[Page], config: Config) -> Written:
    """Make the output folder hold `pages`, and nothing else.

    Raises SiteError, with nothing changed, if the folder holds files that no build of ours wrote, or if
    the disk does not take the site.
    """
    manifest = Manifest.of(config)
    wanted = {page.path: page for page in pages}
    hashes = {path: _hash(page.content) for path, page in wanted.items()}
    present = _scan(config.output)
    ours = manifest.unchanged(present)
    _refuse_foreign(config, manifest, present, wanted, hashes)
    same = {path for path, digest in hashes.items() if ours.get(path) == digest}
    gone = [path for path in present if path not in wanted]
    if len(same) == len(wanted) and not gone and config.output.is_dir():
        shutil.rmtree(manifest.staging, ignore_errors=True)  # a killed build may have left one
        return Written(len(wanted), 0, 0)
    try:
        _exchange(config, manifest, wanted, hashes, same)
    except OSError as error:
        shutil.rmtree(manifest.staging, ignore_errors=True)
        hint = ""
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            new = sum(_size(page.content) for path, page in wanted.items() if path not in same)
            hint = f"the new files need {size_text(new)} in {manifest.staging.parent}"
        where = error.filename or config.output
        message = f"{where}: {error.strerror}"
        raise SiteError(
            Problem("error", _shown(config, config.output), 0, "output", message, hint)
        ) from error
    return Written(len(wanted), len(wanted) - len(same), len(gone))


def is_whole(config: Config) -> bool:
    """Is the output folder just as the last build left it?"""
    manifest = Manifest.of(config)
    present = _scan(config.output)
    return bool(present) and len(present) == len(manifest.files) == len(manifest.unchanged(present))


def clean_output(config: Config) -> int:
    """Remove the files that builds wrote, and the folders that are empty then; return their number."""
    manifest = Manifest.of(config)
    present = _scan(config.output)
    mine = [path for path in present if path in manifest.unchanged(present)]
    for path in mine:
        (config.output / path).unlink()
    _remove_empty(config.output)
    with contextlib.suppress(FileNotFoundError):
        manifest.path.unlink()
    return len(mine)


class Manifest:
    """Which files of one output folder builds of ours wrote, and how they were then.

    While a new site is about to be put in place, `before` has the files of the old one: whichever of the
    two a killed build has left, all of it is ours.
    """

    def __init__(
        self, path: Path, staging: Path, files: Mapping[str, FileId], before: Mapping[str, FileId]
    ) -> None:
        self.path = path
        self.staging = staging
        self.files = files
        self.before = before

    @classmethod
    def of(cls, config: Config) -> Manifest:
        """Read the manifest of `config.output`; a missing or damaged one says that nothing is ours."""
        home = config.root / ".fencepost"
        # By its place in the site, so that a site may be moved.
        name = hashlib.sha256(os.fsencode(_shown(config, config.output))).hexdigest()[:12]
        near = home if _same_disk(home, config.output) else config.output.parent
        path = home / f"manifest-{name}.json"
        files: dict[str, FileId] = {}
        before: dict[str, FileId] = {}
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            files, before = (
                {p: (h, size, time) for p, (h, size, time) in stored[name].items()}
                for name in ("files", "before")
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            pass
        return cls(path, near / f".next-{name}", files, before)

    def knows(self, path: str) -> bool:
        """Did a build of ours ever write a file of this name here?"""
        return path in self.files or path in self.before

    def unchanged(self, present: Mapping[str, os.stat_result]) -> dict[str, str]:
        """Return {path: SHA-256} of the present files that are just as a build of ours left them."""
        found = {}
        for path, stat in present.items():
            for known in (self.files, self.before):
                digest, size, time = known.get(path, ("", -1, -1))
                if (size, time) == (stat.st_size, stat.st_mtime_ns):
                    found[path] = digest
        return found

    def save(self, files: Mapping[str, FileId], before: Mapping[str, FileId]) -> None:
        """Put a new manifest in place."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.path.with_suffix(".new")
        text = json.dumps({"files": files, "before": before}, ensure_ascii=False)
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(self.path)


def _exchange(
    config: Config,
    manifest: Manifest,
    wanted: Mapping[str, Page],
    hashes: Mapping[str, str],
    same: set[str],
) -> None:
    """Lay the new site out beside the old one and exchange the two."""
    staging, output = manifest.staging, config.output
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    files: dict[str, FileId] = {}
    folders: set[Path] = {staging}
    for path, page in wanted.items():
        target = staging / path
        if target.parent not in folders:
            target.parent.mkdir(parents=True, exist_ok=True)
            folders.add(target.parent)
        if path in same:
            _link(output / path, target)
        elif isinstance(page.content, bytes):
            target.write_bytes(page.content)
        else:
            shutil.copyfile(page.content, target)
        stat = target.stat()
        files[path] = (hashes[path], stat.st_size, stat.st_mtime_ns)
    old = {**manifest.before, **manifest.files}
    manifest.save(files, before=old)
    if output.is_dir():
        staging.chmod(output.stat().st_mode & 0o7777)
        _swap(staging, output)
    else:
        output.parent.mkdir(parents=True, exist_ok=True)
        staging.rename(output)
    manifest.save(files, before={})
    _retire(staging, output, old)


def _retire(old_site: Path, output: Path, known: Mapping[str, FileId]) -> None:
    """Remove the old site; a file that somebody put into it meanwhile goes back to where they put it."""
    for path, stat in _scan(old_site).items():
        if path not in known and stat.st_nlink == 1 and not (output / path).exists():
            (output / path).parent.mkdir(parents=True, exist_ok=True)
            (old_site / path).rename(output / path)
    shutil.rmtree(old_site, ignore_errors=True)


def _refuse_foreign(
    config: Config,
    manifest: Manifest,
    present: Mapping[str, os.stat_result],
    wanted: Mapping[str, Page],
    hashes: Mapping[str, str],
) -> None:
    """Raise SiteError if the folder holds what no build of ours wrote (and the new site is not the same)."""
    ours = manifest.unchanged(present)
    foreign = [
        path
        for path in present
        if path not in ours
        and not (manifest.knows(path) and path in wanted)
        and not (path in wanted and _hash(config.output / path) == hashes[path])
    ]
    if foreign:
        shown = ", ".join(sorted(foreign)[:3]) + (f" and {len(foreign) - 3} more" if len(foreign) > 3 else "")
        raise SiteError(
            Problem(
                "error",
                _shown(config, config.output),
                0,
                "output",
                f"the output folder holds files that no build wrote: {shown}",
                "move them to the content folder, or choose another folder with --output",
            )
        )


def _scan(folder: Path) -> dict[str, os.stat_result]:
    """Return every file below a folder, by its path with forward slashes. Links are not followed."""
    found: dict[str, os.stat_result] = {}
    waiting = [("", str(folder))]
    while waiting:
        prefix, place = waiting.pop()
        try:
            entries = list(os.scandir(place))
        except (FileNotFoundError, NotADirectoryError):
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                waiting.append((f"{prefix}{entry.name}/", entry.path))
            else:
                found[prefix + entry.name] = entry.stat(follow_symlinks=False)
    return found


def _hash(content: bytes | Path) -> str:
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    try:
        with content.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def _size(content: bytes | Path) -> int:
    return len(content) if isinstance(content, bytes) else content.stat().st_size


def _link(source: Path, target: Path) -> None:
    """Let the new site have a file of the old one: as the same file where the disk can do that."""
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        shutil.copy2(source, target)


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


def _remove_empty(folder: Path) -> None:
    for place, _, _ in sorted(os.walk(folder), reverse=True):
        with contextlib.suppress(OSError):
            Path(place).rmdir()


def _same_disk(home: Path, output: Path) -> bool:
    home.mkdir(parents=True, exist_ok=True)
    near = output
    while not near.exists():
        near = near.parent
    return home.stat().st_dev == near.stat().st_dev


def _shown(config: Config, path: Path) -> str:
    return path.relative_to(config.root).as_posix() if path.is_relative_to(config.root) else str(path)
