"""One source file -> what the site needs of it. The work that is done on all cores, and only on what is new.

    prepare(source)           reads, parses, finds the outputs in the cache or the freeze, renders
        -> Prepared           all that is known of the file; its HTML lies on disk
        -> Stale              its cells have to be run first; then `finish` does the rest

Nothing here looks at another post: links into the site stand as marks in the HTML (see `site.LINK`).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from builder.bodies import Bodies
from builder.check import is_verified
from builder.execute.cache import Cache, site_cache
from builder.execute.freeze import Freeze
from builder.execute.keys import Input, cell_keys
from builder.execute.outcome import is_unavailable
from builder.execute.record import figures_of
from builder.execute.run import has_cells_to_run, is_repeatable
from builder.failures import cell_problems
from builder.markdown import render
from builder.model import Article, Config, Part, Post, Problem, Run
from builder.posts import Identity, Source, post_date, post_title, post_url, read_post
from builder.site import LINK
from builder.splice import shown
from builder.urls import date_in_name, href, leads_out

FIGURES_URL = "/figures/"
NO_RUN = Run(())


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the site needs of one source file.

    article     None: the file is not on the site, `left_out` says why, unless a problem does
    until       when that changes by itself (seconds since 1970): its date has come
    links       the links into the site, in their order, with their lines
    inputs      what the outputs depend on besides the code, with its values; None: run again next time
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


@dataclass(frozen=True, slots=True)
class Stale:
    """A post whose cells have to be run, and the problems of reading it."""

    source: Source
    post: Post
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Workshop:
    """What preparing needs: the site's configuration and its stores."""

    config: Config
    cache: Cache
    freeze: Freeze
    bodies: Bodies
    frozen: bool
    now: datetime
    changed_since: int  # ns: a file that changed after this may change again and look the same

    @classmethod
    def of(cls, config: Config, *, frozen: bool) -> Workshop:
        """Return the workshop of a site."""
        return cls(
            config,
            site_cache(config),
            Freeze(config),
            Bodies(config),
            frozen,
            datetime.now(ZoneInfo(config.timezone)),
            time.time_ns() - 50_000_000,
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

        rendered = render(
            post, self._shown(post, run), resolve, lambda name: href(config, FIGURES_URL + name)
        )
        article = Article(
            path=post.path,
            url=url,
            title=post_title(post),
            body=self.bodies.store(rendered.html),
            toc=rendered.toc,
            summary=front_matter.description or rendered.summary,
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
            facts={**run.facts, "verified": "yes"} if is_verified(post, run) else run.facts,
            extra=front_matter.extra,
        )
        found = (*problems, *(cell_problems(post, run) if run.outputs else ()), *rendered.problems)
        values = None if inputs is None else tuple((k, n, self.cache.values.of(k, n)) for k, n in inputs)
        return Prepared(
            source.path,
            self._sure(source),
            article,
            problems=found,
            links=tuple(links),
            figures=tuple(figures_of(run)),
            cells=len(post.cells),
            cached=len(run.outputs),
            inputs=values,
        )

    def _shown(self, post: Post, run: Run) -> Mapping[int, tuple[Part, ...] | None]:
        outputs = zip(post.cells, run.outputs, strict=False)
        return {cell.number: shown(cell, output, post.execute) for cell, output in outputs}

    def _sure(self, source: Source) -> Identity | None:
        return source.identity if max(source.identity[1:3]) < self.changed_since else None
