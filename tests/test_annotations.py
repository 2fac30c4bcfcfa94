"""Problems as GitHub Actions shows them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from builder.annotations import code_quality, workflow_commands
from builder.model import Problem
from tests.conftest import MakeSite

ACTIONS = {"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": "/work"}
ERROR = Problem("error", "content/a, b.md", 7, "cell", "50% of: it", "mend it", "one\ntwo")


@pytest.mark.parametrize(
    ("problem", "root", "line"),
    [
        (ERROR, "/work", "::error file=content/a%2C b.md,line=7::50%25 of: it (mend it)%0Aone%0Atwo"),
        (Problem("warning", "a.md", 0, "cell", "x"), "/work/blog", "::warning file=blog/a.md::x"),
        (Problem("note", "a.md", 1, "cell", "x"), "/other", "::notice file=a.md,line=1::x"),
    ],
)
def test_a_problem_marks_its_line(problem: Problem, root: str, line: str) -> None:
    assert list(workflow_commands([problem], Path(root), ACTIONS)) == [line]
    assert list(workflow_commands([problem], Path(root), {})) == []


def test_gitlab_reads_a_report() -> None:
    [first, second] = code_quality(
        [ERROR, Problem("warning", "b.md", 0, "links", "x")], Path("/work/blog"), {"CI_PROJECT_DIR": "/work"}
    )
    assert len(first.pop("fingerprint")) == 64
    assert first == {
        "description": "50% of: it (mend it)",
        "check_name": "cell",
        "severity": "major",
        "location": {"path": "blog/content/a, b.md", "lines": {"begin": 7}},
    }
    assert second["severity"] == "minor"
    assert second["location"] == {"path": "blog/b.md", "lines": {"begin": 1}}


def test_check_writes_that_report(make_site: MakeSite) -> None:
    site = make_site({"content/a.md": "---\ntitle: A\n---\n```python\nprint(6 * 7)\n```\n```\n41\n```\n"})
    assert site.command("check", GITLAB_CI="true", CI_PROJECT_DIR=str(site.root)).status == 1
    [entry] = json.loads((site.root / ".fencepost/code-quality.json").read_text())
    assert entry["location"] == {"path": "content/a.md", "lines": {"begin": 7}}
    assert entry["description"].startswith("cell 1: numbers")


def test_check_marks_the_outputs_that_have_drifted(make_site: MakeSite) -> None:
    site = make_site({"content/a.md": "---\ntitle: A\n---\n```python\nprint(6 * 7)\n```\n```\n41\n```\n"})
    done = site.command("check", GITHUB_ACTIONS="true", GITHUB_WORKSPACE=str(site.root))
    assert done.status == 1
    assert "::error file=content/a.md,line=7::cell 1: numbers" in done.out
    assert "%0A-41%0A+42" in done.out
    assert "::error" not in site.command("check", GITHUB_ACTIONS="").out
