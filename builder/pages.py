"""Site -> pages, through templates/.

A theme is one folder. What lies below its `assets/` is published (see assets.py); every other
file is a Jinja2 template, and only the names used here (or by another template) have an effect. A site
replaces any file of the theme by one of the same name in its own `templates/`; there it may still say
`{% extends "theme/base.html" %}` to change one block of the theme's file. Names that begin with a dot
are nobody's.

A template sees

    config    the Config                    words    the words.Words of the page's language
    site      a views.SiteView              article, older, newer    on the page of an article
    term      on the page of one tag or category; `terms` and `heading` where they are listed
    articles, paginator                     on a page of a list of articles

and, beside Jinja2's own, `asset(name)` (address of a file below `assets/`), `once(name)` (what another template
makes of the site alone, the same on every page), `entry(article)` (what entry.html makes of a post) and the
filters `href` (address on this site), `absolute` (with scheme and host), `date` (for people; `date("iso")` for
programs) and `facts` (what the cells ran with). Nothing in a page depends on anything but the site: not on the
time, not on the machine.

Which pages there are is known before any is made: each is a `Sketch`, and only those are made that read
something new.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache, lru_cache, partial
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import jinja2
from markupsafe import Markup

from builder import cards, feeds
from builder.assets import Assets, theme_folder
from builder.bodies import BodyLost
from builder.compiled import Compiled, Environment
from builder.copies import downloads
from builder.frozen import frozen
from builder.llms import LLMS_URL, llms
from builder.metadata import Metadata, metadata
from builder.model import Config, Problem, SiteError
from builder.policy import PLACE, with_policy
from builder.redirects import redirects as old_and_new
from builder.site import Claim, Site
from builder.urls import absolute, beside, href, is_address, link, output_path
from builder.views import ArticleView, Pieces, SiteView, TermView
from builder.words import Words, language_of, words_for

TermFeed: TypeAlias = Callable[[SiteView, TermView, feeds.Entries], bytes]
Make: TypeAlias = Callable[[SiteView, jinja2.Environment], bytes]
Kind: TypeAlias = "Callable[[Site], Iterator[Sketch]]"


@frozen
class Sketch:
    """A page that can be made: its path in the output folder, and how (of the site as seen from its `url`)."""

    path: str
    make: Make

    @property
    def url(self) -> str:
        """Where readers find it; "" for a page that is not to be linked to."""
        return "" if self.path == output_path(NOT_FOUND_URL) else f"/{self.path}".removesuffix("index.html")


@frozen
class Paginator:
    """Where one page of a list stands among the others. `older` and `newer` are URLs, or ""."""

    number: int
    total: int
    older: str
    newer: str


HOME_URL, NOT_FOUND_URL = "/", "/404.html"
TAGS_URL, CATEGORIES_URL = "/tags/", "/categories/"
ARCHIVES_URL, SERIES_URL = "/archives/", "/series/"
SEARCH_URL, SEARCH_INDEX = "/search/", "search/index.json"


def environment(config: Config) -> jinja2.Environment:
    """The templates of this site. Each is compiled when a page first needs it."""
    theme = jinja2.FileSystemLoader(theme_folder())
    own = [jinja2.FileSystemLoader(config.templates)] if config.templates.is_dir() else []
    result = Environment(
        loader=jinja2.ChoiceLoader([*own, theme, jinja2.PrefixLoader({"theme": theme})]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
        bytecode_cache=Compiled(config),
        cache_size=-1,
    )
    # With the context that they do not need: a filter without it is asked when a template is compiled.
    for name, address in (("href", href), ("link", link), ("absolute", absolute)):
        result.filters[name] = jinja2.pass_context(partial(_of_site, address, config))
    result.globals["asset"] = cache(partial(_asset, config, Assets.of(config)))
    result.globals["metadata"] = _metadata
    result.globals["downloads"] = downloads
    result.globals["policy"] = PLACE
    result.globals.update(config=config, has_feed=feeds.has_feed(config))
    _speak(result, config.language, config.timezone)
    return result


def _speak(templates: jinja2.Environment, language: str, timezone: str) -> None:
    """Give templates the words and the dates of a language, and what is made once with them."""
    words, zone = words_for(language), ZoneInfo(timezone)
    talk: dict[str, Callable[..., Any]] = {
        "date": _dates(words, zone),
        "facts": partial(_facts, words),
    }
    templates.filters = {**templates.filters, **talk}
    shown = _Shown(templates)
    made = {"once": shown.once, "entry": shown.entry}
    templates.globals = {**templates.globals, "words": words, "language": language, **made}


@lru_cache(maxsize=16)
def _in_language(templates: jinja2.Environment, language: str, timezone: str) -> jinja2.Environment:
    """The same templates for a page in another language than the site's."""
    result = templates.overlay()
    _speak(result, language, timezone)
    return result


class _Shown:
    """What templates make once for all pages that show it.

    `once(name)` is what a template makes of the site alone, `entry(article)` the post in a list, from entry.html.
    """

    def __init__(self, templates: jinja2.Environment) -> None:
        self._templates = templates
        self._pieces = Pieces(self._made)

    @jinja2.pass_context
    def once(self, context: jinja2.runtime.Context, name: str) -> Markup:
        return self._pieces.of(context["site"], name)

    @jinja2.pass_context
    def entry(self, context: jinja2.runtime.Context, article: ArticleView) -> Markup:
        site = context["site"]
        return self._pieces.of(site, "entry.html", site.name_of(article))

    def _made(self, site: SiteView, name: str, path: str = "") -> Markup:
        context = {"article": site.article(path)} if path else {}
        return Markup(self._templates.get_template(name).render(site=site, **context))


def sketches(site: Site) -> Iterator[Sketch]:
    """Every page of the site that templates or feeds make.

    They are dealt to processes like cards, and stand in an order in which two processes make other pieces: the
    one the entries of lists, the other those of feeds.
    """
    found: dict[Kind, list[Sketch]] = {kind: [] for kind in KINDS}
    taken: set[str] = set()
    for kind in KINDS:
        for sketch in kind(site):
            if sketch.path not in taken:
                taken.add(sketch.path)
                found[kind].append(sketch)
    lists = [sketch for kind in (index, tags, categories, series, archives) for sketch in found.pop(kind)]
    others = [sketch for kind in (feed, crawling, articles) for sketch in found.pop(kind)]
    dealt = chain.from_iterable(zip_longest(lists, others))
    return filter(None, chain(dealt, *found.values()))


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


def series(site: Site) -> Iterator[Sketch]:
    """The list of series, and the posts of each series; nothing where there are none."""
    if not site.series:
        return
    if all(article.url != SERIES_URL for article in (*site.articles, *site.pages)):
        yield Sketch(output_path(SERIES_URL), partial(_overview, "series"))
    for term in site.series:
        yield Sketch(output_path(term.url), partial(_series_page, term.url))


def archives(site: Site) -> Iterator[Sketch]:
    """All posts, year by year."""
    yield Sketch(output_path(ARCHIVES_URL), _archives_page)


def search(site: Site) -> Iterator[Sketch]:
    """The page that searches the site, where it has a search (see search.py for what it loads)."""
    if site.config.search:
        yield Sketch(
            output_path(SEARCH_URL), lambda view, templates: _made(view, templates, "search.html", {})
        )


def not_found(site: Site) -> Iterator[Sketch]:
    """404.html, which hosts show for an address that is not there."""
    yield Sketch(output_path(NOT_FOUND_URL), lambda view, templates: _made(view, templates, "404.html", {}))


def feed(site: Site) -> Iterator[Sketch]:
    """The feeds of the site and of each tag, if the site has any."""
    if not feeds.has_feed(site.config):
        return
    entries = feeds.Entries(whole=True)
    yield Sketch(output_path(feeds.FEED_URL), lambda view, _: feeds.atom(view, None, entries))
    yield Sketch(output_path(feeds.JSON_FEED_URL), lambda view, _: feeds.json_feed(view, None, entries))
    brief = feeds.Entries(whole=False)
    for term in site.tags:
        for make, name in ((feeds.atom, feeds.ATOM), (feeds.json_feed, feeds.JSON)):
            yield Sketch(output_path(term.url + name), partial(_term_feed, make, brief, term.url))


def crawling(site: Site) -> Iterator[Sketch]:
    """What programs look for: robots.txt, llms.txt, and sitemap.xml where addresses are known."""
    lists = [HOME_URL, ARCHIVES_URL, *(term.url for term in (*site.categories, *site.tags, *site.series))]
    yield Sketch(output_path(feeds.ROBOTS_URL), lambda view, _: feeds.robots(view))
    yield Sketch(output_path(LLMS_URL), lambda view, _: llms(view))
    if site.config.url:
        yield Sketch(output_path(feeds.SITEMAP_URL), partial(_sitemap, lists))


def copies(site: Site) -> Iterator[Sketch]:
    """The Markdown of each article, and the notebook and the script of one with cells (see copies.py)."""
    for article in (*site.articles, *site.pages):
        for kind, ending in (("markdown", "md"), ("notebook", "ipynb"), ("script", "py")):
            if getattr(article, kind):
                yield Sketch(beside(article.url, ending)[1:], partial(_copy, article.path, kind))


def pictures(site: Site) -> Iterator[Sketch]:
    """The card of each post, and of the site, for social networks."""
    if cards.has_cards(site.config):
        yield Sketch(beside(HOME_URL, "png")[1:], _site_card)
        for article in site.articles:
            yield Sketch(beside(article.url, "png")[1:], partial(_card, article.path))


def redirects(site: Site) -> Iterator[Sketch]:
    """The old addresses of articles, where nothing else is now."""
    for old, article in old_and_new(site):
        yield Sketch(output_path(old), partial(_redirect_page, article.path))


KINDS: tuple[Kind, ...] = (
    *(articles, index, tags, categories, series, archives, search, not_found),
    # An address that two want is that of the first: what follows gives way to all that stands above.
    *(feed, crawling, copies, pictures, redirects),
)


def theme_claims(config: Config) -> Iterator[Claim]:
    """The files that belong to the theme, whatever the articles are (for `site.collisions`)."""
    for url in (HOME_URL, TAGS_URL, CATEGORIES_URL, ARCHIVES_URL, NOT_FOUND_URL):
        yield Claim(output_path(url), "", f"the theme's page {url}")
    if feeds.has_feed(config):
        yield Claim(output_path(feeds.FEED_URL), "", "the feed")
    if config.search:
        yield Claim(output_path(SEARCH_URL), "", f"the theme's page {SEARCH_URL}")
        yield Claim(SEARCH_INDEX, "", "the index of the search")
    for name, path in Assets.of(config).paths.items():
        yield Claim(path, "", f"the theme's file {name}")


def list_claims(site: Site) -> Iterator[Claim]:
    """The files that the further pages of lists want to be."""
    for sketch in series(site):
        if sketch.path == output_path(SERIES_URL):
            yield Claim(sketch.path, "", f"the theme's page {SERIES_URL}")
    for kind in (index, tags, categories):
        for sketch in kind(site):
            if "page/" in sketch.path:
                yield Claim(sketch.path, "", f"a page of a list, /{sketch.path.removesuffix('index.html')}")


def _term_feed(
    make: TermFeed, entries: feeds.Entries, url: str, site: SiteView, templates: jinja2.Environment
) -> bytes:
    return make(site, site.term(url), entries)


def _sitemap(lists: Sequence[str], site: SiteView, templates: jinja2.Environment) -> bytes:
    """The sitemap. The terms of `lists` are read here, so that it is made again when there are others."""
    for terms in (site.categories, site.tags, site.series):
        list(terms)
    return feeds.sitemap(site, lists)


def _copy(path: str, kind: str, site: SiteView, templates: jinja2.Environment) -> bytes:
    return site.copy(site.article(path), kind).encode("utf-8", errors="replace")


def _card(path: str, site: SiteView, templates: jinja2.Environment) -> bytes:
    article = site.article(path)
    words = words_for(language_of(article.extra, site.config.language))
    when = words.date(article.date.astimezone(ZoneInfo(site.config.timezone))) if article.dated else ""
    return cards.card(site.config, article.title, " · ".join(filter(None, (site.config.author, when))))


def _site_card(site: SiteView, templates: jinja2.Environment) -> bytes:
    return cards.card(site.config, site.config.title, site.config.description)


def _redirect_page(path: str, site: SiteView, templates: jinja2.Environment) -> bytes:
    article = site.article(path)
    return _redirect(site, templates, article.url, article.title)


def _redirect(site: SiteView, templates: jinja2.Environment, target: str, title: str) -> bytes:
    """A page that leads to another address, of this site or not."""
    address = link(site.config, target)
    canonical = site.config.url + address if address.startswith("/") else address
    context = {"address": address, "canonical": canonical, "title": title}
    return _made(site, templates, "redirect.html", context)


def _article_page(path: str, is_page: bool, site: SiteView, templates: jinja2.Environment) -> bytes:
    article = site.article(path)
    if (target := _target(article.extra)) is not None:
        return _redirect(site, templates, target, article.title or target)
    older, newer = site.neighbours(article)
    name = "page.html" if is_page else "post.html"
    language = language_of(article.extra, site.config.language)
    if language != site.config.language:
        templates = _in_language(templates, language, site.config.timezone)
    return _made(site, templates, name, {"article": article, "older": older, "newer": newer})


def _target(front_matter: Mapping[str, Any]) -> str | None:
    """Where a page that has moved is now, as `redirect_to` says; None for one that is here."""
    target = front_matter.get("redirect_to")
    if not isinstance(target, str) or not target.strip():
        return None
    target = target.strip()
    return target if is_address(target) else f"/{target.lstrip('/')}"


def _archives_page(site: SiteView, templates: jinja2.Environment) -> bytes:
    zone = ZoneInfo(site.config.timezone)
    years: dict[int, list[ArticleView]] = {}
    for article in site.articles:
        years.setdefault(article.date.astimezone(zone).year if article.dated else 0, []).append(article)
    return _made(site, templates, "archives.html", {"years": years})


def _series_page(url: str, site: SiteView, templates: jinja2.Environment) -> bytes:
    """The posts of one series, from its beginning."""
    term = site.term(url)
    context = {"term": term, "parts": list(term.articles)[::-1], "list_url": SERIES_URL}
    return _made(site, templates, "series.html", context)


def _terms(site: Site, url: str, name: str) -> Iterator[Sketch]:
    """The page that lists the terms of one kind, and the pages of each term."""
    heading = getattr(words_for(site.config.language), name)

    def context(term_url: str, view: SiteView) -> dict[str, object]:
        term = view.term(term_url)
        return {"list": term.articles, "term": term, "heading": heading, "list_url": url}

    yield Sketch(output_path(url), partial(_overview, name))
    for term in getattr(site, name):
        yield from _list(site, term.url, len(term.articles), "term.html", partial(context, term.url))


def _overview(name: str, view: SiteView, templates: jinja2.Environment) -> bytes:
    """The page that lists the terms of one kind."""
    heading = getattr(words_for(view.config.language), name)
    return _made(view, templates, "terms.html", {"terms": getattr(view, name), "heading": heading})


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
    needed = [load for article in site.shown() for load in article.loads]
    return with_policy(text, site.config, needed).encode("utf-8", errors="replace")


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


@jinja2.pass_context
def _metadata(context: jinja2.runtime.Context) -> Metadata:
    """What this page says of itself to programs."""
    values = (context.get("article"), context.get("term"), context.get("heading") or "")
    return metadata(context["site"], context["language"], *values)


def _of_site(
    address: Callable[[Config, str], str], config: Config, context: jinja2.runtime.Context, url: str
) -> str:
    return address(config, url)


def _asset(config: Config, assets: Assets, name: str) -> str:
    """The address of an asset."""
    if name not in assets.paths:
        raise jinja2.TemplateRuntimeError(f"there is no file `{name}` below assets/")
    return href(config, f"/{assets.paths[name]}")


def _dates(words: Words, zone: ZoneInfo) -> Callable[..., str]:
    """The filter `date`. What it gives is kept: lists and neighbours show a date again."""

    @lru_cache(maxsize=4096)
    def text(when: datetime, fold: int, form: str) -> str:
        when = when.astimezone(zone)
        if form == "iso":
            return when.isoformat(timespec="seconds")
        return words.day(when) if form == "day" else words.date(when)

    def date(when: datetime, form: str = "human") -> str:
        return text(when, when.fold, form)  # two times that differ in nothing but `fold` are equal

    return date


def _facts(words: Words, facts: Mapping[str, str]) -> tuple[str, ...]:
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
