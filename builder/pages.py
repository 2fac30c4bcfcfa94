"""Site -> pages, through templates/.

A theme is one folder. What lies below its `assets/` is copied byte for byte to `/assets/`; every other
file is a Jinja2 template, and only the names used here (or by another template) have an effect. A site
replaces any file of the theme by one of the same name in its own `templates/`; there it may still say
`{% extends "theme/base.html" %}` to change one block of the theme's file. Names that begin with a dot
are nobody's.

A template sees

    config    the Config                    words    the words.Words of the site's language
    site      a views.SiteView              article, older, newer    on the page of an article
    term      on the page of one tag or category; `terms` and `heading` where they are listed
    articles, paginator                     on a page of a list of articles

and, beside Jinja2's own, the filters `href` (address on this site), `absolute` (with scheme and host),
`date` (for people; `date("iso")` for programs) and `facts` (what the cells ran with). Nothing in a page
depends on anything but the site: not on the time, not on the machine.

Which pages there are is known before any is made: each is a `Sketch`, and only those are made that read
something new.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from html import escape
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import jinja2
from markupsafe import Markup

from builder import feeds
from builder.bodies import BodyLost
from builder.model import Config, Page, Problem, SiteError
from builder.site import Claim, Site
from builder.urls import absolute, clean_path, href, output_path
from builder.views import ArticleView, Reads, SiteView
from builder.words import Words, words_for

Make: TypeAlias = Callable[[SiteView, jinja2.Environment], bytes]


@dataclass(frozen=True, slots=True)
class Sketch:
    """A page that can be made: its path in the output folder, and how."""

    path: str
    make: Make


@dataclass(frozen=True, slots=True)
class Paginator:
    """Where one page of a list stands among the others. `older` and `newer` are URLs, or ""."""

    number: int
    total: int
    older: str
    newer: str


ASSETS = "assets"
HOME_URL, NOT_FOUND_URL = "/", "/404.html"
TAGS_URL, CATEGORIES_URL = "/tags/", "/categories/"


def theme_folder() -> Path:
    """The theme that ships with Fencepost: beside this file in a wheel, at the top of a checkout."""
    here = Path(__file__).resolve().parent
    inside = here / "templates"
    return inside if inside.is_dir() else here.parent / "templates"


def environment(config: Config) -> jinja2.Environment:
    """The templates of this site. Each is compiled once, when a page first needs it."""
    theme = jinja2.FileSystemLoader(theme_folder())
    result = jinja2.Environment(
        loader=jinja2.ChoiceLoader(
            [jinja2.FileSystemLoader(config.templates), theme, jinja2.PrefixLoader({"theme": theme})]
        ),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
        bytecode_cache=_compiled(config),
        cache_size=-1,
    )
    words = words_for(config.language)
    zone = ZoneInfo(config.timezone)
    result.filters["href"] = lambda url: href(config, url)
    result.filters["absolute"] = lambda url: absolute(config, url)
    result.filters["date"] = lambda when, form="human": _date(when.astimezone(zone), form, words)
    result.filters["facts"] = lambda facts: _facts(facts, words)
    result.globals["entry"] = _Entries(result)
    result.globals.update(config=config, words=words, has_feed=feeds.has_feed(config))
    return result


def _compiled(config: Config) -> jinja2.FileSystemBytecodeCache | None:
    """Where compiled templates are kept from one build to the next; nowhere before there is a first.

    They hold values of the configuration, since Jinja2 works out `{{ "/" | href }}` when it compiles.
    """
    home = config.root / ".fencepost" / "templates"
    if not home.parent.is_dir():
        return None
    folder = home / hashlib.sha256(repr(config).encode()).hexdigest()[:16]
    try:
        if not folder.is_dir():
            shutil.rmtree(home, ignore_errors=True)
            folder.mkdir(parents=True)
    except OSError:
        return None
    return jinja2.FileSystemBytecodeCache(str(folder))


class _Entries:
    """`entry(article)`: the post in a list, from entry.html. It is the same in all lists, and made once."""

    def __init__(self, templates: jinja2.Environment) -> None:
        self._templates = templates
        self._made: dict[str, tuple[Markup, Reads]] = {}

    @jinja2.pass_context
    def __call__(self, context: jinja2.runtime.Context, article: ArticleView) -> Markup:
        site: SiteView = context["site"]
        name = site.name_of(article)
        if name not in self._made:
            reads = Reads()
            alone = site.noting(reads)
            text = self._templates.get_template("entry.html").render(site=alone, article=alone.article(name))
            self._made[name] = Markup(text), reads
        text, reads = self._made[name]
        site.note(reads)
        return text


def sketches(site: Site) -> Iterator[Sketch]:
    """Every page of the site that templates or feeds make."""
    for kind in KINDS:
        yield from kind(site)


def articles(site: Site) -> Iterator[Sketch]:
    """One page per post (post.html) and per page (page.html)."""
    for article in (*site.articles, *site.pages):
        yield Sketch(output_path(article.url), partial(_article_page, article.path, article.page))


def index(site: Site) -> Iterator[Sketch]:
    """The home page and those behind it: all posts, newest first."""
    yield from _list(site, HOME_URL, len(site.articles), "index.html", lambda view: {"list": view.articles})


def tags(site: Site) -> Iterator[Sketch]:
    """The list of tags, and the posts of each tag."""
    return _terms(site, TAGS_URL, "tags")


def categories(site: Site) -> Iterator[Sketch]:
    """The list of categories, and the posts of each category."""
    return _terms(site, CATEGORIES_URL, "categories")


def not_found(site: Site) -> Iterator[Sketch]:
    """404.html, which hosts show for an address that is not there."""
    yield Sketch(output_path(NOT_FOUND_URL), lambda view, templates: _made(view, templates, "404.html", {}))


def feed(site: Site) -> Iterator[Sketch]:
    """The Atom feed, if the site has one."""
    if feeds.has_feed(site.config):
        yield Sketch(output_path(feeds.FEED_URL), lambda view, _: feeds.atom(view))


def redirects(site: Site) -> Iterator[Sketch]:
    """The old addresses of articles (`redirect_from`), where nothing else is now."""
    everything = (*site.articles, *site.pages)
    taken = {output_path(article.url) for article in everything}
    for article in everything:
        for old in _addresses(article.extra.get("redirect_from")):
            if output_path(old) not in taken:
                taken.add(output_path(old))
                yield Sketch(output_path(old), partial(_moved_page, article.path))


KINDS: tuple[Callable[[Site], Iterator[Sketch]], ...] = (
    *(articles, index, tags, categories, not_found, feed),
    redirects,  # behind all others, which have the first claim on an address
)


def assets(config: Config) -> Iterator[Page]:
    """The stylesheet and the other files of the theme, the site's own before those that ship."""
    for path, file in _asset_files(config).items():
        yield Page(path, file)


def theme_claims(config: Config) -> Iterator[Claim]:
    """The files that belong to the theme, whatever the articles are (for `site.collisions`)."""
    for url in (HOME_URL, TAGS_URL, CATEGORIES_URL, NOT_FOUND_URL):
        yield Claim(output_path(url), "", f"the theme's page {url}")
    if feeds.has_feed(config):
        yield Claim(output_path(feeds.FEED_URL), "", "the feed")
    for path in _asset_files(config):
        yield Claim(path, "", f"the theme's file {path}")


def list_claims(site: Site) -> Iterator[Claim]:
    """The files that the further pages of lists want to be."""
    for kind in (index, tags, categories):
        for sketch in kind(site):
            if "page/" in sketch.path:
                yield Claim(sketch.path, "", f"a page of a list, /{sketch.path.removesuffix('index.html')}")


def _addresses(value: object) -> Iterator[str]:
    """The addresses in a text or list of texts; what is none is left out."""
    for old in value if isinstance(value, list) else [value]:
        if isinstance(old, str) and old.strip("/ "):
            with contextlib.suppress(ValueError):
                yield clean_path(unquote(old.strip()))


def _moved_page(path: str, site: SiteView, templates: jinja2.Environment) -> bytes:
    return moved(site.config, site.article(path).url)


def moved(config: Config, target: str) -> bytes:
    """A page that leads to another address, of this site or not."""
    here = "://" not in target
    address = escape(href(config, target) if here else target)
    canonical = escape(absolute(config, target) if here else target)
    return (
        f'<!DOCTYPE html>\n<html><head><meta charset="utf-8"><title>→ {address}</title>'
        f'<link rel="canonical" href="{canonical}"><meta name="robots" content="noindex">'
        f'<meta http-equiv="refresh" content="0; url={address}"></head>'
        f'<body><a href="{address}">{address}</a></body></html>\n'
    ).encode()


def _article_page(path: str, is_page: bool, site: SiteView, templates: jinja2.Environment) -> bytes:
    article = site.article(path)
    if target := article.extra.get("redirect_to"):
        return moved(site.config, str(target))
    older, newer = site.neighbours(article)
    name = "page.html" if is_page else "post.html"
    return _made(site, templates, name, {"article": article, "older": older, "newer": newer})


def _terms(site: Site, url: str, name: str) -> Iterator[Sketch]:
    """The page that lists the terms of one kind, and the pages of each term."""
    heading = getattr(words_for(site.config.language), name)

    def overview(view: SiteView, templates: jinja2.Environment) -> bytes:
        return _made(view, templates, "terms.html", {"terms": getattr(view, name), "heading": heading})

    def context(term_url: str, view: SiteView) -> dict[str, object]:
        term = view.term(term_url)
        return {"list": term.articles, "term": term, "heading": heading, "list_url": url}

    yield Sketch(output_path(url), overview)
    for term in getattr(site, name):
        yield from _list(site, term.url, len(term.articles), "term.html", partial(context, term.url))


def _list(
    site: Site, url: str, length: int, template: str, context: Callable[[SiteView], dict[str, object]]
) -> Iterator[Sketch]:
    """The pages of a list of so many articles; `context` gives the list itself, as `list`, and more."""
    size = site.config.paginate or max(length, 1)

    def address(number: int) -> str:
        return url if number == 1 else f"{url}page/{number}/"

    def make(number: int, view: SiteView, templates: jinja2.Environment) -> bytes:
        values = context(view)
        whole: Any = values.pop("list")
        start = (number - 1) * size
        values["articles"] = whole[start : start + size]
        total = max(-(-len(whole) // size), 1)  # asked of the view: the page shows it
        newer = address(number - 1) if number > 1 else ""
        older = address(number + 1) if number < total else ""
        values["paginator"] = Paginator(number, total, older, newer)
        return _made(view, templates, template, values)

    for number in range(1, max(-(-length // size), 1) + 1):
        yield Sketch(output_path(address(number)), partial(make, number))


def _made(site: SiteView, templates: jinja2.Environment, name: str, context: Mapping[str, object]) -> bytes:
    try:
        text = templates.get_template(name).render(site=site, **context)
    except BodyLost:
        raise
    except Exception as error:
        raise SiteError(_template_problem(site.config, name, error)) from error
    return text.encode("utf-8", errors="replace")


def _template_problem(config: Config, name: str, error: Exception) -> Problem:
    """What failed in a template, at its own line: Jinja2 puts the lines of templates into the traceback."""
    folders = (config.templates, theme_folder())
    found = [folder / name for folder in folders if (folder / name).is_file()]
    path, line = (found or [folders[0] / name])[0], 0
    step = error.__traceback__
    while step is not None:
        file = Path(step.tb_frame.f_code.co_filename)
        if any(map(file.is_relative_to, folders)):
            path, line = file, step.tb_lineno
        step = step.tb_next
    if isinstance(error, jinja2.TemplateSyntaxError):
        path, line = Path(error.filename or path), error.lineno
    if isinstance(error, jinja2.TemplateNotFound):
        message = f"there is no template `{error.name}`"
    elif isinstance(error, jinja2.TemplateError):
        message = error.message or str(error)
    else:
        message = f"{type(error).__name__}: {error}"
    shown = path.relative_to(config.root) if path.is_relative_to(config.root) else path
    return Problem("error", shown.as_posix(), line, "template", message)


def _asset_files(config: Config) -> dict[str, Path]:
    """Path in the output folder -> the file whose bytes belong there, sorted."""
    files = {}
    for folder in (theme_folder(), config.templates):
        for file in (folder / ASSETS).rglob("*"):
            path = file.relative_to(folder)
            if file.is_file() and not any(part.startswith(".") for part in path.parts):
                files[path.as_posix()] = file
    return dict(sorted(files.items()))


def _date(when: datetime, form: str, words: Words) -> str:
    return when.isoformat(timespec="seconds") if form == "iso" else words.date(when)


def _facts(facts: Mapping[str, str], words: Words) -> tuple[str, ...]:
    """`torch 2.13.0`, `Python 3.11`, `CPU`, `seed 0`: the facts of a session for people, known ones first."""
    shown = {
        "torch": "torch {}",
        "python": "Python {}",
        "device": "{}",
        "seed": f"{words.seed} {{}}",
    }
    further = {name: f"{name} {{}}" for name in sorted(facts) if name not in shown and name != "verified"}
    values = {**facts, "device": facts.get("device", "").replace("cpu", "CPU").replace("cuda", "CUDA")}
    values["torch"] = facts.get("torch", "").partition("+")[0]
    values["python"] = ".".join(facts.get("python", "").split(".")[:2])
    if facts.get("verified"):
        further["verified"] = words.verified
    return tuple(form.format(values[name]) for name, form in {**shown, **further}.items() if facts.get(name))
