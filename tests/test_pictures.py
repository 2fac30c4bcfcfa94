"""Pictures in a page: sizes, copies, when they are loaded; figures and galleries."""

from __future__ import annotations

import re
from typing import Any

import pytest

from builder.markdown.images import Picture
from builder.markdown.media import Media
from builder.markdown.render import render
from tests.test_markdown import post

COPIES = (("image/avif", ((640, "a.avif"), (1000, "b.avif"))), ("image/webp", ((640, "c.webp"),)))
FILES = {"plain.svg": Picture(300, 150), "big.png": Picture(1000, 500, COPIES), "broken.png": Picture()}
SOURCES = (
    '<source type="image/avif" srcset="/figures/a.avif 640w, /figures/b.avif 1000w" sizes="{0}">'
    '<source type="image/webp" srcset="/figures/c.webp 640w" sizes="{0}">'
)
TEXT = SOURCES.format("(min-width: 50rem) 46rem, 100vw")


def html(text: str, *, kramdown: bool = False) -> str:
    from dataclasses import replace

    media = Media(find=lambda address, line: FILES.get(address))
    page: Any = replace(post(text), kramdown=kramdown)
    return render(page, {}, lambda a, n: a, lambda name: f"/figures/{name}", media=media).html


@pytest.mark.parametrize("kramdown", [True, False])
@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("![x](https://a.b/c.png)", '<p><img src="https://a.b/c.png" alt="x" decoding="async"></p>'),
        ("![](broken.png)", '<p><img src="broken.png" alt="" decoding="async"></p>'),
        ("![](plain.svg)", '<p><img src="plain.svg" alt="" width="300" height="150" decoding="async"></p>'),
        (
            "![](big.png)",
            f'<p><picture>{TEXT}<img src="big.png" alt="" width="1000" height="500" decoding="async"></picture></p>',
        ),
        (
            '![](big.png){: width="200" .c}',
            f'<p><picture>{SOURCES.format("200px")}<img src="big.png" alt="" width="200" class="c" height="100"'
            ' decoding="async"></picture></p>',
        ),
        ('![](plain.svg){: height="50"}', '<img src="plain.svg" alt="" height="50" width="100" decoding="async">'),
        ('![](plain.svg){: width="50%"}', '<img src="plain.svg" alt="" width="50%" decoding="async">'),
        ('![](plain.svg){: loading="eager"}', 'loading="eager" width="300" height="150" decoding="async">'),
        ("x <img src=plain.svg>", '<img src=plain.svg width="300" height="150" decoding="async">'),
        ("x <img src='plain.svg' />", "<img src='plain.svg' width=\"300\" height=\"150\" decoding=\"async\"/>"),
        ("x <img src=plain.svg width=30 height=9>", '<img src=plain.svg width=30 height=9 decoding="async">'),
        ("x <img src=plain.svg WIDTH='30'>", "<img src=plain.svg WIDTH='30' height=\"15\" decoding=\"async\">"),
        ("x <img src='big.png'>", f"<picture>{TEXT}<img src='big.png' width=\"1000\" height=\"500\""),
        ("x <img src='big.png' srcset='y'>", "x <img src='big.png' srcset='y' width=\"1000\""),
        ("x <picture><img src='big.png'></picture>", "x <picture><img src='big.png' width=\"1000\""),
    ],
)  # fmt: skip
def test_what_stands_in_the_page(text: str, wanted: str, kramdown: bool) -> None:
    assert wanted in html(text, kramdown=kramdown)


def test_all_but_the_first_are_loaded_when_they_come_into_sight() -> None:
    shown = html("![](a.png)\n\n<img src=b.png>\n\n<p><img src=c.png></p>\n\n![](d.png)\n")
    assert re.findall(r"<img[^>]*", shown.replace('decoding="async"', "").replace(' alt=""', "")) == [
        '<img src="a.png" ',
        '<img src=b.png loading="lazy" ',
        '<img src=c.png loading="lazy" ',
        '<img src="d.png" loading="lazy" ',
    ]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('![x](plain.svg "A <b> caption")', '<figure><img src="plain.svg" alt="x" width="300" height="150" decoding="async"><figcaption>A &lt;b&gt; caption</figcaption></figure>'),
        ('![x](u "c")\n{: .wide}', '<figure class="wide"><img src="u" alt="x" decoding="async"><figcaption>c</figcaption></figure>'),
        ('[![x](u "c")](/v)', '<figure><a href="/v"><img src="u" alt="x" decoding="async"></a><figcaption>c</figcaption></figure>'),
        ('- ![x](u "c")', '<li><figure><img src="u" alt="x" decoding="async"><figcaption>c</figcaption></figure>'),
        ('![x](u "c") text', '<p><img src="u" alt="x" title="c" decoding="async"> text</p>'),
        ("![x](u)", '<p><img src="u" alt="x" decoding="async"></p>'),
        ('![x](u "c")\n![y](v "d")', '<p><img src="u" alt="x" title="c" decoding="async">\n<img src="v" alt="y" title="d" loading="lazy" decoding="async"></p>'),
        ('[a](/b "t")', '<p><a href="/b" title="t">a</a></p>'),
        ("![x](u)\n[![y](v 'd')](/w)\n{: .gallery}", '<div class="gallery"><figure><img src="u" alt="x" decoding="async"></figure>\n<figure><a href="/w"><img src="v" alt="y" loading="lazy" decoding="async"></a><figcaption>d</figcaption></figure>\n</div>'),
        ("![x](u) and\n{: .gallery}", '<p class="gallery"><img src="u" alt="x" decoding="async"> and</p>'),
    ],
)  # fmt: skip
def test_figures_and_galleries(text: str, wanted: str) -> None:
    assert wanted in html(text)


def test_posts_of_jekyll_have_no_figures_of_ours() -> None:
    assert html('![x](u "c")', kramdown=True) == '<p><img src="u" alt="x" title="c" decoding="async"></p>\n'
