"""The links of the built site: does each lead somewhere?

    pages      every HTML file and feed of the output folder -> its links, images and ids
    inside     a link into the site leads to a file of it, and its fragment to an id there
    outside    other sites are asked on request: outside.py

A broken link is told where the author wrote it; one that a template made, at the first page that has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urljoin, urlsplit
from xml.etree import ElementTree

from builder.frozen import frozen
from builder.manifest import Manifest
from builder.memo import Memo
from builder.model import Config, Level, Problem, SiteError
from builder.urls import output_path
from builder.workers import spread

_ADDRESSES: Final[Mapping[str, tuple[str, ...]]] = {
    "a": ("href",),
    "area": ("href",),
    "audio": ("src",),
    "iframe": ("src",),
    "img": ("src", "srcset"),
    "link": ("href",),
    "script": ("src",),
    "source": ("src", "srcset"),
    "video": ("src", "poster"),
}
_PLACEHOLDER_HOST: Final = "http://site.invalid"
_ATOM: Final = "{http://www.w3.org/2005/Atom}"
_SITEMAP: Final = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


@frozen
class Link:
    """An address in a page, and the line of that page."""

    address: str
    line: int
    image: bool = False


@frozen
class Read:
    """What one file of the site holds: links, and the places in it that links may lead to."""

    path: str
    links: tuple[Link, ...]
    ids: frozenset[str] = frozenset()
    fault: str = ""  # why it cannot be read


@frozen
class Checked:
    """What checking came to."""

    pages: int
    links: int
    problems: tuple[Problem, ...]


@dataclass
class _Place:
    """A broken link, and the pages that have it from a template."""

    problem: Problem
    more: set[str] = field(default_factory=set)


def check_links(config: Config, *, external: bool = False, jobs: int = 1) -> Checked:
    """Check the links of what the last build wrote; `external` ones are asked for over the network.

    Raises SiteError if there is no built site.
    """
    files = sorted(Manifest.of(config).files)
    if not files:
        raise SiteError(
            Problem("error", "", 0, "links", "there is no built site", "run `fencepost build` first")
        )
    names = [name for name in files if name.endswith((".html", ".xml"))]
    pages = [page for part in spread(_Reader(config.output), names, jobs) for page in part]
    sources = _Sources.of(config)
    site = _Site(config, files, {page.path: page.ids for page in pages})
    found: list[Problem] = []
    places: dict[tuple[str, Level], _Place] = {}
    outside: dict[str, list[tuple[Read, Link]]] = {}
    for page in pages:
        if page.fault:
            found.append(Problem("error", f"{site.folder}/{page.path}", 0, "links", page.fault))
        for link in page.links:
            complaint, elsewhere = site.follow(page.path, link)
            if elsewhere:
                outside.setdefault(elsewhere, []).append((page, link))
            elif complaint:
                _tell(complaint, "error", page, link, site.folder, sources, found, places)
    if external:
        from builder.outside import ask_all

        for address, answer in ask_all(sorted(outside), config.root / ".fencepost" / "links.json").items():
            if answer.complaint:
                level: Level = "error" if answer.gone else "warning"
                for page, link in outside[address]:
                    complaint = f"leads to nothing: `{address}`: {answer.complaint}"
                    _tell(complaint, level, page, link, site.folder, sources, found, places)
    for place in places.values():
        more = f" (on {len(place.more)} pages)" if len(place.more) > 1 else ""
        found.append(replace(place.problem, message=place.problem.message + more))
    found.sort(key=lambda problem: problem.place)
    return Checked(len(pages), sum(len(page.links) for page in pages), tuple(dict.fromkeys(found)))


def _tell(
    complaint: str,
    level: Level,
    page: Read,
    link: Link,
    folder: str,
    sources: _Sources,
    found: list[Problem],
    places: dict[tuple[str, Level], _Place],
) -> None:
    """Tell of a link at the line where its author wrote it, or once for all pages of a template."""
    path, line = sources.line(page.path, link.address)
    if line:
        found.append(Problem(level, path, line, "link", complaint))
        return
    problem = Problem(level, f"{folder}/{page.path}", link.line, "link", complaint)
    places.setdefault((complaint, level), _Place(problem)).more.add(page.path)


# --- reading -----------------------------------------------------------------------------------


class _Reader:
    """Reads files of the site; may be sent to another process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, names: Sequence[str]) -> list[list[Read]]:
        return [[self._read(name)] for name in names]

    def _read(self, name: str) -> Read:
        try:
            text = (self._folder / name).read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            return Read(name, (), fault=f"cannot be read: {error.strerror}")
        return read_html(name, text) if name.endswith(".html") else read_xml(name, text)


class _Page(HTMLParser):
    """Collects the links and the ids of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.links: list[Link] = []
        self.ids: set[str] = set()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        self.ids |= {value for value in (given.get("id"), given.get("name") if tag == "a" else None) if value}
        relation = (given.get("rel") or "").split()
        if tag == "link" and {"preconnect", "dns-prefetch", "canonical"} & set(relation):
            return
        for name in _ADDRESSES.get(tag, ()):
            value = given.get(name)
            if value is None:
                continue
            addresses = _of_srcset(value) if name == "srcset" else [value]
            self.links += [
                Link(address.strip(), self.getpos()[0], tag in ("img", "source")) for address in addresses
            ]


def read_html(name: str, text: str) -> Read:
    """Return the links and ids of a page."""
    page = _Page()
    page.feed(text)
    page.close()
    return Read(name, tuple(page.links), frozenset(page.ids))


def read_xml(name: str, text: str) -> Read:
    """Return the links of a feed, and of the HTML in it, or of a site map; nothing of other XML."""
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        return Read(name, (), fault=f"is no XML: {error}")
    links = [element.get("href", "") for element in root.iter(f"{_ATOM}link")]
    links += [element.text or "" for element in root.iter(f"{_SITEMAP}loc")]
    found = [Link(address.strip(), 0) for address in links]
    for content in root.iter(f"{_ATOM}content"):
        if content.get("type") == "html":
            found += [replace(link, line=0) for link in read_html(name, content.text or "").links]
    return Read(name, tuple(found))


def _of_srcset(value: str) -> list[str]:
    """The addresses of `a.png 1x, b.png 2x`."""
    return [candidate.split()[0] for candidate in value.split(", ") if candidate.split()]


# --- following ---------------------------------------------------------------------------------


class _Site:
    """The files of the site, as a web server shows them."""

    def __init__(self, config: Config, files: Iterable[str], ids: Mapping[str, frozenset[str]]) -> None:
        output, root = config.output, config.root
        self.folder = output.relative_to(root).as_posix() if output.is_relative_to(root) else str(output)
        self._config = config
        self._files = frozenset(files)
        self._ids = ids
        self._host = urlsplit(config.url).netloc

    def follow(self, path: str, link: Link) -> tuple[str, str]:
        """Return what is wrong with a link ("": nothing), and the address outside that it leads to, or ""."""
        base = f"{_PLACEHOLDER_HOST}{self._config.baseurl}/{path.removesuffix('index.html')}"
        try:
            parts = urlsplit(urljoin(base, link.address))
        except ValueError:
            return f"is no address: `{link.address}`", ""
        if parts.scheme not in ("http", "https"):
            return "", ""
        if parts.netloc not in (urlsplit(_PLACEHOLDER_HOST).netloc, self._host):
            return "", parts._replace(fragment="").geturl()
        decoded = unquote(parts.path)
        below = decoded.removeprefix(self._config.baseurl)
        if not f"{decoded}/".startswith(f"{self._config.baseurl}/"):
            # Another site on the same host: known only where the host is.
            return "", f"{self._config.url}{parts.path}" if self._host else ""
        target = self._file(below.lstrip("/"))
        if target is None:
            what = "shows no picture" if link.image else "leads to nothing"
            return f"{what}: `{link.address}`", ""
        return self._fragment(target, unquote(parts.fragment), link), ""

    def _fragment(self, target: str, fragment: str, link: Link) -> str:
        if fragment in ("", "top") or fragment.startswith(":~:") or target not in self._ids:
            return ""
        if not target.endswith(".html") or fragment.partition(":~:")[0] in self._ids[target]:
            return ""
        return f"leads to no place in its page: `{link.address}`"

    def _file(self, path: str) -> str | None:
        names = (
            [f"{path}index.html"]
            if path.endswith("/") or not path
            else [path, f"{path}.html", f"{path}/index.html"]
        )
        return next((name for name in names if name in self._files), None)


class _Sources:
    """Where in the Markdown the links of a page are written."""

    def __init__(self, config: Config, memo: Memo) -> None:
        self._root = config.root
        self._paths: dict[str, str] = {}
        self._lines: dict[str, dict[str, int]] = {}
        self._texts: dict[str, list[str]] = {}
        for path, known in memo.posts.items():
            if known.article is not None:
                self._paths[output_path(known.article.url)] = path
                lines = self._lines.setdefault(path, {})
                for address, (_, line) in zip(memo.addresses.get(path, ()), known.links, strict=False):
                    lines.setdefault(address, line)

    @classmethod
    def of(cls, config: Config) -> _Sources:
        """Read what the last build knew, frozen or not."""
        memo = Memo.read(config, frozen=False)
        return cls(config, memo if memo.posts else Memo.read(config, frozen=True))

    def line(self, page: str, address: str) -> tuple[str, int]:
        """Return the path and line of a link of a page; line 0 if no Markdown says it."""
        path = self._paths.get(page, "")
        if not path:
            return "", 0
        known = self._lines[path].get(address)
        return path, known or next(self._search(path, address), 0)

    def _search(self, path: str, address: str) -> Iterator[int]:
        if path not in self._texts:
            try:
                text = (self._root / path).read_text(encoding="utf-8-sig", errors="replace")
            except OSError:
                text = ""
            self._texts[path] = text.split("\n")
        wanted = {address, unquote(address)}
        return (n for n, line in enumerate(self._texts[path], 1) if any(word in line for word in wanted))
