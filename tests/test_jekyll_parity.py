"""The same folder built by Jekyll and by us: addresses, ids of headings, and visible words are equal."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from builder.build import build
from builder.config import read_config
from builder.model import Report
from builder.old_site import Difference, compare_sites

from .jekyll_site import site_files

# What is left, with its reason in docs/jekyll.md.
KNOWN = {
    "dollar": "mathematics between single dollars is kept from Markdown",
    "highlight": "the numbers of lines are no text",
    "stray-html": "a stray end tag is no text",
    "two-words": "a fence with two words behind it is a fence",
}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Report]:
    """The folder of the blog, built by both (by us into `output`, by Jekyll into `_site`)."""
    if shutil.which("jekyll") is None:
        pytest.skip("Jekyll is not installed (apt-get install jekyll)")
    root = tmp_path_factory.mktemp("blog")
    for name, content in site_files().items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode())
    subprocess.run(["jekyll", "build", "--quiet"], cwd=root, check=True, capture_output=True, timeout=300)
    return root, build(read_config(root), 2).report


def test_there_are_enough_posts(both: tuple[Path, Report]) -> None:
    assert sum("_posts/" in name for name in site_files()) >= 80


def test_every_address_of_jekyll_is_one_of_ours(both: tuple[Path, Report]) -> None:
    root, _ = both
    theirs = {
        path.relative_to(root / "_site").as_posix() for path in (root / "_site").rglob("*") if path.is_file()
    }
    ours = {
        path.relative_to(root / "output").as_posix()
        for path in (root / "output").rglob("*")
        if path.is_file()
    }
    assert theirs <= ours


def test_headings_fragments_and_words_are_equal(both: tuple[Path, Report]) -> None:
    root, _ = both
    found = [d for d in compare_sites(root / "output", root / "_site") if not _is_known(d)]
    assert found == []


def _is_known(difference: Difference) -> bool:
    return any(difference.address.endswith(f"/{name}/") for name in KNOWN)


def test_nothing_is_written_into_the_folder(both: tuple[Path, Report]) -> None:
    root, _ = both
    tops = {name.split("/")[0] for name in site_files()}
    assert {path.name for path in root.iterdir()} - tops <= {"output", ".fencepost", "_site", ".jekyll-cache"}
