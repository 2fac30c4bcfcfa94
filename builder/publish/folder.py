"""A plain folder as a target. Every file is put in place by a rename: whole, or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from builder.publish.files import File
from builder.publish.plan import Plan, PublishError, There
from builder.publish.record import NAME, parse_record, record_text, under_way

_NEW = ".fencepost-new"


class Folder:
    """A folder of this machine, or one that is mounted."""

    def __init__(self, folder: Path) -> None:
        self.where = os.path.normpath(folder)
        self._folder = folder

    def extras(self) -> Mapping[str, bytes]:
        return {}

    def look(self, files: Mapping[str, File]) -> There:
        with _told():
            self._tidy()
            record = self._folder / NAME
            known = parse_record(record.read_bytes() if record.is_file() else None)
            same = {path for path, file in files.items() if path in known and self._holds(file)}
            foreign = {path for path, file in files.items() if path not in known and self._has_another(file)}
        return There(frozenset(same), known, frozenset(foreign))

    def send(self, plan: Plan) -> None:
        with _told():
            self._write(NAME, under_way(plan.there.known, plan.touched))
            self._remove(plan.removed_first)
            for file in plan.sends:
                self._write(file.path, file.source)
            self._remove(plan.removed_last)
            self._write(NAME, record_text(plan.record))

    def _holds(self, file: File) -> bool:
        place = self._folder / file.path
        try:
            if place.is_symlink() or place.stat().st_size != file.size:
                return False
            with place.open("rb") as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest() == file.digest
        except OSError:
            return False

    def _has_another(self, file: File) -> bool:
        place = self._folder / file.path
        return os.path.lexists(place) and not place.is_dir() and not self._holds(file)

    def _write(self, path: str, content: bytes | Path) -> None:
        place = self._folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        temporary = place.with_name(_NEW)  # one at a time: what a killed publish left is written over
        if isinstance(content, bytes):
            temporary.write_bytes(content)
        else:
            shutil.copyfile(content, temporary)
        temporary.replace(place)

    def _remove(self, paths: Iterable[str]) -> None:
        for path in paths:
            place = self._folder / path
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                place.unlink()
            for parent in place.parents:
                if parent == self._folder:
                    break
                try:
                    parent.rmdir()
                except OSError:
                    break

    def _tidy(self) -> None:
        """Remove what a killed publish has left half written."""
        for left in self._folder.rglob(_NEW):
            left.unlink()


@contextlib.contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise PublishError(f"{error.filename or 'the folder'}: {error.strerror}") from error
