"""Which files of a folder of Jekyll's are posts and pages, which are copied, and which are left out.

What is left out though it looks like something to publish is told once, all of it in one message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from builder.jekyll.rules import HTML, is_dated, is_left_out, place_of
from builder.model import Config, Jekyll, Problem

# Our own files at the top of the folder.
_OURS: Final = ("fencepost.toml", "pyproject.toml")
_HEADER = re.compile(rb"(?:\xef\xbb\xbf)?---\s*\r?\n")
_SPECIAL: Final = ("_posts", "_drafts")


@dataclass
class Chosen:
    """The roles that files have, and what was left out, by the reason."""

    undated: list[str] = field(default_factory=list)
    templates: list[str] = field(default_factory=list)

    def role(self, path: str, file: Path, jekyll: Jekyll) -> str:
        """Return "post" for what becomes a page, "file" for what is copied, "" for what is left out."""
        place = place_of(path, jekyll)
        is_text = path.lower().endswith((*jekyll.suffixes, *HTML))
        if place.kind in ("post", "draft"):
            if not is_text:
                return ""
            if place.kind == "post" and not is_dated(path):
                self.undated.append(path)
                return ""
            return "post"
        if not _has_header(file):
            return "file"
        if is_text:
            return "post"
        self.templates.append(path)
        return ""

    def problems(self) -> Iterator[Problem]:
        """Yield one Problem for each reason, with all its files."""
        told = (
            (self.undated, "has no date in its name", "have no date in their names", "_posts"),
            (self.templates, "is a template of Jekyll's", "are templates of Jekyll's", ""),
        )
        for paths, one, many, where in told:
            if not paths:
                continue
            which = f"{paths[0]} {one}" if len(paths) == 1 else f"{len(paths)} files {many}"
            detail = "\n".join(paths) if len(paths) > 1 else ""
            yield Problem("warning", where, 0, "file", f"{which}: left out", detail=detail)


def is_ours(path: str, folder: bool, config: Config) -> bool:
    """Is what lies at `path` of a site whose content is its whole folder a file or folder of Fencepost's?"""
    if folder:
        return config.root / path in (config.output, config.templates, config.freeze)
    return path in _OURS


def is_skipped(path: str, folder: bool, config: Config) -> bool:
    """Is the file or folder at `path` (from the site's root) not even to be looked at?"""
    jekyll = config.jekyll
    assert jekyll is not None
    first, _, rest = path.partition("/")
    name = path.rpartition("/")[2]
    if is_ours(path, folder, config):
        return True
    if folder and (name in _SPECIAL or (not rest and path[1:] in jekyll.collections and path[0] == "_")):
        return False
    if first.startswith("_") and not rest and not folder:
        return True
    return is_left_out(path, jekyll)


def _has_header(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            return _HEADER.match(stream.readline(1000)) is not None
    except OSError:
        return False
