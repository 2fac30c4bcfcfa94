"""Why a site is not published: each reason has a name, and can be allowed by it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from builder import state
from builder.config import digest
from builder.frozen import frozen
from builder.manifest import Manifest
from builder.model import Config, Problem
from builder.publish.plan import Plan
from builder.publish.secrets import Secret

REASONS: Final = ("stale", "problems", "unproven", "foreign", "shrink")  # and secret:… for each secret
_MOST_LOST: Final = 0.3  # of the pages that are there


@frozen
class Refusal:
    """One reason: the name by which it is allowed, what there is to say, and more about it."""

    name: str
    message: str
    hint: str = ""
    details: tuple[str, ...] = ()


def refusals(config: Config, plan: Plan, secrets: Iterable[Secret]) -> Iterator[Refusal]:
    """Yield every reason not to carry out a plan."""
    yield from _of_the_build(config)
    if plan.there.foreign:
        message = f"{_files(len(plan.there.foreign))} would be written over that no publish of ours put there"
        yield Refusal("foreign", message, "is this the right target?", tuple(sorted(plan.there.foreign)))
    lost, pages = plan.pages_lost
    if lost > pages * _MOST_LOST:
        gone = tuple(path for path in plan.removed if path.endswith(".html"))
        yield Refusal("shrink", f"{lost} of the {pages} pages that are there would be removed", "", gone)
    for secret in secrets:
        where = f"{secret.path}:{secret.line}: {secret.what}"
        yield Refusal(secret.name, where, "take it out of the post, and make it void: somebody may have it")


def _of_the_build(config: Config) -> Iterator[Refusal]:
    """What the last build says against it: nobody remembers it, something has changed since, its problems."""
    again = "run `fencepost build`"
    built = state.last_build(str(config.root))
    if built is None or built["manifest"] != str(Manifest.of(config).path):
        yield Refusal("stale", "nothing is known of the build that made the site", again)
        return
    if built["config"] != digest(config):
        yield Refusal("stale", "the site was built with other options than those of the configuration", again)
    if changes := tuple(state.changes(built)):
        yield Refusal("stale", "the site is not what its sources now give", again, changes)
    told = [Problem(*fields) for fields in built["told"]]
    errors = [problem for problem in told if problem.level == "error"]
    if errors:
        yield Refusal(
            "problems", f"the last build has {_problems(len(errors))}", "", tuple(map(_place, errors))
        )
    unproven = [problem for problem in told if problem.kind == "not-run"]
    if unproven:
        hint = "run them, mark them {eval=false}, or let `fencepost adopt` write down why they cannot run"
        details = tuple(map(_place, unproven))
        yield Refusal("unproven", "pages show outputs that no run has proven", hint, details)


def _place(problem: Problem) -> str:
    return f"{problem.path}:{problem.line}: {problem.message}"


def _files(number: int) -> str:
    return "1 file" if number == 1 else f"{number} files"


def _problems(number: int) -> str:
    return "1 problem" if number == 1 else f"{number} problems"
