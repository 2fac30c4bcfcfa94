"""Problems as GitHub Actions and GitLab show them: at the line of the file, in the change that is looked at."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from builder.model import Problem


def workflow_commands(
    problems: Iterable[Problem], root: Path, environment: Mapping[str, str] = os.environ
) -> Iterator[str]:
    """Yield a line for each problem of the site at `root`; none where this is no run of GitHub Actions."""
    if environment.get("GITHUB_ACTIONS") != "true":
        return
    workspace = environment.get("GITHUB_WORKSPACE")
    for problem in problems:
        path = _property(_shown(problem, root, workspace))
        place = f"file={path}" + (f",line={problem.line}" if problem.line else "")
        level = {"error": "error", "warning": "warning"}.get(problem.level, "notice")
        hint = f" ({problem.hint})" if problem.hint else ""
        detail = f"\n{problem.detail}" if problem.detail else ""
        yield f"::{level} {place}::{_data(problem.message + hint + detail)}"


def code_quality(
    problems: Iterable[Problem], root: Path, environment: Mapping[str, str] = os.environ
) -> list[dict[str, Any]]:
    """Return what GitLab reads as a report on the quality of code, an entry for each problem."""
    entries = []
    for problem in problems:
        path = _shown(problem, root, environment.get("CI_PROJECT_DIR"))
        hint = f" ({problem.hint})" if problem.hint else ""
        identity = f"{path}:{problem.line}: {problem.message}"
        entries.append(
            {
                "description": problem.message + hint,
                "check_name": problem.kind,
                "fingerprint": hashlib.sha256(identity.encode()).hexdigest(),
                "severity": {"error": "major", "warning": "minor"}.get(problem.level, "info"),
                "location": {"path": path, "lines": {"begin": problem.line or 1}},
            }
        )
    return entries


def _shown(problem: Problem, root: Path, workspace: str | None) -> str:
    """The path of a problem's file from the root of its repository."""
    path, repository = root / problem.path, Path(workspace or root).resolve()
    return path.relative_to(repository).as_posix() if path.is_relative_to(repository) else problem.path


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
