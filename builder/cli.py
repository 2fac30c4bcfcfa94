"""The command: its arguments, its messages, its exit codes. The only place that prints or exits.

0    all is well (warnings are only told, unless --strict)
1    problems in the content
2    wrong use or configuration; nothing was written
3    a fault of ours, with its traceback
130  Ctrl-C
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from builder import __version__
from builder.model import Config, Problem, Report, SiteError


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and exit."""
    options = _parser().parse_args(arguments)
    try:
        status = options.command(options)
        sys.stdout.flush()
    except SiteError as error:
        status = _refuse(error, getattr(options, "json", False))
    except KeyboardInterrupt:
        print("\ninterrupted: the site is as it was", file=sys.stderr)
        status = 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    except Exception:
        import traceback

        traceback.print_exc()
        print("fencepost: this is a fault of Fencepost, not of your site; please report it", file=sys.stderr)
        status = 3
    sys.exit(status)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fencepost", description="Build a blog from Markdown posts whose Python fences really run."
    )
    parser.add_argument("--version", action="version", version=f"fencepost {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    build = commands.add_parser("build", help="run what is stale and write the site")
    _site_argument(build)
    build.add_argument("--output", metavar="DIR", help="write the site there (default: output)")
    build.add_argument("--drafts", action="store_true", help="show drafts too")
    build.add_argument("--future", action="store_true", help="show posts with a date in the future too")
    build.add_argument(
        "--jobs", type=_positive, metavar="N", help="posts to run at once (default: one per core)"
    )
    build.add_argument("--strict", action="store_true", help="exit with 1 for warnings too")
    build.add_argument("--json", action="store_true", help="print one JSON object")
    build.set_defaults(command=_build)

    clean = commands.add_parser("clean", help="remove what builds wrote, and the cache")
    _site_argument(clean)
    clean.add_argument("--output", metavar="DIR", help="the folder that was built (default: output)")
    clean.set_defaults(command=_clean)
    return parser


def _site_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "site", nargs="?", default=".", metavar="SITE", help="the site's folder (default: here)"
    )


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


# --- commands --------------------------------------------------------------------------------


def _config(options: argparse.Namespace) -> Config:
    from builder.config import read_config

    root = Path(options.site).resolve()
    overrides: dict[str, Any] = {}
    if options.output:
        overrides["output"] = str(Path(options.output).resolve())
    if getattr(options, "drafts", False):
        overrides["drafts"] = True
    if getattr(options, "future", False):
        overrides["future"] = True
    return read_config(root, overrides)


def _build(options: argparse.Namespace) -> int:
    started = time.perf_counter()
    config = _config(options)
    from builder import state
    from builder.lock import locked

    progress = Progress(sys.stderr)
    with locked(config, on_wait=lambda: progress.say("waiting for another build of this site to end")):
        before = state.snapshot(config)
        report = state.last_report(config, before)
        if report is None:
            from builder.build import build

            jobs = options.jobs or len(os.sched_getaffinity(0))
            report, until = build(config, jobs, progress.observe)
            state.remember(config, before, report, until)
    progress.done()
    report = replace(report, seconds=time.perf_counter() - started)
    if options.json:
        print(json.dumps(_plain(report), ensure_ascii=False))
    else:
        _tell(report.notes + report.problems)
        print(summary(report))
        print(f"the site is in {_short(config.output)}: open {_short(config.output / 'index.html')}")
    levels = {problem.level for problem in report.problems}
    return 1 if "error" in levels or (options.strict and "warning" in levels) else 0


def _clean(options: argparse.Namespace) -> int:
    import shutil

    config = _config(options)
    from builder.lock import locked
    from builder.output import clean_output

    with locked(config, on_wait=lambda: None):
        removed = clean_output(config)
        home = config.root / ".fencepost"
        had_cache = (home / "cache").exists()
        shutil.rmtree(home / "cache", ignore_errors=True)
        (home / "state.json").unlink(missing_ok=True)
    cache = ", and the cache" if had_cache else ""
    print(f"{_count(removed, 'file')} removed from {_short(config.output)}{cache}")
    return 0


# --- messages --------------------------------------------------------------------------------


def summary(report: Report) -> str:
    """Return the last line of a build."""
    cells = [f"{report.cached} cached"] if report.cached else []
    cells += [f"{report.run} run"] if report.run else []
    parts = [
        _count(report.posts, "post"),
        _count(report.cells, "cell") + (": " + ", ".join(cells) if cells else ""),
    ]
    files = f"{_count(report.pages, 'page')} ({report.written} written"
    parts.append(files + (f", {report.removed} removed)" if report.removed else ")"))
    errors = sum(problem.level == "error" for problem in report.problems)
    warnings = sum(problem.level == "warning" for problem in report.problems)
    parts += [_count(errors, "problem")] if errors else []
    parts += [_count(warnings, "warning")] if warnings else []
    return ", ".join(parts) + f" in {report.seconds:.2f} s"


def message(problem: Problem) -> str:
    """Return one problem as people read it: `path:line: what (what to do)`, the detail indented below."""
    place = (
        f"{problem.path}:{problem.line}: " if problem.line else f"{problem.path}: " if problem.path else ""
    )
    level = "" if problem.level == "error" else f"{problem.level}: "
    hint = f"  ({problem.hint})" if problem.hint else ""
    lines = [f"{place}{level}{problem.message}{hint}"]
    lines += [f"    {line}" for line in problem.detail.split("\n")] if problem.detail else []
    return "\n".join(lines)


def _tell(problems: Iterable[Problem]) -> None:
    for problem in problems:
        print(message(problem), file=sys.stderr)


def _refuse(error: SiteError, as_json: bool) -> int:
    if as_json:
        print(json.dumps(_plain(Report(problems=error.problems)), ensure_ascii=False))
    else:
        _tell(error.problems)
        print("nothing was written", file=sys.stderr)
    return 2 if all(problem.kind in ("config", "output", "template") for problem in error.problems) else 1


def _plain(report: Report) -> dict[str, Any]:
    names = ("posts", "cells", "run", "cached", "pages", "written", "removed", "seconds")
    return {
        **{name: getattr(report, name) for name in names},
        "problems": [
            {name: getattr(problem, name) for name in ("level", "path", "line", "kind", "message", "detail")}
            for problem in report.problems
        ],
    }


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _short(path: Path) -> str:
    """A path as a person here would type it."""
    here = Path.cwd()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else str(path)


class Progress:
    """One line on a terminal that says which cell is running; nothing in a pipe."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.live = stream.isatty()
        self.shown = False

    def observe(self, path: str, event: Mapping[str, Any]) -> None:
        """Show an event of a session."""
        if self.live and event["event"] == "cell":
            self.say(f"running {path}, cell {event['cell']}")

    def say(self, text: str) -> None:
        """Show `text` in place of what was shown before."""
        if self.live:
            print(f"\r\x1b[K{text}", end="", file=self.stream, flush=True)
            self.shown = True

    def done(self) -> None:
        """Take the line away."""
        if self.shown:
            print("\r\x1b[K", end="", file=self.stream, flush=True)


if __name__ == "__main__":
    main()
