"""Site -> feeds and other files that programs fetch.

    /feed.xml           Atom (RFC 4287), at the address that jekyll-feed uses
    /feed.json          JSON Feed 1.1
    /tags/x/feed.xml    and feed.json: of the posts of one tag, without their text, which would be there often
    /sitemap.xml, /robots.txt

What is XML is written by two functions that let no title break it. A feed without absolute addresses is of no
use to a reader program: a site without `url` has none, and no sitemap.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import urljoin

from builder.model import Config
from builder.urls import absolute
from builder.views import ArticleView, Pieces, SiteView, TermView
from builder.words import language_of

ATOM, JSON = "feed.xml", "feed.json"
FEED_URL, JSON_FEED_URL = f"/{ATOM}", f"/{JSON}"
SITEMAP_URL, ROBOTS_URL = "/sitemap.xml", "/robots.txt"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# As other writers of XML do: a line end in an attribute would be read as a space.
_IN_ATTRIBUTES = (
    *(("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")),
    *(("\r", "&#13;"), ("\n", "&#10;"), ("\t", "&#09;")),
)
# A comment or an element whose content is not markup (left alone), or one start tag that may hold an address.
_MARKUP = re.compile(
    r"""<(?!/|span class="[^"<]*">)(?:!--.*?-->|(script|style|textarea|title)\b.*?</\1\s*>"""
    r"""|(?![a-z0-9]+>)[a-z](?:"[^"]*"|'[^']*'|[^'"<>])*>)""",
    re.IGNORECASE | re.DOTALL,
)
# Choices that a reader program is not to make: copies of a picture, schemes of a diagram, tabs, players.
_THEME_ONLY = re.compile(
    r"""<source type="image/(?:avif|webp)" srcset="[^"]*" sizes="[^"]*">|</?picture>"""
    r"""|<img class="diagram-dark"[^>]*>|<button type="button" class="video-play".*?</button>"""
    r"""|<input type="radio" class="tab"[^>]*>"""
)
_LINK = re.compile(r"""(\s(?:href|src|poster)\s*=\s*)("[^"]*"|'[^']*'|[^\s"'>]+)""", re.IGNORECASE)
_ANCHOR = re.compile(r"""<a\b[^<>]*\bclass="anchor"[^<>]*>[^<]*</a>""")
_ABSOLUTE = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)


def has_feed(config: Config) -> bool:
    """Does this site have a feed? The base template asks before it links to one."""
    return bool(config.url)


def has_own_feed(url: str) -> bool:
    """Does the term at this address have feeds of its own?"""
    return url.startswith("/tags/")


class Entries:
    """Posts as feeds show them, with their text or without: one entry for all feeds, one text for both kinds."""

    def __init__(self, *, whole: bool) -> None:
        contents = Pieces(_content) if whole else None
        self.atom = Pieces(partial(_entry, contents))
        self.json = Pieces(partial(_item, contents))


# --- Atom --------------------------------------------------------------------------------------


def atom(site: SiteView, term: TermView | None = None, entries: Entries | None = None) -> bytes:
    """The Atom document. It says when the newest entry changed, never when it was built."""
    config = site.config
    made = (entries or Entries(whole=term is None)).atom
    shown = [made.of(site, site.name_of(article)) for article in _newest(site, term)]
    page, feed = _addresses(config, term, ATOM)
    inside = [
        _element("id", feed),
        _element("title", _title(config, term)),
        *([_element("subtitle", config.description)] if config.description and term is None else []),
        _element("updated", _moment(max((changed for changed, _ in shown), default=_EPOCH))),
        _around("author", 1, [_element("name", config.author or config.title)]),
        _element("link", rel="self", type="application/atom+xml", href=feed),
        _element("link", rel="alternate", type="text/html", href=page),
        _element("generator", "Fencepost"),
        *(entry for _, entry in shown),
    ]
    about = {"xmlns": "http://www.w3.org/2005/Atom", "xml:lang": config.language}
    return _document(_around("feed", 0, inside, **about))


def _entry(contents: Pieces[str] | None, site: SiteView, path: str) -> tuple[datetime, str]:
    """When a post was changed, and its entry, with its text if `contents` has it."""
    article = site.article(path)
    address = absolute(site.config, article.url)
    language = language_of(article.extra, site.config.language)
    summary = article.description or article.summary
    changed = _changed(article)
    inside = [
        _element("id", address),
        _element("title", article.title),
        _element("link", rel="alternate", type="text/html", href=address),
        *([_element("published", _moment(article.date))] if article.dated else []),
        _element("updated", _moment(changed)),
        *(
            _element("category", term=term.name)
            for term in (*site.categories_of(article), *site.tags_of(article))
        ),
        *([_element("summary", summary)] if summary else []),
        *([_element("content", contents.of(site, path), type="html")] if contents else []),
    ]
    about = {"xml:lang": language} if language != site.config.language else {}
    return changed, _around("entry", 1, inside, **about)


def _content(site: SiteView, path: str) -> str:
    """The HTML of an article as it can stand anywhere: without what needs the theme."""
    article = site.article(path)
    *before, last = _ANCHOR.split(article.html)
    html = "".join([*(text.rstrip() for text in before), last])
    return absolute_links(_THEME_ONLY.sub("", html), absolute(site.config, article.url))


# --- JSON Feed ---------------------------------------------------------------------------------


def json_feed(site: SiteView, term: TermView | None = None, entries: Entries | None = None) -> bytes:
    """The JSON Feed of the site, or of a term."""
    config = site.config
    made = (entries or Entries(whole=term is None)).json
    items = [made.of(site, site.name_of(article)) for article in _newest(site, term)]
    page, feed = _addresses(config, term, JSON)
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": _title(config, term),
        "home_page_url": page,
        "feed_url": feed,
        **({"description": config.description} if config.description and term is None else {}),
        "language": config.language,
        "authors": [{"name": config.author or config.title}],
        "items": [],
    }
    text = _json(document)
    if items:
        text = text.removesuffix("[]\n}") + "[\n  " + ",\n  ".join(items) + "\n ]\n}"
    return f"{text}\n".encode("utf-8", "replace")


def _item(contents: Pieces[str] | None, site: SiteView, path: str) -> str:
    """A post as JSON, as it stands in the list of items."""
    article = site.article(path)
    address = absolute(site.config, article.url)
    summary = article.description or article.summary
    language = language_of(article.extra, site.config.language)
    tags = [term.name for term in (*site.categories_of(article), *site.tags_of(article))]
    item = {
        "id": address,
        "url": address,
        "title": article.title,
        **({"content_html": contents.of(site, path)} if contents else {"content_text": summary}),
        **({"summary": summary} if summary else {}),
        **({"date_published": _moment(article.date)} if article.dated else {}),
        **({"date_modified": _moment(article.last_modified)} if article.last_modified else {}),
        **({"tags": list(dict.fromkeys(tags))} if tags else {}),
        **({"language": language} if language != site.config.language else {}),
    }
    return _json(item).replace("\n", "\n  ")  # a line end in a text is written as `\n`


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1)


def _newest(site: SiteView, term: TermView | None) -> Sequence[ArticleView]:
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
    places = [_around("url", 1, [_element("loc", absolute(config, url))]) for url in lists]
    for articles in (site.articles, site.pages):
        for url, draft, extra, dated, date, changed in articles.rows(
            "url", "draft", "extra", "dated", "date", "last_modified"
        ):
            if draft or extra.get("redirect_to"):
                continue
            inside = [_element("loc", absolute(config, url))]
            if changed or dated:
                inside.append(_element("lastmod", _moment(changed or date)))
            places.append(_around("url", 1, inside))
    return _document(_around("urlset", 0, places, xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"))


def robots(site: SiteView) -> bytes:
    """robots.txt: everybody may read everything."""
    config = site.config
    where = f"\nSitemap: {absolute(config, SITEMAP_URL)}\n" if config.url else ""
    return f"User-agent: *\nAllow: /\n{where}".encode()


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


def _element(name: str, text: str = "", /, **attributes: str) -> str:
    """An element of XML that holds text: no text and no attribute can become markup."""
    text = _clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"<{name}{_attributes(attributes)}" + (f">{text}</{name}>" if text else " />")


def _around(name: str, depth: int, inside: Sequence[str], /, **attributes: str) -> str:
    """An element of XML that stands so deep, around others, each on its line."""
    end = "\n" + "  " * depth
    lines = [f"<{name}{_attributes(attributes)}>", *inside]
    return f"{end}  ".join(lines) + f"{end}</{name}>"


def _attributes(values: Mapping[str, str]) -> str:
    return "".join([f' {name}="{_attribute(value)}"' for name, value in values.items()])


def _attribute(value: str) -> str:
    for sign, written in _IN_ATTRIBUTES:
        value = value.replace(sign, written)
    return _clean(value)


def _document(root: str) -> bytes:
    return f"<?xml version='1.0' encoding='utf-8'?>\n{root}\n".encode()


def _clean(text: str) -> str:
    """Text without the characters that XML has no way to write."""
    return _FORBIDDEN.sub("", text)


def _changed(article: ArticleView) -> datetime:
    changed: datetime = article.last_modified or article.date
    return changed


def _moment(when: datetime) -> str:
    """RFC 3339, in UTC: the offsets of old local times have seconds, which it cannot write."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
