from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from builder.feeds import absolute_links, atom
from builder.model import Article, Config
from builder.pages import feed
from builder.site import Site
from builder.views import Reads, SiteView
from tests.samples import CONFIG, article

ATOM = "{http://www.w3.org/2005/Atom}"
PUBLIC = replace(CONFIG, url="https://example.org", baseurl="/notes", language="ko")


def parsed(*articles: Article, config: Config = PUBLIC) -> ET.Element:
    return ET.fromstring(atom(SiteView(Site.of(config, articles, str), Reads())))


def text(element: ET.Element, name: str) -> str | None:
    return element.findtext(ATOM + name)


def test_no_feed_without_url() -> None:
    assert list(feed(Site.of(CONFIG, [article()], str))) == []
    [sketch] = feed(Site.of(PUBLIC, [article()], str))
    assert sketch.path == "feed.xml"


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
