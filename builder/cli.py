"""The command: its arguments, its messages, its exit codes. The only place that prints or exits.

0    all is well (warnings are only told, unless --strict)
1    problems in the content
2    wrong use or configuration; nothing was written
3    a fault of ours, with its traceback
130  Ctrl-C
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, astuple, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builder.arguments import parser
from builder.messages import count, finding_line, levels, message, plain_problems, plain_report, summary
from builder.model import Config, Problem, Report, SiteError
from builder.progress import Progress
from builder.state import SECONDS
from builder.translation import spoken

if TYPE_CHECKING:
    from builder.build import Preparing
    from builder.state import Seen


def main(arguments: Sequence[str] | None = None, seen: Seen | None = None) -> None:
    """Run the command and exit. `seen` is what has been seen of the site already."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = parser(given[0] if given else "").parse_args(given)
    options.arguments = given
    options.seen = seen
    try:
        status = COMMANDS[options.command](options)
        sys.stdout.flush()
    except SiteError as error:
        status = _refuse(error, options)
    except KeyboardInterrupt:
        status = _interrupted()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    except Exception as error:
        status = _interrupted() if _comes_from_ctrl_c(error) else _fault()
    finally:
        if seen is not None and seen.lookout is not None:
            seen.lookout.end()
    sys.exit(status)


def _interrupted() -> int:
    print("\ninterrupted: the site is as it was", file=sys.stderr)
    return 130


def _comes_from_ctrl_c(error: BaseException | None) -> bool:
    """Has an exception come of Ctrl-C? In some places Python makes another one of it; so may what tidies up."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _fault() -> int:
    import traceback

    traceback.print_exc()
    print("fencepost: this is a fault of Fencepost, not of your site; please report it", file=sys.stderr)
    return 3


# --- commands --------------------------------------------------------------------------------


def _config(options: argparse.Namespace) -> Config:
    from builder.config import read_config

    return read_config(Path(options.site).resolve(), _overrides(options))


def _overrides(options: argparse.Namespace) -> dict[str, Any]:
    overrides: dict[str, Any] = {}
    if getattr(options, "output", None):
        overrides["output"] = str(Path(options.output).resolve())
    for name in ("drafts", "future"):
        if getattr(options, name, False):
            overrides[name] = True
    return overrides


@contextmanager
def _running(options: argparse.Namespace) -> Iterator[tuple[Config, int, Progress]]:
    """Hold the site's lock, and give what a command that runs cells needs."""
    from builder.execute.prctl import PR_SET_DUMPABLE, prctl
    from builder.lock import locked

    config = _config(options)
    prctl(PR_SET_DUMPABLE, 0)  # no cell is to read our environment in /proc
    progress = Progress(sys.stderr)
    with locked(config, on_wait=lambda: progress.say("waiting for another build of this site to end")):
        yield config, getattr(options, "jobs", None) or len(os.sched_getaffinity(0)), progress
    progress.done()


def _build(options: argparse.Namespace) -> int:
    started, began = time.perf_counter(), time.time_ns()
    from builder import state

    with _running(options) as (config, jobs, progress), _ahead(config, jobs, options.frozen) as ahead:
        from builder.assets import theme_folder
        from builder.build import build
        from builder.config import digest
        from builder.manifest import manifest_path

        folders = (config.content, config.templates, config.freeze, theme_folder(), Path(__file__).parent)
        of = (str(config.root), [*map(str, folders)], str(config.output), config.execute.environment)
        seen: Seen = options.seen or state.Seen({}, None)
        before = seen.snapshot
        if not state.is_of(before, *of) or state.is_fresh(before["files"].values(), began):
            began, before = state.settled(*of)
            seen = state.Seen(before, seen.lookout)
        built = build(config, jobs, progress.observe, frozen=options.frozen, ahead=ahead, seen=seen)
        report = replace(built.report, seconds=time.perf_counter() - started)
        found = {problem.level for problem in report.problems}
        status = 1 if "error" in found or (options.strict and "warning" in found) else 0
        again = replace(report, run=0, cached=report.run + report.cached, written=0, removed=0)
        again = replace(again, notes=tuple(note for note in report.notes if note.kind != "stderr"))
        state.remember(
            str(config.root),
            before,
            options.arguments,
            (*_said(again, config, options, SECONDS), status),
            began=began,
            until=built.until,
            inputs=built.inputs,
            manifest=str(manifest_path(config)),
            config=digest(config),
            told=[astuple(problem) for problem in again.problems + again.notes],
        )
    out, err = _said(report, config, options, f"{report.seconds:.2f}")
    sys.stderr.write(err)
    sys.stdout.write(out)
    _annotate(report.problems, config, options)
    return status


@contextmanager
def _ahead(config: Config, jobs: int, frozen: bool) -> Iterator[Preparing | None]:
    """Let another process import what reads and renders Markdown, while this one imports the rest."""
    from builder.workers import Ahead

    def ready() -> Any:
        from builder.prepare import ready

        return ready(config, frozen=frozen)

    ahead: Preparing | None = Ahead(ready) if jobs > 1 and sys.platform == "linux" else None
    try:
        yield ahead
    finally:
        if ahead is not None:
            ahead.end()


def _said(report: Report, config: Config, options: argparse.Namespace, seconds: str) -> tuple[str, str]:
    """What a build says on standard output and standard error, with the time as `seconds`."""
    if options.json:
        plain = _as_json({**plain_report(report), "seconds": SECONDS})
        return plain.replace(f'"{SECONDS}"', seconds) + "\n", ""
    err = "".join(f"{message(problem)}\n" for problem in report.notes + report.problems)
    index = config.output / "index.html"
    where = spoken(f"the site is in {_short(config.output)}: open {_short(index)}")
    return f"{summary(report, seconds)}\n{where}\n", err


def _serve(options: argparse.Namespace) -> int:
    from builder.execute.prctl import PR_SET_DUMPABLE, prctl
    from builder.serve.preview import Preview, serve

    prctl(PR_SET_DUMPABLE, 0)  # no cell is to read our environment in /proc
    gc.set_threshold(100_000)  # a preview lives long enough to leave garbage
    preview = Preview(
        Path(options.site).resolve(),
        _overrides(options),
        options.jobs or len(os.sched_getaffinity(0)),
        options.port,
        lambda line: print(line, file=sys.stderr, flush=True),
    )

    def ready() -> None:
        print(spoken(f"{preview.address}  (Ctrl-C ends it)"), flush=True)
        if options.open:
            import webbrowser

            webbrowser.open(preview.address)

    serve(preview, ready)
    return 0


def _check(options: argparse.Namespace) -> int:
    from builder.check import check, counts

    names = _absolute(options.posts)
    with _running(options) as (config, jobs, progress):
        if options.python:
            from builder.upgrade import check_upgrade

            checked = check_upgrade(config, names, options.python, jobs, progress.observe)
        else:
            checked = check(config, names, jobs, progress.observe, frozen=options.frozen)
    grave = [finding for finding in checked.findings if set(finding.kinds) & options.fail_on]
    errors = any(problem.level == "error" for problem in checked.problems)
    numbers = counts(checked.findings)
    if options.json:
        _print_json(
            {
                "posts": len(checked.posts),
                "cells": len(checked.findings),
                "kinds": numbers,
                "findings": [
                    {
                        **{
                            name: getattr(finding, name) for name in ("path", "line", "cell", "kinds", "what")
                        },
                        "diff": finding.diff,
                    }
                    for finding in checked.findings
                ],
                "problems": plain_problems(checked.problems),
            }
        )
    else:
        _tell(checked.problems)
        for finding in checked.findings:
            if finding.kinds != ("exact",):
                print(finding_line(finding))
                if options.diff and finding.diff:
                    print("\n".join(f"    {line}" for line in finding.diff.split("\n")))
        kinds = ", ".join(f"{number} {kind}" for kind, number in numbers.items()) or "nothing to compare"
        checked_of = f"{count(len(checked.posts), 'post')}, {count(len(checked.findings), 'cell')} checked"
        print(spoken(f"{checked_of}: {kinds}"))
    drift = [
        Problem("error", f.path, f.line, "check", f"cell {f.cell}: {', '.join(f.kinds)}", f.what, f.diff)
        for f in grave
    ]
    _annotate([*checked.problems, *drift], config, options)
    return 1 if grave or errors else 0


def _accept(options: argparse.Namespace) -> int:
    from builder.accept import AcceptError, plan, undo, write
    from builder.check import check

    named = bool(options.posts)
    with _running(options) as (config, jobs, progress):
        try:
            if options.undo:
                for path in undo(config):
                    print(spoken(f"{path}: put back"))
                return 0
            checked = check(config, _absolute(options.posts), jobs, progress.observe)
            progress.done()
            rewrites, problems = plan(
                checked, config, insert=options.insert, random=options.random, named=named
            )
            _tell(problems)
            for rewrite in rewrites:
                for finding in rewrite.findings:
                    print(finding_line(finding))
                    print("\n".join(f"    {line}" for line in finding.diff.split("\n")))
            if not rewrites:
                print(spoken("nothing to accept"))
            elif options.yes or _agreed(spoken(f"write {count(len(rewrites), 'file')}?")):
                write(rewrites, config)
                cells = sum(len(rewrite.findings) for rewrite in rewrites)
                written = f"{count(cells, 'output')} in {count(len(rewrites), 'file')} written"
                print(spoken(f"{written}; `fencepost accept --undo` puts them back"))
            else:
                print(spoken("nothing was written"))
        except AcceptError as error:
            _tell([error.problem])
            return 1
    return 1 if problems else 0


def _adopt(options: argparse.Namespace) -> int:
    from builder.adopt import adopt, write_adopted

    with _running(options) as (config, jobs, progress):
        adopted = adopt(config, jobs, progress.observe)
        progress.done()
        file, took_forms = write_adopted(adopted, config)
    for entry in adopted.unproven:
        cells = ", ".join(map(str, entry.cells))
        print(f"{entry.post}: cell{'s' if len(entry.cells) > 1 else ''} {cells}: {entry.reason}")
    for entry in adopted.proven_now:
        print(f"{entry.post}: {count(len(entry.code), 'cell')} can be run now ({entry.reason})")
    if not took_forms:
        print(f"set `output_forms = {_as_json(adopted.forms)}` under [execute] in {file.name}")
    unproven = sum(len(entry.cells) for entry in adopted.unproven)
    posts = len({entry.post for entry in adopted.unproven})
    numbers = f"{count(adopted.posts, 'post')} with {count(adopted.cells, 'cell')} run"
    print(f"{numbers}: {count(unproven, 'cell')} in {count(posts, 'post')} cannot run, see {_short(file)}")
    return 0


def _import(options: argparse.Namespace) -> int:
    from builder.jekyll.importing import differences, import_jekyll

    changes, problems = import_jekyll(options.path.resolve(), options.to.resolve())
    _tell(problems)
    for change in changes:
        if change.what:
            print(f"{change.path} -> {change.to or '(nowhere)'}: {change.what}")
    print(f"{count(len(changes), 'file')} in {_short(options.to.resolve())}: build it with `fencepost build`")
    if options.compare is None:
        return 0
    jobs = options.jobs or len(os.sched_getaffinity(0))
    found = list(differences(options.to.resolve(), options.compare.resolve(), jobs))
    print("\n".join(found))
    print(f"{count(len(found), 'difference')} from {_short(options.compare.resolve())}")
    return 1 if found else 0


def _agreed(question: str) -> bool:
    """Ask; without a terminal the answer is no."""
    if not sys.stdin.isatty():
        print(f"{question} (no terminal to ask on: use --yes)")
        return False
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")


def _why(options: argparse.Namespace) -> int:
    from builder.check import chosen_posts
    from builder.execute.cache import site_cache
    from builder.execute.freeze import Freeze
    from builder.why import why

    config = _config(options)
    posts, problems = chosen_posts(config, _absolute(options.posts))
    cache = site_cache(config)
    reasons = [reason for post in posts for reason in why(post, cache, Freeze(config))]
    if options.json:
        _print_json([asdict(reason) for reason in reasons])
        return 0
    _tell(problems)
    for reason in reasons:
        said = "cached" if reason.cached else f"to be run: {'; '.join(reason.causes)}"
        print(f"{reason.path}:{reason.line}: cell {reason.cell}: {said}")
    return 0


def _freeze(options: argparse.Namespace) -> int:
    from builder.frost import freeze_site

    with _running(options) as (config, jobs, progress):
        frozen = freeze_site(config, jobs, progress.observe)
    _tell(frozen.problems)
    posts, removed = count(frozen.posts, "post"), count(frozen.removed, "file")
    where = f"in {_short(config.freeze)}: commit this folder"
    print(f"{posts} frozen, {frozen.changed} changed, {removed} removed, {where}")
    return 1 if any(problem.level == "error" for problem in frozen.problems) else 0


def _clean(options: argparse.Namespace) -> int:
    import shutil

    from builder import state
    from builder.lock import locked
    from builder.manifest import clean_output

    config = _config(options)
    with locked(config, on_wait=lambda: None):
        removed = clean_output(config)
        home = config.root / ".fencepost"
        had_cache = (home / "cache").exists()
        shutil.rmtree(home / "cache", ignore_errors=True)
        state.forget(str(config.root))
    cache = ", and the cache" if had_cache else ""
    print(f"{count(removed, 'file')} removed from {_short(config.output)}{cache}")
    return 0


def _publish(options: argparse.Namespace) -> int:
    from builder.lock import locked
    from builder.publish.plan import PublishError
    from builder.publish.publish import is_reason, prepare
    from builder.publish.wording import plain_publication, plan_lines, publication_summary, refusal_text

    config = _config(options)
    unknown = [name for name in options.allow if not is_reason(name)]
    if unknown:
        raise SiteError(Problem("error", "", 0, "config", f"there is no reason `{unknown[0]}` to allow"))
    refused: Sequence[Any] = ()
    failure = None
    publication = None
    with locked(config, on_wait=lambda: print("waiting for a build of this site to end", file=sys.stderr)):
        try:
            publication = prepare(
                config, options.target, frozenset(options.allow), len(os.sched_getaffinity(0))
            )
            refused = publication.refusals
            if not options.dry_run and not refused:
                publication.carry_out()
        except PublishError as error:
            failure = error
    if options.json:
        _print_json(plain_publication(publication, failure, dry_run=options.dry_run))
    else:
        if publication and options.dry_run:
            print("\n".join(plan_lines(publication.plan)), end="\n" if publication.plan.touched else "")
        for refusal in refused:
            print(refusal_text(refusal), file=sys.stderr)
        if failure:
            _tell([Problem("error", "", 0, "publish", failure.message, failure.hint, failure.detail)])
        if publication and not failure:
            print(publication_summary(publication, dry_run=options.dry_run))
    return 1 if refused or failure else 0


def _links(options: argparse.Namespace) -> int:
    from builder.links import check_links

    config = _config(options)
    checked = check_links(config, external=options.external, jobs=len(os.sched_getaffinity(0)))
    if options.json:
        _print_json({"links": checked.links, "problems": plain_problems(checked.problems)})
    else:
        _tell(checked.problems)
        numbers = ", ".join([count(checked.links, "link"), *levels(checked.problems)])
        print(spoken(f"{numbers} in {count(checked.pages, 'page')}"))
    _annotate(checked.problems, config, options)
    return 1 if any(problem.level == "error" for problem in checked.problems) else 0


def _init(options: argparse.Namespace) -> int:
    from builder.starting import begin

    folder = Path(options.site)
    for path, written in begin(folder.resolve(), options.ci):
        shown = _short(folder.resolve() / path)
        print(shown if written else spoken(f"{shown}: is there, and stays as it is"))
    return 0


def _new(options: argparse.Namespace) -> int:
    from builder.starting import new_post

    print(_short(new_post(_config(options), options.title)))
    return 0


# --- printing --------------------------------------------------------------------------------


def _annotate(problems: Iterable[Problem], config: Config, options: argparse.Namespace) -> None:
    """Mark the lines of problems where GitHub Actions or GitLab runs the command."""
    if os.environ.get("GITHUB_ACTIONS") and not options.json:
        from builder.annotations import workflow_commands

        for line in workflow_commands(problems, config.root):
            print(line)
    if os.environ.get("GITLAB_CI"):
        from builder.annotations import code_quality

        report = config.root / ".fencepost" / "code-quality.json"
        report.parent.mkdir(exist_ok=True)
        report.write_text(_as_json(code_quality(problems, config.root)), encoding="utf-8")


def _tell(problems: Iterable[Problem]) -> None:
    for problem in problems:
        print(message(problem), file=sys.stderr)


def _refuse(error: SiteError, options: argparse.Namespace) -> int:
    if getattr(options, "json", False):
        _print_json(plain_report(Report(problems=error.problems)))
    else:
        _tell(error.problems)
        if options.command not in ("links", "publish"):
            print("nothing was written", file=sys.stderr)
    return 2 if all(problem.kind in ("config", "output", "template") for problem in error.problems) else 1


def _print_json(value: object) -> None:
    print(_as_json(value))


def _as_json(value: object) -> str:
    import json  # not at the top: a build is to begin at once

    return json.dumps(value, ensure_ascii=False)


def _absolute(names: Iterable[Path]) -> list[Path]:
    return [Path.cwd() / name for name in names]


def _short(path: Path) -> str:
    """A path as a person here would type it."""
    here = Path.cwd()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else str(path)


COMMANDS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "build": _build,
    "serve": _serve,
    "check": _check,
    "accept": _accept,
    "adopt": _adopt,
    "import": _import,
    "why": _why,
    "freeze": _freeze,
    "publish": _publish,
    "links": _links,
    "init": _init,
    "new": _new,
    "clean": _clean,
}
