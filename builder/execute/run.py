"""Posts -> their runs: from the freeze or the cache where they have them, else by running the cells."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from builder.execute.cache import Cache
from builder.execute.freeze import Freeze
from builder.execute.keys import (
    Values,
    cell_keys,
    effective_eval,
    has_cells_to_run,
    imported_modules,
    imports,
    inputs_of,
    options_of,
)
from builder.execute.outcome import all_failed, is_unavailable, outcome
from builder.execute.running import Job, Limits
from builder.execute.supervisor import OURS, Interpreter, ServerDied, Supervisor, cell_environment
from builder.frozen import frozen
from builder.model import Config, Post, Run
from builder.sizes import parse_size
from builder.splice import expected_error, may_raise

# Imported ahead, in the fork server, when a stale post imports them. All else is imported in the post's own
# process, so that the imports of one post can never be seen by another.
AHEAD = {"torch", "numpy", "matplotlib", "pandas", "scipy", "sklearn"}
# What torch imports late, at the first call of these names: better once, in the server, than in each post.
LATE = {
    "torch.fx.experimental.symbolic_shapes": {"backward", "grad"},
    "torch._dynamo": {"optim", "compile"},
}
FIGURES = ("matplotlib_inline.backend_inline", "matplotlib.backends.backend_svg")
# What a failure must be for its run to be kept: it would happen again.
REPEATABLE = {"raised", "syntax", "exit", "skipped", "refused"}
CUDA_DRIVER = Path("/dev/nvidiactl")
Observer = Callable[[str, Mapping[str, Any]], None]


@frozen
class Runs:
    """What came of running posts: a run for each that has cells, and how many cells were run or cached."""

    of: Mapping[str, Run]
    posts: tuple[tuple[Post, Run], ...]  # those that were run now
    ran: int  # cells
    cached: int  # cells


def frozen_runs(posts: Iterable[Post], freeze: Freeze, values: Values) -> Runs:
    """Return the frozen outputs of `posts`, and run nothing: what is not frozen stands there as a failure."""
    runs = {post.path: freeze.verified(post, values) for post in posts if has_cells_to_run(post)}
    return Runs(runs, (), 0, sum(len(run.outputs) for run in runs.values()))


def run_posts(
    posts: Iterable[Post],
    config: Config,
    cache: Cache,
    freeze: Freeze,
    jobs: int,
    observe: Observer | None = None,
) -> Runs:
    """Return the outputs of all cells of `posts`.

    A post all of whose outputs are cached, or frozen with the same versions of all that it uses, is not
    run. At most `jobs` posts run at once; `observe(path, event)` is told of every event of a session. No
    failure of a post raises here: it stands in its run.
    """
    runs: dict[str, Run] = {}
    stale: list[Post] = []
    cached = 0
    for post in posts:
        if not has_cells_to_run(post):
            continue
        known = cache.load(cell_keys(post)[-1]) or freeze.current(post, cache.values)
        if known is not None:
            runs[post.path] = known
            cached += len(post.cells)
        else:
            stale.append(post)
    for post, run, files in execute(stale, config, cache, jobs, observe):
        runs[post.path] = settled(post, run, files, cache)
    cache.values.save()
    ran = sum(len(post.cells) for post in stale if not is_unavailable(runs[post.path]))
    return Runs(runs, tuple((post, runs[post.path]) for post in stale), ran, cached)


def is_repeatable(run: Run) -> bool:
    """Would the same run come out again? Deaths and limits are not kept: they depend on the machine."""
    failures = [output.failure for output in run.outputs if output.failure is not None]
    return not run.moved and all(failure.kind in REPEATABLE for failure in failures)


def settled(post: Post, run: Run, files: Sequence[str], cache: Cache) -> Run:
    """Return what a run that has ended comes to, and keep it if it would come out again."""
    if is_unavailable(run):
        return last_proven(post, run, cache)
    if is_repeatable(run):
        keep(post, run, files, cache)
    return run


def last_proven(post: Post, run: Run, cache: Cache) -> Run:
    """Return the last outputs of a post that cannot be run here, saying so; or `run`, which has none."""
    proven = cache.proven(cell_keys(post)[-1])
    return run if proven is None else Run(proven.outputs, {**proven.facts, **run.facts})


def keep(post: Post, run: Run, files: Sequence[str], cache: Cache) -> None:
    """Put a run into the cache, with what it used, and how the post was then."""
    keys = cell_keys(post)
    inputs = inputs_of(post, files, cache.values.root)
    cache.store(keys[-1], run, inputs)
    cache.remember(post.path, {**recipe(post, cache.values.all(inputs)), "keys": keys})


def last_run(path: str, cache: Cache) -> tuple[Sequence[str], Sequence[str], Run | None]:
    """Return the keys and the sources of the cells of a post when it last ran, and what came of it."""
    last = cache.last_recipe(path) or {}
    keys = last.get("keys", ())
    run = cache.proven(keys[-1]) if keys else None
    return keys, [cell["source"] for cell in last.get("cells", ())], run


def recipe(post: Post, inputs: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Return all that the outputs of a post depend on, for people: `why` compares two of these."""
    return {
        "cells": [
            {"source": c.source, "eval": effective_eval(post, c.number), "error": may_raise(c, post.execute)}
            for c in post.cells
        ],
        "options": options_of(post),
        "inputs": [list(value) for value in inputs],
    }


def execute(
    posts: Sequence[Post],
    config: Config,
    cache: Cache,
    jobs: int,
    observe: Observer | None,
    python: Interpreter = OURS,
) -> Iterator[tuple[Post, Run, tuple[str, ...]]]:
    """Run the cells of `posts` under an interpreter; yield each with its run and the files that it read.

    If the fork server dies, the post that did it fails alone; if it cannot start, posts are spawned.
    """
    waiting = {post.path: post for post in posts}
    environment = cell_environment(config.execute.environment)

    def tell(job: Job, event: Mapping[str, Any]) -> None:
        if observe is not None:
            observe(job.name, event)

    start = config.execute.start
    suspects: list[Post] = []  # one of them has ended the fork server: each runs alone now
    while waiting:
        chosen = [suspects.pop()] if suspects else list(waiting.values())
        with Supervisor(ahead(chosen, config), start, environment, python) as supervisor:
            try:
                for ended in supervisor.run([job_of(post, config) for post in chosen], jobs, tell):
                    post = waiting.pop(ended.job.name)
                    files = tuple((ended.end or {}).get("files", ()))
                    yield post, outcome(post, ended, cache), files
                    tell(ended.job, {"event": "ended", "left": len(waiting), "of": len(posts)})
            except ServerDied as death:
                under_way = [waiting[name] for name in death.jobs]
                if len(under_way) > 1:
                    suspects = under_way
                elif under_way or start == "spawn":  # the one that did it, or no server can be started
                    for post in under_way or chosen:
                        yield waiting.pop(post.path), all_failed(post, str(death)), ()
                else:
                    start = "spawn"


def ahead(posts: Iterable[Post], config: Config) -> list[str]:
    """Return the modules that the fork server is to import for some posts, in order."""
    modules: set[str] = set()
    attributes: set[str] = set()
    for post in posts:
        if _is_fresh(post):
            continue  # it imports for itself
        folder = (config.root / post.path).parent
        named, used = imported_modules(post)
        modules |= {
            name
            for name in named
            if name.split(".")[0] in AHEAD and not _is_local(name.split(".")[0], folder, config.root)
        }
        attributes |= used
    chosen = sorted(modules)
    tops = {name.split(".")[0] for name in modules}
    if "torch" in tops:
        chosen += [module for module, names in LATE.items() if names & attributes]
    if "matplotlib" in tops:
        chosen += FIGURES
    return chosen


def _is_local(name: str, *folders: Path) -> bool:
    return any((folder / f"{name}.py").exists() or (folder / name).is_dir() for folder in folders)


def job_of(post: Post, config: Config) -> Job:
    """Return what a session is told to run a post."""
    options = post.execute
    folder = str((config.root / post.path).parent)
    task = {
        "folder": folder,
        "paths": [folder, str(config.root)],
        "seed": options.seed,
        "threads": options.threads,
        "shell": options.shell,
        "figure_format": options.figure_format,
        "device": options.device,
        "imports": sorted(imports(post)),
        "cells": [
            {
                "number": cell.number,
                "source": cell.source,
                "eval": effective_eval(post, cell.number),
                "may_raise": may_raise(cell, post.execute),
                "expected": expected_error(cell),
                "refusal": cell.refusal,
            }
            for cell in post.cells
        ],
    }
    timeouts = {cell.number: cell.options.timeout or options.timeout for cell in post.cells}
    limits = Limits(
        options.post_timeout,
        timeouts,
        0 if _may_use_cuda(post) else parse_size(options.memory),
        options.processes,
        parse_size(options.output_limit),
    )
    return Job(post.path, task, limits, _is_fresh(post))


def _is_fresh(post: Post) -> bool:
    """Is the post to have a process whose ancestors never touched CUDA?"""
    return post.execute.device == "cuda"


def _may_use_cuda(post: Post) -> bool:
    """May the cells use CUDA? It reserves more address space than any limit of memory allows."""
    if post.execute.device:
        return post.execute.device == "cuda"
    return CUDA_DRIVER.exists() and any("cuda" in cell.source for cell in post.cells)
