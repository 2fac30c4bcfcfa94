"""Korean: line ends, reading time, one form for every name."""

from __future__ import annotations

import unicodedata

import pytest

from builder.markdown.dialect import parse, to_html
from builder.markdown.korean import counts, join_lines, reading_minutes

from .conftest import MakeSite

LINES = [
    ("가나\n다라", "<p>가나다라</p>"),
    ("가나\nab", "<p>가나\nab</p>"),
    ("ab\ncd", "<p>ab\ncd</p>"),
    ("漢字\nかな", "<p>漢字かな</p>"),
    ("가나.\n다라", "<p>가나.\n다라</p>"),
    ("가나  \n다라", "<p>가나<br>\n다라</p>"),
]


@pytest.mark.parametrize(("text", "wanted"), LINES)
def test_lines_are_joined_between_hangul(text: str, wanted: str) -> None:
    tokens = parse(text)
    join_lines(tokens)
    assert to_html(tokens).strip() == wanted


def test_lines_are_joined_when_asked(make_site: MakeSite) -> None:
    site = make_site({"content/a.md": "가나\n다라\n"})
    site.build()
    assert "가나\n다라" in site.html("a")
    site.build(join_lines=True)
    assert "가나다라" in site.html("a")


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("", 1),
        ("가" * 500, 1),
        ("가" * 501, 2),
        ("word " * 400, 2),
        ("가" * 250 + " word" * 100, 1),
        ("漢" * 801, 3),
    ],
)
def test_reading_time(text: str, minutes: int) -> None:
    assert reading_minutes(text) == minutes


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", (0, 0, 0)),
        ("가a나 b_1-c, d", (2, 0, 4)),
        ("“가나” … 다→a", (3, 0, 1)),
        ("가\u0080?\x7fa?b", (1, 0, 2)),
        ("가 漢字 かな café", (1, 4, 1)),
        ("x²가½", (1, 0, 2)),
        ("\u1112\u1161a", (0, 0, 1)),
    ],
)
def test_what_is_read_is_counted_by_scripts(text: str, wanted: tuple[int, int, int]) -> None:
    assert counts(text) == wanted


def test_names_tags_and_ids_are_nfc(make_site: MakeSite) -> None:
    nfd = unicodedata.normalize("NFD", "한글")
    post = f"---\ntitle: {nfd}\ntags: [{nfd}, 한글]\ncategories: {nfd}\n---\n## {nfd} 제목\n"
    site = make_site(
        {"_config.yml": "permalink: /:categories/:title/\n", f"_posts/2023-01-01-{nfd}.md": post}
    )
    assert site.problems() == []
    page = site.html("한글/한글")
    assert 'id="한글-제목"' in page
    assert "tags/한글/index.html" in site.output()
