"""Site -> feeds and other files that programs fetch.

    /feed.xml           Atom (RFC 4287), at the address that jekyll-feed uses
    /feed.json          JSON Feed 1.1
    /tags/x/feed.xml    and feed.json: of the posts of one tag, without their text, which would be there often
    /sitemap.xml, /robots.txt, /llms.txt

What is XML is built as a tree and written by a serializer, so that no title can break it. A feed without absolute
addresses is of no use to a reader program: a site without `url` has none, and no sitemap.
"""

from __future__ import annotations

import html
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin

from builder.copies import beside
from builder.model import Config
from builder.urls import absolute
from builder.views import ArticleView, SiteView, TermView
from builder.words import language_of

ATOM, JSON = "feed.xml", "feed.json"
FEED_URL, JSON_FEED_URL = f"/{ATOM}", f"/{JSON}"
SITEMAP_URL, ROBOTS_URL, LLMS_URL = "/sitemap.xml", "/robots.txt", "/llms.txt"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# A comment or an element whose content is not markup (left alone), or one start tag.
_MARKUP = re.compile(
    r"""<!--.*?-->|<(script|style|textarea|title)\b.*?</\1\s*>|<[a-z](?:"[^"]*"|'[^']*'|[^'"<>])*>""",
    re.IGNORECASE | re.DOTALL,
)
# Choices that a reader program is not to make: copies of a picture, schemes of a diagram, tabs, players.
_THEME_ONLY = re.compile(
    r"""<source type="image/(?:avif|webp)" srcset="[^"]*" sizes="[^"]*">|</?picture>"""
    r"""|<img class="diagram-dark"[^>]*>|<button type="button" class="video-play".*?</button>"""
    r"""|<input type="radio" class="tab"[^>]*>"""
)
_LINK = re.compile(r"""(\s(?:href|src|poster)\s*=\s*)("[^"]*"|'[^']*'|[^\s"'>]+)""", re.IGNORECASE)
_ANCHOR = re.compile(r"""\s*<a\b[^<>]*\bclass="anchor"[^<>]*>[^<]*</a>""")
_ABSOLUTE = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)


def has_feed(config: Config) -> bool:
    """Does this site have a feed? The base template asks before it links to one."""
    return bool(config.url)


def has_own_feed(url: str) -> bool:
    """Does the term at this address have feeds of its own?"""
    return url.startswith("/tags/")


# --- Atom --------------------------------------------------------------------------------------


def atom(site: SiteView, term: TermView | None = None) -> bytes:
    """The Atom document. It says when the newest entry changed, never when it was built."""
    config = site.config
    articles = _entries(site, term)
    page, feed = _addresses(config, term, ATOM)
    root = ET.Element("feed", {"xmlns": "http://www.w3.org/2005/Atom", "xml:lang": _clean(config.language)})
    _add(root, "id", feed)
    _add(root, "title", _title(config, term))
    if config.description and term is None:
        _add(root, "subtitle", config.description)
    _add(root, "updated", _moment(max(map(_changed, articles), default=_EPOCH)))
    _add(_add(root, "author"), "name", config.author or config.title)
    _add(root, "link", rel="self", type="application/atom+xml", href=feed)
    _add(root, "link", rel="alternate", type="text/html", href=page)
    _add(root, "generator", "Fencepost")
    for article in articles:
        _entry(root, site, article, whole=term is None)
    ET.indent(root)
    return _document(root)


def _entry(root: ET.Element, site: SiteView, article: ArticleView, *, whole: bool) -> None:
    address = absolute(site.config, article.url)
    entry = _add(root, "entry")
    language = language_of(article.extra, site.config.language)
    if language != site.config.language:
        entry.set("xml:lang", language)
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
    if whole:
        _add(entry, "content", _content(article, address), type="html")


def _content(article: ArticleView, address: str) -> str:
    """The HTML of an article as it can stand anywhere: without what needs the theme."""
    return absolute_links(_THEME_ONLY.sub("", _ANCHOR.sub("", article.html)), address)


# --- JSON Feed ---------------------------------------------------------------------------------


def json_feed(site: SiteView, term: TermView | None = None) -> bytes:
    """The JSON Feed of the site, or of a term."""
    config = site.config
    page, feed = _addresses(config, term, JSON)
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": _title(config, term),
        "home_page_url": page,
        "feed_url": feed,
        **({"description": config.description} if config.description and term is None else {}),
        "language": config.language,
        "authors": [{"name": config.author or config.title}],
        "items": [_item(site, article, whole=term is None) for article in _entries(site, term)],
    }
    text = json.dumps(document, ensure_ascii=False, indent=1) + "\n"
    return text.encode("utf-8", "replace")


def _item(site: SiteView, article: ArticleView, *, whole: bool) -> dict[str, Any]:
    address = absolute(site.config, article.url)
    summary = article.description or article.summary
    language = language_of(article.extra, site.config.language)
    tags = [term.name for term in (*site.categories_of(article), *site.tags_of(article))]
    return {
        "id": address,
        "url": address,
        "title": article.title,
        **({"content_html": _content(article, address)} if whole else {"content_text": summary}),
        **({"summary": summary} if summary else {}),
        **({"date_published": _moment(article.date)} if article.dated else {}),
        **({"date_modified": _moment(article.last_modified)} if article.last_modified else {}),
        **({"tags": list(dict.fromkeys(tags))} if tags else {}),
        **({"language": language} if language != site.config.language else {}),
    }


def _entries(site: SiteView, term: TermView | None) -> Sequence[ArticleView]:
    articles = site.articles if term is None else term.articles
    return articles[: site.config.feed_limit]


def _addresses(config: Config, term: TermView | None, name: str) -> tuple[str, str]:
    """Of the page that a feed follows, and of the feed itself."""
    folder = term.url if term else "/"
    return absolute(config, folder), absolute(config, folder + name)


def _title(config: Config, term: TermView | None) -> str:
    return f"{term.name} · {config.title}" if term else config.title


# --- what crawlers read ------------------------------------------------------------------------


def sitemap(site: SiteView, lists: Iterable[str]) -> bytes:
    """The sitemap: every article, and the pages of `lists`."""
    config = site.config
    root = ET.Element("urlset", {"xmlns": "http://www.sitemaps.org/schemas/sitemap/0.9"})
    for url in lists:
        _add(_add(root, "url"), "loc", absolute(config, url))
    for article in (*site.articles, *site.pages):
        if article.draft or article.extra.get("redirect_to"):
            continue
        place = _add(root, "url")
        _add(place, "loc", absolute(config, article.url))
        if article.last_modified or article.dated:
            _add(place, "lastmod", _moment(_changed(article)))
    ET.indent(root)
    return _document(root)


def robots(site: SiteView) -> bytes:
    """robots.txt: everybody may read everything."""
    config = site.config
    where = f"\nSitemap: {absolute(config, SITEMAP_URL)}\n" if config.url else ""
    return f"User-agent: *\nAllow: /\n{where}".encode()


def llms(site: SiteView) -> bytes:
    """llms.txt (llmstxt.org): what is here, and where its Markdown is (where there is none, its page)."""
    config = site.config
    lines = [f"# {_line(config.title)}"]
    if config.description:
        lines += ["", f"> {_line(config.description)}"]
    for heading, articles in (("Posts", site.articles), ("Pages", site.pages)):
        entries = [
            _llms_entry(site, article)
            for article in articles
            if not article.draft and not article.extra.get("redirect_to")
        ]
        lines += ["", f"## {heading}", "", *entries] if entries else []
    return ("\n".join(lines) + "\n").encode("utf-8", "replace")


def _llms_entry(site: SiteView, article: ArticleView) -> str:
    title = re.sub(r"([\[\]\\])", r"\\\1", _line(article.title))
    summary = _line(article.description or article.summary)
    address = beside(article.url, "md") if article.markdown else article.url
    return f"- [{title}]({absolute(site.config, address)}){': ' if summary else ''}{summary}"


def _line(text: str) -> str:
    return " ".join(text.split())


# --- pieces ------------------------------------------------------------------------------------


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


def _document(root: ET.Element) -> bytes:
    text = ET.tostring(root, encoding="unicode")  # in half the time that it takes to write bytes
    return f"<?xml version='1.0' encoding='utf-8'?>\n{text}\n".encode()


def _clean(text: str) -> str:
    """Text without the characters that XML has no way to write."""
    return _FORBIDDEN.sub("", text)


def _changed(article: ArticleView) -> datetime:
    changed: datetime = article.last_modified or article.date
    return changed


def _moment(when: datetime) -> str:
    """RFC 3339, in UTC: the offsets of old local times have seconds, which it cannot write."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
