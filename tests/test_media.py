"""Which image file an address names, seen from a post."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from builder.markdown.media import image_paths, images_in
from builder.model import Config

ROOT = Path("/site")
CONFIG = Config(
    ROOT, ROOT / "content", ROOT / "output", ROOT / "templates", ROOT / "_freeze", baseurl="/base"
)
JEKYLL = replace(CONFIG, content=ROOT, baseurl="")


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        ("a.png", ["content/posts/a.png", "content/url/p/a.png"]),
        ("./sub/../a.PNG?x#y", ["content/posts/a.PNG", "content/url/p/a.PNG"]),
        ("../%ED%95%9C%20b.jpg", ["content/한 b.jpg", "content/url/한 b.jpg"]),
        ("/img/a.svg", ["content/img/a.svg"]),
        ("/base/img/a.webp", ["content/img/a.webp"]),
        ("/content/img/a.gif", ["content/content/img/a.gif", "content/img/a.gif"]),
        ("../../../etc/a.png", []),
        ("https://example.org/a.png", []),
        ("//example.org/a.png", []),
        ("data:image/png;base64,AAAA.png", []),
        ("a.txt", []),
        ("", []),
        ("#a.png", []),
    ],
)
def test_where_an_image_may_lie(address: str, wanted: list[str]) -> None:
    assert list(image_paths(address, "content/posts/p.md", CONFIG, "/url/p/")) == wanted


def test_in_a_folder_of_jekyll() -> None:
    found = list(image_paths("/assets/a.png", "_posts/2024-01-01-p.md", JEKYLL))
    assert found == ["assets/a.png"]
    assert list(image_paths("../a.png", "_posts/x/p.md", JEKYLL)) == ["_posts/a.png"]
    assert list(image_paths("../../a.png", "_posts/p.md", JEKYLL)) == []


def test_what_a_text_seems_to_show() -> None:
    text = '![](a.png "t") <img src="/b.jpg"> [x]: <c.webp> {{ site.baseurl }}/d.png other.png e.pngx'
    files = {f"content/{name}" for name in ("a.png", "b.jpg", "c.webp", "d.png", "other.gif")}
    assert sorted(images_in(text, "content/p.md", CONFIG, files)) == [
        "content/a.png",
        "content/b.jpg",
        "content/c.webp",
        "content/d.png",
    ]
