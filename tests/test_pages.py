from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urljoin, urlsplit
from zoneinfo import ZoneInfo

import pytest
from pygments.token import STANDARD_TYPES

from builder.assets import Assets, theme_folder
from builder.model import Article, Config, Heading, Link, Page, Problem, Profile, SiteError
from builder.pages import environment, list_claims, sketches, theme_claims
from builder.site import Site, collisions
from builder.urls import output_path
from builder.views import Reads, SiteView
from tests.samples import CONFIG, article

KOREAN = replace(CONFIG, language="ko", timezone="Asia/Seoul", description="파이토치 글")
PUBLIC = replace(KOREAN, url="https://example.org", baseurl="/notes", cards=False)
TOC = (Heading(2, "정의", "<code>정의</code>", (Heading(3, "기울기", "기울기"),)), Heading(2, "b", "B"))
BODY = '<h2 id="정의">정의</h2><h3 id="기울기">기울기</h3><h2 id="b">B</h2>'
FACTS = {"device": "cpu", "python": "3.11", "seed": "0", "torch": "2.13.0"}
VOID = {"meta", "link", "br", "hr", "img", "input"}


def articles() -> list[Article]:
    return [
        article("a", 1, tags=("DL", "Pytorch"), categories=("py",), facts=FACTS, body=BODY, toc=TOC),
        article("b", 2, tags=("dl", "C#"), draft=True),
        article("c", 3, description="셋째", last_modified=datetime(2023, 3, 9, tzinfo=UTC)),
        article("about", page=True, title="소개"),
    ]


def content_of(page: Page) -> bytes:
    return page.content.read_bytes() if isinstance(page.content, Path) else page.content


def rendered(config: Config = KOREAN, given: list[Article] | None = None) -> dict[str, str]:
    site = Site.of(config, articles() if given is None else given, str)
    templates = environment(config)
    made = [
        Page(sketch.path, sketch.make(SiteView(site, Reads(), sketch.url), templates))
        for sketch in sketches(site)
    ]
    pages = [*made, *Assets.of(config).pages()]
    result = {page.path: content_of(page).decode(errors="replace") for page in pages}
    assert len(result) == len(pages)
    return result


def problem_of(config: Config) -> Problem:
    with pytest.raises(SiteError) as caught:
        rendered(config)
    [problem] = caught.value.problems
    return problem


class Markup(HTMLParser):
    """The elements of a page, in order; fails on what is unbalanced, unquoted, doubled or inline code."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []
        ids = self.values("id")
        assert len(ids) == len(set(ids))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        raw = self.get_starttag_text() or ""
        assert re.fullmatch(r'<[a-z][a-z0-9]*(\s[a-zA-Z-]+(="[^"]*")?)*>', raw), raw
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), raw
        assert tag != "style", raw
        assert tag != "script" or "src" in names or ("type", "application/ld+json") in attrs, raw
        assert not any(name.startswith("on") or name == "style" for name in names), raw
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        assert self.open[-1:] != ["script"] or "src" not in self.elements[-1][1]
        self.text.append(data)

    def values(self, attribute: str) -> list[str]:
        return [attributes[attribute] for _, attributes in self.elements if attribute in attributes]

    def shape(self) -> list[tuple[str, tuple[str, ...]]]:
        return [(tag, tuple(attributes)) for tag, attributes in self.elements]


def html_pages(pages: dict[str, str]) -> Iterator[tuple[str, Markup]]:
    for path, text in pages.items():
        if path.endswith(".html"):
            yield path, Markup(text)


# --- what is made ----------------------------------------------------------------------------


def test_the_pages_of_a_site() -> None:
    assert {path for path in rendered(PUBLIC) if not path.startswith("assets/")} == {
        "c/index.html",
        "b/index.html",
        "a/index.html",
        "about/index.html",
        "index.html",
        "tags/index.html",
        "tags/c#/index.html",
        "tags/dl/index.html",
        "tags/pytorch/index.html",
        "categories/index.html",
        "categories/py/index.html",
        "archives/index.html",
        "search/index.html",
        "404.html",
        "feed.xml",
        "feed.json",
        *(f"tags/{name}/feed.{ending}" for name in ("c#", "dl", "pytorch") for ending in ("xml", "json")),
        "robots.txt",
        "llms.txt",
        "sitemap.xml",
    }


def test_of_two_processes_one_makes_the_entries_of_lists_and_one_those_of_feeds() -> None:
    dealt = [sketch.path for sketch in sketches(Site.of(PUBLIC, articles(), str))]
    assert {"index.html", "tags/dl/index.html", "categories/py/index.html"} <= set(dealt[::2])
    assert {"feed.xml", "feed.json", "tags/dl/feed.xml", "tags/dl/feed.json"} <= set(dealt[1::2])


def test_the_order_of_posts_given_changes_no_byte() -> None:
    assert rendered(PUBLIC, articles()) == rendered(PUBLIC, articles()[::-1])


def test_an_empty_site_has_its_pages() -> None:
    pages = rendered(given=[])
    assert "아직 글이 없습니다." in pages["index.html"]
    assert {"tags/index.html", "categories/index.html", "404.html"} <= set(pages)


@pytest.mark.parametrize("config", [CONFIG, KOREAN, PUBLIC])
def test_pages_are_sound_and_every_link_leads_somewhere(config: Config) -> None:
    pages = rendered(config)
    markup = dict(html_pages(pages))
    for path, page in markup.items():
        assert page.elements[0] == ("html", {"lang": config.language})
        assert [tag for tag, _ in page.elements].count("h1") == 1
        assert {"header", "nav", "main", "footer"} <= {tag for tag, _ in page.elements}
        for link in (*page.values("href"), *page.values("src")):
            target = urlsplit(urljoin(f"http://here{config.baseurl}/{quote(path)}", link))
            if target.netloc != "here":  # the canonical address is the only one with a host
                assert link.startswith("https://example.org/notes/"), link
                continue
            assert target.path.startswith(config.baseurl)
            local = output_path(unquote(target.path.removeprefix(config.baseurl)))
            local = local if local in pages else local.removesuffix(".html")
            assert local in pages, link
            if target.fragment:
                assert unquote(target.fragment) in markup[local].values("id")


def test_a_post_page() -> None:
    page = Markup(rendered()["a/index.html"])
    text = " ".join(" ".join(page.text).split())
    assert "2023년 3월 1일" in text
    assert "torch 2.13.0 · Python 3.11 · CPU · 시드 0" in text
    assert "다음 글 B" in text
    assert "이전 글" not in text
    links = page.values("href")
    assert links[links.index("/tags/dl/") :][:3] == ["/tags/dl/", "/tags/pytorch/", "/b/"]
    assert links.index("/") < links.index("/categories/py/") < links.index("#%EC%A0%95%EC%9D%98")


def test_contents_are_nested_and_can_be_left_out() -> None:
    tidy = re.sub(r"\s*\n\s*", "", rendered()["a/index.html"])
    definition, gradient = "%EC%A0%95%EC%9D%98", "%EA%B8%B0%EC%9A%B8%EA%B8%B0"
    assert (
        f'<ol><li><a href="#{definition}"><code>정의</code></a>'
        f'<ol><li><a href="#{gradient}">기울기</a></li></ol>'
        '</li><li><a href="#b">B</a></li></ol>'
    ) in tidy
    for bare in (article(toc=TOC, body=BODY, show_toc=False), article(toc=())):
        assert "<details" not in rendered(given=[bare])["a/index.html"]


def test_words_and_dates_follow_the_language_and_the_time_zone() -> None:
    late = article(date=datetime(2023, 3, 6, 23, tzinfo=timezone(timedelta(hours=-5))))
    assert "2023년 3월 7일" in rendered(given=[late])["a/index.html"]
    english = rendered(replace(CONFIG, language="en"), [late])["a/index.html"]
    assert '<time datetime="2023-03-07T04:00:00+00:00">7 March 2023</time>' in english
    assert "Skip to content" in english


def test_the_hour_that_comes_twice_is_shown_as_either() -> None:
    zone = ZoneInfo("America/New_York")
    twice = [datetime(2023, 11, 5, 1, 30, tzinfo=zone, fold=fold) for fold in (0, 1)]
    given = [article(name, date=date) for name, date in zip("ab", twice, strict=True)]
    pages = rendered(replace(CONFIG, timezone="America/New_York"), given)
    for name, offset in (("a", "04"), ("b", "05")):
        assert (
            f'<time datetime="2023-11-05T01:30:00-{offset}:00">5 November 2023</time>'
            in pages[f"{name}/index.html"]
        )


def test_a_change_on_the_same_day_is_no_update() -> None:
    given = [article(date=datetime(2023, 3, 6, 1), last_modified=datetime(2023, 3, 6, 2))]
    given = [replace(one, date=one.date.astimezone(), last_modified=one.date.astimezone()) for one in given]
    assert "수정" not in rendered(given=given)["a/index.html"]
    assert "수정" in rendered()["c/index.html"]


def test_a_draft_is_marked() -> None:
    pages = rendered()
    assert "초안" in pages["b/index.html"]
    assert "초안" not in pages["a/index.html"]


def test_a_feed_is_linked_only_where_there_is_one() -> None:
    assert "feed.xml" not in rendered(KOREAN)["index.html"]
    assert '"/notes/feed.xml"' in rendered(PUBLIC)["index.html"]


def test_the_theme_claims_its_pages() -> None:
    site = Site.of(
        PUBLIC, [article("x", url="/"), article("y", url="/tags/"), article("z", url="/fine/")], str
    )
    found = collisions([*theme_claims(PUBLIC), *site.claims()])
    assert [problem.path for problem in found] == ["content/posts/x.md", "content/posts/y.md"]
    claimed = {claim.output for claim in (*theme_claims(PUBLIC), *Site.of(PUBLIC, articles(), str).claims())}
    made = set(rendered(PUBLIC))
    assert claimed - {"search/index.json"} <= made  # which is made of the articles' text
    # What is made besides gives way to what an author puts there, and needs no claim.
    assert {path for path in made - claimed if path.endswith(".html")} == set()


def test_archives_have_the_years_with_their_posts() -> None:
    given = [
        article("a", date=datetime(2022, 12, 31, 23, tzinfo=UTC)),  # the next day, and year, in Seoul
        article("b", date=datetime(2022, 12, 30, tzinfo=UTC)),
        article("c", dated=False, date=datetime(1970, 1, 1, tzinfo=UTC)),
        article("about", page=True),
    ]
    text = re.sub(r"\s+", " ", " ".join(Markup(rendered(given=given)["archives/index.html"]).text))
    body = text[text.index("글 3개") :]
    assert re.search(r"2023년 1 2022년 1 날짜 없음 1 2023년 글 1개 1월 1일 A 2022년 글 1개 12월 30일 B", body)
    assert re.search(r"날짜 없음 글 1개 C", body)
    assert "아직 글이 없습니다." in rendered(given=[])["archives/index.html"]


SERIES = [
    article("a", 1, title="하나", extra={"series": "파이토치 문법"}),
    article("b", 2, title="둘", extra={"series": ["파이토치  문법".replace("  ", " "), "other"]}),
    article("c", 3, title="다른 글", extra={"series": {"no": "name"}}),
    article("d", 4, title="셋", extra={"series": "파이토치 문법"}),
]


def test_a_series_is_on_its_posts_and_has_a_page() -> None:
    pages = rendered(given=SERIES)
    box = pages["b/index.html"].partition('<details class="series" open>')[2].partition("</details>")[0]
    items = re.findall(r"<li[^>]*>.*?</li>", box)
    assert items == [
        '<li><a href="/a/">하나</a></li>',
        '<li aria-current="page">둘</li>',
        '<li><a href="/d/">셋</a></li>',
    ]
    assert "3편 가운데 2편" in box
    assert '<details class="series"' not in pages["c/index.html"]
    page = pages["series/파이토치-문법/index.html"]
    assert page.index("하나") < page.index("둘") < page.index("셋")
    assert "다른 글" not in page
    assert "파이토치 문법" in pages["series/index.html"]


def test_without_series_there_is_no_page_of_them() -> None:
    assert not [path for path in rendered() if path.startswith("series")]
    own = [*SERIES, article("series", url="/series/", page=True, title="mine")]
    assert "mine" in rendered(given=own)["series/index.html"]
    assert collisions([*list_claims(Site.of(KOREAN, own, str)), *Site.of(KOREAN, own, str).claims()]) == ()


def test_a_post_in_another_language_has_its_words() -> None:
    pages = rendered(given=[article("a", 1, extra={"lang": "en"}), article("b", 2, extra={"lang": "한"})])
    assert '<html lang="en">' in pages["a/index.html"]
    assert "1 March 2023" in pages["a/index.html"]
    assert "Skip to content" in pages["a/index.html"]
    assert '<html lang="ko">' in pages["b/index.html"]
    assert "2023년 3월 2일" in pages["b/index.html"]
    assert "2023년 3월 1일" in pages["index.html"]  # a list speaks the language of the site


def test_the_menu_is_the_configured_one() -> None:
    menu = (Link("코드", "https://git.example/x?a=1&b=2"), Link("소개", "/about/#나"), Link("<b>", "/tags/"))
    page = Markup(rendered(replace(PUBLIC, navigation=menu))["index.html"])
    links = page.values("href")
    at = links.index("https://git.example/x?a=1&b=2")
    assert links[at : at + 3] == ["https://git.example/x?a=1&b=2", "/notes/about/#나", "/notes/tags/"]
    assert links[at + 3] == "/notes/a/" or "/categories/" not in links[at + 3]


def test_the_author_has_a_card_where_there_is_something_to_say() -> None:
    profile = Profile("딥러닝을 배웁니다", "/me.jpg", "서울", (Link("메일", "mailto:a@example.org"),))
    page = Markup(rendered(replace(PUBLIC, profile=profile))["a/index.html"])
    assert "/notes/me.jpg" in page.values("src")
    assert "mailto:a@example.org" in page.values("href")
    assert {"딥러닝을 배웁니다", "서울"} <= {text.strip() for text in page.text}
    assert 'class="author"' not in rendered()["a/index.html"]


# --- injection -------------------------------------------------------------------------------

PAYLOADS = [
    '"><script>alert(1)</script>',
    "'><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</p></article></main><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    '" onmouseover="alert(1)',
    "' onmouseover='alert(1)",
    " onfocus=alert(1) autofocus ",
    "`onclick=alert(1)`",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    "&#106;avascript:alert(1)",
    "javascript&colon;alert(1)",
    "vbscript:msgbox(1)",
    "data:text/html,<script>alert(1)</script>",
    "data:text/html;base64,PHNjcmlwdD4=",
    "//evil.example/x.js",
    "/\\evil.example",
    "<!--",
    "--><script>alert(1)</script>",
    "]]><script>alert(1)</script>",
    "<![CDATA[<script>alert(1)</script>]]>",
    "{{ 7 * 7 }}",
    "{% include 'post.html' %}",
    "{{ config.__class__ }}",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "\u2028\u2029alert(1)",
    "<style>*{display:none}</style>",
    "</style><script>alert(1)</script>",
    "<base href=//evil.example>",
    "<meta http-equiv=refresh content=0;url=//evil.example>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<math><mi xlink:href=javascript:alert(1)>",
    "<scr\x00ipt>alert(1)</scr\x00ipt>",
    "\x0c<script\x0c>alert(1)</script>",
    "../../etc/passwd",
    "expression(alert(1))",
]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_text_becomes_markup(payload: str) -> None:
    def hostile(text: str) -> dict[str, str]:
        config = replace(PUBLIC, title=text, description=text, author=text, cards=False)
        changes: dict[str, Any] = {
            "title": text,
            "summary": text,
            "description": text,
            "tags": (text,),
            "categories": (text,),
        }
        posts = [
            replace(article("a", 1, facts=dict.fromkeys(FACTS, text)), **changes),
            replace(article("b", 2), **changes),
            replace(article("about", page=True), **changes),
        ]
        return rendered(config, posts)

    plain, pages = (list(html_pages(hostile(text))) for text in ("plain", payload))
    assert len(plain) == len(pages)
    for (_, expected), (_, page) in zip(plain, pages, strict=True):
        assert page.shape() == expected.shape()
        for link in (*page.values("href"), *page.values("src")):
            assert link.startswith(("/notes/", "#page.main", "https://example.org/notes/")), link


def test_a_heading_id_stays_in_its_attribute() -> None:
    toc = (Heading(2, '"><script>', "x"),)
    assert "<script>" not in rendered(given=[article(toc=toc)])["a/index.html"]


# --- a site's own templates ------------------------------------------------------------------


@pytest.fixture
def own(tmp_path: Path) -> Config:
    templates = tmp_path / "templates"
    (templates / "assets").mkdir(parents=True)
    return replace(KOREAN, root=tmp_path, templates=templates)


def test_a_site_replaces_templates_by_name(own: Config) -> None:
    (own.templates / "404.html").write_text("{{ words.not_found }}!\n")
    assert rendered(own)["404.html"] == "페이지를 찾을 수 없습니다!\n"


def test_a_template_may_extend_the_one_it_replaces(own: Config) -> None:
    (own.templates / "base.html").write_text(
        '{% extends "theme/base.html" %}{% block head %}<meta name="x" content="y">{% endblock %}'
    )
    assert '<meta name="x" content="y">' in rendered(own)["tags/index.html"]


def test_what_is_the_same_on_all_pages_is_read_by_each(own: Config) -> None:
    text = "{{ site.articles | length }} {% for page in site.pages %}{{ page.title }}{% endfor %}|{{ site.url }}|"
    (own.templates / "site-header.html").write_text(text)
    site, templates = Site.of(own, articles(), str), environment(own)
    for sketch in [each for each in sketches(site) if each.path in ("a/index.html", "tags/index.html")]:
        reads = Reads()
        assert "3 소개||" in sketch.make(SiteView(site, reads), templates).decode()
        assert ("site", "articles", "length") in reads.others
        assert "title" in reads.articles["content/posts/about.md"]


def test_what_is_the_same_on_all_pages_sees_no_page(own: Config) -> None:
    (own.templates / "site-footer.html").write_text("\n{{ article.title }}\n")
    problem = problem_of(own)
    assert (problem.path, problem.line) == ("templates/site-footer.html", 2)
    assert "'article' is undefined" in problem.message


@pytest.mark.parametrize(
    ("source", "line", "message"),
    [
        ("a\n{{ nothing }}\n", 2, "'nothing' is undefined"),
        ("a\nb\n{{ article.titel }}\n", 3, "has no attribute 'titel'"),
        ("a\n{% if %}\n", 2, "Expected an expression"),
        ("{% for x in site.tags %}\n", 1, "Unexpected end of template"),
        ("\n{% include 'nowhere.html' %}\n", 2, "there is no template `nowhere.html`"),
        ("\n\n{{ 1 / 0 }}\n", 3, "ZeroDivisionError: division by zero"),
        ("\n{{ 'soon' | date }}\n", 2, "AttributeError"),
        ("\n{{ article.title | upcase }}\n", 2, "No filter named 'upcase'"),
        ("\n{{ asset('stile.css') }}\n", 2, "there is no file `stile.css` below assets/"),
    ],
)
def test_a_template_that_fails_names_its_file_and_line(
    own: Config, source: str, line: int, message: str
) -> None:
    (own.templates / "post.html").write_text(source)
    problem = problem_of(own)
    assert (problem.level, problem.kind) == ("error", "template")
    assert (problem.path, problem.line) == ("templates/post.html", line)
    assert message in problem.message


def test_a_failure_in_an_included_template_names_that_one(own: Config) -> None:
    (own.templates / "post.html").write_text("{% include 'bio.html' %}")
    (own.templates / "bio.html").write_text("\n\n{{ nobody }}")
    assert (problem_of(own).path, problem_of(own).line) == ("templates/bio.html", 3)
    (own.templates / "bio.html").write_bytes(b"\xff")
    assert "UnicodeDecodeError" in problem_of(own).message


# --- the theme -------------------------------------------------------------------------------

CSS = (theme_folder() / "assets/style.css").read_text()
COLOURS = {
    name: (light, dark)
    for name, light, dark in re.findall(r"--([a-z-]+): light-dark\((#\w{6}), (#\w{6})\);", CSS)
}
PAIRS = [
    *((ink, ground) for ink in ("ink", "strong", "muted", "accent") for ground in ("ground", "raised")),
    *(
        (name, ground)
        for name in COLOURS
        if name.startswith("code-") and name != "code-ground"
        for ground in ("code-ground", "output-ground")
    ),
    ("muted", "output-ground"),
    ("muted", "code-ground"),
    ("accent", "output-ground"),
    *((tone, "ground") for tone in ("info", "tip", "important", "warning", "danger")),
    ("strong", "mark"),
    ("ground", "accent"),
]


def luminance(colour: str) -> float:
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(("ink", "ground"), PAIRS)
def test_contrast_is_aa_in_both_schemes(ink: str, ground: str) -> None:
    for one, two in zip(COLOURS[ink], COLOURS[ground], strict=True):
        low, high = sorted((luminance(one), luminance(two)))
        assert (high + 0.05) / (low + 0.05) >= 4.5


def test_every_variable_and_every_pygments_class_is_known() -> None:
    assert set(re.findall(r"var\(--([a-z-]+)\)", CSS)) <= set(re.findall(r"--([a-z-]+):", CSS))
    classes = set()
    for line in CSS.splitlines():
        if line.startswith(".highlight"):
            classes |= set(re.findall(r"\.([a-z0-9]+)\b", line.partition("{")[0]))
    assert classes - {"highlight"} <= set(STANDARD_TYPES.values())


def test_the_theme_asks_no_other_host() -> None:
    assert "url(" not in CSS
    assert "@import" not in CSS
    assert CSS.count("{") == CSS.count("}")


def test_names_of_assets_are_nfc() -> None:
    for file in theme_folder().rglob("*"):
        assert unicodedata.is_normalized("NFC", file.name)
