"""The documentation is a site of Fencepost's: it builds without a problem, and says what is so."""

from __future__ import annotations

import argparse
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from builder.arguments import parser
from builder.build import build
from builder.check import Checked, check
from builder.config import read_config
from builder.links import check_links
from builder.model import Config, Report
from builder.posts import read_posts
from tests import reference

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGES = [
    path.relative_to(DOCS).as_posix()
    for pattern in ("*.md", "ko/*.md", "gallery/*.md")
    for path in sorted(DOCS.glob(pattern))
]

pytestmark = pytest.mark.xdist_group("docs")  # one build for all


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    root = tmp_path_factory.mktemp("site") / "docs"
    shutil.copytree(DOCS, root, ignore=shutil.ignore_patterns(".fencepost"))
    return read_config(root)


@pytest.fixture(scope="module")
def built(config: Config) -> Report:
    return build(config, 2).report


@pytest.fixture(scope="module")
def checked(built: Report, config: Config) -> Checked:
    return check(config, (), 2)


def test_it_builds_without_a_problem(built: Report) -> None:
    assert built.problems == ()
    assert [note for note in built.notes if note.kind != "stderr"] == []


def test_every_link_leads_somewhere(built: Report, config: Config) -> None:
    checked = check_links(config)
    assert checked.problems == ()
    assert checked.links > 1000


def test_every_output_is_what_its_cell_prints(checked: Checked) -> None:
    # Of random numbers another machine may have others.
    fine = {"exact", "marks", "cut", "close", "random"}
    assert [finding for finding in checked.findings if not set(finding.kinds) <= fine] == []


def test_every_cell_that_prints_has_its_output(config: Config, checked: Checked) -> None:
    posts, _, _ = read_posts(config)
    gallery = [post for post in posts if post.path.startswith("gallery/")]
    assert len(gallery) >= 9
    for post in gallery:
        assert sum(cell.authored is not None for cell in post.cells) >= 4, post.path
    assert [finding for finding in checked.findings if "missing" in finding.kinds] == []


def test_the_gallery_shows_figures(config: Config, built: Report) -> None:
    shown = {
        path.parent.name: path.read_text(encoding="utf-8").count("<figcaption")
        for path in (config.output / "gallery").glob("*/index.html")
    }
    assert shown["training-loop"] == shown["attention"] == 2
    assert (shown["autograd"], shown["cnn"]) == (1, 3)


def test_each_page_of_the_guide_has_its_translation(config: Config) -> None:
    posts, _, _ = read_posts(config)
    languages: dict[str, set[str]] = {}
    for post in posts:
        if key := post.front_matter.extra.get("translation_key"):
            languages.setdefault(key, set()).add(post.front_matter.extra.get("lang", "en"))
    assert {key: both for key, both in languages.items() if both != {"en", "ko"}} == {}
    assert len(languages) >= 12


def test_each_screenshot_is_shown_and_small(config: Config, built: Report) -> None:
    files = {path.name for path in (DOCS / "screenshots").iterdir()}
    assert len(files) == 20
    assert sum((DOCS / "screenshots" / name).stat().st_size for name in files) < 1_500_000
    for page in ("screenshots", "ko/screenshots"):
        html = (config.output / page / "index.html").read_text(encoding="utf-8")
        assert {name for name in files if re.search(rf'src="[^"]*/screenshots/{name}"', html)} == files


def test_the_reference_is_fresh() -> None:
    """If this fails: `make reference`."""
    assert (DOCS / "reference.md").read_text(encoding="utf-8") == reference.page()


COMMANDS = next(a for a in parser()._actions if isinstance(a, argparse._SubParsersAction)).choices
SAID = re.compile(r"fencepost ([a-z]+)\b([^`\n|]*)")


def said(text: str) -> Iterator[tuple[str, set[str]]]:
    """The commands in code of a text, each with its options."""
    code = re.findall(r"`[^`\n]+`", text) + re.findall(r"^ {4}.*", text, re.MULTILINE)
    for line in [*code, *re.findall(r"run: .*", text)]:
        for name, rest in SAID.findall(line.partition("#")[0]):
            yield name, set(re.findall(r"--[a-z-]+", rest))


@pytest.mark.parametrize("page", PAGES)
def test_commands_are_commands(page: str) -> None:
    for name, options in said((DOCS / page).read_text(encoding="utf-8")):
        assert name in COMMANDS, f"fencepost {name}"
        known = {flag for action in COMMANDS[name]._actions for flag in action.option_strings}
        assert options <= known, f"fencepost {name}"


@pytest.mark.parametrize("page", PAGES)
def test_paths_of_the_repository_are_there(page: str) -> None:
    for path in re.findall(r"`((?:tests|builder|docs|templates)/[\w./-]+\.\w+)`", (DOCS / page).read_text()):
        assert (DOCS.parent / path).exists(), path
