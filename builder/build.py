"""content/ -> output/, top to bottom: read this first.

posts     what the author wrote            posts.py, front_matter.py, fences.py
runs      what the cells did               execute/
articles  posts and outputs, rendered      splice.py, markdown.py
site      articles in order                site.py
pages     the files of the site            pages.py, feeds.py
written   only what changed                output.py
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from builder.check import is_verified
from builder.execute.cache import Cache, site_cache
from builder.execute.freeze import Freeze
from builder.execute.record import figures_of
from builder.execute.run import Observer, frozen_runs, is_repeatable, run_posts
from builder.failures import cell_notes, cell_problems
from builder.markdown import Rendered, render
from builder.model import Article, Built, Config, Page, Part, Post, Problem, Report, Run, SiteError
from builder.output import write_pages
from builder.pages import PAGES, environment, theme_claims
from builder.posts import post_date, read_posts
from builder.site import Claim, Site, collisions
from builder.splice import shown
from builder.urls import Links, date_in_name, href, permalink

FIGURES_URL = "/figures/"
NO_RUN = Run(())


@dataclass
class _Notebook:
    """Problems and notes, as they come up on the way."""

    problems: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)
    until: float = math.inf  # when a post that is left out for its date comes onto the site


def build(config: Config, jobs: int, observe: Observer | None = None, *, frozen: bool = False) -> Built:
    """Turn content/ into output/. With `frozen`, no cell is run: all outputs are those of the freeze.

    A problem of one post does not keep the others from the site. Raises SiteError, with nothing written,
    if there can be no whole site: two pages at one address, a broken template, an output folder in use.
    """
    started = time.perf_counter()
    book = _Notebook()
    everything, files, problems = read_posts(config)
    book.problems += problems
    posts = _published(everything, config, book)

    cache = site_cache(config)
    cache.tidy()
    freeze = Freeze(config)
    if frozen:
        runs = frozen_runs(posts, freeze, cache.values)
    else:
        runs = run_posts(posts, config, cache, freeze, jobs, observe)
    if not all(map(is_repeatable, runs.of.values())):
        book.until = 0  # a post that died is tried again
    if cache.damaged:
        message = f"{len(cache.damaged)} damaged files of the cache were not used"
        book.notes.append(Problem("note", ".fencepost/cache", 0, "cache", message))
    for post in posts:
        run = runs.of.get(post.path)
        if run is not None:
            book.problems += cell_problems(post, run)
            book.notes += cell_notes(post, run) if post.path in runs.ran_posts else ()

    urls = _urls(posts, config, book)
    posts = [post for post in posts if post.path in urls]
    copies = _copies(files, config)
    links = Links(config, urls, {path: f"/{page.path}" for path, page in copies.items()}, _theme_urls(config))
    articles = [_article(post, runs.of.get(post.path, NO_RUN), urls, links, config, book) for post in posts]

    site = Site.of(config, articles)
    copied = [Claim(page.path, path, path) for path, page in copies.items()]
    clashes = collisions([*theme_claims(config), *site.claims(), *copied])
    if clashes:
        raise SiteError(*book.problems, *clashes)
    templates = environment(config)
    pages = [page for make in PAGES for page in make(site, templates)]
    pages += [*_figures(runs.of.values(), cache, freeze), *copies.values()]
    written = write_pages(pages, config)

    report = Report(
        posts=len(posts),
        cells=sum(len(post.cells) for post in posts),
        run=runs.ran,
        cached=runs.cached,
        pages=written.pages,
        written=written.written,
        removed=written.removed,
        seconds=time.perf_counter() - started,
        problems=tuple(sorted(book.problems, key=_place)),
        notes=tuple(sorted(book.notes, key=_place)),
    )
    return Built(report, book.until, tuple(cache.values.files()))


def _place(problem: Problem) -> tuple[str, int, str]:
    return problem.path, problem.line, problem.message


def _published(posts: Iterable[Post], config: Config, book: _Notebook) -> list[Post]:
    """The posts that are on the site now; a note names each that is left out."""
    now = datetime.now(ZoneInfo(config.timezone))
    chosen = []
    for post in posts:
        front_matter = post.front_matter
        date = post_date(post, config)
        # A day without a time has begun when it begins in the site's own zone: never "in the future" today.
        if not front_matter.published:
            why = "`published: false`"
        elif front_matter.draft and not config.drafts:
            why = "a draft (show it with --drafts)"
        elif date > now and not config.future:
            book.until = min(book.until, date.timestamp())
            why = f"its date, {date:%Y-%m-%d %H:%M}, is in the future (show it with --future)"
        else:
            chosen.append(post)
            continue
        line = front_matter.lines.get("date", 0) if date > now else 0
        book.notes.append(Problem("note", post.path, line, "left-out", f"left out: {why}"))
    return chosen


def _urls(posts: Iterable[Post], config: Config, book: _Notebook) -> dict[str, str]:
    """Return {path of a post: its URL}; a post whose permalink cannot be is a Problem and has none."""
    urls = {}
    for post in posts:
        date = post_date(post, config)
        try:
            urls[post.path] = permalink(
                config.permalink, post.front_matter, post.path, page=post.page, date=date
            )
        except ValueError as error:
            line = post.front_matter.lines.get("permalink", 0)
            book.problems.append(Problem("error", post.path, line, "url", str(error)))
    return urls


def _theme_urls(config: Config) -> list[str]:
    return [f"/{claim.output}".removesuffix("index.html") for claim in theme_claims(config)]


def _copies(files: Iterable[Path], config: Config) -> dict[str, Page]:
    """Return {path from the site's root: the page that copies it} for files that are no posts."""
    return {
        file.relative_to(config.root).as_posix(): Page(file.relative_to(config.content).as_posix(), file)
        for file in files
    }


def _article(
    post: Post, run: Run, urls: Mapping[str, str], links: Links, config: Config, book: _Notebook
) -> Article:
    rendered = _rendered(post, run, links, config, book)
    front_matter = post.front_matter
    return Article(
        path=post.path,
        url=urls[post.path],
        title=front_matter.title or Path(post.path).stem,
        html=rendered.html,
        toc=rendered.toc,
        summary=front_matter.description or rendered.summary,
        date=post_date(post, config),
        dated=front_matter.date is not None or date_in_name(post.path) is not None,
        last_modified=front_matter.last_modified,
        categories=front_matter.categories,
        tags=front_matter.tags,
        page=post.page,
        draft=front_matter.draft,
        show_toc=front_matter.toc is not False and len(rendered.toc) > 0,
        description=front_matter.description,
        facts={**run.facts, "verified": "yes"} if is_verified(post, run) else run.facts,
        extra=front_matter.extra,
    )


def _rendered(post: Post, run: Run, links: Links, config: Config, book: _Notebook) -> Rendered:
    """Splice the outputs into the post and render it."""

    def resolve(address: str, line: int) -> str:
        found, complaint = links.resolve(address, post.path)
        if complaint:
            book.problems.append(Problem("warning", post.path, line, "link", complaint))
        return found

    parts: dict[int, tuple[Part, ...] | None] = {}
    for cell, output in zip(post.cells, run.outputs, strict=False):
        parts[cell.number] = shown(cell, output, post.execute)
    rendered = render(post, parts, resolve, lambda blob: href(config, FIGURES_URL + blob))
    book.problems += rendered.problems
    return rendered


def _figures(runs: Iterable[Run], cache: Cache, freeze: Freeze) -> Iterator[Page]:
    for name in sorted({name for run in runs for name in figures_of(run)}):
        content = cache.blob(name) or freeze.blob(name)
        if content is not None:
            yield Page(FIGURES_URL.lstrip("/") + name, content)
