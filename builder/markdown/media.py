"""The pictures and diagrams of one post: what rendering asks the site for, and what the post depends on so."""

from __future__ import annotations

import posixpath
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Final
from urllib.parse import unquote

from builder.execute.cache import Cache
from builder.execute.keys import Input
from builder.frozen import frozen
from builder.markdown.diagrams import LANGUAGE, RENDERER, Diagram, diagrams, is_available
from builder.markdown.images import Images, Picture, is_image
from builder.markdown.pictures import Find
from builder.model import Config, Post, Problem
from builder.urls import leads_out

# Of Jekyll, which sets names of emoji where it has this plugin.
_JEMOJI: Final = "jemoji"
# What may be the address of an image file in a text, for those that are to be made ahead.
_ADDRESS = re.compile(r"""[^\s"'()<>{}=]+\.(?:jpe?g|png|webp|gif|avif)\b""", re.IGNORECASE)


@frozen
class Media:
    """What rendering asks of the site.

    find    (address as written, line) -> the image file that it names, if there is one
    draw    sources of diagrams -> the diagrams; None: they are shown as they are written
    macros  commands of TeX, without their backslash; None: mathematics is left to a script of the site's own
    emoji   are names of emoji set as characters?
    """

    find: Find = lambda address, line: None
    draw: Callable[[Sequence[str]], Sequence[Diagram]] | None = None
    macros: Mapping[str, str] | None = field(default_factory=dict)
    emoji: bool = True


class PostMedia:
    """What one post, published at `url`, is given, and what came of it.

    inputs      the files that it depends on so
    files       names of the blobs that its page shows
    problems    what is wrong with them
    lasts       False: it is to be made again next time
    """

    def __init__(self, post: Post, url: str, config: Config, images: Images, cache: Cache) -> None:
        self.inputs: dict[Input, None] = {}
        self.files: dict[str, None] = {}
        self.problems: list[Problem] = []
        self.lasts = True
        self._post = post
        self._url = url
        self._config = config
        self._images = images
        self._cache = cache
        self._known: dict[str, Picture | None] = {}
        if LANGUAGE in post.markdown:
            self.inputs["import", RENDERER] = None

    def media(self) -> Media:
        """What rendering is given."""
        macros = self._post.front_matter.extra.get("macros")
        own = (
            {name: text for name, text in macros.items() if isinstance(text, str)}
            if isinstance(macros, dict)
            else {}
        )
        return Media(
            self.find,
            self.draw if is_available() else None,
            None if self._config.math == "tex" else {**self._config.macros, **own},
            not self._post.kramdown or has_jemoji(self._config),
        )

    def find(self, address: str, line: int) -> Picture | None:
        """The image file of this site that an address names; what the page shows of it is noted."""
        if address not in self._known:
            picture = self._known[address] = self._found(address)
            if picture is not None:
                self.files.update(dict.fromkeys(picture.files))
                if picture.complaint:
                    message = f"the picture `{address}` {picture.complaint}"
                    self.problems.append(Problem("warning", self._post.path, line, "image", message))
        return self._known[address]

    def draw(self, sources: Sequence[str]) -> Sequence[Diagram]:
        """The diagrams of the post."""
        drawn = diagrams(sources, self._cache)
        self.files.update(dict.fromkeys(name for one in drawn for name in (one.light, one.dark) if name))
        self.lasts = self.lasts and all(diagram.lasts for diagram in drawn)
        return drawn

    def _found(self, address: str) -> Picture | None:
        for path in image_paths(address, self._post.path, self._config, self._url):
            self.inputs["picture", path] = None
            if (self._config.root / path).is_file():
                return self._images.picture(path)
        return None


def has_jemoji(config: Config) -> bool:
    """Is this a folder of Jekyll's whose site sets names of emoji?"""
    settings = config.jekyll.settings if config.jekyll else {}
    plugins = [settings.get("plugins"), settings.get("gems")]
    return any(isinstance(names, list) and _JEMOJI in names for names in plugins)


def image_paths(address: str, source: str, config: Config, url: str = "") -> Iterator[str]:
    """Where in the site the image file may lie that the file `source`, published at `url`, gives an address of."""
    path = re.split(r"[?#]", address, maxsplit=1)[0]
    if leads_out(address) or not is_image(path):
        return
    content = config.content.relative_to(config.root).as_posix()
    path = unicodedata.normalize("NFC", unquote(path))
    if config.baseurl and path.startswith(f"{config.baseurl}/"):
        path = path.removeprefix(config.baseurl)
    if path.startswith("/"):
        tried = [content + path, path]
    else:
        tried = [f"{posixpath.dirname(source)}/{path}"]
        if url:
            tried.append(f"{content}{url[: url.rindex('/')]}/{path}")
    for place in dict.fromkeys(posixpath.normpath(place.lstrip("/")) for place in tried):
        if place.startswith(f"{content}/") or (content == "." and not place.startswith("..")):
            yield place


def images_in(text: str, source: str, config: Config, files: Iterable[str]) -> Iterator[str]:
    """Those of the image files `files` that a text seems to show."""
    for found in _ADDRESS.finditer(text):
        yield from (path for path in image_paths(found[0], source, config) if path in files)
