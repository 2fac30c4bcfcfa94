"""`fencepost adopt`: run every post of an old blog once, and write down what cannot run here, and why.

    posts -> runs -> the cells at the root of each failure -> `[[unproven]]` in the configuration

A cell that raises is run in each build all the same, so that those behind it find what it did bind; one that
takes too long or ends its process is never tried again, and its post is run once more without it.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from builder.check import chosen_posts
from builder.clothes import FORMS
from builder.execute.cache import site_cache
from builder.execute.freeze import Freeze
from builder.execute.keys import has_cells_to_run
from builder.execute.run import REPEATABLE, Observer, run_posts
from builder.failures import failed_cells
from builder.fences import forms_below
from builder.frozen import frozen
from builder.model import Cell, Config, Post, Problem, Run, SiteError, Unproven
from builder.posts import code_digest

BEGIN = (
    "# --- written by `fencepost adopt`: what cannot run here, and why. Run it again when that changes. ---"
)
END = "# --- end of what `fencepost adopt` wrote ---"

_BLOCK = re.compile(rf"\n*^{re.escape(BEGIN)}$.*?^{re.escape(END)}$\n?", re.DOTALL | re.MULTILINE)
# A habit of the site: so many cells with that form below them.
_HABIT = 5
_ROUNDS = 8  # at most so many cells of one post may end its process


@frozen
class Adopted:
    """What adopting came to. `proven_now` names cells that were unproven and now run."""

    posts: int  # with cells
    cells: int
    unproven: tuple[Unproven, ...]
    proven_now: tuple[Unproven, ...]
    forms: tuple[str, ...]
    problems: tuple[Problem, ...]


def adopt(config: Config, jobs: int, observe: Observer | None = None) -> Adopted:
    """Run all posts of a site, whatever is known of them, and return what there is to write down."""
    fresh = dataclasses.replace(config, unproven=())
    posts, problems = chosen_posts(fresh, ())
    posts = tuple(post for post in posts if has_cells_to_run(post))
    cache, freeze = site_cache(config), Freeze(config)
    found: dict[str, list[Unproven]] = {}
    waiting: Sequence[Post] = posts
    for _ in range(_ROUNDS):
        runs = run_posts(waiting, fresh, cache, freeze, jobs, observe)
        again = []
        for post in waiting:
            run = runs.of.get(post.path)
            if run is None:
                continue
            found[post.path] = _unproven(post, run)
            ended = _ended(post, run)
            if ended:
                again.append(_without(post, ended))
        waiting = again
        if not waiting:
            break
    unproven = tuple(entry for path in sorted(found) for entry in found[path])
    return Adopted(
        posts=len(posts),
        cells=sum(len(post.cells) for post in posts),
        unproven=unproven,
        proven_now=tuple(_no_more(config.unproven, unproven, posts)),
        forms=_forms(posts),
        problems=problems,
    )


def write_adopted(adopted: Adopted, config: Config) -> tuple[Path, bool]:
    """Put it into the site's configuration, in place of what the last `adopt` wrote there.

    Return the file, and whether it took the forms of outputs: a table `execute` of the author's is his own.
    """
    file, prefix = _file(config)
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    rest = _BLOCK.sub("\n", text).strip("\n")
    takes_forms = not re.search(rf"^\s*\[?\s*{re.escape(prefix)}execute\b", rest, re.MULTILINE)
    lines = [BEGIN]
    if adopted.forms and takes_forms:
        lines += [f"[{prefix}execute]", f"output_forms = {_toml(adopted.forms)}"]
    for entry in adopted.unproven:
        lines += ["", f"[[{prefix}unproven]]", f"post = {_toml(entry.post)}", f"cells = {_toml(entry.cells)}"]
        lines += [f"reason = {_toml(entry.reason)}", f"code = {_toml(entry.code)}"]
        lines += [] if entry.run else ["run = false"]
    lines.append(END)
    block = "\n".join(lines)
    try:
        file.write_text(f"{rest}\n\n{block}\n" if rest else f"{block}\n", encoding="utf-8")
    except OSError as error:
        raise SiteError(
            Problem("error", file.name, 0, "config", f"cannot be written: {error.strerror}")
        ) from None
    return file, takes_forms or not adopted.forms


def _file(config: Config) -> tuple[Path, str]:
    """The file that configures the site, and what stands before its tables."""
    project = config.root / "pyproject.toml"
    if project.is_file() and "[tool.fencepost" in project.read_text(encoding="utf-8"):
        return project, "tool.fencepost."
    return config.root / "fencepost.toml", ""


def _toml(value: str | Sequence[str] | Sequence[int]) -> str:
    """A text, or a list, as TOML writes it: JSON, which escapes no more than TOML knows."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


# --- one post --------------------------------------------------------------------------------


def _unproven(post: Post, run: Run) -> list[Unproven]:
    """The cells at the root of a failure, those with one reason together."""
    reasons: dict[tuple[str, bool], list[Cell]] = {}
    for number, problem in failed_cells(post, run):
        cell = post.cells[number - 1]
        failure = run.outputs[number - 1].failure
        reason = cell.refusal or _reason(problem)
        tried = not cell.unproven and (failure is None or failure.kind in REPEATABLE)
        reasons.setdefault((reason, tried), []).append(cell)
    return [
        Unproven(
            post.path,
            tuple(cell.number for cell in cells),
            reason,
            tuple(dict.fromkeys(map(code_digest, cells))),
            tried,
        )
        for (reason, tried), cells in reasons.items()
    ]


def _reason(problem: Problem) -> str:
    """What went wrong, without the number of the cell, on one line."""
    text = re.sub(r"^cell \d+ (?:raised |does not parse: |was not run: )?", "", problem.message)
    text = " ".join(text.split())
    return text if len(text) <= 200 else f"{text[:197]}..."


def _ended(post: Post, run: Run) -> list[tuple[int, str]]:
    """The cells that took the others with them, and why."""
    ended = []
    for number, problem in failed_cells(post, run):
        failure = run.outputs[number - 1].failure
        if failure is not None and failure.kind not in REPEATABLE and not post.cells[number - 1].refusal:
            ended.append((number, _reason(problem)))
    return ended


def _without(post: Post, ended: Iterable[tuple[int, str]]) -> Post:
    """The post with some cells that are not run any more."""
    reasons = dict(ended)
    cells = tuple(
        dataclasses.replace(cell, unproven=reasons[cell.number], refusal=reasons[cell.number])
        if cell.number in reasons
        else cell
        for cell in post.cells
    )
    return dataclasses.replace(post, cells=cells)


def _no_more(
    before: Iterable[Unproven], now: Iterable[Unproven], posts: Iterable[Post]
) -> Iterable[Unproven]:
    """Those entries of the last time whose cells, still there with the same code, have no reason any more."""
    unproven = {(entry.post, digest) for entry in now for digest in entry.code}
    present: Mapping[str, set[str]] = {post.path: set(map(code_digest, post.cells)) for post in posts}
    for entry in before:
        left = tuple(
            d for d in entry.code if (entry.post, d) not in unproven and d in present.get(entry.post, ())
        )
        if left:
            yield dataclasses.replace(entry, code=left)


def _forms(posts: Iterable[Post]) -> tuple[str, ...]:
    """The forms that outputs have by habit of the site."""
    numbers = Counter(form for post in posts for form in forms_below(post.markdown, post.body_line))
    return tuple(form for form in FORMS if numbers[form] >= _HABIT)
