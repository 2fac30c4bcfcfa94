"""One fixture: a whole site in one dictionary.

site = make_site({"content/a.md": "…"})
site.build()            -> Report (problems and all); SiteError where nothing can be built
site.html("a")          -> the page at /a/
site.command("build")   -> the real command, in a process of its own
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings

from builder.build import build
from builder.config import read_config
from builder.model import Config, Problem, Report

# `pytest --hypothesis-profile thorough` tries each property on 10,000 examples.
settings.register_profile(
    "thorough", max_examples=10_000, deadline=None, suppress_health_check=list(HealthCheck)
)
# Without it, how long an example takes is not looked at: that says more about the machine than about us.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

Files = Mapping[str, str | bytes]


@dataclass
class Ran:
    """What a command did."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class TestSite:
    """A site on disk."""

    __test__ = False
    root: Path

    def config(self, **overrides: Any) -> Config:
        return read_config(self.root, overrides)

    def build(self, jobs: int = 2, *, frozen: bool = False, **overrides: Any) -> Report:
        return build(self.config(**overrides), jobs, frozen=frozen).report

    def problems(self, **overrides: Any) -> list[Problem]:
        return list(self.build(**overrides).problems)

    def html(self, name: str) -> str:
        """The page at /name/, or the file of that name."""
        path = self.root / "output" / name
        return (path if path.suffix else path / "index.html").read_text(encoding="utf-8")

    def output(self) -> dict[str, bytes]:
        """Every file of the output folder."""
        folder = self.root / "output"
        return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}

    def write(self, files: Files) -> None:
        for name, content in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else dedent(content).encode())

    def command(self, *arguments: str, timeout: float = 240, **environment: str) -> Ran:
        done = subprocess.run(
            [sys.executable, "-m", "builder", *arguments],
            cwd=self.root,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        return Ran(done.returncode, done.stdout, done.stderr)


MakeSite = Callable[[Files], TestSite]


@pytest.fixture
def make_site(tmp_path: Path) -> MakeSite:
    def make(files: Files) -> TestSite:
        (tmp_path / "content").mkdir(exist_ok=True)
        site = TestSite(tmp_path)
        site.write(files)
        return site

    return make


SEED = Path(__file__).resolve().parents[1] / "content" / "posts" / "2023-03-06-pytorch-grammar-4.md"


@pytest.fixture
def seed_text() -> str:
    """The author's own post, word for word."""
    return SEED.read_text(encoding="utf-8")


@pytest.fixture
def mark(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Mark every process of a test's builds; when the test ends, none may be in the process table."""
    from tests.faulty import MARK, left_after

    value = uuid4().hex
    monkeypatch.setenv(MARK, value)
    yield value
    assert left_after(value) == []
