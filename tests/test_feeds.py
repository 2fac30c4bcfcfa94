from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import feedparser
import pytest

from builder.feeds import (
    _around,
    _element,
    absolute_links,
    atom,
    json_feed,
    robots,
    sitemap,
)
from builder.llms import llms, llms_entry
from builder.model import Article, Config
from builder.pages import feed
from builder.site import Site
from builder.views import Reads, SiteView
from tests.conftest import MakeSite
from tests.samples import CONFIG, article

ATOM = "{http://www.w3.org/2005/Atom}"
PUBLIC = replace(CONFIG, url="https://example.org", baseurl="/notes", language="ko")


def parsed(*articles: Article, config: Config = PUBLIC) -> ET.Element:
    return ET.fromstring(atom(SiteView(Site.of(config, articles, str), Reads())))


def text(element: ET.Element, name: str) -> str | None:
    return element.findtext(ATOM + name)


def test_no_feed_without_url() -> None:
    assert list(feed(Site.of(CONFIG, [article()], str))) == []
    paths = [sketch.path for sketch in feed(Site.of(PUBLIC, [article(tags=("C#",))], str))]
    assert paths == ["feed.xml", "feed.json", "tags/c#/feed.xml", "tags/c#/feed.json"]


def test_what_a_feed_must_have() -> None:
    root = parsed(article("a", 6), article("b", 7, last_modified=datetime(2023, 5, 1, tzinfo=UTC)))
    assert text(root, "id") == "https://example.org/notes/feed.xml"
    assert text(root, "title") == "Notes"
    assert text(root, "updated") == "2023-05-01T00:00:00Z"
    assert root.findtext(f"{ATOM}author/{ATOM}name") == "Haneul"
    assert root.get("{http://www.w3.org/XML/1998/namespace}lang") == "ko"
    links = {link.get("rel"): link.get("href") for link in root.iter(ATOM + "link")}
    assert links["self"] == "https://example.org/notes/feed.xml"


def test_what_an_entry_must_have() -> None:
    seoul = timezone(timedelta(hours=9))
    root = parsed(
        article("글", date=datetime(2023, 3, 6, tzinfo=seoul), tags=("DL", "dl"), categories=("py",))
    )
    entry = root.find(ATOM + "entry")
    assert entry is not None
    assert text(entry, "id") == "https://example.org/notes/%EA%B8%80/"
    assert text(entry, "published") == text(entry, "updated") == "2023-03-05T15:00:00Z"
    assert [category.get("term") for category in entry.iter(ATOM + "category")] == ["py", "DL"]
    content = entry.find(ATOM + "content")
    assert content is not None
    assert (content.get("type"), content.text) == ("html", "<p>Text.</p>")
    assert text(entry, "summary") == "Text."


def test_the_newest_posts_up_to_the_limit_and_no_pages() -> None:
    articles = [article(str(day), day) for day in range(1, 6)]
    root = parsed(*articles, article("p", page=True), config=replace(PUBLIC, feed_limit=2))
    assert [text(entry, "title") for entry in root.iter(ATOM + "entry")] == ["5", "4"]


def test_an_empty_site_has_a_feed_that_never_changes() -> None:
    assert text(parsed(), "updated") == "1970-01-01T00:00:00Z"


def test_characters_that_xml_cannot_write_are_dropped() -> None:
    bad = "a\x00\x08\x0b\x1f\ud800\ufffe\uffffb\t\U0001f600"
    root = parsed(article(title=bad, body=bad, summary=bad, tags=(bad,)), config=replace(PUBLIC, title=bad))
    good = "ab\t\U0001f600"
    entry = root.find(ATOM + "entry")
    assert entry is not None
    assert {text(root, "title"), text(entry, "title"), text(entry, "content")} == {good}


@pytest.mark.parametrize("bad", ["</title><script>x</script>", "]]>", "<!--", '"><entry>', "&#0;&lt;"])
def test_no_text_becomes_markup(bad: str) -> None:
    config = replace(PUBLIC, title=bad, description=bad, author=bad)
    plain = parsed(
        article(title="x", summary="x", tags=("x",), body="x"), config=replace(config, description="x")
    )
    root = parsed(article(title=bad, summary=bad, tags=(bad,), body=bad), config=config)
    assert [element.tag for element in root.iter()] == [element.tag for element in plain.iter()]
    entry = root.find(ATOM + "entry")
    assert entry is not None
    assert (text(root, "title"), text(entry, "title"), text(entry, "content")) == (bad, bad, bad)


def test_anchors_of_headings_stay_out_of_the_feed() -> None:
    markup = '<h2 id="x">X <a class="anchor" href="#x" aria-hidden="true">#</a></h2>'
    root = parsed(article(body=markup))
    assert root.findtext(f"{ATOM}entry/{ATOM}content") == '<h2 id="x">X</h2>'


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ('<a href="/notes/b/">', '<a href="https://example.org/notes/b/">'),
        ('<img src="fig.svg">', '<img src="https://example.org/notes/a/fig.svg">'),
        ("<img alt='/x' src='../f.png'>", "<img alt='/x' src=\"https://example.org/notes/f.png\">"),
        ("<IMG SRC=/f.png>", '<IMG SRC="https://example.org/f.png">'),
        ('<a href="#cell-1">', '<a href="https://example.org/notes/a/#cell-1">'),
        ('<a title=">" href="/x?a=1&amp;b=2">', '<a title=">" href="https://example.org/x?a=1&amp;b=2">'),
        ('<a href="https://e.org/">', '<a href="https://e.org/">'),
        ('<a href="//e.org/">', '<a href="//e.org/">'),
        ('<a href="mailto:a@e.org">', '<a href="mailto:a@e.org">'),
        ('<a href="//[">', '<a href="//[">'),
        ('<a data-href="/x" class="href">', '<a data-href="/x" class="href">'),
        ('&lt;a href="/x"&gt;', '&lt;a href="/x"&gt;'),
        ('<!-- <a href="/x"> -->', '<!-- <a href="/x"> -->'),
        ("<script>\"<a href='/x'>\"</script>", "<script>\"<a href='/x'>\"</script>"),
        ('<a href="/x" <b', '<a href="/x" <b'),
    ],
)
def test_absolute_links(given: str, expected: str) -> None:
    assert absolute_links(given, "https://example.org/notes/a/") == expected


# --- every feed ------------------------------------------------------------------------------

SEOUL = timezone(timedelta(hours=9))
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)")


def view(*articles: Article, config: Config = PUBLIC) -> SiteView:
    return SiteView(Site.of(config, articles, str), Reads())


def posts() -> list[Article]:
    return [
        article("글", date=datetime(2023, 3, 6, tzinfo=SEOUL), tags=("DL", "C#"), categories=("py",), body='<a href="/x">x</a>'),
        article("b", 7, tags=("dl",), last_modified=datetime(2023, 5, 1, tzinfo=UTC), extra={"lang": "en"}),
        article("c", 8, dated=False, date=datetime(1970, 1, 1, tzinfo=UTC), summary=""),
    ]  # fmt: skip


def check_atom(document: bytes) -> ET.Element:
    """What RFC 4287 asks of a feed and its entries."""
    root = ET.fromstring(document)
    for element in (root, *root.findall(f"{ATOM}entry")):
        for name in ("id", "title", "updated"):
            assert len(element.findall(ATOM + name)) == 1, name
        assert (text(element, "id") or "").startswith("https://")
        assert DATE.fullmatch(text(element, "updated") or "")
        for name in ("published", "summary", "content", "subtitle", "generator"):
            assert len(element.findall(ATOM + name)) <= 1, name
        links = [
            (link.get("rel"), link.get("type"), link.get("hreflang"))
            for link in element.findall(f"{ATOM}link")
        ]
        assert len(set(links)) == len(links)
        assert any(link[0] == "alternate" for link in links)
        for category in element.findall(f"{ATOM}category"):
            assert category.get("term")
    assert root.findtext(f"{ATOM}author/{ATOM}name")
    ids = [text(entry, "id") for entry in root.iter(f"{ATOM}entry")]
    assert len(set(ids)) == len(ids)
    allowed = {
        *("feed", "entry", "id", "title", "subtitle", "updated", "published", "author", "name"),
        *("link", "category", "summary", "content", "generator"),
    }
    assert {element.tag for element in root.iter()} <= {ATOM + name for name in allowed}
    return root


def check_json_feed(document: bytes) -> dict[str, Any]:
    """What JSON Feed 1.1 asks of a feed and its items."""
    feed = json.loads(document)
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert feed["title"] and isinstance(feed["items"], list)
    for name in ("home_page_url", "feed_url"):
        assert feed[name].startswith("https://")
    assert all(author["name"] for author in feed["authors"])
    known = {
        *("id", "url", "title", "content_html", "content_text", "summary"),
        *("date_published", "date_modified", "tags", "language"),
    }
    for item in feed["items"]:
        assert set(item) <= known
        assert isinstance(item["id"], str) and item["id"]
        assert ("content_html" in item) != ("content_text" in item)
        assert all(DATE.fullmatch(item[name]) for name in ("date_published", "date_modified") if name in item)
        assert all(isinstance(tag, str) for tag in item.get("tags", []))
    assert len({item["id"] for item in feed["items"]}) == len(feed["items"])
    return dict(feed)


@pytest.mark.parametrize("config", [PUBLIC, replace(PUBLIC, description="Words", author="")])
@pytest.mark.parametrize("url", ["", "/tags/dl/", "/tags/c#/"])
def test_every_feed_is_valid(url: str, config: Config) -> None:
    site = view(*posts(), config=config)
    term = site.term(url) if url else None
    root, feed = check_atom(atom(site, term)), check_json_feed(json_feed(site, term))
    entries = [(text(entry, "id"), text(entry, "title")) for entry in root.iter(ATOM + "entry")]
    assert entries == [(item["id"], item["title"]) for item in feed["items"]]
    assert len(entries) == {"": 3, "/tags/dl/": 2, "/tags/c#/": 1}[url]
    read = feedparser.parse(atom(site, term))
    assert not read.bozo
    assert [entry.id for entry in read.entries] == [name for name, _ in entries]


def test_the_feed_of_a_tag_says_where_it_is_and_has_no_text() -> None:
    site = view(*posts())
    root, feed = (
        check_atom(atom(site, site.term("/tags/c#/"))),
        check_json_feed(json_feed(site, site.term("/tags/c#/"))),
    )
    assert text(root, "id") == "https://example.org/notes/tags/c%23/feed.xml"
    assert text(root, "title") == feed["title"] == "C# · Notes"
    assert feed["feed_url"] == "https://example.org/notes/tags/c%23/feed.json"
    assert feed["home_page_url"] == "https://example.org/notes/tags/c%23/"
    assert root.find(f"{ATOM}entry/{ATOM}content") is None
    assert feed["items"][0]["content_text"] == feed["items"][0]["summary"] == "Text."


def test_an_item_has_what_its_entry_has() -> None:
    feed = check_json_feed(json_feed(view(*posts())))
    newest, oldest, undated = feed["items"]
    assert newest["language"] == "en"
    assert newest["date_modified"] == "2023-05-01T00:00:00Z"
    assert oldest["content_html"] == '<a href="https://example.org/x">x</a>'
    assert oldest["date_published"] == "2023-03-05T15:00:00Z"
    assert oldest["tags"] == ["py", "dl", "C#"] or oldest["tags"] == ["py", "DL", "C#"]
    assert "date_published" not in undated and "summary" not in undated


# --- what crawlers read ----------------------------------------------------------------------

MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


def test_the_sitemap_has_every_page_that_is_to_be_found() -> None:
    hidden = [article("d", draft=True), article("m", extra={"redirect_to": "/b/"})]
    root = ET.fromstring(
        sitemap(view(*posts(), *hidden, article("p", page=True, dated=False)), ["/", "/tags/c#/"])
    )
    found = {url.findtext(f"{MAP}loc"): url.findtext(f"{MAP}lastmod") for url in root.iter(f"{MAP}url")}
    assert found == {
        "https://example.org/notes/": None,
        "https://example.org/notes/tags/c%23/": None,
        "https://example.org/notes/b/": "2023-05-01T00:00:00Z",
        "https://example.org/notes/%EA%B8%80/": "2023-03-05T15:00:00Z",
        "https://example.org/notes/c/": None,
        "https://example.org/notes/p/": None,
    }


def test_robots_know_the_sitemap_where_there_is_one() -> None:
    assert (
        robots(view()).decode()
        == "User-agent: *\nAllow: /\n\nSitemap: https://example.org/notes/sitemap.xml\n"
    )
    assert robots(view(config=CONFIG)).decode() == "User-agent: *\nAllow: /\n"


def test_llms_txt_leads_to_the_markdown() -> None:
    given = [
        article("a", 1, title="A [b]\nc", markdown="m", summary="x\ny"),
        article("b", 2),
        article("d", 3, markdown="m", draft=True),
        article("r", 4, markdown="m", extra={"redirect_to": "/a/"}),
        article("p", page=True, markdown="m", summary=""),
    ]
    given = [
        replace(one, entry=llms_entry(PUBLIC, one.url, one.title, one.summary, markdown=bool(one.markdown)))
        for one in given
    ]
    assert llms(view(*given, config=replace(PUBLIC, description="About"))).decode() == (
        "# Notes\n\n> About\n\n## Posts\n\n"
        "- [B](https://example.org/notes/b/): Text.\n"
        "- [A \\[b\\] c](https://example.org/notes/a/index.md): x y\n\n"
        "## Pages\n\n- [P](https://example.org/notes/p/index.md)\n"
    )


def test_feeds_follow_what_they_show(make_site: MakeSite) -> None:
    post = "---\ntitle: {}\ntags: [x]\n---\n{}\n"
    site = make_site({"fencepost.toml": 'url = "https://example.org"\ncards = false\n'})
    site.write({f"content/{name}.md": post.format(name, "text") for name in "ab"})
    site.write({"content/robots.txt": "mine"})
    site.build()
    first = site.output()
    assert first["robots.txt"] == b"mine"
    site.write({"content/a.md": post.format("New", "text"), "content/c.md": "---\ntags: [y]\n---\n"})
    site.build()
    warm = site.output()
    for name in ("feed.xml", "feed.json", "tags/x/feed.xml", "tags/x/feed.json", "llms.txt"):
        assert b"New" in warm[name] and b"New" not in first[name], name
    assert b"/tags/y/" in warm["sitemap.xml"]
    site.command("clean")
    site.build(jobs=1)
    assert site.output() == warm


@pytest.mark.parametrize("bad", ["", " ", "a & <b> \"c\" 'd'", "x\r\n\ty", "\x00\ud800", "기울기 😀"])
def test_xml_is_written_as_other_programs_write_it(bad: str) -> None:
    clean = bad.replace("\x00", "").replace("\ud800", "")
    root = ET.Element("root", {"xml:lang": clean})
    for parent in (root, ET.SubElement(root, "inner")):
        ET.SubElement(parent, "leaf", {"a": clean, "b": "1"}).text = clean
    ET.indent(root)
    leaf = _element("leaf", bad, a=bad, b="1")
    written = _around("root", 0, [_around("inner", 1, [leaf]), leaf], **{"xml:lang": bad})
    assert written == ET.tostring(root, encoding="unicode")
