"""One source file -> what the site needs of it. The work that is done on all cores, and only on what is new.

    prepare(source)           reads, parses, finds the outputs in the cache or the freeze, renders
        -> Prepared           all that is known of the file; its HTML lies on disk
        -> Stale              its cells have to be run first; then `finish` does the rest

Nothing here looks at another post: links into the site stand as marks in the HTML (see `site.LINK`).
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from builder.bodies import Bodies, BodyLost
from builder.execute.cache import Cache, site_cache
from builder.execute.freeze import Freeze
from builder.execute.keys import Input, cell_keys, has_cells_to_run
from builder.frozen import frozen
from builder.llms import llms_entry
from builder.markdown.images import Images
from builder.model import Article, Config, Part, Post, Problem, Run
from builder.posts import Identity, Source, post_date, post_title, post_url, read_post
from builder.site import LINK
from builder.urls import absolute, date_in_name, href, leads_out
from builder.words import language_of

# What reads Markdown and renders it is imported where it is used: most builds have nothing to prepare, or
# do it in another process while this one goes on (see workers.Ahead).
if TYPE_CHECKING:
    from builder.copies import Shown

FIGURES_URL = "/figures/"
NO_RUN = Run(())


@frozen
class Prepared:
    """What the site needs of one source file.

    article     None: the file is not on the site, `left_out` says why, unless a problem does
    until       when that changes by itself (seconds since 1970): its date has come
    links       the links into the site, in their order, with their lines
    inputs      what the outputs depend on besides the code, with its values; None: run again next time
    findable    its text and its terms among the bodies; None: it is not searched
    remembered  may the highlighted code in its body be used again? (see highlight.is_ours)
    """

    path: str
    identity: Identity | None  # None: the file changed too shortly before it was read to be sure
    article: Article | None
    left_out: str = ""
    until: float = 0.0
    problems: tuple[Problem, ...] = ()
    links: tuple[tuple[str, int], ...] = ()
    figures: tuple[str, ...] = ()
    cells: int = 0
    cached: int = 0  # cells whose outputs are known
    inputs: tuple[tuple[str, str, str], ...] | None = ()
    findable: tuple[str, str] | None = None
    remembered: bool = False


@frozen
class Stale:
    """A post whose cells have to be run, and the problems of reading it."""

    source: Source
    post: Post
    problems: tuple[Problem, ...]


@frozen
class Workshop:
    """What preparing needs: the site's configuration and its stores."""

    config: Config
    cache: Cache
    freeze: Freeze
    bodies: Bodies
    frozen: bool
    now: datetime
    changed_since: int  # ns: a file that changed after this may change again and look the same
    images: Images

    @classmethod
    def of(cls, config: Config, *, frozen: bool) -> Workshop:
        """Return the workshop of a site."""
        cache = site_cache(config)
        return cls(
            config,
            cache,
            Freeze(config),
            Bodies(config),
            frozen,
            datetime.now(ZoneInfo(config.timezone)),
            time.time_ns() - 50_000_000,
            Images(config, cache),
        )

    def prepare(self, source: Source) -> Prepared | Stale:
        """Read one file and prepare it, as far as that can be done without running its cells."""
        post, problems = read_post(source, self.config)
        if post is None:
            return Prepared(source.path, self._sure(source), None, problems=problems)
        why, until = self._left_out(post)
        if why:
            return Prepared(source.path, self._sure(source), None, why, until, problems)
        if not has_cells_to_run(post):
            return self._render(source, post, NO_RUN, problems, ())
        if self.frozen:
            run = self.freeze.verified(post, self.cache.values)
            inputs = self.freeze.files(post)
        else:
            key = cell_keys(post)[-1]
            known = self.cache.load(key)
            inputs = self.cache.inputs(key) if known else self.freeze.inputs(post)
            run = known or self.freeze.current(post, self.cache.values) or NO_RUN
        return (
            self._render(source, post, run, problems, inputs)
            if run.outputs
            else Stale(source, post, problems)
        )

    def finish(self, stale: Stale, run: Run) -> Prepared:
        """Prepare a post whose cells have been run."""
        from builder.execute.outcome import is_unavailable
        from builder.execute.run import is_repeatable

        lasts = is_repeatable(run) and not is_unavailable(run)
        inputs = self.cache.inputs(cell_keys(stale.post)[-1]) if lasts else None
        return self._render(stale.source, stale.post, run, stale.problems, inputs)

    def _left_out(self, post: Post) -> tuple[str, float]:
        """Why a post is not on the site now, or "", and until when that holds."""
        front_matter, config = post.front_matter, self.config
        date = post_date(post, config)
        if not front_matter.published:
            return "`published: false`", 0.0
        if front_matter.draft and not config.drafts:
            return "a draft (show it with --drafts)", 0.0
        # A day without a time begins when it begins in the site's own zone: never "in the future" today.
        if date > self.now and not config.future:
            why = f"its date, {date:%Y-%m-%d %H:%M}, is in the future (show it with --future)"
            return why, date.timestamp()
        return "", 0.0

    def _render(
        self,
        source: Source,
        post: Post,
        run: Run,
        problems: tuple[Problem, ...],
        inputs: tuple[Input, ...] | None,
    ) -> Prepared:
        """Splice the outputs into the post, render it, and put its HTML on disk."""
        from builder.execute.record import figures_of
        from builder.markdown.highlight import is_ours
        from builder.markdown.media import PostMedia
        from builder.markdown.render import render
        from builder.policy import loads

        config, front_matter = self.config, post.front_matter
        date = post_date(post, config)
        try:
            url = post_url(post, config)
        except ValueError as error:
            problem = Problem("error", post.path, front_matter.lines.get("permalink", 0), "url", str(error))
            return Prepared(source.path, self._sure(source), None, problems=(*problems, problem))
        links: list[tuple[str, int]] = []

        def resolve(address: str, line: int) -> str:
            if leads_out(address):
                return address
            links.append((address, line))
            return LINK.format(len(links) - 1)

        under = self._shown(post, run)
        media = PostMedia(post, url, config, self.images, self.cache)
        rendered = render(
            post,
            under,
            resolve,
            lambda name: href(config, FIGURES_URL + name),
            language_of(front_matter.extra, config.language),
            media.media(),
        )
        copies = self._copies(post, under, links, run.facts.get("python", ""))
        kept = self.bodies.store({"body": rendered.html, **copies})
        title, summary = post_title(post), front_matter.description or rendered.summary
        article = Article(
            path=post.path,
            url=url,
            title=title,
            toc=rendered.toc,
            summary=summary,
            date=date,
            dated=front_matter.date is not None or date_in_name(post.path) is not None,
            last_modified=front_matter.last_modified,
            categories=front_matter.categories,
            tags=front_matter.tags,
            page=post.page,
            draft=front_matter.draft,
            show_toc=front_matter.toc is not False and len(rendered.toc) > 0,
            minutes=rendered.minutes,
            description=front_matter.description,
            facts=self._facts(post, run),
            extra=front_matter.extra,
            loads=loads(rendered.html),
            entry=llms_entry(config, url, title, summary, markdown="markdown" in kept),
            **kept,
        )
        found = (*problems, *_cell_problems(post, run), *rendered.problems, *media.problems)
        read = None if inputs is None or not media.lasts else (*inputs, *media.inputs)
        values = None if read is None else tuple((k, n, self.cache.values.of(k, n)) for k, n in read)
        return Prepared(
            source.path,
            self._sure(source),
            article,
            problems=found,
            links=tuple(links),
            figures=tuple(dict.fromkeys((*figures_of(run), *media.files))),
            cells=len(post.cells),
            cached=len(run.outputs),
            inputs=values,
            findable=self._findable(article, rendered.html),
            remembered=is_ours(rendered.html),
        )

    def _facts(self, post: Post, run: Run) -> Mapping[str, str]:
        """The facts of a run, and whether all that its page shows comes from it."""
        if not run.outputs:
            return run.facts
        from builder.check import is_verified

        return {**run.facts, "verified": "yes"} if is_verified(post, run) else run.facts

    def _findable(self, article: Article, html: str) -> tuple[str, str] | None:
        """Keep what the search finds of an article, unless it is not to be found."""
        if not self.config.search or article.extra.get("search") is False or article.extra.get("redirect_to"):
            return None
        from builder.terms import findable

        found = findable(article.title, article.tags, html)
        kept = self.bodies.store({"text": found.text, "terms": found.terms})
        return kept["text"], kept["terms"]

    def _copies(
        self, post: Post, under: Shown, links: Sequence[tuple[str, int]], python: str
    ) -> dict[str, str]:
        """The copies of a post: its Markdown and, where it has cells, its notebook and its script."""
        if not self.config.downloads:
            return {}
        from builder.copies import linked_lines, markdown_copy, pieces
        from builder.notebooks import notebook, script
        from builder.splice import expected_error, may_raise

        wanted = self.config.downloads
        copies: dict[str, str] = {}
        title, lines = post_title(post), linked_lines(post, links)
        if "markdown" in wanted:
            copies["markdown"] = markdown_copy(
                title, post, under, lines, lambda name: absolute(self.config, FIGURES_URL + name)
            )
        parts = tuple(pieces(post, under, lines)) if post.cells else ()
        if parts and "notebook" in wanted:
            raising = frozenset(
                cell.number for cell in post.cells if may_raise(cell, post.execute) or expected_error(cell)
            )
            copies["notebook"] = notebook(title, parts, python, raising, self._blob)
        if parts and "script" in wanted:
            copies["script"] = script(title, parts)
        return copies

    def _blob(self, name: str) -> bytes | None:
        return self.cache.blob(name) or self.freeze.blob(name)

    def _shown(self, post: Post, run: Run) -> Mapping[int, tuple[Part, ...] | None]:
        from builder.splice import shown

        outputs = zip(post.cells, run.outputs, strict=False)
        return {cell.number: shown(cell, output, post.execute) for cell, output in outputs}

    def _sure(self, source: Source) -> Identity | None:
        return source.identity if max(source.identity[1:3]) < self.changed_since else None


@frozen
class Task:
    """Sources to prepare, and the bodies of earlier articles whose highlighted code may stand there again."""

    sources: Sequence[Source]
    bodies: Sequence[str] = ()


def ready(config: Config, *, frozen: bool) -> Callable[[Task], tuple[list[Prepared | Stale], set[str]]]:
    """Import and make all that preparing needs; return what prepares sources, and names damaged files."""
    import builder.front_matter
    import builder.markdown.media
    import builder.markdown.render
    from builder.markdown.dialect import parse
    from builder.markdown.highlight import remember

    if config.execute.eval:
        import builder.check
        import builder.execute.run
    if config.downloads:
        import builder.copies
        import builder.notebooks
    if config.search:
        import builder.terms  # noqa: F401
    parse("")
    workshop = Workshop.of(config, frozen=frozen)

    def work(task: Task) -> tuple[list[Prepared | Stale], set[str]]:
        for name in task.bodies:
            with contextlib.suppress(BodyLost):
                remember(workshop.bodies.read(name))
        return [workshop.prepare(source) for source in task.sources], workshop.cache.damaged

    return work


def _cell_problems(post: Post, run: Run) -> Iterator[Problem]:
    """The problems of a run; none, without a look, where nothing has been run."""
    if run.outputs:
        from builder.failures import cell_problems

        yield from cell_problems(post, run)
