"""`fencepost freeze`: the outputs of all posts into the committed folder."""

from __future__ import annotations

from builder.check import chosen_posts
from builder.execute.cache import site_cache
from builder.execute.freeze import Freeze
from builder.execute.keys import cell_keys
from builder.execute.run import Observer, is_repeatable, run_posts
from builder.failures import cell_problems
from builder.frozen import frozen
from builder.model import Config, Problem


@frozen
class Frozen:
    """What freezing a site came to."""

    posts: int
    changed: int
    removed: int
    problems: tuple[Problem, ...]


def freeze_site(config: Config, jobs: int, observe: Observer | None = None) -> Frozen:
    """Run what is stale, and freeze the outputs of all posts; a post that has no whole run is a Problem.

    Drafts are frozen too. What belongs to no post any more is removed.
    """
    posts, problems = chosen_posts(config, ())
    cache, freeze = site_cache(config), Freeze(config)
    runs = run_posts(posts, config, cache, freeze, jobs, observe)
    told = list(problems)
    frozen = changed = 0
    for post in posts:
        run = runs.of.get(post.path)
        if run is None:
            continue
        told += cell_problems(post, run)
        key = cell_keys(post)[-1]
        if is_repeatable(run):
            frozen += 1
            if cache.load(key) is not None:  # else it came from the freeze itself
                changed += freeze.store(post, run, cache.inputs(key), cache)
    removed = freeze.prune([post for post in posts if post.path in runs.of])
    return Frozen(frozen, changed, removed, tuple(told))
