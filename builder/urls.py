"""URLs: where a post is published, which file that is, and where a link leads.

Inside the program a URL is decoded, in NFC, begins with "/" and has no `baseurl`; only `href` and
`absolute` make the percent-encoded form that pages and feeds show.
"""

from __future__ import annotations

import posixpath
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import date as Date
from datetime import datetime, time, tzinfo
from functools import lru_cache
from typing import Final
from urllib.parse import quote, unquote

from builder.model import Config, FrontMatter

STYLES: Final[Mapping[str, str]] = {
    "date": "/:categories/:year/:month/:day/:title:output_ext",
    "pretty": "/:categories/:year/:month/:day/:title/",
    "ordinal": "/:categories/:year/:y_day/:title:output_ext",
    "none": "/:categories/:title:output_ext",
}
_DATE_PARTS: Final[Mapping[str, Callable[[datetime], str]]] = {
    "year": lambda date: f"{date.year:04}",
    "month": lambda date: f"{date.month:02}",
    "day": lambda date: f"{date.day:02}",
    "i_month": lambda date: str(date.month),
    "i_day": lambda date: str(date.day),
    "short_year": lambda date: f"{date.year % 100:02}",
    "hour": lambda date: f"{date.hour:02}",
    "minute": lambda date: f"{date.minute:02}",
    "second": lambda date: f"{date.second:02}",
    "y_day": lambda date: f"{date.timetuple().tm_yday:03}",
}
PLACEHOLDERS: Final = frozenset({"categories", "title", "slug", "output_ext", *_DATE_PARTS})

_PLACEHOLDER = re.compile(r":([a-z]+(?:_[a-z]+)*)")
_DATED_NAME = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})-(.+)", re.DOTALL)
_MARKDOWN_SUFFIX = re.compile(r"\.(?:md|markdown)\Z", re.IGNORECASE)
_FILE_SUFFIX = re.compile(r"\.(?:html?|xml|json|txt)\Z")  # of pages that are no folder: the feed, a 404 page
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_OUTWARD = re.compile(r"https?://[^\s/]|mailto:[^\s@]+@", re.IGNORECASE)
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")  # halves of characters, too
_PATH_CHARACTERS = "/~!$&'()*+,;=:@"  # RFC 3986: what a path may hold as it is

_LONGEST_SEGMENT = 255  # bytes of one file name on every common file system
_LONGEST_PATH = 1024


# --- names of files --------------------------------------------------------------------------


def date_in_name(path: str) -> Date | None:
    """The date at the beginning of a file's name; None if there is none, or no such day."""
    return _dated_name(path)[0]


def date_of(front_matter: FrontMatter, path: str, zone: tzinfo) -> datetime:
    """When a file is dated: by its front matter, else by its name at midnight in `zone`, else 1970."""
    if front_matter.date is not None:
        return front_matter.date.astimezone(zone)
    day = date_in_name(path)
    # The first and last year have no room for another time zone.
    if day is None or not 1 < day.year < 9999:
        return datetime(1970, 1, 1, tzinfo=zone)
    return datetime.combine(day, time(), zone)


def slug(path: str) -> str:
    """The name of a file without its folders, date and Markdown ending, its case kept."""
    return _dated_name(path)[1]


def _dated_name(path: str) -> tuple[Date | None, str]:
    name = _MARKDOWN_SUFFIX.sub("", path.rpartition("/")[2])
    if match := _DATED_NAME.fullmatch(name):
        year, month, day, rest = match.groups()
        try:
            return Date(int(year), int(month), int(day)), rest
        except ValueError:
            pass
    return None, name


# --- permalinks ------------------------------------------------------------------------------


def permalink(pattern: str, front_matter: FrontMatter, path: str, *, page: bool, date: datetime) -> str:
    """The URL of a post or page: decoded, NFC, beginning with "/".

    The front matter's own `permalink` wins; a page has its path below `pages/`; a post follows
    `pattern`, a style of Jekyll (`pretty`) or a text with placeholders (`/:categories/:title/`).
    Raises ValueError with a sentence for a URL that is no safe place below the output folder.
    """
    if front_matter.permalink:
        template = front_matter.permalink
    elif page:
        return clean_path(_page_path(path))
    else:
        template = STYLES.get(pattern, pattern)
    # The values are plain text (a file may be called "100%25.md"), so only the template is decoded.
    template = _local_path(template)
    return clean_path(
        _PLACEHOLDER.sub(lambda match: _value(match[1], front_matter, path, date, match[0]), template)
    )


def check_pattern(pattern: str) -> None:
    """Raises ValueError with a sentence if `pattern` is no permalink pattern for a whole site."""
    template = STYLES.get(pattern, pattern)
    clean_path(_local_path(template))
    names = _PLACEHOLDER.findall(template)
    for name in names:
        if name not in PLACEHOLDERS:
            import difflib

            near = difflib.get_close_matches(name, sorted(PLACEHOLDERS), 1)
            raise ValueError(f"no placeholder is called `:{name}`" + (f", only `:{near[0]}`" if near else ""))
    if not {"title", "slug"} & set(names):
        raise ValueError("all posts would have one URL: `:title` or `:slug` is missing")


def clean_path(text: str) -> str:
    """`text` as a URL path: NFC, one "/" before every segment, safe below the output folder.

    Raises ValueError with a sentence if it holds `..`, a backslash or control characters, also
    behind (one more) percent-encoding, or if a part is too long to be the name of a file.
    """
    url = re.sub("/+", "/", "/" + unicodedata.normalize("NFC", text))
    for form in (url, unquote(url)):
        if _CONTROL.search(form):
            raise ValueError(f"the URL {url!r} holds a control character")
        if "\\" in form:
            raise ValueError(f"the URL `{url}` holds a backslash")
        if {".", ".."} & set(form.split("/")):
            raise ValueError(f"the URL `{url}` holds a `.` or `..` segment")
    file = output_path(url)
    if any(len(segment.encode()) > _LONGEST_SEGMENT for segment in file.split("/")):
        raise ValueError(f"the URL `{url[:40]}…` has a part of more than {_LONGEST_SEGMENT} bytes")
    if len(file.encode()) > _LONGEST_PATH:
        raise ValueError(f"the URL `{url[:40]}…` is longer than {_LONGEST_PATH} bytes")
    return url


def output_path(url: str) -> str:
    """The file of the output folder that a web server shows at `url` (as GitHub Pages and Jekyll do)."""
    if url.endswith("/"):
        return url[1:] + "index.html"
    return url[1:] if _FILE_SUFFIX.search(url) else url[1:] + ".html"


@lru_cache(maxsize=64)  # a site has one for all its posts
def _local_path(template: str) -> str:
    """`template` percent-decoded. Raises ValueError if it names a host or is not UTF-8."""
    try:
        decoded = unquote(template, errors="strict")
    except UnicodeDecodeError:
        raise ValueError(f"the URL `{template}` is not UTF-8 when it is decoded") from None
    if decoded.startswith("//") or _SCHEME.match(decoded):
        raise ValueError(f"the URL `{template}` names a host; a permalink is a path like `/about/`")
    return decoded


def _page_path(path: str) -> str:
    """`content/pages/a/b.md` -> `a/b/`; an `index.md` stands for its folder."""
    folders = path.split("/")[:-1]
    below = folders[folders.index("pages") + 1 :] if "pages" in folders else []
    name = _MARKDOWN_SUFFIX.sub("", path.rpartition("/")[2])
    return "/".join([*below, *([] if name == "index" else [name]), ""])


def _value(name: str, front_matter: FrontMatter, path: str, date: datetime, written: str) -> str:
    """What stands in the place of a placeholder; one that is none stays as it is `written`."""
    match name:
        case "categories":
            return "/".join(category.lower() for category in front_matter.categories)
        case "title" | "slug":
            given = front_matter.extra.get("slug")
            title = given if isinstance(given, str) and given else slug(path)
            return title if name == "title" else slugify(title)
        case "output_ext":
            return ".html"
    return _DATE_PARTS[name](date) if name in _DATE_PARTS else written


def slugify(title: str) -> str:
    """Lower case, and a single hyphen for every run of what is neither letter, mark nor digit."""
    kept = [
        character if unicodedata.category(character)[0] in "LM" or character.isdecimal() else " "
        for character in unicodedata.normalize("NFC", title.lower())
    ]
    return "-".join("".join(kept).split())


# --- what pages show -------------------------------------------------------------------------


def href(config: Config, url: str) -> str:
    """`url` for an `href`: percent-encoded, behind the site's `baseurl`."""
    return _quoted(config.baseurl + url)


@lru_cache(maxsize=8192)  # a page names the same few addresses many times, and its neighbours do
def _quoted(path: str) -> str:
    return quote(path, safe=_PATH_CHARACTERS)


def absolute(config: Config, url: str) -> str:
    """`url` with scheme and host, for feeds and metadata; only its path if the site has no `url`."""
    return config.url + href(config, url)


def beside(url: str, ending: str) -> str:
    """The address of the copy of a page that ends in `ending`: `/x/y/` -> `/x/y/y.ipynb`, `/x/y/index.md`."""
    if not url.endswith("/"):
        return f"{url.removesuffix('.html')}.{ending}"
    name = url.rstrip("/").rpartition("/")[2] if ending in ("ipynb", "py") else ""
    return f"{url}{name or 'index'}.{ending}"


def is_address(text: str) -> bool:
    """May this be linked: an address of this site (`/about/`), of another one, or of mail?"""
    here = text.startswith("/") and not text.startswith(("//", "/\\"))
    return here or _OUTWARD.match(text) is not None


def link(config: Config, address: str) -> str:
    """An address of the configuration for an `href`."""
    if _OUTWARD.match(address):
        return address
    path, suffix = _split(address)
    return href(config, path) + suffix


def leads_out(link: str) -> bool:
    """Does a link lead out of the site, or to a place in its own page?"""
    return bool(_SCHEME.match(link)) or link.startswith("//") or not _split(link)[0]


class Links:
    """Where the links of Markdown files lead.

    pages   path of a Markdown file, relative to the site's root -> its URL
    files   path of a copied file, relative to the site's root -> its URL
    others  further URLs of the site: index, tags, feed, assets
    """

    def __init__(
        self, config: Config, pages: Mapping[str, str], files: Mapping[str, str], others: Iterable[str] = ()
    ) -> None:
        self._config = config
        self._sources = {_nfc(path): url for path, url in {**files, **pages}.items()}
        self._urls: dict[str, str] = {}
        known = [_nfc(url) for url in (*pages.values(), *files.values(), *others)]
        self._urls.update((url, url) for url in known)
        for url in known:
            for spelling in _spellings(url):
                self._urls.setdefault(spelling, url)
        self._posts: dict[str, list[str]] = {}
        for path in map(_nfc, pages if config.jekyll else ()):
            self._posts.setdefault(_MARKDOWN_SUFFIX.sub("", path.rpartition("/")[2]), []).append(path)
        self._slugs: dict[tuple[str, str], list[str]] = {}
        for path in map(_nfc, pages):
            self._slugs.setdefault((posixpath.dirname(path), slug(path)), []).append(path)

    def resolve(self, link: str, source: str) -> tuple[str, str]:
        """The link as the page made of the file `source` shows it, and a complaint or "".

        A link out of the site, to a fragment, or to nothing comes back as it is.
        """
        if leads_out(link):
            return link, ""
        path, suffix = _split(link)
        decoded = _nfc(unquote(path))
        if self._has_baseurl(decoded):
            return link, ""
        if self._config.jekyll and self._config.baseurl and decoded.startswith(f"{self._config.baseurl}/"):
            decoded = decoded.removeprefix(self._config.baseurl)
        url = self._absolute(decoded) if decoded.startswith("/") else self._relative(decoded, _nfc(source))
        if url is None:
            return link, f"links to nothing: `{unquote(path)}`"
        return href(self._config, url) + suffix, ""

    def _has_baseurl(self, path: str) -> bool:
        baseurl = self._config.baseurl
        return (
            bool(baseurl) and path.startswith(baseurl) and (path.removeprefix(baseurl) or "/") in self._urls
        )

    def _absolute(self, path: str) -> str | None:
        # The second form is a path from the root of the repository, as GitHub reads it.
        return self._urls.get(path) or self._source(posixpath.normpath(path.lstrip("/")))

    def _relative(self, path: str, source: str) -> str | None:
        """Beside the Markdown file (as GitHub reads it), else beside the page (as a browser reads it)."""
        url = self._source(posixpath.normpath(posixpath.join(posixpath.dirname(source), path)))
        if url is None and source in self._sources:
            folder = self._sources[source].rpartition("/")[0]
            target = posixpath.normpath(posixpath.join(folder or "/", path))
            url = self._urls.get(target if target.startswith("/") else "/" + target)
        return url

    def _source(self, path: str) -> str | None:
        """The URL of a source file; a post may be named with or without the date in its name."""
        if path in self._sources:
            return self._sources[path]
        if self._config.jekyll and path.startswith("_posts/"):
            # Jekyll knows a post by its name, whatever folder of `_posts` it lies in.
            named = self._posts.get(_MARKDOWN_SUFFIX.sub("", path.rpartition("/")[2]), [])
            return self._sources[named[0]] if named else None
        if not _MARKDOWN_SUFFIX.search(path):
            return None
        named = self._slugs.get((posixpath.dirname(path), slug(path)), [])
        if date_in_name(path) is not None:  # another date is another post
            named = [other for other in named if date_in_name(other) is None]
        return self._sources[named[0]] if len(named) == 1 else None


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _split(link: str) -> tuple[str, str]:
    """A link as its path, and its query and fragment."""
    end = min((at for at in (link.find("?"), link.find("#")) if at >= 0), default=len(link))
    return link[:end], link[end:]


def _spellings(url: str) -> Iterable[str]:
    """Other ways to write `url` that a web server answers with the same page."""
    if url.endswith("/"):
        yield from (url.rstrip("/"), url + "index.html")
    elif url.endswith(".html"):
        yield url.removesuffix(".html")
    else:
        yield from (url + ".html", url + "/")
