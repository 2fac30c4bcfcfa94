"""Where posts are published, and where links lead."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.model import Config, FrontMatter
from builder.urls import (
    Links,
    absolute,
    check_pattern,
    clean_path,
    date_in_name,
    href,
    output_path,
    permalink,
    slug,
)

ROOT = Path("/site")
SITE = Config(
    root=ROOT,
    content=ROOT / "content",
    output=ROOT / "output",
    templates=ROOT / "templates",
    freeze=ROOT / "_freeze",
)
DATE = datetime(2023, 3, 6, 7, 8, 9, tzinfo=UTC)
MINIMAL = "/:categories/:title/"
SEED = "content/posts/2023-03-06-pytorch-grammar-4.md"


def nfd(text: str) -> str:
    return unicodedata.normalize("NFD", text)


@pytest.mark.parametrize(
    ("path", "day", "name"),
    [
        (SEED, date(2023, 3, 6), "pytorch-grammar-4"),
        ("content/2020-1-3-Aa.markdown", date(2020, 1, 3), "Aa"),
        ("content/a.b.md", None, "a.b"),
        ("content/README.MD", None, "README"),
        ("content/2023-02-30-x.md", None, "2023-02-30-x"),  # no such day: it is part of the name
        ("content/2023-03-06-.md", None, "2023-03-06-"),
        ("2023-03-06.md", None, "2023-03-06"),
        ("a/텐서 (1).md", None, "텐서 (1)"),
    ],
)
def test_names_of_files(path: str, day: date | None, name: str) -> None:
    assert date_in_name(path) == day
    assert slug(path) == name


@pytest.mark.parametrize(
    ("pattern", "categories", "path", "url"),
    [
        (MINIMAL, ("py",), SEED, "/py/pytorch-grammar-4/"),
        (MINIMAL, (), SEED, "/pytorch-grammar-4/"),
        (MINIMAL, (), "content/a.md", "/a/"),
        (
            MINIMAL,
            ("Deep Learning", "C++ & Co."),
            "content/2020-01-01-Case.md",
            "/deep learning/c++ & co./Case/",
        ),
        (MINIMAL, (nfd("한글"),), f"content/{nfd('텐서')}.md", "/한글/텐서/"),
        ("blog/:title", ("py",), SEED, "/blog/pytorch-grammar-4"),
        ("/:year-:month-:day-:title/", (), SEED, "/2023-03-06-pytorch-grammar-4/"),
        ("/:i_month/:i_day/:short_year/:y_day/:slug/", (), "content/A_b (c).md", "/3/6/23/065/a-b-c/"),
        ("/:hour:minute:second/:title/", (), "content/a.md", "/070809/a/"),
        ("date", ("py",), SEED, "/py/2023/03/06/pytorch-grammar-4.html"),
        ("pretty", (), SEED, "/2023/03/06/pytorch-grammar-4/"),
        ("ordinal", (), SEED, "/2023/065/pytorch-grammar-4.html"),
        ("none", ("py",), SEED, "/py/pytorch-grammar-4.html"),
        (MINIMAL, (), "content/100%25.md", "/100%25/"),  # a file's name is no percent-encoded text
    ],
)
def test_permalink_of_a_post(pattern: str, categories: tuple[str, ...], path: str, url: str) -> None:
    front_matter = FrontMatter(categories=categories)
    assert permalink(pattern, front_matter, path, page=False, date=DATE) == url


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("content/pages/about.md", "/about/"),
        ("content/pages/index.md", "/"),
        ("content/pages/a/index.md", "/a/"),
        ("content/pages/a/pages/B.markdown", "/a/pages/B/"),
    ],
)
def test_permalink_of_a_page(path: str, url: str) -> None:
    assert permalink(MINIMAL, FrontMatter(categories=("py",)), path, page=True, date=DATE) == url


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("/about/", "/about/"),
        ("about", "/about"),
        ("/a//b/", "/a/b/"),
        ("/caf%C3%A9/", "/café/"),
        ("/:categories/x.html", "/py/x.html"),
        ("/at:noon/", "/at:noon/"),  # no placeholder, and none of a whole site's pattern
        (nfd("/한글/"), "/한글/"),
    ],
)
@pytest.mark.parametrize("page", [True, False])
def test_permalink_of_the_front_matter_wins(given: str, url: str, page: bool) -> None:
    front_matter = FrontMatter(permalink=given, categories=("py",))
    assert permalink(MINIMAL, front_matter, "content/pages/x.md", page=page, date=DATE) == url


def test_slug_of_the_front_matter_is_the_title_of_the_url() -> None:
    front_matter = FrontMatter(extra={"slug": "Other"})
    assert permalink(MINIMAL, front_matter, "content/x.md", page=False, date=DATE) == "/Other/"


UNSAFE = [
    ("/../../etc/", "`..`"),
    ("/a/../b/", "`..`"),
    ("/..", "`..`"),
    ("/./a", "`..`"),
    ("/%2e%2e/etc", "`..`"),
    ("/%2E%2e%2fetc/", "`..`"),
    ("/%252e%252e/etc", "`..`"),
    ("/a%2f..%2f..%2fb", "`..`"),
    ("/a\\..\\b", "backslash"),
    ("/a%5cb", "backslash"),
    ("/a%255cb", "backslash"),
    ("/a\0b", "control"),
    ("/a%00b", "control"),
    ("/a%0Ab", "control"),
    ("/a\x7f/", "control"),
    ("/a\ud800/", "control"),
    ("//evil.example/x", "host"),
    ("/%2Fevil.example/x", "host"),
    ("https://evil.example/x", "host"),
    ("javascript:alert(1)", "host"),
    ("/" + "x" * 300 + "/", "255 bytes"),
    ("/" + "가" * 86 + "/", "255 bytes"),
    ("/" + "x" * 251, "255 bytes"),  # with `.html`
    ("/" + "abcdefg/" * 140, "1024 bytes"),
    ("/%ff/", "UTF-8"),
]


@pytest.mark.parametrize(("given", "complaint"), UNSAFE)
def test_an_unsafe_permalink_is_refused(given: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        permalink(MINIMAL, FrontMatter(permalink=given), "content/x.md", page=False, date=DATE)


@pytest.mark.parametrize("category", ["..", "a/../..", "%2e%2e", "a\\b", "x" * 256])
def test_an_unsafe_category_is_refused(category: str) -> None:
    with pytest.raises(ValueError, match="URL"):
        permalink(MINIMAL, FrontMatter(categories=(category,)), "content/x.md", page=False, date=DATE)


@given(st.text(st.sampled_from("./%2eEcC5\\ab가\0:"), max_size=12))
def test_whatever_is_accepted_lies_below_the_output_folder(text: str) -> None:
    try:
        url = clean_path(text)
    except ValueError:
        return
    file = output_path(url)
    assert url.startswith("/")
    assert "//" not in url
    assert not file.startswith("/")
    for form in (file, unquote(file)):
        assert (ROOT / form).resolve().is_relative_to(ROOT)


@pytest.mark.parametrize(
    ("pattern", "complaint"),
    [
        ("/:categorys/:title/", "`:categorys`, only `:categories`"),
        ("/:categories/", "`:title` or `:slug` is missing"),
        ("/../:title/", "`..`"),
        ("https://x.org/:title/", "host"),
    ],
)
def test_a_bad_pattern_is_refused(pattern: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        check_pattern(pattern)


@pytest.mark.parametrize("pattern", [MINIMAL, "pretty", "none", "/:year/:slug:output_ext", ":title"])
def test_a_good_pattern_is_accepted(pattern: str) -> None:
    check_pattern(pattern)


@pytest.mark.parametrize(
    ("url", "file"),
    [
        ("/", "index.html"),
        ("/py/x/", "py/x/index.html"),
        ("/x.html", "x.html"),
        ("/x", "x.html"),
        ("/node.js", "node.js.html"),  # a post about Node, and no JavaScript
        ("/feed.xml", "feed.xml"),
        ("/search.json", "search.json"),
    ],
)
def test_output_path(url: str, file: str) -> None:
    assert output_path(url) == file


def test_href_is_encoded_and_has_the_baseurl() -> None:
    site = replace(SITE, url="https://example.org", baseurl="/블로그")
    url = '/c#/a b?/100%/<"&>/x(1)/'
    encoded = "/%EB%B8%94%EB%A1%9C%EA%B7%B8/c%23/a%20b%3F/100%25/%3C%22&%3E/x(1)/"
    assert href(site, url) == encoded
    assert unquote(href(site, url)) == site.baseurl + url
    assert absolute(site, url) == "https://example.org" + encoded
    assert absolute(SITE, "/a/") == "/a/"


# --- links -----------------------------------------------------------------------------------

PAGES = {
    SEED: "/py/pytorch-grammar-4/",
    "content/posts/2023-01-01-텐서.md": "/py/텐서/",
    "content/posts/deep/other.md": "/other/",
    "content/pages/about.md": "/about/",
    "content/posts/2020-01-01-twice.md": "/twice/",
    "content/posts/2021-01-01-twice.md": "/twice-again/",
    "content/posts/plain.md": "/plain.html",
}
FILES = {"content/posts/img/a b.png": "/posts/img/a b.png", "content/favicon.ico": "/favicon.ico"}
OTHERS = ("/", "/tags/", "/feed.xml")


def links(baseurl: str = "") -> Links:
    return Links(replace(SITE, baseurl=baseurl), PAGES, FILES, OTHERS)


@pytest.mark.parametrize(
    "link",
    [
        "https://example.org/x",
        "http://example.org",
        "mailto:a@example.org",
        "tel:+82",
        "data:image/png;base64,AA==",
        "//cdn.example.org/x.js",
        "#part",
        "#한글",
        "?page=2",
        "",
    ],
)
def test_links_out_of_the_site_and_to_fragments_stay(link: str) -> None:
    assert links("/blog").resolve(link, SEED) == (link, "")


@pytest.mark.parametrize(
    ("link", "target"),
    [
        ("2023-01-01-텐서.md", "/py/%ED%85%90%EC%84%9C/"),
        ("2023-01-01-%ED%85%90%EC%84%9C.md", "/py/%ED%85%90%EC%84%9C/"),
        (nfd("2023-01-01-텐서.md"), "/py/%ED%85%90%EC%84%9C/"),
        ("텐서.md#정의", "/py/%ED%85%90%EC%84%9C/#정의"),
        ("./deep/other.md?x=1#y", "/other/?x=1#y"),
        ("deep/2019-01-01-other.md", "/other/"),
        ("../pages/about.md", "/about/"),
        ("/content/pages/about.md", "/about/"),
        ("plain.md", "/plain.html"),
        ("img/a%20b.png", "/posts/img/a%20b.png"),
        ("img/a b.png", "/posts/img/a%20b.png"),
        ("../favicon.ico", "/favicon.ico"),
        ("/favicon.ico", "/favicon.ico"),
        ("/", "/"),
        ("/tags/", "/tags/"),
        ("/tags", "/tags/"),
        ("/tags/index.html", "/tags/"),
        ("/plain", "/plain.html"),
        ("/feed.xml", "/feed.xml"),
        ("../../tags/", "/tags/"),  # as the browser reads it at /py/pytorch-grammar-4/
        ("../텐서/#a", "/py/%ED%85%90%EC%84%9C/#a"),
    ],
)
@pytest.mark.parametrize("baseurl", ["", "/blog"])
def test_links_into_the_site(link: str, target: str, baseurl: str) -> None:
    assert links(baseurl).resolve(link, SEED) == (baseurl + target, "")


@pytest.mark.parametrize("link", ["/blog/tags/", "/blog", "/blog/", "/blog/py/텐서/#x"])
def test_a_link_with_the_baseurl_stays(link: str) -> None:
    assert links("/blog").resolve(link, SEED) == (link, "")


@pytest.mark.parametrize(
    ("link", "shown"),
    [
        ("img/x.png", "img/x.png"),
        ("%ED%95%9C.md#a", "한.md"),
        ("/nowhere/", "/nowhere/"),
        ("../../../../etc/passwd", "../../../../etc/passwd"),
        ("2022-01-01-텐서.md", "2022-01-01-텐서.md"),  # another date is another post
        ("twice.md", "twice.md"),  # two posts could be meant
        ("/blogging/", "/blogging/"),
    ],
)
def test_a_link_to_nothing_stays_and_is_reported(link: str, shown: str) -> None:
    assert links("/blog").resolve(link, SEED) == (link, f"links to nothing: `{shown}`")
