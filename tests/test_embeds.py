"""Videos: a link and a button, and nothing that asks another host."""

from __future__ import annotations

import pytest

from builder.markdown.embeds import video_at
from builder.markdown.render import render
from builder.policy import loads
from tests.test_markdown import post, rendered

ID = "dQw4w9WgXcQ"


@pytest.mark.parametrize(
    ("address", "page", "player"),
    [
        (
            f"https://youtu.be/{ID}",
            f"youtube.com/watch?v={ID}",
            f"youtube-nocookie.com/embed/{ID}?autoplay=1",
        ),
        (f"https://www.youtube.com/watch?v={ID}", f"watch?v={ID}", f"{ID}?autoplay=1"),
        (f"https://m.youtube.com/watch?app=x&v={ID}&t=1m5s", f"watch?v={ID}&t=65s", "autoplay=1&start=65"),
        (f"https://youtube.com/shorts/{ID}?feature=share", f"watch?v={ID}", ID),
        (f"https://youtu.be/{ID}?t=42", "&t=42s", "start=42"),
        (
            "https://vimeo.com/12345",
            "https://vimeo.com/12345",
            "player.vimeo.com/video/12345?autoplay=1&dnt=1",
        ),
        ("https://player.vimeo.com/video/12345?h=1", "https://vimeo.com/12345", "video/12345"),
    ],
)
def test_addresses(address: str, page: str, player: str) -> None:
    video = video_at(address)
    assert video is not None
    assert page in video.page
    assert player in video.player


@pytest.mark.parametrize(
    "address",
    ["https://youtube.com/", "https://youtu.be/short", f"https://youtu.be.evil.org/{ID}", "https://vimeo.com/x",
     f"javascript://youtu.be/{ID}", f"https://youtu.be/{ID}/x y", "/video"],
)  # fmt: skip
def test_other_addresses(address: str) -> None:
    assert video_at(address) is None


@pytest.mark.parametrize(
    ("text", "title"),
    [
        (f"https://youtu.be/{ID}", "YouTube"),
        (f"<https://youtu.be/{ID}>", "YouTube"),
        (f"[A <b> `c`](https://youtu.be/{ID})", None),
        (f"[My talk](https://youtu.be/{ID})", "My talk"),
        (f"![My talk](https://youtu.be/{ID})", "My talk"),
        ("https://vimeo.com/1", "Vimeo"),
    ],
)
def test_what_is_alone_in_its_paragraph(text: str, title: str | None) -> None:
    result = rendered(f"before\n\n{text}\n\nafter\n")
    if title is None:
        assert "<figure" not in result.html
        return
    assert f">{title}</a><button" in result.html
    assert f'aria-label="Play: {title}" hidden></button></figure>' in result.html
    assert "<iframe" not in result.html and "<img" not in result.html
    assert result.summary == "before after"


@pytest.mark.parametrize(
    "text",
    [
        f"see https://youtu.be/{ID}",
        f"[a](https://youtu.be/{ID}) b",
        "[a](https://example.org)",
        "`https://youtu.be/x`",
    ],
)
def test_what_is_a_link_as_any_other(text: str) -> None:
    assert "<figure" not in rendered(text).html


def test_the_policy_is_opened_for_the_player_alone() -> None:
    assert loads(rendered(f"https://youtu.be/{ID}\n").html) == ("frame-src https://www.youtube-nocookie.com",)


def test_a_post_of_jekyll_keeps_its_link() -> None:
    from dataclasses import replace

    page = render(replace(post(f"https://youtu.be/{ID}\n"), kramdown=True), {}, lambda a, n: a, str)
    assert page.html == f"<p>https://youtu.be/{ID}</p>\n"
