"""The theme's stylesheets, scripts and pictures -> files whose names say what is in them.

    assets/style.css    ->    /assets/style.1f0c3a9be2.css

A browser may keep such a file for ever: one with other bytes has another name. Stylesheets and scripts are
minified, and where one of them names another (`url(x.woff2)`, `@import "x.css"`, `import "./x.js"`) it gets the
new name. A site's own file takes the place of the theme's of the same name. Names that begin with a dot are
nobody's.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import posixpath
import re
import sys
from collections.abc import Mapping
from dataclasses import field
from functools import lru_cache
from importlib.util import cache_from_source
from pathlib import Path

from builder.frozen import frozen
from builder.model import Config, Page, Problem, SiteError
from builder.style import stylesheet
from builder.whole import write_whole

FOLDER = "assets"
STYLESHEET = "style.css"

_DIGITS = 10  # of a SHA-256 in a name
# Where one file names another, in minified text. In a script only what can be nothing else than such a name.
_NAMES = {
    ".css": re.compile(r"""(?P<before>\burl\(["']?|@import\s*["'])(?P<name>[^"')]+)"""),
    ".js": re.compile(
        r"""(?P<before>\b(?:from|import)\s*\(?\s*["'`]|\bnew URL\(\s*["'`])(?P<name>\.{1,2}/[^"'`]+)"""
    ),
}
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|[/#]", re.IGNORECASE)
_MODULE = re.compile(r"^\s*(?:import|export)\b", re.MULTILINE)


def theme_folder() -> Path:
    """The theme that ships with Fencepost: beside this file in a wheel, at the top of a checkout."""
    here = Path(__file__).resolve().parent
    inside = here / "templates"
    return inside if inside.is_dir() else here.parent / "templates"


def shared_folder() -> Path | None:
    """Where what is made of the theme is kept for all sites: beside this program's modules as Python keeps them.

    None where that folder cannot be written, or is not to be.
    """
    folder = Path(cache_from_source(__file__)).parent
    return folder if not sys.dont_write_bytecode and os.access(folder, os.W_OK) else None


@frozen
class Assets:
    """All assets of a site: {name below assets/: path in the output folder}, and the bytes of each path."""

    paths: Mapping[str, str]
    contents: Mapping[str, bytes] = field(repr=False)

    @classmethod
    def of(cls, config: Config) -> Assets:
        """Return the assets of a site. Raises SiteError for one that names what is not there."""
        files = _files(config)
        stats = tuple((name, file, *_identity(file)) for name, file in files.items())
        return _assets(config.root / ".fencepost", stats, stylesheet(config.style))

    def pages(self) -> tuple[Page, ...]:
        """The files of the output folder."""
        return tuple(Page(path, content) for path, content in self.contents.items())


@lru_cache(maxsize=4)
def _assets(home: Path, files: tuple[tuple[str, Path, int, int], ...], style: str) -> Assets:
    """The assets made of these files; `home` is where minified ones of the site are kept between builds.

    `style` is what the site adds to the theme's stylesheet.
    """
    made = _Making(home, {name: file for name, file, *_ in files}, style)
    paths = {name: made.path(name) for name, *_ in files}
    return Assets(paths, made.contents)


class _Making:
    """The assets being made: one that names others is made behind them."""

    def __init__(self, home: Path, files: Mapping[str, Path], style: str) -> None:
        self._home = home
        self._files = files
        self._style = style
        self._paths: dict[str, str] = {}
        self._begun: list[str] = []
        self.contents: dict[str, bytes] = {}

    def path(self, name: str) -> str:
        """Where the asset `name` is in the output folder."""
        if name not in self._paths:
            if name in self._begun:
                raise self._failure(name, f"is named by `{self._begun[-1]}`, which it names itself")
            self._begun.append(name)
            content = self._content(name)
            stem, suffix = posixpath.splitext(name)
            path = f"{FOLDER}/{stem}.{hashlib.sha256(content).hexdigest()[:_DIGITS]}{suffix}"
            self._paths[name], self.contents[path] = path, content
            self._begun.pop()
        return self._paths[name]

    def _content(self, name: str) -> bytes:
        file = self._files[name]
        try:
            content = file.read_bytes()
        except OSError as error:
            raise self._failure(name, f"cannot be read: {error.strerror}") from None
        pattern = _NAMES.get(file.suffix)
        if pattern is None:
            return content
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise self._failure(name, f"is not UTF-8 (byte {error.start})") from None
        added = self._style if name == STYLESHEET else ""
        text = _minified(text + added, file.suffix, self._kept_in(file, added))
        return pattern.sub(lambda found: found["before"] + self._renamed(found["name"], name), text).encode()

    def _kept_in(self, file: Path, added: str) -> Path | None:
        """Where the minified text of a file is kept between builds; None: nowhere."""
        shared = shared_folder() if file.is_relative_to(theme_folder()) and not added else None
        return shared or (self._home / FOLDER if self._home.is_dir() else None)

    def _renamed(self, reference: str, owner: str) -> str:
        """What `owner` has to say for `reference`, so that it still leads to the same file."""
        if _ELSEWHERE.match(reference):
            return reference
        target = re.split(r"[?#]", reference, maxsplit=1)[0]
        folder = posixpath.dirname(owner)
        name = posixpath.normpath(posixpath.join(folder, target))
        if name not in self._files:
            raise self._failure(owner, f"names `{target}`, which is no file below {FOLDER}/")
        path = posixpath.relpath(self.path(name), f"{FOLDER}/{folder}".rstrip("/"))
        return ("./" if reference.startswith("./") else "") + path + reference[len(target) :]

    def _failure(self, name: str, message: str) -> SiteError:
        file = self._files[name]
        root = self._home.parent
        shown = file.relative_to(root) if file.is_relative_to(root) else file
        return SiteError(Problem("error", shown.as_posix(), 0, "asset", message))


# --- minified ----------------------------------------------------------------------------------


def _minified(text: str, suffix: str, folder: Path | None) -> str:
    """A stylesheet or script, smaller; as it is where it is none that the minifier can read.

    What it became is kept in a folder: the minifier takes some milliseconds to load.
    """
    of = repr((_minifier(), suffix, text)).encode("utf-8", "surrogatepass")
    kept = folder / f"{hashlib.sha256(of).hexdigest()}.minified" if folder else None
    if kept:
        with contextlib.suppress(OSError, UnicodeDecodeError):
            return kept.read_text(encoding="utf-8")
    result = minify_css(text) if suffix == ".css" else minify_js(text)
    if kept:
        with contextlib.suppress(OSError):
            write_whole(kept, result.encode(), shared=True)
    return result


def minify_css(text: str) -> str:
    """A stylesheet without what only people need."""
    return _inside(text, "<style>", "</style>")


def minify_js(text: str) -> str:
    """A script without what only people need; the names that others may see are kept."""
    return _inside(text, '<script type="module">' if _MODULE.search(text) else "<script>", "</script>")


@lru_cache(maxsize=32)
def _inside(text: str, opening: str, closing: str) -> str:
    """The minifier is one of HTML: the text is put into an element and taken out again."""
    import minify_html  # not at the top: most builds find what was minified before

    if closing[:-1] in text.lower():
        return text
    result = minify_html.minify(
        f"{opening}{text}{closing}", minify_css=True, minify_js=True, keep_closing_tags=True
    )
    result = result[result.index(">") + 1 :].removesuffix(closing)
    is_strict = "use strict" in text and "use strict" not in result  # which the minifier takes for nothing
    return text if is_strict else result


@lru_cache(maxsize=1)
def _minifier() -> list[object]:
    """What tells one version of the minifier from another."""
    spec = importlib.util.find_spec("minify_html")
    return [*_identity(Path(spec.origin))] if spec and spec.origin else []


# --- files -------------------------------------------------------------------------------------


def _files(config: Config) -> dict[str, Path]:
    """Name below assets/ -> the file, sorted; the site's own before those that ship."""
    files = {}
    for folder in (theme_folder() / FOLDER, config.templates / FOLDER):
        for file in folder.rglob("*"):
            path = file.relative_to(folder)
            if file.is_file() and not any(part.startswith(".") for part in path.parts):
                files[path.as_posix()] = file
    return dict(sorted(files.items()))


def _identity(file: Path) -> tuple[int, int]:
    stat = file.stat()
    return stat.st_size, stat.st_mtime_ns
