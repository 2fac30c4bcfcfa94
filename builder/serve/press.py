"""Sources -> editions, again and again: the same steps as a build, with what is known kept in memory.

A post whose cells have to be run does not wait for them: it is shown with the last outputs that are known, which
are replaced as its cells end.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from difflib import SequenceMatcher
from functools import cache, partial
from pathlib import Path
from zoneinfo import ZoneInfo

from builder.assets import Assets
from builder.bodies import Bodies, BodyLost, kept_bodies
from builder.build import copies_of, make_images, site_of
from builder.config import read_config
from builder.execute.keys import cell_keys, has_cells_to_run
from builder.execute.run import AHEAD, last_run
from builder.frozen import frozen
from builder.jekyll.precedence import settle
from builder.memo import Memo
from builder.model import Article, Config, Failure, Output, Page, Post, Problem, Run, SiteError
from builder.pages import environment, sketches, theme_claims
from builder.posts import Source, find_sources, read_post
from builder.prepare import FIGURES_URL, NO_RUN, Prepared, Stale, Workshop
from builder.search import Index, State
from builder.serve.edition import Content, Edition, reader
from builder.serve.engine import News
from builder.serve.margin import RUNNING, STALE, Margin, margin_of
from builder.site import Site
from builder.urls import output_path
from builder.workers import spread

# A cell that has never been run here: the author's own output is shown.
UNKNOWN = Output((), Failure("unrun", "has not been run yet"))


class HeldBodies(Bodies):
    """Bodies that are kept in memory."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.held: dict[str, str] = {}

    def store(self, texts: Mapping[str, str]) -> dict[str, str]:
        names = {key: f"{_digest(text)}@held:0:{len(text)}" for key, text in texts.items()}
        self.held.update((names[key], text) for key, text in texts.items())
        return names

    def read(self, name: str) -> str:
        return self.held[name]

    def keep(self, names: Iterable[str]) -> bool:
        self.held = {name: self.held[name] for name in names if name in self.held}
        return True


@frozen
class Waiting:
    """A post whose cells are being run: what is shown of them meanwhile, and which of that is old."""

    stale: Stale
    run: Run
    states: Mapping[int, str]


class Press:
    """Makes the editions of one site. All of it is called on one thread."""

    def __init__(self, root: Path, overrides: Mapping[str, object], script: str) -> None:
        self._root = root
        self._overrides = dict(overrides)
        self._script = script
        self._number = 0
        self._last_bodies: set[str] = set()
        self._known: dict[str, Prepared] = {}
        self._identities: dict[str, object] = {}
        self._sources: dict[str, Source] = {}
        self._broken: dict[str, tuple[Problem, ...]] = {}  # path -> why its last good page is shown
        self.waiting: dict[str, Waiting] = {}
        self._margins: dict[str, tuple[Prepared, Margin]] = {}
        self.problems: tuple[Problem, ...] = ()
        self.edition: Edition | None = None
        self.config: Config | None = None  # until it can be read
        self._taken: dict[Path, object] = {}  # files that `touch` has taken in, and what they were then
        self._workshop: Workshop

    # --- the whole site -------------------------------------------------------------------------

    def start(self, jobs: int = 1) -> Edition:
        """Read everything anew, but for what the last build knew. Raises SiteError.

        Only a process without further threads may have more `jobs` than one.
        """
        config = read_config(self._root, self._overrides)
        self._workshop = replace(Workshop.of(config, frozen=False), bodies=HeldBodies(config))
        self.config = config
        self._known.clear()
        self._identities.clear()
        self._broken.clear()
        self.waiting.clear()
        self._remember(config)
        return self.save((), jobs)

    def _remember(self, config: Config) -> None:
        """Take what the last build knew, with its bodies, since another build may remove them."""
        sources = find_sources(config)[0]
        moment = self._workshop.now.timestamp()
        known = Memo.read(config, frozen=False).unchanged(sources, self._workshop.cache.values, moment)
        identities = {source.path: source.identity for source in sources}
        with closing(Bodies(config)) as kept:
            for path, prepared in known.items():
                with contextlib.suppress(BodyLost):
                    self._held().update({name: kept.read(name) for name in _bodies([prepared])})
                    self._known[path], self._identities[path] = prepared, identities[path]

    def save(self, changed: Iterable[Path], jobs: int = 1) -> Edition:
        """Take in what has changed; `changed` are files that have, whatever their times say.

        Raises SiteError if there is no whole site; the last edition stays.
        """
        config = self._workshop.config
        self._workshop = replace(self._workshop, now=datetime.now(ZoneInfo(config.timezone)))
        sources, files, problems = find_sources(config)
        taken, self._taken = self._taken, {}
        touched = {file for file in changed if file not in taken}
        places = {*map(str, touched)}
        read = {path for path, known in self._known.items() if self._reads(known, touched)}
        new = [
            source
            for source in sources
            if self._identities.get(source.path) != source.identity
            or source.place in places
            or source.path in read
        ]
        make_images(new, files, self._workshop, jobs)
        for source, (result, bodies) in zip(
            new, spread(partial(_prepare_part, self._workshop), new, jobs), strict=True
        ):
            self._held().update(bodies)
            self._identities[source.path] = source.identity
            self._take(source, result)
        self._sources = {source.path: source for source in sources}
        for path in self._known.keys() - self._sources.keys():
            for of in (self._known, self._identities, self._broken, self.waiting, self._margins):
                of.pop(path, None)
        return self._publish(files, problems)

    def _held(self) -> dict[str, str]:
        bodies = self._workshop.bodies
        assert isinstance(bodies, HeldBodies)
        return bodies.held

    def _reads(self, known: Prepared, touched: set[Path]) -> bool:
        """Did cells of a post read any of these files?"""
        return bool(touched) and any(
            kind == "file" and self._workshop.config.root / name in touched
            for kind, name, _ in known.inputs or ()
        )

    def _take(self, source: Source, result: Prepared | Stale) -> None:
        path = source.path
        self.waiting.pop(path, None)
        self._broken.pop(path, None)
        if isinstance(result, Stale):
            run, states = self._provisional(result.post)
            self._known[path] = self._workshop.finish(result, run)
            self.waiting[path] = Waiting(result, run, states)
            return
        before = self._known.get(path)
        errors = tuple(problem for problem in result.problems if problem.level == "error")
        if errors and (result.article is None or any(error.kind == "front-matter" for error in errors)):
            self._broken[path] = errors
            if before is not None and before.article is not None:
                result = replace(before, problems=result.problems)
        self._known[path] = result

    def _publish(self, files: Sequence[Source], problems: tuple[Problem, ...]) -> Edition:
        config = self._workshop.config
        prepared = [self._known[path] for path in self._sources]
        copies = copies_of(files, config)
        placed = prepared
        if config.jekyll:
            placed, copies, yielded = settle(prepared, copies, theme_claims(config), config)
            problems += tuple(yielded)
        site, complaints = site_of(placed, copies, self._workshop)
        templates = environment(config)
        taken = {page.path for page in copies.values()}
        pages = {sketch.path: sketch for sketch in sketches(site) if sketch.path not in taken}
        bodies = set(_bodies(prepared))
        self._workshop.bodies.keep(bodies | self._last_bodies)  # the last edition may still be asked
        self._last_bodies = bodies
        self._number += 1
        told = [*problems, *complaints, *(problem for known in prepared for problem in known.problems)]
        self.problems = tuple(sorted(told, key=lambda problem: problem.place))
        self.edition = Edition(
            self._number,
            site,
            templates,
            pages,
            self._files(site, copies, prepared),
            {output_path(article.url): article for article in (*site.articles, *site.pages)},
            self.margin,
            cache(partial(_search, site, prepared, self._workshop.bodies.read)),
            troubles=tuple(problem for errors in self._broken.values() for problem in errors),
            script=self._script,
        )
        return self.edition

    def trouble(self, error: SiteError) -> Edition | None:
        """Return the last edition with the reason why there is no other, if there has been any."""
        self.problems = error.problems
        if self.edition is not None:
            self._number += 1
            self.edition = self.edition.with_troubles(error.problems, self._number)
        return self.edition

    def _files(
        self, site: Site, copies: Mapping[str, Page], prepared: Iterable[Prepared]
    ) -> dict[str, Content]:
        files: dict[str, Content] = {page.path: page.content for page in copies.values()}
        files |= {page.path: page.content for page in Assets.of(site.config).pages()}
        for known in prepared:
            files |= self._figures(known.figures)
        return files

    def _figures(self, names: Iterable[str]) -> dict[str, Content]:
        return {FIGURES_URL.lstrip("/") + name: reader(self._blob, name) for name in names}

    def _blob(self, name: str) -> bytes | None:
        return self._workshop.cache.blob(name) or self._workshop.freeze.blob(name)

    # --- one post -------------------------------------------------------------------------------

    def take_news(self, news: News) -> Edition | None:
        """Return the edition in which a post shows what its cells have shown by now."""
        path = news.post.path
        waiting = self.waiting.get(path)
        if waiting is None or self.edition is None or cell_keys(waiting.stale.post) != cell_keys(news.post):
            return None
        if news.run is not None:
            del self.waiting[path]
            known = self._known[path] = self._workshop.finish(waiting.stale, news.run)
            return self._with_body(known, margin_of(waiting.stale.post, news.run, {}))
        done = news.outputs[: news.running - 1] if news.running else news.outputs
        outputs = (*news.outputs, *waiting.run.outputs[len(news.outputs) :])
        states = {number: state for number, state in waiting.states.items() if number > len(done)}
        if news.running:
            states[news.running] = RUNNING
        run = Run(outputs, waiting.run.facts)
        known = self._workshop.finish(waiting.stale, run)
        self.waiting[path] = replace(waiting, run=run, states=states)
        return self._with_body(known, margin_of(waiting.stale.post, run, states))

    def touch(self, file: Path) -> Edition | None:
        """Return the edition in which nothing but the text of one post is another; None if more has changed.

        It is there at once, however large the site is; `save` then does what is to be done besides.
        """
        source = next((source for source in self._sources.values() if source.place == str(file)), None)
        before = self._known.get(source.path) if source else None
        if source is None or before is None or before.article is None:
            return None
        try:
            stat = file.stat()
        except OSError:
            return None
        identity = (stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino)
        source = replace(source, identity=identity)
        self._take(source, self._workshop.prepare(source))
        self._identities[source.path] = identity
        self._taken[file] = identity
        known = self._known[source.path]
        if source.path in self._broken or known.links != before.links or not _is_as_before(known, before):
            return None
        waiting = self.waiting.get(source.path)
        margin = margin_of(waiting.stale.post, waiting.run, waiting.states) if waiting else None
        return self._with_body(known, margin)

    def _with_body(self, known: Prepared, margin: Margin | None) -> Edition | None:
        """Return the edition in which the page of one article has another body, and all else stays."""
        edition = self.edition
        article = edition.site.find(known.path) if edition else None
        if edition is None or article is None or known.article is None or edition.troubles:
            return None
        if margin is not None:
            self._margins[known.path] = self._known[known.path], margin
        html = edition.site.html(replace(article, body=known.article.body))
        self._number += 1
        self.edition = edition.with_body(article, html, self._figures(known.figures), self._number)
        self.edition.answer(self.edition.page_of(known.path))
        return self.edition

    def _provisional(self, post: Post) -> tuple[Run, dict[int, str]]:
        """The last outputs that are known of a post that is to be run, and the states of its cells."""
        keys, sources, run = last_run(post.path, self._workshop.cache)
        if run is None:
            return Run((UNKNOWN,) * len(post.cells)), dict.fromkeys(range(1, len(post.cells) + 1), STALE)
        outputs = [UNKNOWN] * len(post.cells)
        matcher = SequenceMatcher(None, sources, [cell.source for cell in post.cells], autojunk=False)
        for _, old, old_end, new, new_end in matcher.get_opcodes():
            for offset in range(min(old_end - old, new_end - new)):
                outputs[new + offset] = run.outputs[old + offset]
        same = 0
        for old_key, key in zip(keys, cell_keys(post), strict=False):
            if old_key != key:
                break
            same += 1
        return Run(tuple(outputs), run.facts), {
            cell.number: STALE for cell in post.cells if cell.number > same
        }

    def margin(self, article: Article) -> Margin:
        """Return what stands beside the cells of an article."""
        path = article.path
        known = self._known.get(path)
        kept = self._margins.get(path)
        if known is None:
            return Margin()
        if kept is None or kept[0] is not known:
            waiting = self.waiting.get(path)
            if waiting is not None:
                margin = margin_of(waiting.stale.post, waiting.run, waiting.states)
            else:
                margin = self._known_margin(path)
            own = tuple(p for p in known.problems if p.level == "error" and p.kind != "cell")
            kept = self._margins[path] = known, replace(margin, troubles=own)
        return kept[1]

    def _known_margin(self, path: str) -> Margin:
        post, _ = read_post(self._sources[path], self._workshop.config)
        if post is None:
            return Margin()
        run = NO_RUN
        if has_cells_to_run(post):
            cache, freeze = self._workshop.cache, self._workshop.freeze
            run = cache.load(cell_keys(post)[-1]) or freeze.current(post, cache.values) or NO_RUN
        return margin_of(post, run, {})

    def inputs(self) -> set[Path]:
        """Return the files that cells have read."""
        return {
            self._workshop.config.root / name
            for known in self._known.values()
            for kind, name, _ in known.inputs or ()
            if kind == "file"
        }

    def modules(self) -> list[str]:
        """Return the modules that cells import, and that are better imported once than by each post."""
        names = {
            name
            for known in self._known.values()
            for kind, name, _ in known.inputs or ()
            if kind == "import" and name in AHEAD
        }
        return sorted(names)


def _search(site: Site, prepared: Sequence[Prepared], read: Callable[[str], str]) -> dict[str, Content]:
    """Return the files of the search, all made anew."""
    index = Index.of(site, prepared, read, State(), lambda path: False)
    texts = {path: read(name).encode() for path, name in index.texts.items()}
    return {**texts, **{page.path: page.content for page in index.pages}}


def _prepare_part(
    workshop: Workshop, sources: Sequence[Source]
) -> list[tuple[Prepared | Stale, dict[str, str]]]:
    """Prepare some sources, each with the bodies that this stored, since this may be another process."""
    results = []
    bodies = workshop.bodies
    assert isinstance(bodies, HeldBodies)
    for source in sources:
        before, bodies.held = bodies.held, {}
        result = workshop.prepare(source)
        stored, bodies.held = bodies.held, before
        results.append((result, stored))
    return results


# What of an article its own page alone shows, somewhere below its title, and lists that need not be new at once.
_OWN = ("body", "markdown", "notebook", "script", "summary", "minutes", "facts", "entry")


def _is_as_before(known: Prepared, before: Prepared) -> bool:
    """Is an article the same in all that other pages, or its own besides the text, show of it?"""
    if known.article is None or before.article is None:
        return False
    own = {name: getattr(before.article, name) for name in _OWN}
    return replace(known.article, **own) == before.article


def _bodies(prepared: Iterable[Prepared]) -> Iterable[str]:
    for known in prepared:
        if known.article is not None:
            yield from kept_bodies(known.article)
        yield from known.findable or ()


def _digest(html: str) -> str:
    import hashlib

    return hashlib.sha256(html.encode("utf-8", "surrogatepass")).hexdigest()[:32]
