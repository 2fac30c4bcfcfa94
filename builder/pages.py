"""Site -> Pages, through templates/.

A theme is one folder. What lies below its `assets/` is copied byte for byte to `/assets/`; every other
file is a Jinja2 template, and only the names used here (or by another template) have an effect. A site
replaces any file of the theme by one of the same name in its own `templates/`; there it may still say
`{% extends "theme/base.html" %}` to change one block of the theme's file. Names that begin with a dot
are nobody's.

A template sees

    config    the Config                    words    the words.Words of the site's language
    site      the site.Site                 article, older, newer    on the page of an article
    term      on the page of one tag or category; `terms` and `heading` where they are listed

and, beside Jinja2's own, the filters `href` (address on this site), `absolute` (with scheme and host),
`date` (for people; `date("iso")` for programs) and `facts` (what the cells ran with). Nothing in a page
depends on anything but the site: not on the time, not on the machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TypeAlias
from zoneinfo import ZoneInfo

import jinja2

from builder import feeds
from builder.model import Config, Page, Problem, SiteError, Term
from builder.site import Claim, Site
from builder.urls import absolute, href, output_path
from builder.words import Words, words_for

Maker: TypeAlias = Callable[[Site, jinja2.Environment], Iterable[Page]]

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
        cache_size=-1,
    )
    words = words_for(config.language)
    zone = ZoneInfo(config.timezone)
    result.filters["href"] = lambda url: href(config, url)
    result.filters["absolute"] = lambda url: absolute(config, url)
    result.filters["date"] = lambda when, form="human": _date(when.astimezone(zone), form, words)
    result.filters["facts"] = lambda facts: _facts(facts, words)
    result.globals.update(config=config, words=words, has_feed=feeds.has_feed(config))
    return result


def articles(site: Site, environment: jinja2.Environment) -> Iterator[Page]:
    """One page per post (post.html) and per page (page.html)."""
    for article in (*site.articles, *site.pages):
        name = "page.html" if article.page else "post.html"
        older, newer = site.neighbours(article)
        yield _page(site, environment, article.url, name, article=article, older=older, newer=newer)


def index(site: Site, environment: jinja2.Environment) -> Iterator[Page]:
    """The home page: all posts, newest first."""
    yield _page(site, environment, HOME_URL, "index.html")


def tags(site: Site, environment: jinja2.Environment) -> Iterator[Page]:
    """The list of tags, and one page per tag."""
    return _term_pages(site, environment, TAGS_URL, site.tags, words_for(site.config.language).tags)


def categories(site: Site, environment: jinja2.Environment) -> Iterator[Page]:
    """The list of categories, and one page per category."""
    words = words_for(site.config.language)
    return _term_pages(site, environment, CATEGORIES_URL, site.categories, words.categories)


def not_found(site: Site, environment: jinja2.Environment) -> Iterator[Page]:
    """404.html, which hosts show for an address that is not there."""
    yield _page(site, environment, NOT_FOUND_URL, "404.html")


def feed(site: Site, environment: jinja2.Environment) -> Iterator[Page]:
    """The Atom feed, if the site has one."""
    return feeds.feed(site)


def assets(site: Site, environment: jinja2.Environment) -> Iterator[Page]:
    """The stylesheet and the other files of the theme, the site's own before those that ship."""
    for path, file in _asset_files(site.config).items():
        yield Page(path, file)


PAGES: tuple[Maker, ...] = (articles, index, tags, categories, not_found, feed, assets)


def theme_claims(config: Config) -> Iterator[Claim]:
    """The files that belong to the theme, whatever the articles are (for `site.collisions`)."""
    for url in (HOME_URL, TAGS_URL, CATEGORIES_URL, NOT_FOUND_URL):
        yield Claim(output_path(url), "", f"the theme's page {url}")
    if feeds.has_feed(config):
        yield Claim(output_path(feeds.FEED_URL), "", "the feed")
    for path in _asset_files(config):
        yield Claim(path, "", f"the theme's file {path}")


def _term_pages(
    site: Site, environment: jinja2.Environment, url: str, terms: tuple[Term, ...], heading: str
) -> Iterator[Page]:
    yield _page(site, environment, url, "terms.html", terms=terms, heading=heading, list_url=url)
    for term in terms:
        yield _page(site, environment, term.url, "term.html", term=term, heading=heading, list_url=url)


def _page(site: Site, environment: jinja2.Environment, url: str, name: str, **context: object) -> Page:
    try:
        text = environment.get_template(name).render(site=site, **context)
    except Exception as error:
        raise SiteError(_template_problem(site.config, name, error)) from error
    return Page(output_path(url), text.encode("utf-8", errors="replace"))


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
