"""Videos: the address of one alone in its paragraph is a player, and asks nothing of its host until it is started.

What stands in the page is a link to the video, and beside it a button for the theme's script, which puts the
player in its place.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from markdown_it.token import Token

from builder.frozen import frozen
from builder.markdown.highlight import escape

_YOUTUBE = re.compile(
    r"https?://(?:www\.|m\.)?(?:youtube(?:-nocookie)?\.com/(?:watch\?(?:[^#\s]*&)?v=|shorts/|embed/|live/)|youtu\.be/)"
    r"([\w-]{11})(?:[?&#]\S*)?"
)
_VIMEO = re.compile(r"https?://(?:www\.|player\.)?vimeo\.com/(?:video/)?(\d+)(?:[?#/]\S*)?")
_START = re.compile(r"[?&#](?:t|start)=(?:(\d+)m)?(\d+)s?\b")


@frozen
class Video:
    """A video on another host: its page, its player, and what it is called where nobody says."""

    page: str
    player: str
    host: str


def video_at(address: str) -> Video | None:
    """The video at an address of YouTube or Vimeo."""
    if found := _YOUTUBE.fullmatch(address):
        start = _START.search(address)
        seconds = int(start[1] or 0) * 60 + int(start[2]) if start else 0
        page = f"https://www.youtube.com/watch?v={found[1]}" + (f"&t={seconds}s" if seconds else "")
        query = "autoplay=1" + (f"&start={seconds}" if seconds else "")
        return Video(page, f"https://www.youtube-nocookie.com/embed/{found[1]}?{query}", "YouTube")
    if found := _VIMEO.fullmatch(address):
        player = f"https://player.vimeo.com/video/{found[1]}?autoplay=1&dnt=1"
        return Video(f"https://vimeo.com/{found[1]}", player, "Vimeo")
    return None


def may_have_videos(text: str) -> bool:
    """Without one of these names a text has no video."""
    return "youtu" in text or "vimeo.com" in text


def place_videos(tokens: Sequence[Token], play: str) -> None:
    """Make players of the addresses that are alone in their paragraphs. `play` is the word for it."""
    for index, token in enumerate(tokens):
        if token.type != "inline" or tokens[index - 1].type != "paragraph_open" or "://" not in token.content:
            continue
        address, title = _only(token.children or [])
        video = video_at(address) if address else None
        if video is not None:
            html = _html(video, title if title and title != address else video.host, play)
            token.children = [Token("html_inline", "", 0, content=html, meta={"ours": True})]
            tokens[index - 1].hidden = tokens[index + 1].hidden = True


def _only(children: Sequence[Token]) -> tuple[str, str]:
    """The address and the text of the only thing in a paragraph: a link, a picture, or an address."""
    if len(children) == 1:
        token = children[0]
        if token.type == "image":
            return str(token.attrs.get("src", "")), token.content
        return (token.content.strip(), "") if token.type == "text" else ("", "")
    if len(children) > 2 and children[0].type == "link_open" and children[-1].type == "link_close":
        inside = children[1:-1]
        if all(token.type in ("text", "code_inline") for token in inside):
            return str(children[0].attrs.get("href", "")), "".join(token.content for token in inside)
    return "", ""


def _html(video: Video, title: str, play: str) -> str:
    name = escape(title)
    return (
        f'<figure class="video"><a class="video-link" href="{escape(video.page)}">{name}</a>'
        f'<button type="button" class="video-play" data-frame="{escape(video.player)}"'
        f' aria-label="{escape(play)}: {name}" hidden></button></figure>\n'
    )
