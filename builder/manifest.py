"""The manifest: which files of the output folder builds of ours wrote, and how they were then.

It lies outside the folder. What it does not name is somebody's, and is never removed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TypeAlias

from builder.kept import read_kept, write_kept
from builder.model import Config
from builder.state import Lookout
from builder.whole import write_whole

FileId: TypeAlias = tuple[str, int, int]  # SHA-256, size in bytes, time of change in ns


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
        files, folders = scan(folder)
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
    mine = manifest.unchanged(scan(config.output)[0])
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


def scan(folder: Path) -> tuple[dict[str, os.stat_result], dict[str, int]]:
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


def _same_disk(home: Path, output: Path) -> bool:
    home.mkdir(parents=True, exist_ok=True)
    near = output
    while not near.exists():
        near = near.parent
    return home.stat().st_dev == near.stat().st_dev


def _name_of(config: Config) -> str:
    """What the files of one output folder are called; a site may be moved as a whole."""
    return hashlib.sha256(os.fsencode(shown(config))).hexdigest()[:12]


def shown(config: Config) -> str:
    output = config.output
    return output.relative_to(config.root).as_posix() if output.is_relative_to(config.root) else str(output)
