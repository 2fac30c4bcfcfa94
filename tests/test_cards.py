from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace

import pytest
from PIL import Image
from pylopdf_fonts_ko import sans_path

from builder.cards import SIZE, _png, broken, card, draw, fitted, has_cards, set_title
from builder.cards import _type as type_
from builder.model import Config, SiteError
from tests.conftest import MakeSite
from tests.samples import CONFIG

FONT = str(sans_path())
WIDTH = 1020


@pytest.mark.parametrize(
    "title", ["A", "자동미분", "", "가" * 500, "word " * 200, "\u2028\x00\u202e", "😀 torch", "a" * 5000]
)
def test_any_title_has_a_card(title: str) -> None:
    image = Image.open(io.BytesIO(draw(FONT, "하늘의 노트", title, "2023년 3월 6일")))
    assert (image.format, image.size) == ("PNG", SIZE)
    right = image.convert("RGB").crop((SIZE[0] - 60, 0, *SIZE)).getcolors()
    assert right is not None and len(right) == 1, "nothing is cut off by the edge"


def test_a_card_shows_what_it_is_given() -> None:
    plain = draw(FONT, "가", "나", "다")
    assert plain == draw(FONT, "가", "나", "다")
    assert (
        len({plain, draw(FONT, "x", "나", "다"), draw(FONT, "가", "x", "다"), draw(FONT, "가", "나", "x")})
        == 4
    )
    assert draw(FONT, "", "가", "") != draw(FONT, "", "나", ""), "the font has Hangul"


@pytest.mark.parametrize("rows", [(), (0,), (629,), (14, 15, 400), range(630)])
def test_the_file_holds_what_is_drawn(rows: Sequence[int]) -> None:
    image = Image.new("L", SIZE, 0)
    for row in rows:
        image.paste(Image.linear_gradient("L").resize((500, 1)), (300 + row, row))
    shown = Image.open(io.BytesIO(_png(image.copy())))
    image.paste(128, (0, 0, 15, SIZE[1]))
    assert shown.mode == "P"
    assert shown.tobytes() == bytes(round(value / 17) for value in image.tobytes())


@pytest.mark.parametrize(
    ("title", "lines"),
    [
        ("자동미분", 1),
        ("파이토치로 배우는 자동미분과 역전파의 원리", 2),
        ("A title of some length that needs more than one line of type", 3),
    ],
)  # fmt: skip
def test_titles_are_broken_between_words(title: str, lines: int) -> None:
    size, found = set_title(title, FONT)
    assert " ".join(found) == title
    assert len(found) == lines
    assert size == 84


def test_a_long_title_is_set_smaller_and_a_very_long_one_is_cut() -> None:
    size, found = set_title("텐서와 기울기 " * 12, FONT)
    assert size < 84
    assert not found[-1].endswith("…")
    size, found = set_title("텐서와 기울기 " * 40, FONT)
    assert found[-1].endswith("…")
    assert all(type_(FONT, size).getlength(line) <= WIDTH for line in found)


def test_a_word_that_is_longer_than_a_line_is_broken() -> None:
    font = type_(FONT, 84)
    found = broken("가" * 40, font, WIDTH)
    assert "".join(found) == "가" * 40
    assert all(font.getlength(line) <= WIDTH for line in found)


def test_a_line_that_is_too_long_ends_in_an_ellipsis() -> None:
    font = type_(FONT, 34)
    assert fitted("a  b", font, WIDTH) == "a b"
    cut = fitted("word " * 100, font, WIDTH)
    assert cut.endswith("d…") and font.getlength(cut) <= WIDTH


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (CONFIG, False),
        (replace(CONFIG, url="https://example.org"), True),
        (replace(CONFIG, url="https://example.org", cards=False), False),
    ],
)
def test_cards_are_made_where_they_can_be_found(config: Config, expected: bool) -> None:
    assert has_cards(config) is expected


SITE = {
    "fencepost.toml": 'title = "노트"\nauthor = "하늘"\nurl = "https://example.org"\nlanguage = "ko"\n',
    "content/2023-03-06-a.md": "---\ntitle: 자동미분\n---\nText\n",
}


def test_the_card_of_a_post_follows_its_title_only(make_site: MakeSite) -> None:
    site = make_site(SITE)
    site.build()
    first = site.output()
    assert first["a/index.png"] == draw(FONT, "노트", "자동미분", "하늘 · 2023년 3월 6일")
    assert 'property="og:image" content="https://example.org/a/index.png"' in site.html("a")
    assert 'name="twitter:card" content="summary_large_image"' in site.html("a")
    for file in (site.root / ".fencepost/cards").iterdir():
        file.write_bytes(b"kept")
    site.write({"content/2023-03-06-a.md": "---\ntitle: 자동미분\n---\nOther text\n"})
    site.build()
    assert site.output()["a/index.png"] == first["a/index.png"]
    site.write({"content/2023-03-06-a.md": "---\ntitle: 텐서\n---\nOther text\n"})
    site.build()
    assert site.output()["a/index.png"] == draw(FONT, "노트", "텐서", "하늘 · 2023년 3월 6일")


def test_a_card_is_kept_by_what_it_shows(make_site: MakeSite) -> None:
    site = make_site(SITE)
    (site.root / ".fencepost").mkdir()
    config = site.config()
    card(config, "가", "나")
    [file] = (site.root / ".fencepost/cards").iterdir()
    file.write_bytes(b"kept")
    assert card(config, "가", "나") == b"kept"
    assert card(replace(config, title="x"), "가", "나") != b"kept"
    assert card(config, "가", "다") != b"kept"


def test_a_font_of_ones_own(make_site: MakeSite) -> None:
    site = make_site({**SITE, "templates/own.otf": sans_path().read_bytes()})
    config = replace(site.config(), card_font="own.otf")
    assert card(config, "가", "나") == draw(FONT, "노트", "가", "나")


@pytest.mark.parametrize(
    ("files", "message"),
    [({}, "no such font file"), ({"templates/x.otf": b"no font"}, "is no font that can be used")],
)
def test_a_font_that_is_none_is_told(
    files: dict[str, str | bytes], message: str, make_site: MakeSite
) -> None:
    config = f'card_font = "x.otf"\n{SITE["fencepost.toml"]}'
    site = make_site({**SITE, **files, "fencepost.toml": config})
    with pytest.raises(SiteError, match=message) as caught:
        site.build()
    assert [problem.kind for problem in caught.value.problems] == ["config"]
