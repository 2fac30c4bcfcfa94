"""What is published: the files that the last build wrote, and what a target wants besides them."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from builder.frozen import frozen
from builder.manifest import Manifest
from builder.model import Config, Problem, SiteError
from builder.whole import write_whole

COPIES: Final = {"gzip": ".gz", "brotli": ".br"}
# Names that hold the hash of what is in the file: see assets.py, and the figures of cells.
_HASHED = re.compile(r"(?:assets/.+\.[0-9a-f]{8,64}\.\w+|figures/[0-9a-f]{64}\.\w+)")
_PACKED = re.compile(r".+\.(?:html|css|js|mjs|json|xml|svg|txt|ico|wasm|md|ipynb|webmanifest)")
_PAGE = re.compile(r".+\.html?(?:\.gz|\.br)?")
_READ_BY_PROGRAMS = re.compile(r"[^/]+\.(?:xml|json|txt)(?:\.gz|\.br)?")
_SMALL = 512  # bytes below which a packed copy is not worth a file


@frozen
class File:
    """One file to publish: its path at the target, and where its bytes are."""

    path: str
    source: Path
    digest: str  # SHA-256
    size: int

    @property
    def hashed(self) -> bool:
        """Does its name say what is in it, so that it may be kept for ever?"""
        return bool(_HASHED.fullmatch(self.path))

    @property
    def page(self) -> bool:
        return bool(_PAGE.fullmatch(self.path))

    @property
    def leads(self) -> bool:
        """Does it lead to other files: a page, a feed, the index of the search?"""
        return self.page or bool(_READ_BY_PROGRAMS.fullmatch(self.path))


def site_files(config: Config) -> dict[str, File]:
    """Return the files of the last build by path. Raises SiteError if there was none."""
    known = Manifest.of(config).files
    if not known:
        hint = "run `fencepost build` first"
        raise SiteError(Problem("error", "", 0, "publish", "there is no site to publish", hint))
    return {path: File(path, config.output / path, digest, size) for path, (digest, size, _) in known.items()}


def with_extras(files: Mapping[str, File], extras: Mapping[str, bytes], folder: Path) -> dict[str, File]:
    """Add small files that only one target has; they are kept below `folder`."""
    added = dict(files)
    for path, content in extras.items():
        source = folder / path
        write_whole(source, content)
        added[path] = File(path, source, hashlib.sha256(content).hexdigest(), len(content))
    return added


def with_copies(files: Mapping[str, File], forms: Iterable[str], folder: Path) -> dict[str, File]:
    """Add packed copies, as nginx serves them (`gzip_static`, `brotli_static`).

    They are kept below `folder` by what they were made of. Raises SiteError where Brotli is not installed.
    """
    added = dict(files)
    forms = tuple(forms)
    kept = set()
    for file in files.values():
        if file.size < _SMALL or not _PACKED.fullmatch(file.path):
            continue
        for form in forms:
            copy = folder / f"{file.digest}{COPIES[form]}"
            if not copy.exists():
                write_whole(copy, _packed(file.source.read_bytes(), form))
            kept.add(copy.name)
            content = copy.read_bytes()
            if len(content) < file.size:
                path = file.path + COPIES[form]
                added[path] = File(path, copy, hashlib.sha256(content).hexdigest(), len(content))
    for copy in folder.iterdir() if forms and folder.is_dir() else ():
        if copy.name not in kept:
            copy.unlink()
    return added


def staged(files: Iterable[File], folder: Path) -> Path:
    """Lay files out in a folder of their own, as hard links where the disk can do that; return the folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for file in files:
        target = folder / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(file.source, target)
        except OSError:
            shutil.copy2(file.source, target)
    return folder


def _packed(content: bytes, form: str) -> bytes:
    if form == "gzip":
        return gzip.compress(content, 9, mtime=0)
    try:
        import brotli
    except ImportError:
        hint = "pip install 'fencepost[brotli]'"
        message = "`copies` names brotli, and the package brotli is not installed"
        raise SiteError(Problem("error", "", 0, "config", message, hint)) from None
    packed: bytes = brotli.compress(content)
    return packed
