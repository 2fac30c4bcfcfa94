"""Diagrams: a fence of Mermaid -> two pictures, for light and for dark pages, drawn when the site is built.

    echo '{"sources": ["flowchart LR; A-->B"]}' | python -m builder.markdown.diagrams

draws them, in a process of its own: the package `mermaidx` runs Mermaid itself, in an engine of its own that a
forked process could not use. Where it is not installed, a page shows the source. Pages have no script for this,
and ask nothing of any host.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from builder.execute.cache import Cache
from builder.execute.keys import digest
from builder.frozen import frozen

LANGUAGE: Final = "mermaid"  # of the fence
RENDERER: Final = "mermaidx"
THEMES: Final = {"light": "neutral", "dark": "dark"}  # of Mermaid
# Labels as text of the SVG: what is shown as a picture has no HTML in it.
SETTINGS: Final = {
    "fontFamily": "sans-serif",
    "htmlLabels": False,
    **{kind: {"htmlLabels": False} for kind in ("flowchart", "class", "state")},
}
SECONDS: Final = 60  # for the diagrams of one post

_ROOM: Final = "diagrams"  # of the cache
_BOX = re.compile(r'viewBox="[\d.-]+ [\d.-]+ ([\d.]+) ([\d.]+)"')
_TITLE = re.compile(r"^\s*(?:accTitle\s*:|(?:pie (?:showData )?)?title )\s*(\w.*)$", re.MULTILINE)


@frozen
class Diagram:
    """A drawn diagram: names of blobs, size in pixels; or why there is none, and whether that lasts."""

    light: str = ""
    dark: str = ""
    width: int = 0
    height: int = 0
    complaint: str = ""
    lasts: bool = True


@cache
def is_available() -> bool:
    """Is there what draws?"""
    return find_spec(RENDERER) is not None


def title_of(source: str) -> str:
    """What a diagram calls itself, or ""."""
    found = _TITLE.search(source)
    return found[1].strip() if found else ""


def diagrams(sources: Sequence[str], cache: Cache) -> list[Diagram]:
    """The diagrams of one post, drawn if they are new."""
    keys = [digest([_version(), SETTINGS, THEMES, source]) for source in sources]
    known = [_known(cache, key) for key in keys]
    new = [source for source, diagram in zip(sources, known, strict=True) if diagram is None]
    drawn = iter(_draw(new) if new else ())
    made = []
    for key, diagram in zip(keys, known, strict=True):
        made.append(diagram or _store(cache, key, next(drawn)))
    return made


def _known(cache: Cache, key: str) -> Diagram | None:
    stored = cache.kept(_ROOM, key)
    if not isinstance(stored, dict):
        return None
    diagram = Diagram(**stored)
    names = filter(None, (diagram.light, diagram.dark))
    return diagram if all(cache.blob(name) is not None for name in names) else None


def _store(cache: Cache, key: str, drawn: dict[str, str]) -> Diagram:
    if "error" in drawn:
        diagram = Diagram(complaint=drawn["error"], lasts="again" not in drawn)
    else:
        box = _BOX.search(drawn["light"])
        width, height = (round(float(number)) for number in box.groups()) if box else (0, 0)
        light, dark = (cache.store_blob(drawn[theme].encode(), "svg") for theme in THEMES)
        diagram = Diagram(light, dark, width, height)
    if diagram.lasts:
        cache.keep(_ROOM, key, {name: getattr(diagram, name) for name in Diagram.__annotations__})
    return diagram


def _draw(sources: Sequence[str]) -> list[dict[str, str]]:
    """Draw in a process of its own: {theme: SVG} of each, or {"error": why not}, and "again" if that may pass."""
    import subprocess  # not at the top: few posts have a diagram

    try:
        done = subprocess.run(
            [sys.executable, "-m", "builder.markdown.diagrams"],
            input=json.dumps({"sources": list(sources)}),
            capture_output=True,
            text=True,
            cwd=Path(__file__).resolve().parents[2],  # where this package is, also in a checkout
            timeout=SECONDS,
            check=True,
        )
        found: list[dict[str, str]] = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        return [{"error": type(error).__name__, "again": "yes"} for _ in sources]
    return found


@cache
def _version() -> str:
    from importlib import metadata  # not at the top: it loads a hundred modules, for a few sites

    return metadata.version(RENDERER)


def _drawn(source: str) -> dict[str, str]:
    import mermaidx

    try:
        drawings = {
            name: mermaidx.render(source, theme=theme, config=SETTINGS).svg()
            for name, theme in THEMES.items()
        }
    except Exception as error:  # Mermaid says what is wrong with a text in many ways
        message = str(error).removeprefix("Mermaid rendering failed: ").strip()
        return {"error": message}
    return drawings


def _main() -> None:
    asked: dict[str, Any] = json.load(sys.stdin)
    json.dump([_drawn(source) for source in asked["sources"]], sys.stdout)


if __name__ == "__main__":
    _main()
