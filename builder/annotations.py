"""Problems as GitHub Actions shows them: a mark on the line of the file, in the change that is looked at."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from builder.model import Problem


def workflow_commands(
    problems: Iterable[Problem], root: Path, environment: Mapping[str, str] = os.environ
) -> Iterator[str]:
    """Yield a line for each problem of the site at `root`; none where this is no run of GitHub Actions."""
    if environment.get("GITHUB_ACTIONS") != "true":
        return
    workspace = Path(environment.get("GITHUB_WORKSPACE") or root).resolve()
    for problem in problems:
        path = root / problem.path
        shown = path.relative_to(workspace).as_posix() if path.is_relative_to(workspace) else problem.path
        place = f"file={_property(shown)}" + (f",line={problem.line}" if problem.line else "")
        level = {"error": "error", "warning": "warning"}.get(problem.level, "notice")
        hint = f" ({problem.hint})" if problem.hint else ""
        detail = f"\n{problem.detail}" if problem.detail else ""
        yield f"::{level} {place}::{_data(problem.message + hint + detail)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
