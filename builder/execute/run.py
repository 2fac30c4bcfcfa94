"""Posts -> their runs: from the cache where it has them, else by running their cells."""

from __future__ import annotations

import ast
import base64
import os
import re
import signal
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from builder.execute.cache import Cache, code_key, effective_eval, may_raise
from builder.execute.capture import Addresses, clean, decode
from builder.execute.supervisor import Ended, Job, Limits, Record, ServerDied, Supervisor, cell_environment
from builder.model import Config, Failure, Figure, Frame, Markup, Output, Part, Post, Run, Text

# Imported ahead, in the fork server, when a stale post imports them. All else is imported in the post's own
# process, so that the imports of one post can never be seen by another.
AHEAD = {"torch", "numpy", "matplotlib", "pandas", "scipy", "sklearn"}
# What torch imports late, at the first call of these names, and at what cost: `shared` by all posts.
LATE = {
    "torch.fx.experimental.symbolic_shapes": {"backward", "grad"},
    "torch._dynamo": {"optim", "compile"},
}
FIGURES = ("matplotlib_inline.backend_inline", "matplotlib.backends.backend_svg")
# What a failure must be for its run to be kept: it would happen again.
REPEATABLE = {"raised", "syntax", "exit", "skipped", "refused"}
CRASH_LINE = re.compile(r'File "<cell (\d+)>", line (\d+) in')
Observer = Callable[[str, Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Runs:
    """What came of running posts: a run for each that has cells, and how many cells were run or cached."""

    of: Mapping[str, Run]
    ran_posts: frozenset[str]
    ran: int  # cells
    cached: int  # cells


def run_posts(
    posts: Iterable[Post], config: Config, cache: Cache, jobs: int, observe: Observer | None = None
) -> Runs:
    """Return the outputs of all cells of `posts`.

    A post all of whose outputs are cached is not run. At most `jobs` posts run at once; `observe(path,
    event)` is told of every event of a session. No failure of a post raises here: it stands in its run.
    """
    environment = cell_environment(config.execute.environment)
    runs: dict[str, Run] = {}
    stale: list[tuple[Post, str]] = []
    cached = 0
    for post in posts:
        if not any(effective_eval(post, cell.number) for cell in post.cells):
            continue
        key = code_key(post, environment)
        known = cache.load(key)
        if known is not None:
            runs[post.path] = known
            cached += len(post.cells)
        else:
            stale.append((post, key))
    keys = {post.path: key for post, key in stale}
    for post, run in _run([post for post, _ in stale], config, environment, cache, jobs, observe):
        runs[post.path] = run
        if all(output.failure is None or output.failure.kind in REPEATABLE for output in run.outputs):
            inputs = [("python", ""), *(("package", name) for name in sorted(imports(post)))]
            cache.store(keys[post.path], run, inputs)
    return Runs(runs, frozenset(keys), sum(len(post.cells) for post, _ in stale), cached)


def _run(
    posts: Sequence[Post],
    config: Config,
    environment: Mapping[str, str],
    cache: Cache,
    jobs: int,
    observe: Observer | None,
) -> Iterable[tuple[Post, Run]]:
    """Run the cells of `posts`; if the fork server dies, the rest runs in spawned processes."""
    waiting = {post.path: post for post in posts}

    def tell(job: Job, event: Mapping[str, Any]) -> None:
        if observe is not None:
            observe(job.name, event)

    start = config.execute.start
    while waiting:
        with Supervisor(_ahead(list(waiting.values()), config), start, environment) as supervisor:
            try:
                for ended in supervisor.run([_job(p, config) for p in waiting.values()], jobs, tell):
                    post = waiting.pop(ended.job.name)
                    yield post, _result(post, ended, cache)
            except ServerDied as death:
                if start == "spawn":
                    for post in waiting.values():
                        yield post, _all_failed(post, str(death))
                    return
                start = "spawn"


def imports(post: Post) -> set[str]:
    """Return the top-level names of the modules that the cells of a post import, by their text."""
    return {name.split(".")[0] for name in _imported_modules(post)[0]} - sys.stdlib_module_names


def _imported_modules(post: Post) -> tuple[set[str], set[str]]:
    """Return the modules that the cells import, dotted, and every attribute name that they use."""
    modules: set[str] = set()
    attributes: set[str] = set()
    for cell in post.cells:
        for node in _nodes(cell.source):
            if isinstance(node, ast.Import):
                modules |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                modules.add(node.module)
                modules |= {f"{node.module}.{alias.name}" for alias in node.names}
            elif isinstance(node, ast.Attribute):
                attributes.add(node.attr)
    return modules, attributes


def _nodes(source: str) -> Iterable[ast.AST]:
    plain = re.sub(r"(?m)^\s*[%!].*$", "", source)
    try:
        return ast.walk(ast.parse(plain))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()


def _ahead(posts: Sequence[Post], config: Config) -> list[str]:
    """Which modules is the fork server to import, in order?"""
    modules: set[str] = set()
    attributes: set[str] = set()
    for post in posts:
        folder = (config.root / post.path).parent
        named, used = _imported_modules(post)
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


def _job(post: Post, config: Config) -> Job:
    options = post.execute
    folder = str((config.root / post.path).parent)
    task = {
        "folder": folder,
        "paths": [folder, str(config.root)],
        "seed": options.seed,
        "threads": options.threads,
        "shell": options.shell,
        "figure_format": options.figure_format,
        "imports": sorted(imports(post)),
        "cells": [
            {
                "number": cell.number,
                "source": cell.source,
                "eval": effective_eval(post, cell.number),
                "may_raise": may_raise(post, cell.number),
            }
            for cell in post.cells
        ],
    }
    timeouts = {cell.number: cell.options.timeout or options.timeout for cell in post.cells}
    return Job(post.path, task, Limits(options.post_timeout, timeouts))


# --- from records to outputs -----------------------------------------------------------------


def _result(post: Post, ended: Ended, cache: Cache) -> Run:
    """Build the run of a post from what the supervisor knows of it."""
    addresses = Addresses()
    outputs: list[Output] = []
    warnings: list[str] = []
    for record in ended.records:
        cell = post.cells[record.number - 1]
        parts, whole = _parts(record, ended.out, addresses, cache)
        if not whole:
            warnings.append(f"cell {record.number} printed bytes that are not UTF-8")
        done = record.done
        failure = (
            _failure(done, cell.number) if done else _death(record, ended, _limit_of(post, record, ended))
        )
        if done and done.get("limit"):
            failure = _limit_failure(done, ended, cell.number, _seconds(post, cell.number))
        stderr = clean(decode(ended.err[record.err[0] : record.err[1]])[0])
        outputs.append(Output(parts, failure, stderr, bool(done and done.get("drew_random"))))
    last = len(outputs)
    if last < len(post.cells) and (not outputs or outputs[-1].failure is None):
        outputs.append(Output((), _between(ended)))
        last = len(outputs)
    unrun = Output((), Failure("unrun", "the process had ended before", causes=(last,)))
    outputs += [unrun] * (len(post.cells) - last)
    end = ended.end or {}
    warnings += [f"the thread {name!r} was still running at the end" for name in end.get("threads", ())]
    return Run(tuple(outputs), dict(end.get("facts", {})), tuple(warnings))


def _parts(record: Record, out: bytes, addresses: Addresses, cache: Cache) -> tuple[tuple[Part, ...], bool]:
    """Return the parts of a cell in the order shown, and whether all its bytes were UTF-8."""
    parts: list[Part] = []
    whole = True
    at, end = record.out[0], record.out[1] if record.out[1] is not None else len(out)

    def printed(upto: int) -> None:
        nonlocal at, whole
        text, good = decode(out[at:upto])
        text = addresses.mask(clean(text))
        whole = whole and good
        if text:
            parts.append(Text(text))
        at = upto

    for show in record.shows:
        printed(show["out"])
        part = _displayed(show["data"], show["value"], addresses, cache)
        if part is not None:
            parts.append(part)
    printed(end)
    return tuple(parts), whole


def _displayed(data: Mapping[str, str], value: bool, addresses: Addresses, cache: Cache) -> Part | None:
    plain = addresses.mask(clean(data.get("text/plain", "")))
    for kind, suffix in (("image/svg+xml", "svg"), ("image/png", "png"), ("image/jpeg", "jpg")):
        if kind in data:
            content = data[kind].encode() if suffix == "svg" else base64.b64decode(data[kind])
            width, height = _dimensions(content, suffix)
            return Figure(cache.store_blob(content, suffix), width, height)
    if "text/html" in data:
        return Markup(addresses.mask(data["text/html"]), plain)
    return Text(plain, value=value) if plain else None


def _dimensions(content: bytes, suffix: str) -> tuple[int, int]:
    """Return width and height of a picture in CSS pixels; (0, 0) if it does not say."""
    if suffix == "png" and content[:8] == b"\x89PNG\r\n\x1a\n":
        return int.from_bytes(content[16:20]), int.from_bytes(content[20:24])
    if suffix == "svg":
        head = content[:2000].decode(errors="replace")
        sizes = [re.search(rf'\s{name}="([\d.]+)(pt|px|)"', head) for name in ("width", "height")]
        if all(sizes):
            scale = {"pt": 4 / 3, "px": 1, "": 1}
            return tuple(round(float(s[1]) * scale[s[2]]) for s in sizes if s)  # type: ignore[return-value]
    return 0, 0


def _failure(done: Mapping[str, Any], number: int) -> Failure | None:
    told = done.get("failure")
    if not told:
        return None
    kind, hint = told["kind"], ""
    if told.get("missing"):
        hint = _install_hint(told["missing"])
    elif told.get("stdin"):
        hint = "cells have no input: write the value into the cell"
    elif kind == "interrupted":
        kind, hint = "raised", ""
    frames = tuple(Frame(f["cell"], f["line"], f["name"], f["source"]) for f in told.get("frames", ()))
    return Failure(
        kind,
        told["message"],
        told.get("line", 0),
        frames,
        hint,
        tuple(told.get("causes", ())),
        tuple(told.get("names", ())),
    )


def _install_hint(module: str) -> str:
    top = module.split(".")[0]
    if top in ("torch", "matplotlib", "numpy"):
        return "pip install 'fencepost[torch]'"
    names = {"sklearn": "scikit-learn", "cv2": "opencv-python", "PIL": "pillow", "yaml": "pyyaml"}
    return f"pip install {names.get(top, top)}"


def _seconds(post: Post, number: int) -> float:
    return post.cells[number - 1].options.timeout or post.execute.timeout


def _limit_of(post: Post, record: Record, ended: Ended) -> str:
    """Say which limit ended the process of a cell, with its value and its name; "" if none did."""
    if ended.limit == "cell":
        return _cell_limit(_seconds(post, record.number))
    if ended.limit == "post":
        return (
            f"ran when its post passed the limit of {post.execute.post_timeout:g} s (option `post_timeout`)"
        )
    if ended.limit == "output":
        return "printed more than 16 MiB and was stopped"
    return ""


def _cell_limit(seconds: float) -> str:
    return f"ran longer than its limit of {seconds:g} s and was stopped (option `timeout`)"


def _limit_failure(done: Mapping[str, Any], ended: Ended, number: int, seconds: float) -> Failure | None:
    """A cell that took the request to stop: as an exception of its own, or by ending in time after all."""
    failure = _failure(done, number)
    if failure is None:
        return None
    line = failure.line if failure.kind == "raised" else _crash_line(ended.last_words, number)
    return Failure("limit", _cell_limit(seconds), line, failure.frames)


def _death(record: Record, ended: Ended, limit: str) -> Failure:
    """Why a cell began and never ended."""
    line = _crash_line(ended.last_words, record.number)
    if limit:
        return Failure("limit", limit, line)
    if os.WIFEXITED(ended.status):
        return Failure("died", f"ended its process with exit code {os.WEXITSTATUS(ended.status)}")
    number = os.WTERMSIG(ended.status)
    name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
    peak = f"peak memory {ended.peak / 1024 / 1024:.1f} GiB"
    if number == signal.SIGKILL:
        return Failure("died", f"was killed ({name}), probably out of memory; {peak}")
    words = {signal.SIGSEGV: "segmentation fault", signal.SIGABRT: "abort", signal.SIGBUS: "bus error"}
    said = f": {words[signal.Signals(number)]}" if number in words else ""
    return Failure("died", f"ended its process by {name}{said}", line)


def _between(ended: Ended) -> Failure:
    """The process ended while no cell was running: a fault of ours, or of a thread."""
    said = ended.last_words.strip().split("\n")[-1]
    how = "was stopped" if ended.limit else f"ended with status {ended.status}"
    return Failure("died", f"was not run: the process of the post {how}" + (f" ({said})" if said else ""))


def _crash_line(words: str, number: int) -> int:
    """Which line of cell `number` was Python at, by its last words? 0 if they do not say."""
    for cell, line in CRASH_LINE.findall(words):
        if int(cell) == number:
            return int(line)
    return 0


def _all_failed(post: Post, why: str) -> Run:
    failure = Failure("died", f"was not run: no process could be started ({why})")
    return Run(tuple(Output((), failure) for _ in post.cells))
