"""What a publish would do: the files to send, in their order, and those to remove.

assets     what pages refer to comes first
new        pages that are not there yet: nothing leads to them before the next step
changed    pages that are there, feeds, the index of the search
removed    what we sent once and the site has no more, at the very end
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import field
from pathlib import Path, PurePosixPath
from typing import Protocol

from builder.frozen import frozen
from builder.publish.files import File
from builder.publish.record import NAME

_NOWHERE = Path()


class PublishError(Exception):
    """A target that cannot be reached, or does not take the site: what to tell, and what to do about it."""

    def __init__(self, message: str, hint: str = "", detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.detail = detail


@frozen
class There:
    """What stands at a target: which files are as they are to be, which we sent once, which are foreign."""

    same: frozenset[str]
    known: Mapping[str, str]  # the record
    foreign: frozenset[str] = frozenset()  # of the paths asked for, those that somebody else put there


@frozen
class Plan:
    """The steps of one publish."""

    assets: tuple[File, ...]
    new: tuple[File, ...]
    changed: tuple[File, ...]
    removed: tuple[str, ...]
    files: Mapping[str, File] = field(repr=False)  # all that is to stand there in the end
    there: There = field(repr=False)

    @property
    def sends(self) -> tuple[File, ...]:
        return self.assets + self.new + self.changed

    @property
    def unchanged(self) -> int:
        return len(self.files) - len(self.sends)

    @property
    def empty(self) -> bool:
        """Is there nothing to do? Then not even the record is written."""
        return not self.sends and not self.removed and self.record == self.there.known

    @property
    def record(self) -> dict[str, str]:
        """What the target's record is to say in the end."""
        return {path: file.digest for path, file in self.files.items()}

    @property
    def touched(self) -> tuple[str, ...]:
        return (*(file.path for file in self.sends), *self.removed)

    @property
    def removed_first(self) -> tuple[str, ...]:
        """What has to be removed before anything is sent: a file whose name is now a folder's, or was one's."""
        sent = {file.path for file in self.sends}
        folders = {parent for path in sent for parent in _parents(path)}
        return tuple(path for path in self.removed if path in folders or not sent.isdisjoint(_parents(path)))

    @property
    def removed_last(self) -> tuple[str, ...]:
        first = set(self.removed_first)
        return tuple(path for path in self.removed if path not in first)

    @property
    def pages_lost(self) -> tuple[int, int]:
        """How many pages would go, and of how many."""
        pages = [path for path in self.there.known if File(path, _NOWHERE, "", 0).page]
        return sum(path not in self.files for path in pages), len(pages)


class Target(Protocol):
    """A place that takes a site."""

    where: str  # for people

    def extras(self) -> Mapping[str, bytes]:
        """Return small files that belong to this target besides those of the site."""

    def look(self, files: Mapping[str, File]) -> There:
        """Return what stands there now. Raises PublishError."""

    def send(self, plan: Plan) -> None:
        """Carry out a plan that is not empty. Raises PublishError."""


def plan(files: Mapping[str, File], there: There) -> Plan:
    """Return what has to be done so that the target holds `files`, and nothing else of ours."""
    wanted = [file for path, file in sorted(files.items()) if path not in there.same]
    return Plan(
        assets=tuple(file for file in wanted if not file.leads),
        new=tuple(file for file in wanted if file.page and file.path not in there.known),
        changed=tuple(_last_first(f for f in wanted if f.leads and (not f.page or f.path in there.known))),
        removed=tuple(sorted(path for path in there.known if path not in files and path != NAME)),
        files=files,
        there=there,
    )


def shown(address: str) -> str:
    """An address for people, and for the logs of a CI: without a user, since tokens stand in their place."""
    return re.sub(r"://[^/]*@", "://", address)


def _parents(path: str) -> list[str]:
    return [str(parent) for parent in PurePosixPath(path).parents[:-1]]


def _last_first(files: Iterable[File]) -> list[File]:
    """The deepest pages first: lists and the home page, which lead to them, come behind them."""
    return sorted(files, key=lambda file: (not file.page, -file.path.count("/"), file.path))
