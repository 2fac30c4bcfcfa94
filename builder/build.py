"""content/ -> output/, top to bottom: read this first.

    sources    the files of the content folder                     posts.py
    prepared   each Markdown file: read, run, spliced, rendered     prepare.py, execute/, markdown.py
    site       articles in order, taxonomies, neighbours            site.py
    sketches   every page that there is to be                       pages.py, feeds.py
    tree       the files of the site, exchanged with the old ones   output.py

What is as it was when the last build began is taken from the memo (memo.py), at each step.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias

from builder.assets import Assets
from builder.bodies import BodyLost, kept_bodies
from builder.jekyll.precedence import settle
from builder.jekyll.rules import output_file
from builder.manifest import FileId
from builder.memo import Common, Memo
from builder.model import Built, Config, Page, Problem, Report, SiteError
from builder.output import Tree, Written
from builder.pages import Sketch, environment, list_claims, sketches, theme_claims
from builder.posts import Source, find_sources
from builder.prepare import FIGURES_URL, Prepared, Stale, Task, Workshop
from builder.redirects import redirect_problems
from builder.search import Index, State
from builder.site import Claim, Site, collisions
from builder.urls import Links
from builder.views import Reads, SiteView
from builder.workers import FEWEST, Ahead, spread

if TYPE_CHECKING:
    from builder.execute.run import Observer, Runs
    from builder.state import Seen

# What the last build knew. Mostly the process ends after it, and need not wait until ten thousand articles have
# been taken apart.
_known: list[object] = []

# A process that is ready to prepare what has changed (see `prepare.ready`).
Preparing: TypeAlias = Ahead[Task, tuple[list[Prepared | Stale], set[str]]]


def build(
    config: Config,
    jobs: int,
    observe: Observer | None = None,
    *,
    frozen: bool = False,
    ahead: Preparing | None = None,
    seen: Seen | None = None,
) -> Built:
    """Turn content/ into output/. With `frozen`, no cell is run: all outputs are those of the freeze.

    `ahead` is given new sources to prepare while this process does what does not depend on them, or its share.
    What has been `seen` already is not looked at again.

    A problem of one post does not keep the others from the site. Raises SiteError, with nothing written,
    if there can be no whole site: two pages at one address, a broken template, an output folder in use.
    """
    started = time.perf_counter()
    workshop = Workshop.of(config, frozen=frozen)
    workshop.cache.tidy()
    memo = Memo.read(config, frozen=frozen)
    sources, files, problems = find_sources(config, seen.snapshot["files"] if seen else {})

    with closing(workshop.bodies):
        known = memo.unchanged(sources, workshop.cache.values, workshop.now.timestamp())
        new = [source for source in sources if source.path not in known]
        make_images(new, files, workshop, jobs)
        ahead = ahead if new else None  # it is not waited for where there is nothing to prepare
        ours = _hand_out(new, memo, jobs, ahead)
        tree = Tree(config, seen.lookout if seen else None)  # how the output folder is
        done = _prepare(ours, workshop, jobs, ahead)
        runs = _run(done, known, workshop, jobs, observe)
        prepared = [known[source.path] for source in sources]
        copies = copies_of(files, config)
        placed: list[Prepared] = prepared
        if config.jekyll:
            placed, copies, yielded = settle(prepared, copies, theme_claims(config), config)
            problems += tuple(yielded)
        site, complaints = site_of(placed, copies, workshop)
        try:
            written, pages = _write(site, prepared, copies, workshop, memo, tree, jobs)
        except BodyLost:
            memo.erase()
            workshop.bodies.keep(())
            return build(config, jobs, observe, frozen=frozen)
        try:
            if workshop.bodies.keep(_bodies(prepared)):
                memo.write({each.path: each for each in prepared}, pages, site.addresses)
            else:
                memo.erase()
            workshop.cache.values.save()
        finally:
            tree.leave()

    told = [*problems, *complaints, *(problem for each in prepared for problem in each.problems)]
    cells = sum(each.cells for each in prepared)
    ran = runs.ran if runs else 0
    report = Report(
        posts=sum(each.article is not None for each in prepared),
        cells=cells,
        run=ran,
        cached=sum(each.cached for each in prepared) - ran,
        pages=len(written.files),
        written=written.written,
        removed=written.removed,
        seconds=time.perf_counter() - started,
        problems=tuple(sorted(told, key=lambda problem: problem.place)),
        notes=tuple(sorted(_notes(prepared, workshop, runs), key=lambda problem: problem.place)),
    )
    _known[:] = memo, site, sources, known, written
    return Built(report, _until(prepared), _input_files(prepared, config))


# --- the steps -------------------------------------------------------------------------------


def _hand_out(new: Sequence[Source], memo: Memo, jobs: int, ahead: Preparing | None) -> Sequence[Source]:
    """Let `ahead` begin with its share of the new sources, all if they are few; return the others."""
    if ahead is None:
        return new
    if len(new) >= FEWEST:  # it is ready, and this process is not: it has some more
        ahead.start(Task([*new[:FEWEST], *new[FEWEST::jobs]]))
        return [source for place, source in enumerate(new[FEWEST:]) if place % jobs]
    old = (memo.posts.get(source.path) for source in new)
    ahead.start(
        Task(new, [known.article.body for known in old if known and known.article and known.remembered])
    )
    return ()


def _prepare(
    ours: Sequence[Source], workshop: Workshop, jobs: int, ahead: Preparing | None
) -> list[Prepared | Stale]:
    """Prepare our share of the new sources, as far as that needs no run of cells; return all, also `ahead`'s."""
    if ahead is None:
        return spread(partial(_prepare_part, workshop), ours, jobs)
    done = spread(partial(_prepare_part, workshop), ours, jobs - 1)
    theirs, damaged = ahead.result()
    workshop.cache.damaged |= damaged
    return [*done, *theirs]


def _run(
    done: Iterable[Prepared | Stale],
    known: dict[str, Prepared],
    workshop: Workshop,
    jobs: int,
    observe: Observer | None,
) -> Runs | None:
    """Take what has been prepared for `known`, after the runs that it takes; return these, None for none."""
    stale: dict[str, Stale] = {}
    for result in done:
        if isinstance(result, Stale):
            stale[result.source.path] = result
        else:
            known[result.path] = result
    if not stale:
        return None
    from builder.execute.run import run_posts

    stale = dict(sorted(stale.items()))  # whoever has prepared them
    posts = [waiting.post for waiting in stale.values()]
    runs = run_posts(posts, workshop.config, workshop.cache, workshop.freeze, jobs, observe)
    for path, waiting in stale.items():
        known[path] = workshop.finish(waiting, runs.of[path])
    return runs


def make_images(sources: Iterable[Source], files: Iterable[Source], workshop: Workshop, jobs: int) -> None:
    """Make the copies of the images that these sources seem to show ahead of them: a post may show a hundred."""
    if not sources:
        return
    from builder.markdown.images import is_image

    images = {file.path for file in files if is_image(file.path)}
    if not images:
        return
    from builder.markdown.media import images_in

    texts = (
        (source.path, source.file.read_text(errors="replace")) for source in sources if source.file.exists()
    )
    found = {image for path, text in texts for image in images_in(text, path, workshop.config, images)}
    spread(workshop.images.make, sorted(found), jobs, fewest=2)


def _prepare_part(workshop: Workshop, sources: Sequence[Source]) -> list[Prepared | Stale]:
    return [workshop.prepare(source) for source in sources]


def site_of(
    prepared: Iterable[Prepared], copies: Mapping[str, Page], workshop: Workshop
) -> tuple[Site, list[Problem]]:
    """Put the articles in order and find where their links lead. Raises SiteError if two want one address."""
    config = workshop.config
    articles = [known.article for known in prepared if known.article is not None]
    urls = {article.path: article.url for article in articles}
    site = Site.of(config, articles, workshop.bodies.read)
    claims = [*theme_claims(config), *list_claims(site), *site.claims()]
    addresses: dict[str, tuple[str, ...]] = {}
    complaints: list[Problem] = []
    linking = [known for known in prepared if known.article is not None and known.links]
    if linking:
        others = {f"/{claim.output}".removesuffix("index.html") for claim in claims} - {*urls.values()}
        links = Links(config, urls, {path: f"/{page.path}" for path, page in copies.items()}, sorted(others))
        for known in linking:
            found = [(*links.resolve(link, known.path), line) for link, line in known.links]
            addresses[known.path] = tuple(address for address, _, _ in found)
            complaints += [
                Problem("warning", known.path, line, "link", complaint)
                for _, complaint, line in found
                if complaint
            ]
    copied = [Claim(page.path, path, path) for path, page in copies.items()]
    clashes = collisions([*claims, *copied])
    if clashes and not config.jekyll:
        raise SiteError(*clashes)
    site = replace(site, addresses=addresses)
    complaints += redirect_problems(site, [*claims, *copied])
    return site, [*complaints, *(replace(clash, level="warning") for clash in clashes)]


def _write(
    site: Site,
    prepared: Iterable[Prepared],
    copies: Mapping[str, Page],
    workshop: Workshop,
    memo: Memo,
    tree: Tree,
    jobs: int,
) -> tuple[Written, dict[str, bytes]]:
    """Make the pages that have to be made, and put the site in place; return what each page has read."""
    taken = {page.path for page in copies.values()}
    plan = {sketch.path: sketch for sketch in sketches(site) if sketch.path not in taken}
    stale = memo.stale_pages(plan, site)
    todo = [sketch for path, sketch in plan.items() if path in stale or not tree.has(path)]
    keep = plan.keys() - {sketch.path for sketch in todo}
    reads = {path: memo.pages[path] for path in keep}
    find = Index.of(site, prepared, workshop.bodies.read, State.read(site.config, memo.program), tree.has)
    try:
        figures = {FIGURES_URL.lstrip("/") + name: name for known in prepared for name in known.figures}
        there = [path for path in figures if tree.has(path)]  # named by content: they need not be read
        tree.begin({*keep, *find.kept, *there})
        files = {path: tree.identity(path) for path in (*keep, *find.kept, *there)}
        for path, identity, read, common in spread(partial(_make_part, site, tree, memo.common), todo, jobs):
            files[path], reads[path] = identity, read
            memo.common.add(common)
        files.update(spread(partial(_put_texts, workshop, tree), [*find.texts.items()], jobs))
        for page in (
            *_figures(figures.keys() - there, figures, workshop),
            *Assets.of(site.config).pages(),
            *copies.values(),
            *find.pages,
        ):
            files[page.path] = tree.put(page.path, page.content)
        written = tree.finish(files)
        if tree.needs_spare():
            linked = spread(tree.link_spare, sorted(files), jobs)
            tree.keep_spare(all(linked))
        find.state.write(site.config, memo.program)
        return written, reads
    except OSError as error:
        raise tree.failure(error) from error
    except BaseException:
        tree.abandon()
        raise


def _make_part(
    site: Site, tree: Tree, common: Common, todo: Sequence[Sketch]
) -> list[tuple[str, FileId, bytes, dict[bytes, tuple[Any, ...]]]]:
    """Make some pages and put them into the tree; return what each has read, and what is new in `common`."""
    templates = environment(site.config)
    made = []
    for sketch in todo:
        reads = Reads()
        content = sketch.make(SiteView(site, reads, sketch.url), templates)
        known = len(common.added)
        read = common.packed(reads)
        new = dict(islice(common.added.items(), known, None))
        made.append((sketch.path, tree.put(sketch.path, content), read, new))
    return made


def _put_texts(workshop: Workshop, tree: Tree, texts: Sequence[tuple[str, str]]) -> list[tuple[str, FileId]]:
    """Put texts that the search shows into the tree, each by its path and the name of its body."""
    return [(path, tree.put(path, workshop.bodies.read(name).encode())) for path, name in texts]


def _bodies(prepared: Iterable[Prepared]) -> Iterator[str]:
    """The names of all bodies that are of use to the next build."""
    for known in prepared:
        if known.article:
            yield from kept_bodies(known.article)
        yield from known.findable or ()


def copies_of(files: Iterable[Source], config: Config) -> dict[str, Page]:
    """Return {path from the site's root: the page that copies it} for files that are no posts."""
    prefix = config.content.relative_to(config.root).as_posix() + "/"
    if config.jekyll:
        return {source.path: Page(output_file(source.path, config.jekyll), source.file) for source in files}
    return {source.path: Page(source.path.removeprefix(prefix), source.file) for source in files}


def _figures(paths: Iterable[str], names: Mapping[str, str], workshop: Workshop) -> Iterable[Page]:
    """The figures and copies of images at these paths. Raises BodyLost."""
    for path in sorted(paths):
        content = workshop.cache.blob(names[path]) or workshop.freeze.blob(names[path])
        if content is None:  # the memo knows of it, and the cache has lost it: its post is to be run again
            raise BodyLost(names[path])
        yield Page(path, content)


# --- what is told ----------------------------------------------------------------------------


def _notes(prepared: Iterable[Prepared], workshop: Workshop, runs: Runs | None) -> list[Problem]:
    """What needs no mending: posts left out, what cells wrote to standard error, a damaged cache."""
    notes = [
        Problem("note", known.path, 0, "left-out", f"left out: {known.left_out}")
        for known in prepared
        if known.left_out
    ]
    if runs:
        from builder.failures import cell_notes

        notes += [note for post, run in runs.posts for note in cell_notes(post, run)]
    if workshop.cache.damaged:
        message = f"{len(workshop.cache.damaged)} damaged files of the cache were not used"
        notes.append(Problem("note", ".fencepost/cache", 0, "cache", message))
    return notes


def _until(prepared: Iterable[Prepared]) -> float:
    """Until when the site stays as it is if no file changes: a date comes, or a post has to be run again."""
    times = [known.until for known in prepared if known.until]
    return min(times, default=math.inf) if all(k.inputs is not None for k in prepared) else 0.0


def _input_files(prepared: Iterable[Prepared], config: Config) -> tuple[str, ...]:
    """The files that cells read, which a build with nothing to do has to look at."""
    names = {name for known in prepared for kind, name, _ in known.inputs or () if kind == "file"}
    return tuple(str(config.root / name) for name in sorted(names))
