"""A folder of another machine as a target, through rsync over SSH.

rsync itself says which files differ, by their bytes; each is put in place by a rename.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from builder.publish.files import File, staged
from builder.publish.plan import Plan, There
from builder.publish.programs import run
from builder.publish.record import NAME, parse_record, record_text, under_way

_HINT = "does `rsync` to this address work by hand?"
_VANISHED = (0, 24)  # what it says of a file to remove whose folder is missing here
_NOT_THERE = (23,)  # of a file that it could not read


class Rsync:
    """`user@host:/folder`; `shell` is the command that reaches the host."""

    def __init__(self, home: Path, address: str, shell: str) -> None:
        self.where = address
        self._address = address.rstrip("/") + "/"
        self._shell = shell
        self._stage = home / "stage"
        self._own = home / "own"

    def extras(self) -> Mapping[str, bytes]:
        return {}

    def look(self, files: Mapping[str, File]) -> There:
        known = parse_record(self._record())
        staged(files.values(), self._stage)
        # `<f+++++++++ a.html`: a file would be sent (`>f` to this machine), and it is new there. `--force` is no
        # danger in a question, and gets an answer where a file is to take the place of a folder.
        asked = ("--dry-run", "--checksum", "--force", "--out-format=%i %n")
        would = self._rsync(*asked, paths=files, source=self._stage).decode("utf-8", "surrogateescape")
        lines = [line.split(" ", 1) for line in would.split("\n") if line[1:2] == "f"]
        changes = {path: how for how, path in lines}
        foreign = {path for path, how in changes.items() if "+++" not in how and path not in known}
        return There(frozenset(files.keys() - changes.keys()), known, frozenset(foreign))

    def send(self, plan: Plan) -> None:
        self._put_record(under_way(plan.there.known, plan.touched))
        self._remove(plan.removed_first)
        for files in (plan.assets, plan.new, plan.changed):
            if files:
                # Not by time and size: what differs is known, and the times say nothing.
                self._rsync("--ignore-times", paths=[file.path for file in files], source=self._stage)
        self._remove(plan.removed_last)
        self._put_record(record_text(plan.record))

    def _remove(self, paths: Sequence[str]) -> None:
        if paths:
            empty = self._own / "empty"  # where all of them are missing
            empty.mkdir(parents=True, exist_ok=True)
            self._rsync("--delete-missing-args", paths=_with_folders(paths), source=empty, fine=_VANISHED)

    def _record(self) -> bytes | None:
        """The record at the target; None if there is none."""
        own = self._own / NAME
        own.parent.mkdir(parents=True, exist_ok=True)
        own.unlink(missing_ok=True)
        command = ["rsync", *self._reaching(), "--ignore-times", self._address + NAME, str(own)]
        run(command, folder=self._own, hint=_HINT, may_fail=_NOT_THERE)
        return own.read_bytes() if own.exists() else None

    def _put_record(self, content: bytes) -> None:
        own = self._own / NAME
        own.write_bytes(content)
        self._rsync("--ignore-times", paths=[NAME], source=self._own)

    def _rsync(self, *options: str, paths: Iterable[str], source: Path, fine: Sequence[int] = (0,)) -> bytes:
        """Run rsync on those paths below a folder of ours."""
        given = "".join(f"{path}\0" for path in paths).encode("utf-8", "surrogateescape")
        command = [
            "rsync",
            *self._reaching(),
            *options,
            "--from0",
            "--files-from=-",
            f"{source}/",
            self._address,
        ]
        return run(command, folder=source, given=given, hint=_HINT, fine=fine) or b""

    def _reaching(self) -> Sequence[str]:
        """What all calls have in common: names as they are, folders made, and how the host is reached."""
        remote = ":" in self._address.split("/")[0]
        return ["--8-bit-output", "--mkpath", "--chmod=D755,F644", *(["-e", self._shell] if remote else [])]


def _with_folders(paths: Iterable[str]) -> list[str]:
    """Paths to remove, and the folders that may be empty then, the deepest first: rsync leaves others alone."""
    paths = list(paths)
    folders = {str(parent) for path in paths for parent in PurePosixPath(path).parents} - {"."}
    return [*paths, *sorted(folders, key=lambda folder: -folder.count("/"))]
