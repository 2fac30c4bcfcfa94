"""The words of the command: problems, findings and summaries as lines of text, or as plain data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from builder.model import Finding, Problem, Report
from builder.translation import LEVELS, hint_in_korean, message_in_korean, speaks_korean

_NAMES = {"error": "문제", "warning": "경고"}


def message(problem: Problem) -> str:
    """Return one problem as people read it: `path:line: what (what to do)`, the detail indented below."""
    place = (
        f"{problem.path}:{problem.line}: " if problem.line else f"{problem.path}: " if problem.path else ""
    )
    name, what, hint = str(problem.level), problem.message, problem.hint
    if speaks_korean():
        name, what, hint = LEVELS.get(name, name), message_in_korean(what), hint_in_korean(hint)
    level = "" if problem.level == "error" else f"{name}: "
    lines = [f"{place}{level}{what}  ({hint})" if hint else f"{place}{level}{what}"]
    lines += [f"    {line}" for line in problem.detail.split("\n")] if problem.detail else []
    return "\n".join(lines)


def summary(report: Report, seconds: str) -> str:
    """Return the last line of a build that took so many seconds."""
    if speaks_korean():
        return _summary_in_korean(report, seconds)
    cells = [f"{report.cached} cached"] if report.cached else []
    cells += [f"{report.run} run"] if report.run else []
    numbers = count(report.cells, "cell") + (": " + ", ".join(cells) if cells else "")
    files = f"{count(report.pages, 'page')} ({report.written} written"
    files += f", {report.removed} removed)" if report.removed else ")"
    parts = [count(report.posts, "post"), numbers, files, *levels(report.problems)]
    return ", ".join(parts) + f" in {seconds} s"


def _summary_in_korean(report: Report, seconds: str) -> str:
    cells = [f"캐시 {report.cached}"] if report.cached else []
    cells += [f"실행 {report.run}"] if report.run else []
    removed = f", {report.removed}개 지움" if report.removed else ""
    found = [problem.level for problem in report.problems]
    parts = [
        f"글 {report.posts}개",
        f"셀 {report.cells}개" + (f" ({', '.join(cells)})" if cells else ""),
        f"페이지 {report.pages}개 ({report.written}개 씀{removed})",
        *(f"{name} {found.count(level)}개" for level, name in _NAMES.items() if level in found),
    ]
    return f"{', '.join(parts)}, {seconds}초"


def finding_line(finding: Finding) -> str:
    """Return one finding: `path:line: cell 3: kinds: what`."""
    what = f": {finding.what}" if finding.what else ""
    return f"{finding.path}:{finding.line}: cell {finding.cell}: {', '.join(finding.kinds)}{what}"


def levels(problems: Iterable[Problem]) -> list[str]:
    """Return the numbers of problems and of warnings, where there are any."""
    found = [problem.level for problem in problems]
    named = (("problem", found.count("error")), ("warning", found.count("warning")))
    return [count(number, noun) for noun, number in named if number]


def plain_report(report: Report) -> dict[str, Any]:
    """Return what `build --json` prints."""
    names = ("posts", "cells", "run", "cached", "pages", "written", "removed", "seconds")
    return {**{name: getattr(report, name) for name in names}, "problems": plain_problems(report.problems)}


def plain_problems(problems: Iterable[Problem]) -> list[dict[str, Any]]:
    """Return problems as data."""
    names = ("level", "path", "line", "kind", "message", "detail")
    return [{name: getattr(problem, name) for name in names} for problem in problems]


def count(number: int, noun: str) -> str:
    """Return `1 cell`, `2 cells`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
