"""docs/markdown.md shows what it says: each example stands below its source, and every class is in the page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from builder.fences import read_cells
from builder.front_matter import parse_front_matter
from builder.markdown.diagrams import Diagram
from builder.markdown.images import Picture
from builder.markdown.media import Media
from builder.markdown.render import Rendered, render
from builder.model import ExecuteConfig, FrontMatter, Post

FILE = Path(__file__).resolve().parents[1] / "docs" / "markdown.md"
TEXT = FILE.read_text(encoding="utf-8")
EXAMPLES = [
    found[2] for found in re.finditer(r"^(`{3,})markdown\n(.*?)\n\1$", TEXT, re.MULTILINE | re.DOTALL)
]
COPIES = (("image/webp", ((320, "a.webp"),)),)


@pytest.fixture(scope="module")
def page() -> Rendered:
    _, body_line, problems = parse_front_matter(TEXT, "docs/markdown.md", ZoneInfo("UTC"))
    cells, _ = read_cells(TEXT, body_line, "docs/markdown.md")
    post = Post("docs/markdown.md", TEXT, FrontMatter(), body_line, cells, ExecuteConfig())

    def draw(sources: Sequence[str]) -> list[Diagram]:
        return [Diagram("light.svg", "dark.svg", 10, 10) for _ in sources]

    media = Media(find=lambda address, line: Picture(320, 120, COPIES), draw=draw)
    assert problems == ()
    return render(post, {}, lambda address, line: address, str, media=media)


def test_nothing_is_wrong_with_it(page: Rendered) -> None:
    assert page.problems == ()


@pytest.mark.parametrize("example", EXAMPLES)
def test_each_example_stands_below_its_source(example: str) -> None:
    assert TEXT.count(f"\n{example}\n") == 2


@pytest.mark.parametrize("name", re.findall(r"`([a-z-]+)`", TEXT.split("## For a theme of your own")[1]))
def test_every_class_is_in_the_page(page: Rendered, name: str) -> None:
    elements = {"figure", "figcaption", "picture", "math"}
    if name in elements:
        assert f"<{name}" in page.html
    elif name == "data-frame":
        assert 'data-frame="https://www.youtube-nocookie.com/' in page.html
    elif name not in ("math-error", "callout-caution"):
        assert re.search(rf'class="(?:[^"]* )?{name}[ "]', page.html)


@pytest.mark.parametrize(
    "piece",
    [
        "<strong>gradient(기울기)</strong>는",
        '<abbr title="Graph neural network">GNN</abbr>',
        "converges 🎉 at 12:30:45 🚀",
        'class="footnote"',
        'class="task-list-item-checkbox"',
        "<dt>Tensor</dt>",
        '<a href="#m">',
        "<figcaption>The sine of a line</figcaption>",
        '<span class="code-title">sum.js</span>',
        '<a href="guide.md" class="btn">',
    ],
)
def test_pieces(page: Rendered, piece: str) -> None:
    assert piece in page.html
