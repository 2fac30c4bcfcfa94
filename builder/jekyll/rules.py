"""A folder of Jekyll's: `_config.yml` -> options of ours, and what its rules say of each of its files.

The rules are those of Jekyll 4.3: which files are read (its `EntryFilter`), which front matter a path gets
by `defaults` (`FrontmatterDefaults`), and where a file is published (`URL`, `UrlDrop`, `Page`).
"""

from __future__ import annotations

import fnmatch
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from builder.frozen import frozen
from builder.model import FrontMatter, Jekyll, Link, Problem, Profile, Scope, SiteError
from builder.urls import is_address, leads_out

CONFIG_FILES: Final = ("_config.yml", "_config.yaml")
POSTS: Final = "_posts"
DRAFTS: Final = "_drafts"
HTML: Final = (".html", ".htm", ".xhtml")

_STYLES: Final[Mapping[str, str]] = {
    "none": "/:categories/:title:output_ext",
    "date": "/:categories/:year/:month/:day/:title:output_ext",
    "ordinal": "/:categories/:year/:y_day/:title:output_ext",
    "pretty": "/:categories/:year/:month/:day/:title/",
    "weekdate": "/:categories/:year/W:week/:short_day/:title:output_ext",
}
_EXCLUDED: Final = (
    *(".sass-cache", ".jekyll-cache", "gemfiles", "Gemfile", "Gemfile.lock", "node_modules"),
    *("vendor/bundle/", "vendor/cache/", "vendor/gems/", "vendor/ruby/"),
)
_MARKDOWN: Final = "markdown,mkdown,mkdn,mkd,md"
_TYPES: Final = {"post": "posts", "page": "pages", "draft": "posts"}  # the singular is Jekyll's old word
# Options of ours by their names in `_config.yml`, and how they are turned into ours.
_SAME: Final = ("title", "description", "url", "timezone", "future")


# --- _config.yml -----------------------------------------------------------------------------


def config_file(root: Path) -> Path | None:
    """The configuration of a site of Jekyll's that lies in `root`; None if there is no such site."""
    if not (root / POSTS).is_dir():
        return None
    return next((root / name for name in CONFIG_FILES if (root / name).is_file()), None)


def read_settings(file: Path) -> Mapping[str, Any]:
    """What `_config.yml` says. Raises SiteError if it is no YAML: Jekyll builds nothing then, too."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        settings = yaml.load(file.read_text(encoding="utf-8-sig"), Loader=loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        message = f"this is no YAML: {error.problem}"
        raise SiteError(Problem("error", file.name, line, "config", message)) from None
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise SiteError(Problem("error", file.name, 0, "config", f"cannot be read: {error}")) from None
    return {str(key): value for key, value in settings.items()} if isinstance(settings, dict) else {}


def options(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The options of ours that `_config.yml` gives, by our names, not checked yet."""
    found = {name: settings[name] for name in _SAME if settings.get(name) is not None}
    for name in ("title", "description", "url"):
        if name in found:
            found[name] = " ".join(str(found[name]).split())
    author = settings.get("author")
    writer = author.get("name") if isinstance(author, dict) else author
    if isinstance(writer, str) and writer:
        found["author"] = writer
    if settings.get("baseurl"):
        found["baseurl"] = str(settings["baseurl"]).rstrip("/")
    language = settings.get("locale") or settings.get("lang")
    if isinstance(language, str) and language:
        found["language"] = language.replace("_", "-")
    if isinstance(settings.get("paginate"), int):
        found["paginate"] = settings["paginate"]
    if settings.get("show_drafts"):
        found["drafts"] = True
    return found


def jekyll_of(settings: Mapping[str, Any], problems: Iterable[Problem]) -> Jekyll:
    """The rest of what `_config.yml` says."""
    style = str(settings.get("permalink") or "date")
    given = settings.get("collections")
    collections = {label: {} for label in given} if isinstance(given, list) else given or {}
    suffix = "/" if style == "pretty" else ":output_ext" if style in ("date", "ordinal", "none") else ""
    if style not in _STYLES:
        suffix = next((end for end in ("/", ":output_ext") if style.endswith(end)), "")
    own = collections.get("posts") or {}
    return Jekyll(
        settings=settings,
        permalink=str(own.get("permalink") or _STYLES.get(style, style)),
        suffix=suffix,
        collections={
            str(label): str(options.get("permalink") or f"/:collection/:path{suffix}")
            for label, options in collections.items()
            if label != "posts" and isinstance(options, dict) and options.get("output")
        },
        defaults=tuple(_scopes(settings.get("defaults"))),
        include=(".htaccess", *_texts(settings.get("include"))),
        exclude=(*_texts(settings.get("exclude")), *_EXCLUDED),
        suffixes=tuple(
            f".{end.strip()}" for end in str(settings.get("markdown_ext") or _MARKDOWN).split(",")
        ),
        problems=tuple(problems),
    )


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _scopes(value: Any) -> Iterator[Scope]:
    for entry in value if isinstance(value, list) else ():
        values = entry.get("values") if isinstance(entry, dict) else None
        scope = (entry.get("scope") or {}) if isinstance(entry, dict) else {}
        if isinstance(values, dict) and isinstance(scope, dict):
            kind = scope.get("type")
            path = scope.get("path")
            yield Scope(
                path.strip("/") if isinstance(path, str) else "",
                None if kind is None else _TYPES.get(str(kind), str(kind)),
                {str(key): setting for key, setting in values.items()},
            )


def navigation(root: Path) -> Iterator[Link]:
    """The titles and addresses of `main:` in `_data/navigation.yml`, as Minimal Mistakes has them."""
    file = root / "_data" / "navigation.yml"
    if not file.is_file():
        return
    try:
        main = read_settings(file).get("main")
    except SiteError:
        return
    for item in main if isinstance(main, list) else ():
        if isinstance(item, dict) and item.get("title") and item.get("url"):
            yield from _link(str(item["title"]), str(item["url"]))


def profile(settings: Mapping[str, Any]) -> Profile:
    """What `author:` says as Minimal Mistakes reads it: a bio, a picture, a place, and links."""
    author = settings.get("author")
    if not isinstance(author, dict):
        return Profile()
    links = author.get("links")
    texts = {name: " ".join(str(author.get(name) or "").split()) for name in ("bio", "avatar", "location")}
    picture = [link.url for link in _link("avatar", texts["avatar"])]
    return Profile(
        bio=texts["bio"],
        avatar=picture[0] if picture else "",
        location=texts["location"],
        links=tuple(
            found
            for link in (links if isinstance(links, list) else ())
            if isinstance(link, dict) and link.get("url")
            for found in _link(str(link.get("label") or link["url"]), str(link["url"]))
        ),
    )


def _link(title: str, url: str) -> Iterator[Link]:
    """A link of Jekyll's, whose addresses need no slash; nothing for what is no address (`javascript:`)."""
    if url and not is_address(url) and not leads_out(url):
        url = f"/{url}"
    if is_address(url):
        yield Link(title, url)


# --- which files are read --------------------------------------------------------------------


def is_left_out(path: str, jekyll: Jekyll) -> bool:
    """Is a file or folder (its path from the site's root) neither published nor looked into?

    As in Jekyll, a pattern of `exclude` is a glob, or the beginning of a path (`README` is `README.md`, too).
    """
    name = path.rpartition("/")[2]
    if any(_matches(pattern, path) or _matches(pattern, name) for pattern in jekyll.include):
        return False
    if any(_matches(pattern, path) for pattern in jekyll.exclude if pattern not in jekyll.include):
        return True
    return name.startswith((".", "_", "#", "~")) or name.endswith("~")


def _matches(pattern: str, path: str) -> bool:
    pattern = pattern.lstrip("/")
    return bool(pattern) and (
        path.startswith(pattern) or pattern == f"{path}/" or fnmatch.fnmatchcase(path, pattern)
    )


@frozen
class Place:
    """What a path makes of a Markdown file.

    kind        "post", "draft", "page", or "document" (of a collection)
    collection  its label; "posts" for posts and drafts, "" for a page
    above       the folders around `_posts`, which are categories
    """

    kind: str
    collection: str = ""
    above: tuple[str, ...] = ()


def place_of(path: str, jekyll: Jekyll) -> Place:
    """What the file at `path` (from the site's root) is."""
    folders = path.split("/")[:-1]
    for special, kind in ((POSTS, "post"), (DRAFTS, "draft")):
        if special in folders:
            return Place(kind, "posts", tuple(folders[: folders.index(special)]))
    if folders and folders[0].startswith("_") and folders[0][1:] in jekyll.collections:
        return Place("document", folders[0][1:])
    return Place("page")


def defaults_of(path: str, jekyll: Jekyll) -> Mapping[str, Any]:
    """The front matter that `defaults` give to the file at `path`; of two scopes the nearer one wins."""
    place = place_of(path, jekyll)
    kind = place.collection or "pages"
    values: dict[str, Any] = {}
    last: Scope | None = None
    for scope in jekyll.defaults:
        if not _applies(scope, path, kind):
            continue
        if last is None or _is_nearer(scope, last):
            values = _merged(values, scope.values)
            last = scope
        else:
            values = _merged(scope.values, values)
    return values


def _applies(scope: Scope, path: str, kind: str) -> bool:
    if scope.type is not None and scope.type != kind:
        return False
    if "*" not in scope.path:
        return path.startswith(scope.path)
    parts = scope.path.count("/") + 1
    return fnmatch.fnmatchcase("/".join(path.split("/")[:parts]), scope.path)


def _is_nearer(scope: Scope, other: Scope) -> bool:
    if len(scope.path) != len(other.path):
        return len(scope.path) > len(other.path)
    return scope.type is not None or other.type is None


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Both tables, deeply; `above` wins where it says anything."""
    result = dict(below)
    for key, value in above.items():
        old = result.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            result[key] = _merged(old, value)
        elif value is not None or key not in result:
            result[key] = value
    return result


# --- where a file is published ---------------------------------------------------------------


_PLACEHOLDER = re.compile(r":([a-z_]+)")
_DATED = re.compile(r"\d{2,4}-\d{1,2}-\d{1,2}-(.*)", re.DOTALL)
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def is_dated(path: str) -> bool:
    """Has a file the name that Jekyll wants of a post: a date, and something behind it?"""
    return _DATED.fullmatch(path.rpartition("/")[2].rpartition(".")[0]) is not None


def address(path: str, front_matter: FrontMatter, date: datetime, jekyll: Jekyll) -> str:
    """The URL of the file at `path`, decoded, in NFC. Nothing is checked: `..` and `./` are taken out."""
    place = place_of(path, jekyll)
    given = "" if front_matter.broken else front_matter.permalink
    if place.kind == "page":
        template, values = given or _page_template(path, jekyll), _page_values(path)
        url = _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), template)
    else:
        template = given or (
            jekyll.permalink if place.collection == "posts" else jekyll.collections[place.collection]
        )
        known = _values(path, place, front_matter, date)
        url = _PLACEHOLDER.sub(lambda match: _filled(match[1], known), template)
    url = re.sub("/+", "/", f"/{url}".replace("..", "/").replace("./", ""))
    return unicodedata.normalize("NFC", url)


def _filled(name: str, values: Mapping[str, str]) -> str:
    """The value of a placeholder; `:month_` is `:month` and a line."""
    if name in values:
        return values[name]
    short = name.removesuffix("_")
    return f"{values[short]}_" if short in values else f":{name}"


def _page_template(path: str, jekyll: Jekyll) -> str:
    if path.rpartition("/")[2].rpartition(".")[0] == "index":
        return "/:path/"
    return f"/:path/:basename{jekyll.suffix}"


def _page_values(path: str) -> Mapping[str, str]:
    folder, _, name = path.rpartition("/")
    return {"path": folder, "basename": name.rpartition(".")[0].rstrip("."), "output_ext": ".html"}


def _values(path: str, place: Place, front_matter: FrontMatter, date: datetime) -> Mapping[str, str]:
    name = path.rpartition("/")[2].rpartition(".")[0]
    dated = _DATED.fullmatch(name)
    slug = dated[1] if dated and not front_matter.broken else name
    given = front_matter.extra.get("slug")
    if given is not None and not front_matter.broken:
        slug = str(given)
    categories = list(dict.fromkeys(category.lower() for category in front_matter.url_categories))
    below = path.removeprefix(f"_{place.collection}").rpartition(".")[0].rstrip(".")
    year, week, day = date.isocalendar()
    month = _MONTHS[date.month - 1]
    return {
        "collection": place.collection,
        "path": below,
        "name": slugify(name),
        "title": _pretty(slug.rstrip(".")),
        "slug": slugify(slug.rstrip(".")),
        "output_ext": ".html",
        "categories": "/".join(categories),
        "slugified_categories": "/".join(dict.fromkeys(map(slugify, front_matter.url_categories))),
        "year": f"{date.year:04}",
        "month": f"{date.month:02}",
        "day": f"{date.day:02}",
        "hour": f"{date.hour:02}",
        "minute": f"{date.minute:02}",
        "second": f"{date.second:02}",
        "i_day": str(date.day),
        "i_month": str(date.month),
        "short_month": month[:3],
        "long_month": month,
        "short_year": f"{date.year % 100:02}",
        "w_year": f"{year:04}",
        "week": f"{week:02}",
        "w_day": str(day),
        "short_day": _DAYS[day - 1][:3],
        "long_day": _DAYS[day - 1],
        "y_day": f"{date.timetuple().tm_yday:03}",
    }


def slugify(text: str) -> str:
    """Lower case, with a single hyphen for every run of what is neither letter, mark nor digit."""
    return _hyphened(text, "").lower()


def _pretty(text: str) -> str:
    """The same with its case, and with the characters that an address may hold."""
    return _hyphened(text, "._~!$&'()+,;=@")


def _hyphened(text: str, kept: str) -> str:
    shown = "".join(
        char if char in kept or char.isdecimal() or unicodedata.category(char)[0] in "LM" else "\0"
        for char in text
    )
    slug = re.sub("\0+", "-", shown)
    return re.sub(r"^-|-$", "", slug)


def title_of(path: str) -> str:
    """The title that Jekyll gives to a post without one: the words of its name, capitalised."""
    name = path.rpartition("/")[2].rpartition(".")[0]
    dated = _DATED.fullmatch(name)
    words = (dated[1] if dated else name).rstrip(".").split("-")
    return " ".join(word.capitalize() for word in words)


def output_file(path: str, jekyll: Jekyll) -> str:
    """Where the file at `path` is copied to, from the output folder: documents lose the `_` of theirs."""
    place = place_of(path, jekyll)
    if place.kind != "document":
        return path
    return path[1:]
