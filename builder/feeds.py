"""Site -> /feed.xml, an Atom feed (RFC 4287) at the address that jekyll-feed uses.

Built as a tree and written by a serializer, so that no title can break it. A feed without absolute
addresses is of no use to a reader program: a site without `url` has none.
"""

from __future__ import annotations

import html
import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from urllib.parse import urljoin

from builder.model import Config
from builder.urls import absolute
from builder.views import ArticleView, SiteView

FEED_URL = "/feed.xml"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# A comment or an element whose content is not markup (left alone), or one start tag.
_MARKUP = re.compile(
    r"""<!--.*?-->|<(script|style|textarea|title)\b.*?</\1\s*>|<[a-z](?:"[^"]*"|'[^']*'|[^'"<>])*>""",
    re.IGNORECASE | re.DOTALL,
)
_LINK = re.compile(r"""(\s(?:href|src|poster)\s*=\s*)("[^"]*"|'[^']*'|[^\s"'>]+)""", re.IGNORECASE)
_ANCHOR = re.compile(r"""\s*<a\b[^<>]*\bclass="anchor"[^<>]*>[^<]*</a>""")
_ABSOLUTE = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)


def has_feed(config: Config) -> bool:
    """Does this site have a feed? The base template asks before it links to one."""
    return bool(config.url)


def atom(site: SiteView) -> bytes:
    """The Atom document. It says when the newest entry changed, never when it was built."""
    config = site.config
    articles = site.articles[: config.feed_limit]
    root = ET.Element("feed", {"xmlns": "http://www.w3.org/2005/Atom", "xml:lang": _clean(config.language)})
    _add(root, "id", absolute(config, FEED_URL))
    _add(root, "title", config.title)
    if config.description:
        _add(root, "subtitle", config.description)
    _add(root, "updated", _moment(max(map(_changed, articles), default=_EPOCH)))
    _add(_add(root, "author"), "name", config.author or config.title)
    _add(root, "link", rel="self", type="application/atom+xml", href=absolute(config, FEED_URL))
    _add(root, "link", rel="alternate", type="text/html", href=absolute(config, "/"))
    _add(root, "generator", "Fencepost")
    for article in articles:
        _entry(root, site, article)
    ET.indent(root)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _entry(root: ET.Element, site: SiteView, article: ArticleView) -> None:
    address = absolute(site.config, article.url)
    entry = _add(root, "entry")
    _add(entry, "id", address)
    _add(entry, "title", article.title)
    _add(entry, "link", rel="alternate", type="text/html", href=address)
    if article.dated:
        _add(entry, "published", _moment(article.date))
    _add(entry, "updated", _moment(_changed(article)))
    for term in (*site.categories_of(article), *site.tags_of(article)):
        _add(entry, "category", term=term.name)
    if summary := article.description or article.summary:
        _add(entry, "summary", summary)
    text = _ANCHOR.sub("", article.html)  # without the theme's style, they are stray signs behind headings
    _add(entry, "content", absolute_links(text, address), type="html")


def absolute_links(markup: str, base: str) -> str:
    """HTML with every relative address made absolute, as seen from the page at `base`."""

    def in_tag(tag: re.Match[str]) -> str:
        return tag[0] if tag[0].startswith("<!--") or tag[1] else _LINK.sub(in_link, tag[0])

    def in_link(link: re.Match[str]) -> str:
        address = html.unescape(link[2].strip("\"'")).strip()
        if _ABSOLUTE.match(address):
            return link[0]
        try:
            joined = urljoin(base, address)
        except ValueError:  # "//[" and the like: no address at all
            return link[0]
        return f'{link[1]}"{html.escape(joined)}"'

    return _MARKUP.sub(in_tag, markup)


def _add(parent: ET.Element, name: str, text: str | None = None, **attributes: str) -> ET.Element:
    child = ET.SubElement(parent, name, {key: _clean(value) for key, value in attributes.items()})
    child.text = None if text is None else _clean(text)
    return child


def _clean(text: str) -> str:
    """Text without the characters that XML has no way to write."""
    return _FORBIDDEN.sub("", text)


def _changed(article: ArticleView) -> datetime:
    changed: datetime = article.last_modified or article.date
    return changed


def _moment(when: datetime) -> str:
    """RFC 3339, in UTC: the offsets of old local times have seconds, which it cannot write."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
