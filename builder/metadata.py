"""What a page says of itself to programs: where it is, what it shows, in which languages, with which feeds.

Canonical address and translations (`hreflang`), Open Graph and Twitter tags, and JSON-LD (schema.org). All that
has to be an absolute address is left out of a site without `url`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from builder import cards, feeds
from builder.frozen import frozen
from builder.urls import absolute, beside, link
from builder.views import ArticleView, SiteView, TermView
from builder.words import language_of, words_for

_TERRITORIES = {"ko": "ko_KR", "en": "en_US", "ja": "ja_JP", "zh": "zh_CN", "de": "de_DE", "fr": "fr_FR"}
_JSON_ESCAPES = tuple((sign, f"\\u{ord(sign):04x}") for sign in "<>&\u2028\u2029")
_JSON = json.JSONEncoder(ensure_ascii=False)


@frozen
class Feed:
    """A feed that a page links to."""

    type: str
    title: str
    url: str


@frozen
class Metadata:
    """What head.html writes. Addresses are ready for an `href`; texts are plain."""

    canonical: str
    translations: tuple[tuple[str, str], ...]  # language, address
    copies: tuple[tuple[str, str], ...]  # media type, address
    feeds: tuple[Feed, ...]
    properties: tuple[tuple[str, str], ...]  # of Open Graph
    names: tuple[tuple[str, str], ...]  # other `meta` elements
    data: Markup  # JSON-LD, safe inside a `script` element


@frozen
class _Subject:
    """What a page is about, as all that programs read of it says."""

    site: SiteView
    article: ArticleView | None
    term: TermView | None
    heading: str
    title: str
    description: str
    canonical: str
    picture: str  # an address, or ""
    is_card: bool
    language: str
    # Of a post; what has no value is "".
    categories: Sequence[TermView]
    tags: Sequence[TermView]
    published: str
    changed: str

    @classmethod
    def of(
        cls, site: SiteView, language: str, article: ArticleView | None, term: TermView | None, heading: str
    ) -> _Subject:
        config = site.config
        post = article if article and not article.page else None
        address = article.url if article else site.url
        picture, is_card = _picture(site, article)
        return cls(
            site=site,
            article=article,
            term=term,
            heading=heading,
            title=article.title if article else term.name if term else heading or config.title,
            description=(article.description or article.summary) if article else config.description,
            canonical=absolute(config, address) if config.url and address else "",
            picture=picture,
            is_card=is_card,
            language=language,
            categories=site.categories_of(post) if post else (),
            tags=site.tags_of(post) if post else (),
            published=post.date.isoformat(timespec="seconds") if post and post.dated else "",
            changed=(post.last_modified.isoformat(timespec="seconds") if post and post.last_modified else ""),
        )


def metadata(
    site: SiteView, language: str, article: ArticleView | None, term: TermView | None, heading: str
) -> Metadata:
    """What a page says of itself: one of an article, of a term, of the list `heading`, or the home page."""
    config = site.config
    subject = _Subject.of(site, language, article, term, heading)
    names = [
        *([("author", config.author)] if config.author else []),
        ("twitter:card", "summary_large_image" if subject.picture else "summary"),
    ]
    return Metadata(
        canonical=subject.canonical,
        translations=tuple(_translations(site, article)),
        copies=tuple(_copies(site, article)),
        feeds=tuple(_feeds(site, term)),
        properties=tuple(_properties(subject)),
        names=tuple(names),
        data=_json(_data(subject)),
    )


def _translations(site: SiteView, article: ArticleView | None) -> list[tuple[str, str]]:
    config = site.config
    others = site.translations(article) if article and config.url else []
    found = [(language_of(other.extra, config.language), absolute(config, other.url)) for other in others]
    default = [("x-default", address) for language, address in found if language == config.language][:1]
    return [*found, *default]


def _copies(site: SiteView, article: ArticleView | None) -> list[tuple[str, str]]:
    return [("text/markdown", beside(article.url, "md"))] if article and article.markdown else []


def _feeds(site: SiteView, term: TermView | None) -> list[Feed]:
    config = site.config
    if not feeds.has_feed(config):
        return []
    folders = [("/", config.title)]
    if term and feeds.has_own_feed(term.url):
        folders.append((term.url, f"{term.name} · {config.title}"))
    return [
        Feed(type_, title, f"{folder}{name}")
        for folder, title in folders
        for name, type_ in ((feeds.ATOM, "application/atom+xml"), (feeds.JSON, "application/feed+json"))
    ]


# --- Open Graph --------------------------------------------------------------------------------


def _picture(site: SiteView, article: ArticleView | None) -> tuple[str, bool]:
    """The address of the picture of a page, and whether it is a card of ours; "" where there is none."""
    config = site.config
    own = _own_picture(article.extra) if article else ""
    if own and (config.url or "://" in own):
        return (own if "://" in own else config.url + link(config, own)), False
    if cards.has_cards(config) and (article is None or not article.page):
        return absolute(config, beside(article.url if article else "/", "png")), True
    return "", False


def _own_picture(front_matter: Any) -> str:
    """The picture that an author names for a post: `image`, or what Minimal Mistakes has in `header`."""
    image, header = front_matter.get("image"), front_matter.get("header")
    if image is None and header is None:
        return ""
    header = header if isinstance(header, dict) else {}
    given = image.get("path") if isinstance(image, dict) else image
    names = (given, *(header.get(name) for name in ("og_image", "overlay_image", "image", "teaser")))
    found = (
        name for name in names if isinstance(name, str) and name.startswith(("/", "https://", "http://"))
    )
    return next((name for name in found if not name.startswith("//")), "")


def _properties(subject: _Subject) -> list[tuple[str, str]]:
    site, article, language = subject.site, subject.article, subject.language
    found = [
        ("og:type", "article" if article and not article.page else "website"),
        ("og:title", subject.title),
        ("og:description", subject.description),
        ("og:url", subject.canonical),
        ("og:site_name", site.config.title),
        ("og:locale", _TERRITORIES.get(language, language.replace("-", "_") if "-" in language else "")),
    ]
    if article and not article.page:
        found += [
            ("article:published_time", subject.published),
            ("article:modified_time", subject.changed),
            *[("article:section", term.name) for term in subject.categories[:1]],
            *[("article:tag", term.name) for term in subject.tags],
        ]
    found.append(("og:image", subject.picture))
    if subject.is_card:
        width, height = map(str, cards.SIZE)
        found += [("og:image:width", width), ("og:image:height", height), ("og:image:alt", subject.title)]
    return [(name, value) for name, value in found if value]


# --- JSON-LD -----------------------------------------------------------------------------------


def _data(subject: _Subject) -> list[dict[str, Any]]:
    site, article, title, language = subject.site, subject.article, subject.title, subject.language
    if article and not article.page:
        posting = _posting(subject, article)
        first = [(site_term.name, site_term.url) for site_term in subject.categories[:1]]
        return [posting, _breadcrumbs(site, language, [*first, (title, article.url)])]
    if article:
        page = {"@type": "WebPage", "name": title, "description": subject.description, "inLanguage": language}
        return [_known({**page, "url": _absolute(site, article.url)})]
    if subject.term or subject.heading:
        return [_breadcrumbs(site, language, [(title, site.url)])] if site.url else []
    if site.url != "/":
        return []
    whole = {"@type": "WebSite", "name": site.config.title, "description": subject.description}
    return [_known({**whole, "inLanguage": language, "url": _absolute(site, "/")})]


def _posting(subject: _Subject, article: ArticleView) -> dict[str, Any]:
    site, config = subject.site, subject.site.config
    home = _absolute(site, "/")
    return _known(
        {
            "@type": "BlogPosting",
            "headline": subject.title,
            "description": subject.description,
            "inLanguage": subject.language,
            "datePublished": subject.published,
            "dateModified": subject.changed or subject.published,
            "author": _known({"@type": "Person", "name": config.author or config.title, "url": home}),
            "url": subject.canonical,
            "mainEntityOfPage": subject.canonical,
            "image": subject.picture,
            "articleSection": [term.name for term in subject.categories],
            "keywords": [term.name for term in subject.tags],
            "timeRequired": f"PT{article.minutes}M",
            "isPartOf": _known({"@type": "Blog", "name": config.title, "url": home}),
        }
    )


def _breadcrumbs(site: SiteView, language: str, steps: list[tuple[str, str]]) -> dict[str, Any]:
    """Where a page stands below the home page: names and addresses."""
    steps = [(words_for(language).home, "/"), *steps]
    items = [
        {"@type": "ListItem", "position": position, "name": name, "item": absolute(site.config, url)}
        for position, (name, url) in enumerate(steps, start=1)
    ]
    return {"@type": "BreadcrumbList", "itemListElement": items}


def _absolute(site: SiteView, url: str) -> str:
    return absolute(site.config, url) if site.config.url else ""


def _known(values: dict[str, Any]) -> dict[str, Any]:
    """What has a value."""
    return {name: value for name, value in values.items() if value}


def _json(values: list[dict[str, Any]]) -> Markup:
    """JSON-LD that can end no `script` element and begin no comment; "" for nothing."""
    if not values:
        return Markup("")
    document = (
        {"@context": "https://schema.org", "@graph": values}
        if len(values) > 1
        else {
            "@context": "https://schema.org",
            **values[0],
        }
    )
    text = _JSON.encode(document)
    for sign, escape in _JSON_ESCAPES:
        if sign in text:  # hardly any is there, and `replace` takes long to find that out
            text = text.replace(sign, escape)
    return Markup(text)
