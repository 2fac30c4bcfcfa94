from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from builder.metadata import Metadata, metadata
from builder.model import Article, Config
from builder.site import Site
from builder.views import Reads, SiteView
from tests.samples import CONFIG, article

PUBLIC = replace(CONFIG, url="https://example.org", baseurl="/notes", language="ko", description="Words")


def of(one: Article, *others: Article, config: Config = PUBLIC, **changes: Any) -> Metadata:
    site = SiteView(Site.of(config, [one, *others], str), Reads(), one.url)
    return metadata(site, config.language, site.article(one.path), None, "", **changes)


def of_list(url: str, *articles: Article, heading: str = "", config: Config = PUBLIC) -> Metadata:
    site = SiteView(Site.of(config, articles, str), Reads(), url)
    return metadata(site, config.language, None, site.term(url) if heading else None, heading)


def graph(found: Metadata) -> dict[str, dict[str, Any]]:
    document = json.loads(found.data)
    assert document["@context"] == "https://schema.org"
    return {entry["@type"]: entry for entry in document.get("@graph", [document])}


def test_a_post() -> None:
    one = article(
        "글", 6, title="자동미분", tags=("DL", "torch"), categories=("py",), description="About",
        last_modified=datetime(2023, 5, 1, tzinfo=UTC), minutes=4,
    )  # fmt: skip
    found = of(one)
    assert found.canonical == "https://example.org/notes/%EA%B8%80/"
    properties = dict(found.properties)
    assert properties["og:type"] == "article"
    assert properties["og:title"] == "자동미분"
    assert properties["og:description"] == "About"
    assert properties["og:url"] == found.canonical
    assert properties["og:locale"] == "ko_KR"
    assert properties["article:published_time"] == "2023-03-06T00:00:00+00:00"
    assert properties["article:modified_time"] == "2023-05-01T00:00:00+00:00"
    assert [value for name, value in found.properties if name == "article:tag"] == ["DL", "torch"]
    assert properties["og:image"] == "https://example.org/notes/%EA%B8%80/index.png"
    assert ("twitter:card", "summary_large_image") in found.names
    posting, trail = graph(found)["BlogPosting"], graph(found)["BreadcrumbList"]
    assert posting["headline"] == "자동미분"
    assert posting["datePublished"] == "2023-03-06T00:00:00+00:00"
    assert posting["dateModified"] == "2023-05-01T00:00:00+00:00"
    assert posting["author"] == {"@type": "Person", "name": "Haneul", "url": "https://example.org/notes/"}
    assert posting["mainEntityOfPage"] == posting["url"] == found.canonical
    assert (posting["keywords"], posting["timeRequired"]) == (["DL", "torch"], "PT4M")
    items = trail["itemListElement"]
    assert [(item["position"], item["name"]) for item in items] == [
        (1, "처음으로"),
        (2, "py"),
        (3, "자동미분"),
    ]
    assert items[1]["item"] == "https://example.org/notes/categories/py/"


def test_a_site_that_does_not_know_where_it_is_says_no_address() -> None:
    found = of(article(tags=("DL",)), config=CONFIG)
    assert (found.canonical, found.feeds) == ("", ())
    assert not {"og:url", "og:image"} & dict(found.properties).keys()
    assert ("twitter:card", "summary") in found.names
    posting = graph(found)["BlogPosting"]
    assert "url" not in posting and "image" not in posting
    assert posting["headline"] == "A"


def test_an_undated_post_has_no_date() -> None:
    found = of(article(dated=False))
    assert "datePublished" not in graph(found)["BlogPosting"]
    assert "article:published_time" not in dict(found.properties)


def test_lists() -> None:
    posts = [article("a", 1, tags=("C#",)), article("b", 2)]
    home = of_list("/", *posts)
    assert home.canonical == "https://example.org/notes/"
    assert graph(home)["WebSite"]["name"] == "Notes"
    assert dict(home.properties)["og:image"] == "https://example.org/notes/index.png"
    second = of_list("/page/2/", *posts)
    assert (second.canonical, str(second.data)) == ("https://example.org/notes/page/2/", "")
    tag = of_list("/tags/c#/", *posts, heading="태그")
    assert dict(tag.properties)["og:title"] == "C#"
    assert (
        graph(tag)["BreadcrumbList"]["itemListElement"][1]["item"] == "https://example.org/notes/tags/c%23/"
    )
    assert [(feed.url, feed.title) for feed in tag.feeds] == [
        ("/feed.xml", "Notes"),
        ("/feed.json", "Notes"),
        ("/tags/c#/feed.xml", "C# · Notes"),
        ("/tags/c#/feed.json", "C# · Notes"),
    ]
    assert of_list("", *posts).canonical == "", "a page that is not to be linked to"


def test_a_page_is_no_posting() -> None:
    found = of(article(page=True))
    assert set(graph(found)) == {"WebPage"}
    assert dict(found.properties)["og:type"] == "website"
    assert "og:image" not in dict(found.properties)


def test_translations_lead_to_each_other() -> None:
    korean = article("가", 1, extra={"translation_key": "x"})
    english = article("a", 1, extra={"translation_key": "x", "lang": "en"})
    alone = article("b", 1, extra={"translation_key": "y"})
    expected = (
        ("en", "https://example.org/notes/a/"),
        ("ko", "https://example.org/notes/%EA%B0%80/"),
        ("x-default", "https://example.org/notes/%EA%B0%80/"),
    )
    assert of(korean, english, alone).translations == of(english, korean, alone).translations == expected
    assert of(alone, korean, english).translations == ()
    assert of(korean, english, config=replace(PUBLIC, url="")).translations == ()


@pytest.mark.parametrize(
    ("extra", "picture"),
    [
        ({"image": "/x y.png"}, "https://example.org/notes/x%20y.png"),
        ({"image": {"path": "/x.png"}}, "https://example.org/notes/x.png"),
        ({"image": "https://i.example/x.png"}, "https://i.example/x.png"),
        ({"header": {"teaser": "/t.png", "og_image": "/o.png"}}, "https://example.org/notes/o.png"),
        ({"image": "javascript:alert(1)"}, "https://example.org/notes/a/index.png"),
        ({"image": "//evil.example/x.png"}, "https://example.org/notes/a/index.png"),
        ({"image": 3, "header": []}, "https://example.org/notes/a/index.png"),
    ],
)
def test_the_picture_of_a_post(extra: dict[str, Any], picture: str) -> None:
    found = of(article(extra=extra))
    assert dict(found.properties)["og:image"] == picture
    assert graph(found)["BlogPosting"]["image"] == picture
    assert ("og:image:width" in dict(found.properties)) == picture.endswith("index.png")


@pytest.mark.parametrize(
    "bad", ["</script><script>x</script>", "<!--", "]]>", '"', "\u2028", "&amp;", "\\", "\ud800"]
)
def test_no_text_ends_the_data(bad: str) -> None:
    found = of(
        article(title=bad, tags=(bad,), categories=(bad,), summary=bad),
        config=replace(PUBLIC, title=bad, author=bad),
    )
    assert not set("<>&\u2028") & set(found.data)
    assert graph(found)["BlogPosting"]["headline"] == bad
