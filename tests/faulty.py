"""A site with one faulty post and one healthy one, and what a fault may not do to it.

site = faulty(make_site, "print(1)", "1 / 0")       content/bad.md and content/good.md
report = site.build()
error = only_error(report)                          the one error there is, in the faulty post
line_of(site, "1 / 0")                              the true line of a text in the faulty post
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from textwrap import dedent

from builder.model import Problem, Report
from tests.conftest import MakeSite, TestSite

BAD = "content/bad.md"
# Allowed into the environment of cells by its prefix, so that every process of a build carries it.
MARK = "XDG_FENCEPOST_TEST"


def post(*cells: str | tuple[str, str], execute: str = "") -> str:
    """The text of a post; a cell is its source, or its source and its authored output."""
    options = f"execute: {{{execute}}}\n" if execute else ""
    parts = [f"---\ntitle: T\n{options}---\n"]
    for cell in cells:
        source, authored = (cell, None) if isinstance(cell, str) else cell
        parts.append(f"```python\n{dedent(source).strip(chr(10))}\n```\n")
        if authored is not None:
            parts.append(f"```\n{authored}\n```\n")
    return "\n".join(parts)


def faulty(
    make_site: MakeSite, *cells: str | tuple[str, str], execute: str = "", config: str = ""
) -> TestSite:
    """A site whose post `bad` has these cells, beside a healthy one."""
    good = post(("print('healthy', 6 * 7)", "as written"))
    return make_site(
        {
            BAD: post(*cells, execute=execute),
            "content/good.md": good,
            "fencepost.toml": f"[execute]\n{config}\n",
        }
    )


def only_error(report: Report) -> Problem:
    """Return the one error of a report; it must be the faulty post's."""
    (error,) = (problem for problem in report.problems if problem.level == "error")
    assert error.path == BAD
    return error


def assert_healthy(site: TestSite) -> None:
    """The other post is whole."""
    assert "healthy 42" in site.html("good")


def line_of(site: TestSite, text: str, path: str = BAD) -> int:
    """Return the first line of a post that holds `text`."""
    lines = (site.root / path).read_text(encoding="utf-8").split("\n")
    return next(number for number, line in enumerate(lines, 1) if text in line)


def processes_of(mark: str) -> list[int]:
    """Return the processes that carry `mark` in their environment, as the process table has them."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            try:
                carries = mark.encode() in (folder / "environ").read_bytes()
            except OSError:  # gone, or not ours
                continue
            if carries:
                found.append(int(folder.name))
    return found


def left_after(mark: str, seconds: float = 20.0) -> list[int]:
    """Return what of a build is still running `seconds` after it; as soon as nothing is, nothing."""
    deadline = time.monotonic() + seconds
    while (left := processes_of(mark)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left


def temporary_files(root: Path) -> list[str]:
    """Return the names of files below a site that only a build under way may have."""
    names: Iterable[Path] = root.rglob("*")
    return [str(path) for path in names if path.name.startswith((".new-", ".next-")) or path.suffix == ".new"]


def killed(site: TestSite, step: int) -> subprocess.CompletedProcess[str]:
    """Build `site` and be killed before its step `step` (0: never)."""
    return subprocess.run(
        [sys.executable, "-m", "tests.killing", str(site.root), str(step)],
        cwd=Path(__file__).resolve().parents[1],
        capture_output=True,
        text=True,
        timeout=240,
    )


def steps_in(done: subprocess.CompletedProcess[str]) -> int:
    """How many steps had a build that was not killed?"""
    assert "status 0" in done.stdout, done.stderr
    return int(done.stdout.rpartition("steps ")[2].split()[0])


def sources(site: TestSite) -> dict[str, bytes]:
    """Every file that the author wrote."""
    folder = site.root / "content"
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def assert_mended(
    site: TestSite, step: int, mark: str, old: Mapping[str, bytes], new: Mapping[str, bytes]
) -> None:
    """Kill a build at a step: the output is the old site or the new one, and the next build finishes it."""
    written = sources(site)
    assert killed(site, step).returncode == -signal.SIGKILL
    assert site.output() in (old, new), step
    assert sources(site) == written
    assert left_after(mark) == []
    again = site.command("build")
    assert again.status == 0, again.err
    assert site.output() == new, step
    assert sources(site) == written
    assert temporary_files(site.root) == []
