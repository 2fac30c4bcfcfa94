"""The output folder: the old site or the new one, only what changed, and nothing removed that is not ours."""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import builder.output
from builder.kept import read_kept
from builder.manifest import Manifest, clean_output, manifest_path
from builder.model import Config, Page, SiteError
from builder.output import Tree, Written

Write = Callable[..., tuple[int, int]]


def write_pages(pages: list[Page], config: Config) -> Written:
    """Make the output folder hold just these pages, as a build does."""
    tree = Tree(config)
    try:
        tree.begin([page.path for page in pages if tree.has(page.path)])
        written = tree.finish({page.path: tree.put(page.path, page.content) for page in pages})
        tree.leave()
        return written
    except OSError as error:
        raise tree.failure(error) from error


def config_at(root: Path) -> Config:
    content, output, templates, freeze = (root / n for n in ("content", "output", "templates", "freeze"))
    return Config(root=root, content=content, output=output, templates=templates, freeze=freeze)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return config_at(tmp_path)


@pytest.fixture
def write(config: Config) -> Write:
    """Write pages {path: text}; return how many were written and removed."""

    def write_texts(**texts: str) -> tuple[int, int]:
        pages = [Page(path.replace("__", "/") + ".html", text.encode()) for path, text in texts.items()]
        done = write_pages(pages, config)
        assert len(done.files) == len(pages)
        return done.written, done.removed

    return write_texts


def is_whole(config: Config) -> bool:
    """Is every file there as the manifest has it?"""
    present, ours, _ = Manifest.of(config).look(config.output)
    return {*present} == {*ours}


def present(folder: Path) -> dict[str, str]:
    return {p.relative_to(folder).as_posix(): p.read_text() for p in folder.rglob("*") if p.is_file()}


def test_only_what_changed_is_written(config: Config, write: Write) -> None:
    assert write(a="1", b__c="2", gone="3") == (3, 0)
    before = {path: path.stat() for path in config.output.rglob("*.html")}
    assert write(a="1", b__c="two", new="4") == (2, 1)
    assert present(config.output) == {"a.html": "1", "b/c.html": "two", "new.html": "4"}
    kept = config.output / "a.html"
    assert (kept.stat().st_ino, kept.stat().st_mtime_ns) == (before[kept].st_ino, before[kept].st_mtime_ns)
    assert write(a="1", b__c="two", new="4") == (0, 0)


@pytest.mark.parametrize("spare", [True, False], ids=["spare", "anew"])
@pytest.mark.parametrize("old", ["a", "a/b", "a/b/c"])
@pytest.mark.parametrize("new", ["a", "a/b", "a/b/c"])
def test_a_file_becomes_a_folder_and_a_folder_a_file(config: Config, old: str, new: str, spare: bool) -> None:
    write_pages([Page("index.html", b"1"), Page(old, b"1")], config)
    if spare:
        write_pages([Page("index.html", b"2"), Page(old, b"1")], config)
    assert Manifest.of(config).spare.is_dir() is spare
    for text in ("3", "4"):
        write_pages([Page("index.html", text.encode()), Page(new, b"1")], config)
        assert present(config.output) == {"index.html": text, new: "1"}
    write_pages([Page("index.html", b"5"), Page(old, b"2")], config)
    assert present(config.output) == {"index.html": "5", old: "2"}


def test_files_are_copied_as_they_are(config: Config) -> None:
    source = config.root / "picture.png"
    source.write_bytes(b"\x89PNG")
    write_pages([Page("p/picture.png", source)], config)
    assert (config.output / "p/picture.png").read_bytes() == b"\x89PNG"
    assert (config.output / "p/picture.png").stat().st_ino != source.stat().st_ino


def test_a_file_that_no_build_wrote_is_refused_and_kept(config: Config, write: Write) -> None:
    write(a="1")
    (config.output / "mine.txt").write_text("years of work")
    with pytest.raises(SiteError, match=r"files that no build wrote: mine\.txt"):
        write(a="2")
    assert present(config.output) == {"a.html": "1", "mine.txt": "years of work"}


def test_a_page_that_somebody_edited_is_written_anew(config: Config, write: Write) -> None:
    write(a="1", b="2")
    (config.output / "a.html").write_text("edited")
    assert not is_whole(config)
    assert write(a="1", b="2") == (1, 0)
    assert present(config.output) == {"a.html": "1", "b.html": "2"}
    assert is_whole(config)


def test_a_file_that_appears_during_the_build_is_kept(
    config: Config, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(a="1")
    swap = builder.output._swap

    def late(staging: Path, output: Path) -> None:
        (output / "late").mkdir()
        (output / "late/new.txt").write_text("somebody's")
        swap(staging, output)

    monkeypatch.setattr(builder.output, "_swap", late)
    write(a="2")
    assert present(config.output) == {"a.html": "2", "late/new.txt": "somebody's"}


def test_a_disk_without_links_gets_copies(
    config: Config, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: Any) -> None:
        raise OSError(errno.EPERM, "no links here")

    write(a="1", b="2")
    monkeypatch.setattr(os, "link", no_links)
    assert write(a="1", b="3") == (1, 0)
    assert present(config.output) == {"a.html": "1", "b.html": "3"}


def test_a_new_site_gets_a_spare_so_that_the_first_change_is_cheap(
    config: Config, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(a="1", b__c="2")
    tree = Tree(config)
    assert tree.needs_spare()
    tree.keep_spare(all(tree.link_spare(["a.html", "b/c.html"])))
    assert not tree.needs_spare()
    links = []
    monkeypatch.setattr(os, "link", lambda *names: links.append(names))
    assert write(a="1", b__c="3") == (1, 0)
    assert links == []
    assert present(config.output) == {"a.html": "1", "b/c.html": "3"}


def test_a_spare_that_is_not_whole_is_not_used(config: Config, write: Write) -> None:
    write(a="1", b="2")
    tree = Tree(config)
    linked = tree.link_spare(["a.html", "gone.html"])
    assert linked == [True, False]
    tree.keep_spare(all(linked))
    assert tree.needs_spare()
    assert write(a="2", b="2") == (1, 0)
    assert present(config.output) == {"a.html": "2", "b.html": "2"}


def test_a_system_that_cannot_exchange_folders(
    config: Config, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(a="1", gone="2")
    monkeypatch.setattr(sys, "platform", "other")
    assert write(a="2") == (1, 1)
    assert present(config.output) == {"a.html": "2"}
    assert not [path for path in (config.root / ".fencepost").iterdir() if path.name.startswith(".next")]


@pytest.mark.parametrize("name", ["link", "exchange", "write"])
def test_row_39_an_error_of_the_disk_at_any_step_leaves_the_old_site(
    config: Config, write: Write, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    write(a="1", b="2")
    place, called = {
        "link": (os, "link"),
        "exchange": (builder.output, "_swap"),
        "write": (builder.output, "_write"),
    }[name]
    with monkeypatch.context() as patch:
        patch.setattr(place, called, full)
        with pytest.raises(SiteError, match="No space left") as told:
            write(a="1", b="3" * 2048)
    hint = told.value.problems[0].hint
    assert hint.startswith(f"free some space in {config.root / '.fencepost'}")
    assert ("the new files need 2 KiB" in hint) == (name == "exchange")
    assert present(config.output) == {"a.html": "1", "b.html": "2"}
    assert sorted(p.name for p in (config.root / ".fencepost").iterdir() if ".n" in p.name) == []
    assert write(a="1", b="3") == (1, 0)


@pytest.mark.parametrize("columns", [True, False], ids=["columns", "rows"])
def test_a_manifest_that_an_earlier_version_wrote_is_read(
    config: Config, write: Write, columns: bool
) -> None:
    path = manifest_path(config)
    earlier = path.with_name(f"{path.name}.json")

    def age() -> None:
        stored = read_kept(path)
        rows = zip(stored["digests"], stored["sizes"], stored["times"], strict=True)
        files = dict(zip(stored["paths"], rows, strict=True))
        earlier.write_text(json.dumps(stored if columns else {"files": files, "folders": {}}))
        path.unlink()

    write(a="1", b="2")
    age()
    assert write(a="1", b="2") == (0, 0)
    if path.exists():
        age()
    assert write(a="1", c="3") == (1, 1)
    assert present(config.output) == {"a.html": "1", "c.html": "3"}
    assert not earlier.exists()
    assert is_whole(config)


def test_a_lost_or_damaged_manifest_says_that_nothing_is_ours(config: Config, write: Write) -> None:
    write(a="1", b="2")
    manifest = manifest_path(config)
    manifest.write_bytes(manifest.read_bytes()[:-10])
    assert write(a="1", b="2") == (2, 0)  # the same files: no harm is done
    manifest.unlink()
    with pytest.raises(SiteError):
        write(a="1")


def test_a_site_may_be_moved(config: Config, write: Write, tmp_path: Path) -> None:
    write(a="1", gone="2")
    moved = tmp_path.with_name(tmp_path.name + "-moved")
    tmp_path.rename(moved)
    done = write_pages([Page("a.html", b"2")], config_at(moved))
    assert (done.written, done.removed) == (1, 1)


def test_the_mode_of_the_folder_stays(config: Config, write: Write) -> None:
    write(a="1")
    config.output.chmod(0o750)
    write(a="2")
    assert config.output.stat().st_mode & 0o777 == 0o750


def test_clean_removes_what_is_ours_and_nothing_else(config: Config, write: Write) -> None:
    write(a="1", b__c="2")
    (config.output / "mine.txt").write_text("m")
    assert clean_output(config) == 2
    assert present(config.output) == {"mine.txt": "m"}
    (config.output / "mine.txt").unlink()
    write(a="1")
    assert clean_output(config) == 1
    assert not config.output.exists()
