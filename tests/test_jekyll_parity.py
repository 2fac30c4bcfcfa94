"""The same folder built by Jekyll and by us: addresses, ids of headings, and visible words are equal.

What Jekyll 4.3.1 made of the folder is kept in tests/cases/jekyll/site.json, so that this holds where there is no
Jekyll. Where there is one (`apt-get install jekyll`), what is kept is checked, too; write it anew by

    python -m tests.test_jekyll_parity
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

from builder.build import build
from builder.config import read_config
from builder.jekyll.old_site import OldPage, compare_pages, read_page

from .jekyll_site import site_files

KEPT = Path(__file__).parent / "cases" / "jekyll" / "site.json"
# What is left, with its reason in docs/jekyll.md.
KNOWN = {
    "dialect/dollar": "mathematics between single dollars is kept from Markdown",
    "dialect/highlight": "the numbers of lines are no text",
    "dialect/stray-html": "a stray end tag is no text",
    "dialect/two-words": "a fence with two words behind it is a fence",
}
PAGES = {path: page for path, page in json.loads(KEPT.read_text(encoding="utf-8")).items() if page}


def write_site(root: Path) -> Path:
    for name, content in site_files().items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode())
    return root


def built_by_jekyll(root: Path) -> dict[str, Any]:
    """Every file that Jekyll writes, and of each page what a reader sees."""
    subprocess.run(["jekyll", "build", "--quiet"], cwd=root, check=True, capture_output=True, timeout=300)
    site = root / "_site"
    return {p.relative_to(site).as_posix(): plain(p) for p in sorted(site.rglob("*")) if p.is_file()}


def plain(file: Path) -> dict[str, Any] | None:
    if file.suffix != ".html":
        return None
    page = read_page(file.read_text(encoding="utf-8"))
    return {
        "headings": page.headings,
        "ids": sorted(page.ids),
        "links": page.links,
        "words": " ".join(page.words),
    }


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder, built by us."""
    root = write_site(tmp_path_factory.mktemp("blog"))
    build(read_config(root), 2)
    return root


def test_there_are_enough_posts() -> None:
    assert sum("_posts/" in name for name in site_files()) >= 80


def test_every_address_of_jekyll_is_one_of_ours(ours: Path) -> None:
    output = ours / "output"
    files = {path.relative_to(output).as_posix() for path in output.rglob("*") if path.is_file()}
    assert json.loads(KEPT.read_text(encoding="utf-8")).keys() - files == set()


@pytest.mark.parametrize("path", PAGES)
def test_headings_fragments_and_words_are_equal(ours: Path, path: str) -> None:
    kept = PAGES[path]
    old = OldPage(
        headings=kept["headings"], ids=set(kept["ids"]), links=kept["links"], words=kept["words"].split()
    )
    assert old.words
    new = read_page((ours / "output" / path).read_text(encoding="utf-8"))
    known = path.removesuffix("/index.html") in KNOWN
    found = list(compare_pages(f"/{path}", old, new))
    assert bool(found) == known, found


def test_nothing_is_written_into_the_folder(ours: Path) -> None:
    tops = {name.split("/")[0] for name in site_files()}
    assert {path.name for path in ours.iterdir()} - tops == {"output", ".fencepost"}


@pytest.mark.skipif(shutil.which("jekyll") is None, reason="Jekyll is not installed (apt-get install jekyll)")
def test_what_is_kept_is_what_jekyll_makes(tmp_path: Path) -> None:
    assert built_by_jekyll(write_site(tmp_path)) == json.loads(KEPT.read_text(encoding="utf-8"))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        made = built_by_jekyll(write_site(Path(folder)))
    KEPT.write_text(json.dumps(made, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
