"""The command as a person or a program meets it."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

import builder.cli
from builder.messages import message, summary
from builder.model import Problem, Report
from builder.state import last_build
from tests.conftest import MakeSite, TestSite


def settle(site: TestSite) -> None:
    """Let the files be older than the file system's clock is coarse."""
    old = time.time() - 10
    for path in (site.root / "content").rglob("*"):
        os.utime(path, (old, old))
    time.sleep(0.1)


def test_a_build_with_nothing_to_do_imports_nothing_and_writes_nothing(make_site: MakeSite) -> None:
    site = make_site({"content/a.md": "```python\nprint(1)\n```\n\n[x](no.md)\n"})
    settle(site)
    first = site.command("build", "--json")
    assert (first.status, first.json["run"], first.json["cached"]) == (0, 1, 0)
    times = {path: path.stat().st_mtime_ns for path in (site.root / "output").rglob("*")}
    again = site.command("build", "--json", PYTHONPROFILEIMPORTTIME="1")
    assert {path: path.stat().st_mtime_ns for path in (site.root / "output").rglob("*")} == times
    imported = {line.rpartition("|")[2].strip() for line in again.err.split("\n")}
    assert "builder.state" in imported
    assert not imported & {"builder.cli", "builder.model", "argparse", "json", "typing", "pathlib"}
    assert not imported & {"torch", "jinja2", "markdown_it", "yaml", "pygments", "IPython", "builder.build"}
    assert all(isinstance(told.json["seconds"], float) for told in (first, again))
    keys = ("posts", "cells", "run", "cached", "written", "removed", "problems")
    assert {key: again.json[key] for key in keys} == {
        "posts": 1,
        "cells": 1,
        "run": 0,
        "cached": 1,
        "written": 0,
        "removed": 0,
        "problems": first.json["problems"],
    }


CHANGES = {
    "an edit": lambda site: site.write({"content/a.md": "B"}),
    "a new post": lambda site: site.write({"content/b.md": "B"}),
    "a removed post": lambda site: (site.root / "content/a.md").unlink(),
    "a renamed post": lambda site: (site.root / "content/a.md").rename(site.root / "content/c.md"),
    "a template": lambda site: site.write({"templates/post.html": "x"}),
    "the config": lambda site: site.write({"fencepost.toml": 'title = "Other"\n'}),
    "a page that somebody changed": lambda site: site.write({"output/a/index.html": "changed"}),
    "a page that somebody removed": lambda site: (site.root / "output/a/index.html").unlink(),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_changed_is_seen(make_site: MakeSite, what: str) -> None:
    site = make_site({"content/a.md": "A", "content/z.md": "Z"})
    settle(site)
    site.command("build")
    CHANGES[what](site)
    again = site.command("build", "--json")
    assert again.json["written"] + again.json["removed"] > 0


def test_an_edit_with_an_old_time_of_the_same_size_is_seen(make_site: MakeSite) -> None:
    site = make_site({"content/a.md": "A"})
    settle(site)
    site.command("build")
    stat = (site.root / "content/a.md").stat()
    site.write({"content/a.md": "B"})
    os.utime(site.root / "content/a.md", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert site.command("build", "--json").json["written"] > 0
    assert "B" in site.html("a")


def test_messages_and_exit_codes(make_site: MakeSite) -> None:
    site = make_site({"content/a.md": "```python\n1/0\n```\n", "content/b.md": "[x](no.md)\n"})
    done = site.command("build")
    assert done.status == 1
    assert "content/a.md:2: cell 1 raised ZeroDivisionError: division by zero" in done.err
    assert "content/b.md:1: warning: links to nothing: `no.md`" in done.err
    assert "\x1b" not in done.out + done.err
    (site.root / "content/a.md").unlink()
    assert site.command("build").status == 0
    assert site.command("build", "--strict").status == 1
    site.write({"fencepost.toml": "titel = 1\n"})
    wrong = site.command("build")
    assert wrong.status == 2
    assert "fencepost.toml:1: " in wrong.err and "title" in wrong.err
    assert site.command("build", "nowhere").status == 2
    assert site.command("bild").status == 2


def test_json_names_every_problem(make_site: MakeSite) -> None:
    site = make_site({"content/a.md": "```python\n1/0\n```\n"})
    done = site.command("build", "--json")
    (problem,) = done.json["problems"]
    assert set(done.json) == {
        *("posts", "cells", "run", "cached", "pages", "written", "removed", "seconds", "problems"),
    }
    assert set(problem) == {"level", "path", "line", "kind", "message", "detail"}


def test_clean_removes_what_builds_wrote_and_nothing_else(make_site: MakeSite) -> None:
    site = make_site({"content/a.md": "A"})
    site.command("build")
    site.write({"output/mine.txt": "mine"})
    assert site.command("clean").status == 0
    assert site.output() == {"mine.txt": b"mine"}
    assert (site.root / "content/a.md").exists()


def test_the_summary_counts() -> None:
    problems = (Problem("error", "a", 1, "cell", "x"), Problem("warning", "a", 1, "link", "x"))
    report = Report(14, 96, 5, 91, 20, 3, 1, 3.2, problems)
    assert summary(report, "3.20") == (
        "14 posts, 96 cells: 91 cached, 5 run, 20 pages (3 written, 1 removed), 1 problem, 1 warning in 3.20 s"
    )


def test_a_problem_is_one_clickable_line_and_its_detail() -> None:
    problem = Problem("error", "a.md", 3, "cell", "what", hint="to do", detail="one\ntwo")
    assert message(problem) == "a.md:3: what  (to do)\n    one\n    two"
    assert message(Problem("warning", "a.md", 0, "x", "what")) == "a.md: warning: what"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_file_whose_name_is_not_utf_8_is_a_problem_of_each_build(make_site: MakeSite) -> None:
    site = make_site({"content/a.md": "# A\n"})
    with open(bytes(site.root / "content") + b"/bad\xff.txt", "w", encoding="utf-8") as file:
        file.write("x")
    first, again = site.command("build"), site.command("build")
    assert (first.status, again.status) == (1, 1)
    assert "not UTF-8" in first.err and "not UTF-8" in again.err


def test_a_reader_that_has_read_enough_is_no_fault(make_site: MakeSite) -> None:
    site = make_site({"content/a.md": "A\n"})
    settle(site)
    for _ in range(2):  # a build that does something, and one that has nothing to do
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run(
            [sys.executable, "-m", "builder", "build"], cwd=site.root, stdout=writer, stderr=subprocess.PIPE
        )
        os.close(writer)
        assert (done.returncode, done.stderr) == (0, b"")


def test_a_build_that_begins_right_after_a_save_is_remembered(make_site: MakeSite) -> None:
    """As in a script that writes a post, builds and publishes."""
    site = make_site({"content/a.md": "A\n"})
    for text in ("A\n", "B\n"):
        site.write({"content/a.md": text})
        site.command("build")
        assert last_build(str(site.root)) is not None


@pytest.mark.parametrize("interrupted", [True, False])
def test_what_comes_of_ctrl_c_is_no_fault_of_ours(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], interrupted: bool
) -> None:
    def build(options: object) -> int:
        try:
            raise KeyboardInterrupt if interrupted else ValueError
        except BaseException:
            raise RuntimeError("while tidying up")  # noqa: B904 (as it comes by accident)

    monkeypatch.setitem(builder.cli.COMMANDS, "build", build)
    with pytest.raises(SystemExit) as end:
        builder.cli.main(["build"])
    assert end.value.code == (130 if interrupted else 3)
    assert ("interrupted: the site is as it was" in capsys.readouterr().err) == interrupted
