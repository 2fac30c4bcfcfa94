"""content/ -> output/, top to bottom: read this first.

    sources    the files of the content folder                     posts.py
    prepared   each Markdown file: read, run, spliced, rendered     prepare.py, execute/, markdown.py
    site       articles in order, taxonomies, neighbours            site.py
    sketches   every page that there is to be                       pages.py, feeds.py
    tree       the files of the site, exchanged with the old ones   output.py

What is as it was when the last build began is taken from the memo (memo.py), at each step.
"""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial

from builder.bodies import BodyLost
from builder.execute.run import Observer, Runs, run_posts
from builder.failures import cell_notes
from builder.jekyll import output_file
from builder.memo import Memo
from builder.model import Built, Config, Page, Problem, Report, SiteError
from builder.output import FileId, Tree, Written
from builder.pages import Sketch, assets, environment, list_claims, sketches, theme_claims
from builder.posts import Source, find_sources
from builder.precedence import settle
from builder.prepare import FIGURES_URL, Prepared, Stale, Workshop
from builder.site import Claim, Site, collisions
from builder.urls import Links
from builder.views import Reads, SiteView
from builder.workers import spread


def build(config: Config, jobs: int, observe: Observer | None = None, *, frozen: bool = False) -> Built:
    """Turn content/ into output/. With `frozen`, no cell is run: all outputs are those of the freeze.

    A problem of one post does not keep the others from the site. Raises SiteError, with nothing written,
    if there can be no whole site: two pages at one address, a broken template, an output folder in use.
    """
    started = time.perf_counter()
    gc.set_threshold(100_000)  # most of what is made is kept to the end
    workshop = Workshop.of(config, frozen=frozen)
    workshop.cache.tidy()
    memo = Memo.read(config, frozen=frozen)
    sources, files, problems = find_sources(config)

    with closing(workshop.bodies):
        prepared, runs = _prepare(sources, workshop, memo, jobs, observe)
        copies = _copies(files, config)
        placed: list[Prepared] = prepared
        if config.jekyll:
            placed, copies, yielded = settle(prepared, copies, theme_claims(config))
            problems += tuple(yielded)
        site, complaints = _site(placed, copies, workshop)
        try:
            written, pages = _write(site, prepared, copies, workshop, memo, jobs)
        except BodyLost:
            memo.erase()
            workshop.bodies.keep(())
            return build(config, jobs, observe, frozen=frozen)
        if workshop.bodies.keep(known.article.body for known in prepared if known.article):
            memo.write({known.path: known for known in prepared}, pages, site.addresses)
        else:
            memo.erase()
        workshop.cache.values.save()

    told = [*problems, *complaints, *(problem for known in prepared for problem in known.problems)]
    cells = sum(known.cells for known in prepared)
    report = Report(
        posts=sum(known.article is not None for known in prepared),
        cells=cells,
        run=runs.ran,
        cached=sum(known.cached for known in prepared) - runs.ran,
        pages=written.pages,
        written=written.written,
        removed=written.removed,
        seconds=time.perf_counter() - started,
        problems=tuple(sorted(told, key=_place)),
        notes=tuple(sorted(_notes(prepared, workshop, runs), key=_place)),
    )
    return Built(report, _until(prepared), _input_files(prepared, config))


# --- the steps -------------------------------------------------------------------------------


def _prepare(
    sources: Sequence[Source], workshop: Workshop, memo: Memo, jobs: int, observe: Observer | None
) -> tuple[list[Prepared], Runs]:
    """Return what the site needs of every source, in order, and the runs that it took."""
    known = memo.unchanged(sources, workshop.cache.values, workshop.now.timestamp())
    new = [source for source in sources if source.path not in known]
    stale: dict[str, Stale] = {}
    for result in spread(partial(_prepare_part, workshop), new, jobs):
        if isinstance(result, Stale):
            stale[result.source.path] = result
        else:
            known[result.path] = result
    posts = [waiting.post for waiting in stale.values()]
    runs = run_posts(posts, workshop.config, workshop.cache, workshop.freeze, jobs, observe)
    for path, waiting in stale.items():
        known[path] = workshop.finish(waiting, runs.of[path])
    return [known[source.path] for source in sources], runs


def _prepare_part(workshop: Workshop, sources: Sequence[Source]) -> list[Prepared | Stale]:
    return [workshop.prepare(source) for source in sources]


def _site(
    prepared: Iterable[Prepared], copies: Mapping[str, Page], workshop: Workshop
) -> tuple[Site, list[Problem]]:
    """Put the articles in order and find where their links lead. Raises SiteError if two want one address."""
    config = workshop.config
    articles = [known.article for known in prepared if known.article is not None]
    urls = {article.path: article.url for article in articles}
    others = [f"/{claim.output}".removesuffix("index.html") for claim in theme_claims(config)]
    links = Links(config, urls, {path: f"/{page.path}" for path, page in copies.items()}, others)
    addresses: dict[str, tuple[str, ...]] = {}
    complaints: list[Problem] = []
    for known in prepared:
        if known.article is not None and known.links:
            found = [(*links.resolve(link, known.path), line) for link, line in known.links]
            addresses[known.path] = tuple(address for address, _, _ in found)
            complaints += [
                Problem("warning", known.path, line, "link", complaint)
                for _, complaint, line in found
                if complaint
            ]
    site = Site.of(config, articles, workshop.bodies.read, addresses)
    copied = [Claim(page.path, path, path) for path, page in copies.items()]
    clashes = collisions([*theme_claims(config), *list_claims(site), *site.claims(), *copied])
    if clashes and not config.jekyll:
        raise SiteError(*clashes)
    return site, [*complaints, *(replace(clash, level="warning") for clash in clashes)]


def _write(
    site: Site,
    prepared: Iterable[Prepared],
    copies: Mapping[str, Page],
    workshop: Workshop,
    memo: Memo,
    jobs: int,
) -> tuple[Written, dict[str, Reads | str]]:
    """Make the pages that have to be made, and put the site in place; return what each page has read."""
    tree = Tree(site.config)
    plan = {sketch.path: sketch for sketch in sketches(site)}
    stale = memo.stale_pages(plan, site)
    todo = [sketch for path, sketch in plan.items() if path in stale or not tree.has(path)]
    keep = plan.keys() - {sketch.path for sketch in todo}
    reads: dict[str, Reads | str] = {path: memo.pages[path] for path in keep}
    try:
        tree.begin(keep)
        files = {path: tree.identity(path) for path in keep}
        for path, identity, read in spread(partial(_make_part, site, tree), todo, jobs):
            files[path], reads[path] = identity, read
        for page in (*_figures(prepared, workshop), *assets(site.config), *copies.values()):
            files[page.path] = tree.put(page.path, page.content)
        return tree.finish(files), reads
    except OSError as error:
        raise tree.failure(error) from error
    except BaseException:
        tree.abandon()
        raise


def _make_part(site: Site, tree: Tree, todo: Sequence[Sketch]) -> list[tuple[str, FileId, Reads]]:
    """Make some pages and put them into the tree."""
    templates = environment(site.config)
    made = []
    for sketch in todo:
        reads = Reads()
        content = sketch.make(SiteView(site, reads), templates)
        made.append((sketch.path, tree.put(sketch.path, content), reads))
    return made


def _copies(files: Iterable[Source], config: Config) -> dict[str, Page]:
    """Return {path from the site's root: the page that copies it} for files that are no posts."""
    prefix = config.content.relative_to(config.root).as_posix() + "/"
    if config.jekyll:
        return {source.path: Page(output_file(source.path, config.jekyll), source.file) for source in files}
    return {source.path: Page(source.path.removeprefix(prefix), source.file) for source in files}


def _figures(prepared: Iterable[Prepared], workshop: Workshop) -> Iterable[Page]:
    for name in sorted({name for known in prepared for name in known.figures}):
        content = workshop.cache.blob(name) or workshop.freeze.blob(name)
        if content is None:  # the memo knows of it, and the cache has lost it: its post is to be run again
            raise BodyLost(name)
        yield Page(FIGURES_URL.lstrip("/") + name, content)


# --- what is told ----------------------------------------------------------------------------


def _notes(prepared: Iterable[Prepared], workshop: Workshop, runs: Runs) -> list[Problem]:
    """What needs no mending: posts left out, what cells wrote to standard error, a damaged cache."""
    notes = [
        Problem("note", known.path, 0, "left-out", f"left out: {known.left_out}")
        for known in prepared
        if known.left_out
    ]
    for post, run in runs.posts:
        notes += cell_notes(post, run)
    if workshop.cache.damaged:
        message = f"{len(workshop.cache.damaged)} damaged files of the cache were not used"
        notes.append(Problem("note", ".fencepost/cache", 0, "cache", message))
    return notes


def _place(problem: Problem) -> tuple[str, int, str]:
    return problem.path, problem.line, problem.message


def _until(prepared: Iterable[Prepared]) -> float:
    """Until when the site stays as it is if no file changes: a date comes, or a post has to be run again."""
    times = [known.until for known in prepared if known.until]
    return min(times, default=math.inf) if all(k.inputs is not None for k in prepared) else 0.0


def _input_files(prepared: Iterable[Prepared], config: Config) -> tuple[str, ...]:
    """The files that cells read, which a build with nothing to do has to look at."""
    names = {name for known in prepared for kind, name, _ in known.inputs or () if kind == "file"}
    return tuple(str(config.root / name) for name in sorted(names))
