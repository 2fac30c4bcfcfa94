"""llms.txt (llmstxt.org): what is on a site, for programs that read; a line for each article."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.model import Config
from builder.urls import absolute, beside

if TYPE_CHECKING:
    from builder.views import SiteView

LLMS_URL = "/llms.txt"


def llms(site: SiteView) -> bytes:
    """The file: what is here, and where its Markdown is (where there is none, its page)."""
    config = site.config
    lines = [_encoded(f"# {_line(config.title)}")]
    if config.description:
        lines += [b"", _encoded(f"> {_line(config.description)}")]
    for heading, articles in (("Posts", site.articles), ("Pages", site.pages)):
        entries = [
            entry
            for draft, extra, entry in articles.rows("draft", "extra", "entry")
            if not draft and not extra.get("redirect_to")
        ]
        lines += [b"", _encoded(f"## {heading}"), b"", *entries] if entries else []
    return b"\n".join(lines) + b"\n"


def llms_entry(config: Config, url: str, title: str, about: str, *, markdown: bool) -> bytes:
    """The line of one article in llms.txt; it is kept with the article, since the file has to be made often."""
    name = _line(title).replace("\\", r"\\").replace("[", r"\[").replace("]", r"\]")
    about = _line(about)
    page = absolute(config, url)
    return _encoded(f"- [{name}]({beside(page, 'md') if markdown else page}){': ' if about else ''}{about}")


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _line(text: str) -> str:
    return " ".join(text.split())
