"""Is there nothing to do? The last build's report, and what every file was like when it began.

A build that finds every input as it was, and the output folder whole, ends here: it reads no source and
imports no Markdown, Jinja2 or torch.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from builder import __version__
from builder.model import Built, Config, Problem, Report
from builder.output import is_whole

# A file that changed this shortly before a build began may change again within the same tick of the
# file system's clock, and look the same: such a build is not remembered.
TICK = 50_000_000  # nanoseconds


def snapshot(config: Config, *, frozen: bool) -> dict[str, Any]:
    """Return what a build of `config` depends on, by name, size and times: equal means unchanged."""
    home = Path(__file__).resolve().parent
    theme = home / "templates" if (home / "templates").is_dir() else home.parent / "templates"
    named = {name: os.environ.get(name, "") for name in config.execute.environment}
    files: dict[str, list[int]] = {}
    for folder in (config.content, config.templates, config.freeze, theme, home):
        for path, stat in _files(str(folder)):
            files[path] = _numbers(stat)
    return {
        "version": __version__,
        "config": repr(config),
        "frozen": frozen,
        "python": sys.version,
        "packages": {path: _time(path) for path in sys.path if path.endswith("-packages")},
        "environment": hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest(),
        "files": files,
    }


def last_report(config: Config, now: dict[str, Any]) -> Report | None:
    """Return the report of the last build if a build would do nothing now, with its problems."""
    try:
        stored = json.loads(_path(config).read_text(encoding="utf-8"))
        if stored["snapshot"] != now or not stored["until"] > time.time():
            return None
        if any(_identity(path) != identity for path, identity in stored["inputs"].items()):
            return None
        if not is_whole(config):
            return None
        report = stored["report"]
        for name in ("problems", "notes"):
            report[name] = tuple(Problem(**problem) for problem in report[name])
        return Report(**report)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def remember(config: Config, before: dict[str, Any], built: Built) -> None:
    """Keep what a build that has just ended, and began with `before`, came to.

    It holds until a time, and as long as the files that the cells read stay as they are.
    """
    path, report = _path(config), built.report
    read = {file: _identity(file) for file in built.inputs}
    every = [*before["files"].values(), *filter(None, read.values())]
    newest = max((max(times[1:3]) for times in every), default=0)
    if newest > time.time_ns() - int(report.seconds * 1e9) - TICK:
        path.unlink(missing_ok=True)
        return
    again = {**asdict(report), "run": 0, "cached": report.run + report.cached, "written": 0, "removed": 0}
    again["notes"] = [note for note in again["notes"] if note["kind"] not in ("stderr", "cache")]
    stored = {"snapshot": before, "until": built.until, "inputs": read, "report": again}
    temporary = path.with_suffix(".new")
    try:
        temporary.write_text(json.dumps(stored, ensure_ascii=False), encoding="utf-8")
        temporary.replace(path)
    except OSError:  # a full disk: the site is written, and the next build will look closer
        temporary.unlink(missing_ok=True)


def _identity(path: str) -> list[int] | None:
    try:
        return _numbers(os.stat(path))
    except OSError:
        return None


def _numbers(stat: os.stat_result) -> list[int]:
    return [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]


def _path(config: Config) -> Path:
    return config.root / ".fencepost" / "state.json"


def _files(folder: str) -> Iterator[tuple[str, os.stat_result]]:
    try:
        entries = list(os.scandir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        if entry.name == "__pycache__":
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _files(entry.path)
        else:
            yield entry.path, entry.stat(follow_symlinks=False)
            if entry.is_symlink():
                with contextlib.suppress(OSError):
                    yield f"{entry.path} ->", entry.stat()


def _time(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0
