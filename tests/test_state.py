"""What the command sees before a build, and the process that looks at the output folder meanwhile."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import builder.output
from builder import state
from builder.cli import main
from builder.manifest import Manifest
from builder.state import Lookout, Seen, folder_times, last_build, said_before
from tests.conftest import MakeSite, TestSite
from tests.test_workers import no_child_left


@pytest.fixture
def site(make_site: MakeSite) -> TestSite:
    """A site that has been built and edited; its sources are older than the clock of the disk is coarse."""
    site = make_site({f"content/{name}.md": f"The text of {name}." for name in "abc"})
    assert site.command("build").status == 0
    time.sleep(0.1)
    site.write({"content/a.md": "Another text."})
    time.sleep(0.1)
    return site


def built(site: TestSite) -> dict[str, Any]:
    stored = last_build(str(site.root))
    assert stored is not None
    return stored


@contextmanager
def looking(site: TestSite) -> Iterator[Lookout]:
    with no_child_left():
        lookout = Lookout(built(site))
        yield lookout
        lookout.end()
        lookout.end()


def seen_of(site: TestSite, monkeypatch: pytest.MonkeyPatch) -> Seen:
    """What the command sees before it builds."""
    monkeypatch.chdir(site.root)
    monkeypatch.setattr(state, "MANY", 0)
    said, seen = said_before(["build"])
    assert said is None
    assert seen is not None
    return seen


def build(seen: Seen) -> None:
    with pytest.raises(SystemExit) as end:
        main(["build"], seen)
    assert end.value.code == 0


def test_a_lookout_knows_whether_all_is_as_it_was(site: TestSite) -> None:
    manifest = Manifest.of(site.config())
    output = str(site.root / "output")
    with looking(site) as lookout:
        lookout.ask(output)
        assert manifest.is_confirmed_by(lookout)
        lookout.ask(str(site.root))
        assert lookout.times() == folder_times(f"{site.root}/", manifest.folders)
    (site.root / "output/a/foreign.txt").write_text("of somebody")
    with looking(site) as lookout:
        lookout.ask(output)
        assert lookout.is_whole()
        assert not manifest.is_confirmed_by(lookout)
    (site.root / "output/a/index.html").write_text("edited")
    with looking(site) as lookout:
        assert not lookout.is_whole()


def test_a_lookout_that_has_come_to_an_end_knows_nothing(site: TestSite) -> None:
    with looking(site) as lookout:
        os.kill(lookout._pid, 9)
        os.waitid(os.P_PID, lookout._pid, os.WEXITED | os.WNOWAIT)
        lookout.ask(str(site.root / "output"))
        assert lookout.times() is None
        assert not Manifest.of(site.config()).is_confirmed_by(lookout)


def test_another_build_makes_what_a_lookout_saw_void(site: TestSite) -> None:
    with looking(site) as lookout:
        assert lookout.is_whole()
        assert site.command("build").status == 0
        assert not lookout.is_whole()


@pytest.mark.parametrize("spare", [True, False], ids=["spare", "anew"])
def test_what_a_lookout_saw_serves_the_build(
    site: TestSite, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], spare: bool
) -> None:
    """Neither the output folder is looked at again, nor what follows it; and the next build knows its times."""

    def late(staging: Path, output: Path) -> None:
        (output / "b/late.txt").write_text("of somebody")
        swap(staging, output)

    swap = builder.output._swap
    monkeypatch.setattr(builder.output, "_swap", late)
    if not spare:
        Manifest.of(site.config()).tidy()
    with no_child_left():
        build(seen_of(site, monkeypatch))
    assert "Another text." in site.html("a")
    late_file = site.root / "output/b/late.txt"
    assert late_file.read_text() == "of somebody"
    late_file.unlink()
    monkeypatch.setattr(builder.output, "_swap", swap)
    site.write({"content/c.md": "A third text."})
    time.sleep(0.1)
    site.build()
    for text in ("fourth", "fifth"):
        manifest = Manifest.of(site.config())
        assert {
            folder: os.stat(site.root / "output" / folder).st_mtime_ns for folder in manifest.folders
        } == (manifest.folders)
        site.write({"content/c.md": f"A {text} text.", f"content/{text}.md": "New."})
        time.sleep(0.1)
        assert site.command("build").status == 0
        assert f"A {text} text." in site.html("c")
    capsys.readouterr()


def test_a_page_that_somebody_changed_is_written_anew_whoever_looks(
    site: TestSite, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = site.root / "output/b/index.html"
    before = page.read_bytes()
    page.write_text("edited")
    build(seen_of(site, monkeypatch))
    assert page.read_bytes() == before
    capsys.readouterr()
