"""Is what a post shows what its code prints? Findings, one per cell that has something to compare."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from builder.compare import Tolerance, compare
from builder.execute.cache import site_cache
from builder.execute.freeze import Freeze
from builder.execute.keys import effective_eval
from builder.execute.run import Observer, Runs, frozen_runs, run_posts
from builder.failures import failed_cells
from builder.frozen import frozen
from builder.model import (
    GRAVE,
    KINDS,
    Cell,
    Config,
    Finding,
    Output,
    Part,
    Post,
    Problem,
    Run,
    SiteError,
    Text,
)
from builder.posts import read_posts
from builder.splice import joined_text, printed_parts, with_marks

FAILED = {"raised": "error", "syntax": "error", "exit": "error"}  # every other failure: not-run


@frozen
class Checked:
    """Posts that were checked, what their cells did, and what was found."""

    posts: tuple[Post, ...]
    runs: Runs
    findings: tuple[Finding, ...]
    problems: tuple[Problem, ...]  # of reading the posts: not of their cells


def check(
    config: Config,
    names: Sequence[Path],
    jobs: int,
    observe: Observer | None = None,
    *,
    frozen: bool = False,
) -> Checked:
    """Run what is stale of the posts `names` (files or folders; none: of all), and compare.

    Raises SiteError if a name is no post.
    """
    posts, problems = chosen_posts(config, names)
    cache, freeze = site_cache(config), Freeze(config)
    if frozen:
        runs = frozen_runs(posts, freeze, cache.values)
    else:
        runs = run_posts(posts, config, cache, freeze, jobs, observe)
    ran = [(post, runs.of[post.path]) for post in posts if post.path in runs.of]
    findings = tuple(finding for post, run in ran for finding in check_post(post, run))
    return Checked(posts, runs, findings, problems)


def chosen_posts(config: Config, names: Sequence[Path]) -> tuple[tuple[Post, ...], tuple[Problem, ...]]:
    """Return the posts of the site that `names` (absolute) select, drafts too, and their problems."""
    everything, _, problems = read_posts(config)
    if not names:
        return everything, problems
    places = {post.path: (config.root / post.path).resolve() for post in everything}
    for name in names:
        if not any(place.is_relative_to(name.resolve()) for place in places.values()):
            hint = _other_site(name, config)
            raise SiteError(Problem("error", str(name), 0, "config", "no post of this site", hint))
    chosen = tuple(
        post for post in everything if any(places[post.path].is_relative_to(name.resolve()) for name in names)
    )
    paths = {post.path for post in chosen}
    return chosen, tuple(problem for problem in problems if problem.path in paths)


def _other_site(name: Path, config: Config) -> str:
    """A hint for a path that lies in a site below this one, or ""."""
    for folder in (name, *name.parents):
        if folder == config.root or not folder.is_relative_to(config.root):
            return ""
        if (folder / "fencepost.toml").is_file():
            return f"it lies in another site: --site {folder.relative_to(config.root)}"
    return ""


def check_post(post: Post, run: Run) -> Iterator[Finding]:
    """Compare every authored output of a post with what its cells did. Excused cells have no finding."""
    messages = {number: problem.message for number, problem in failed_cells(post, run)}
    drew = False
    for cell, output in zip(post.cells, run.outputs, strict=False):
        drew = drew or output.drew_random
        if cell.options.check and effective_eval(post, cell.number):
            finding = _check_cell(post, cell, output, drew, messages)
            if finding is not None:
                yield finding


def is_verified(post: Post, run: Run) -> bool:
    """Do all outputs on the page of this post come from its run, or agree with it?"""
    if not run.outputs or any(output.failure and output.failure.kind != "raised" for output in run.outputs):
        return False
    if post.execute.outputs == "real":
        return not any(failed_cells(post, run))
    return not any(GRAVE & set(finding.kinds) for finding in check_post(post, run))


def counts(findings: Iterable[Finding]) -> dict[str, int]:
    """Return how many findings have each kind, in the order of KINDS."""
    numbers = Counter(kind for finding in findings for kind in finding.kinds)
    return {kind: numbers[kind] for kind in KINDS if numbers[kind]}


def _check_cell(
    post: Post, cell: Cell, output: Output, drew: bool, messages: Mapping[int, str]
) -> Finding | None:
    fence = cell.authored
    line = fence.start if fence else cell.code.start
    parts = printed_parts(cell, output, post.execute)
    if parts is None:
        assert output.failure is not None
        kind = FAILED.get(output.failure.kind, "not-run")
        what = messages.get(cell.number) or _cause(output)
        return Finding(post.path, line, cell.number, (kind,), what)
    printed = joined_text(parts)
    if fence is None:
        if not printed:
            return None
        first = printed.split("\n", 1)[0]
        return Finding(post.path, line, cell.number, ("missing",), f"prints `{first}`", "", printed)
    if not parts:
        what = "this fence stands behind a cell that shows nothing"
        return Finding(post.path, line, cell.number, ("silent",), what)
    if not printed:
        return None  # a figure: the fence is not its output
    tolerance = Tolerance(post.execute.rtol, post.execute.atol)
    difference = compare(fence.body, printed, drew_random=drew, tolerance=tolerance)
    kinds = tuple(kind for kind in KINDS if kind in difference.kinds)
    return Finding(post.path, line, cell.number, kinds, difference.what, fence.body, _merged(cell, parts))


def _merged(cell: Cell, parts: tuple[Part, ...]) -> str:
    """What `accept` would write: the real output with the author's marks."""
    texts = tuple(part for part in parts if isinstance(part, Text))
    return joined_text(with_marks(cell.authored.body if cell.authored else "", texts))


def _cause(output: Output) -> str:
    """Why a cell was not run that is not at the root of a failure."""
    failure = output.failure
    if failure is None or not failure.causes:
        return "was not run"
    names = ", ".join(f"`{name}`" for name in failure.names)
    return f"was not run: cell {failure.causes[0]} failed" + (f", and it uses {names}" if names else "")
