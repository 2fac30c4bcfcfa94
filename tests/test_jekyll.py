"""A folder of Jekyll's: its options, which front matter a path gets, and where each file is published.

The addresses of the table were given by Jekyll 4.3.1 itself (tests/test_jekyll_parity.py asks it again).
"""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from builder.config import read_config
from builder.front_matter import parse_front_matter
from builder.jekyll.rules import address, defaults_of, is_dated, is_left_out, jekyll_of, slugify, title_of
from builder.model import Jekyll, Link, Profile, SiteError
from builder.urls import date_of

from .conftest import MakeSite

SEOUL = ZoneInfo("Asia/Seoul")
PRETTY = "/:categories/:year/:month/:day/:title/"


def jekyll(permalink: str = "/:categories/:title/", **settings: object) -> Jekyll:
    return jekyll_of({"permalink": permalink, **settings}, ())


def url(path: str, front: str = "", permalink: str = "/:categories/:title/", **settings: object) -> str:
    """Where Jekyll publishes a file with that front matter."""
    rules = jekyll(permalink, **settings)
    front_matter, _, _ = parse_front_matter(f"---\n{front}\n---\n", path, SEOUL, defaults_of(path, rules))
    front_matter = replace(front_matter, url_categories=(*front_matter.url_categories,))
    return address(path, front_matter, date_of(front_matter, path, SEOUL), rules)


NAMES = [
    ("2020-01-01-plain", "/plain/"),
    ("2020-01-01-Upper-Case", "/Upper-Case/"),
    ("2020-01-11-한글 제목", "/한글-제목/"),
    (unicodedata.normalize("NFD", "2020-01-11-한글"), "/한글/"),
    ("2020-01-12-v1.2", "/v1.2/"),
    ("2020-01-13-c++_trick", "/c++_trick/"),
    ("2020-01-06-my [x] #1 & (y) % post", "/my-x-1-&-(y)-post/"),
    ("2020-1-9-single", "/single/"),
    ("2020-01-01-a--b", "/a-b/"),
    ("2020-01-01-trailing.", "/trailing/"),
    ("2020-01-01-🚀 go", "/go/"),
    ("2020-01-01-日本語のページ", "/日本語のページ/"),
    ("2020-01-01-Ünïcödé", "/Ünïcödé/"),
    ("2020-01-01-a,b;c=d@e", "/a,b;c=d@e/"),
    ("2020-01-01-1. 제목?", "/1.-제목/"),
    ("2020-01-01-100%", "/100/"),
]


@pytest.mark.parametrize(("name", "wanted"), NAMES)
def test_the_name_of_a_post_is_its_title_in_the_address(name: str, wanted: str) -> None:
    assert url(f"_posts/{name}.md") == wanted


FRONTS = [
    ("categories: Deep Learning", "/deep/learning/a/"),
    ("category: Deep Learning", "/deep learning/a/"),
    ("categories: [Deep Learning, B]", "/deep learning/b/a/"),
    ("category: one\ncategories: [two, Three 3]", "/two/three 3/one/a/"),
    ("categories: a, b", "/a,/b/a/"),
    ("categories: [a, A, b]", "/a/b/a/"),
    ("categories: [[ML]]", '/["ml"]/ml/a/'),
    ("categories:", "/a/"),
    ("categories: []", "/a/"),
    ("categories: 파이썬", "/파이썬/a/"),
    ("category: Algorithm & Data", "/algorithm & data/a/"),
    ("categories: [C#, C++]", "/c#/c++/a/"),
    ("categories: x\ntitle: [iPad] Working", "/2020-01-01-a/"),  # no YAML: Jekyll has nothing but the name
    ("tags:\ta b\ncategories: x", "/x/a/"),
    ("slug: Other Slug", "/Other-Slug/"),
    ("permalink: /own/", "/own/"),
    ("permalink: own/file.html", "/own/file.html"),
    ("permalink: /:year/:title/", "/2020/a/"),
    ("permalink: /a/../b/", "/a/b/"),
]


@pytest.mark.parametrize(("front", "wanted"), FRONTS)
def test_front_matter_in_the_address(front: str, wanted: str) -> None:
    assert url("_posts/2020-01-01-a.md", front) == wanted


DATES = [
    ("", "/2020/01/01/a/"),
    ("date: 2020-02-03", "/2020/02/03/a/"),
    ("date: 2020-2-3", "/2020/02/03/a/"),
    ("date: 2020-01-03 20:00:00", "/2020/01/04/a/"),  # YAML takes it for UTC
    ("date: 2020-01-03 20:00", "/2020/01/03/a/"),  # which is no time of YAML's
    ('date: "2020-01-03 20:00:00"', "/2020/01/03/a/"),
    ("date: 2020-01-03 20:00:00 +0900", "/2020/01/03/a/"),
    ("date: 2020-01-03 20:00:00 -0700", "/2020/01/04/a/"),
    ("date: 2020-01-03T20:00:00Z", "/2020/01/04/a/"),
    ("date: 2020-01-13 10:00:00 +/-TTTT", "/2020/01/13/a/"),
    ("date: 2020.03.04", "/2020/03/04/a/"),
    ("date: 10/25/2022", "/2022/10/25/a/"),
]


@pytest.mark.parametrize(("front", "wanted"), DATES)
def test_the_date_of_the_front_matter_wins(front: str, wanted: str) -> None:
    assert url("_posts/2020-01-01-a.md", front, PRETTY) == wanted


PERMALINKS = [
    ("date", "/c/2023/03/06/a.html"),
    ("pretty", "/c/2023/03/06/a/"),
    ("ordinal", "/c/2023/065/a.html"),
    ("weekdate", "/c/2023/W10/Mon/a.html"),
    ("none", "/c/a.html"),
    ("/:categories/:title", "/c/a"),
    ("/posts/:title/", "/posts/a/"),
    ("blog/:title/", "/blog/a/"),
    ("/:year-:month-:day-:title/", "/2023-03-06-a/"),
    ("/:i_month/:i_day/:short_year/:slug", "/3/6/23/a"),
    ("/:long_month/:short_month/:long_day/:short_day/:title", "/March/Mar/Monday/Mon/a"),
    ("/:year/:month_:day/:title.html", "/2023/03_06/a.html"),
    ("/:hour/:minute/:second/:y_day/:w_year/:week/:w_day/:title", "/00/00/00/065/2023/10/1/a"),
    ("/:slugified_categories/:name/", "/c/2023-03-06-a/"),
    ("/:collection/:title:output_ext", "/posts/a.html"),
    ("//:title//", "/a/"),
]


@pytest.mark.parametrize(("permalink", "wanted"), PERMALINKS)
def test_every_style_and_placeholder(permalink: str, wanted: str) -> None:
    assert url("_posts/2023-03-06-a.md", "categories: C", permalink) == wanted


PAGES = [
    ("about.md", "date", "/about.html"),
    ("about.md", "pretty", "/about/"),
    ("about.md", "/:title/", "/about/"),
    ("about.md", "/:title", "/about"),
    ("a/index.md", "/:title/", "/a/"),
    ("index.html", "date", "/"),
    ("_pages/b.md", "/:title/", "/_pages/b/"),
    ("_docs/x/y.md", "/:title/", "/docs/x/y/"),
    ("_docs/x.md", "date", "/docs/x.html"),
]


@pytest.mark.parametrize(("path", "permalink", "wanted"), PAGES)
def test_pages_and_documents_follow_the_style(path: str, permalink: str, wanted: str) -> None:
    assert url(path, "", permalink, collections={"docs": {"output": True}}) == wanted


def test_slugs_of_hangul_are_never_empty() -> None:
    assert slugify("한글 Title!") == "한글-title"
    assert title_of("_posts/2020-01-01-my-first-글.md") == "My First 글"


@pytest.mark.parametrize(
    ("path", "wanted"),
    [("a/2020-1-2-x.md", True), ("2020-01-02.md", False), ("x.md", False), ("20-01-02-x.md", True)],
)
def test_what_a_dated_name_is(path: str, wanted: bool) -> None:
    assert is_dated(path) is wanted


def test_the_nearest_scope_of_defaults_wins() -> None:
    scopes = [
        {"scope": {"path": "", "type": "posts"}, "values": {"toc": True, "a": {"x": 1, "y": 1}}},
        {"scope": {"path": "_posts/sub"}, "values": {"toc": False, "a": {"y": 2}}},
        {"scope": {"path": "", "type": "pages"}, "values": {"toc": "page"}},
        {"values": {"everywhere": 1}},
    ]
    rules = jekyll(defaults=scopes)
    assert defaults_of("_posts/sub/2020-01-01-a.md", rules) == {
        "toc": False,
        "a": {"x": 1, "y": 2},
        "everywhere": 1,
    }
    assert defaults_of("_posts/2020-01-01-a.md", rules)["toc"] is True
    assert defaults_of("about.md", rules)["toc"] == "page"


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("a.md", False),
        ("_x", True),
        (".git", True),
        (".htaccess", False),
        ("x.md~", True),
        ("README.md", True),  # a pattern is the beginning of a path
        ("vendor/bundle", True),
        ("docs", True),
        ("my.log", True),
        ("_pages", False),
        ("node_modules", True),
    ],
)
def test_which_files_are_left_out(path: str, wanted: bool) -> None:
    rules = jekyll(exclude=["README", "vendor", "/docs", "*.log"], include=["_pages"])
    assert is_left_out(path, rules) is wanted


FOLDER = {
    "_config.yml": "title: 블로그\ntimezone: Aisa/Seoul\nurl: https://example.org\nlocale: ko_KR\nauthor: {name: 하늘}\n",
    "_posts/2023-03-06-a.md": "---\ntitle: A\n---\n**굵게(b)**는\n",
}


def test_options_of_a_folder_of_jekylls(make_site: MakeSite) -> None:
    config = make_site(FOLDER).config()
    assert (config.title, config.author, config.language, config.url) == (
        "블로그",
        "하늘",
        "ko-KR",
        "https://example.org",
    )
    assert config.content == config.root
    assert config.execute.outputs == "authored"
    assert config.timezone == "UTC"
    (problem,) = config.jekyll.problems if config.jekyll else ()
    assert (problem.level, problem.line, problem.hint) == ("warning", 2, "did you mean `Asia/Seoul`?")


def test_the_menu_and_the_author_of_minimal_mistakes(make_site: MakeSite) -> None:
    author = """
        author:
          name: 하늘
          bio: |
            딥러닝을
            배웁니다.
          avatar: assets/me.jpg
          links:
            - {label: GitHub, icon: x, url: "https://github.com/example"}
            - {label: bad, url: "javascript:alert(1)"}
            - {label: none}
            - {url: "mailto:a@example.org"}
        """
    menu = "main:\n- {title: 소개, url: about/}\n- {title: bad, url: 'javascript:alert(1)'}\n- {title: T, url: /tags/#x}\n"
    site = make_site({**FOLDER, "_config.yml": author, "_data/navigation.yml": menu})
    config = site.config()
    assert config.navigation == (Link("소개", "/about/"), Link("T", "/tags/#x"))
    assert config.profile == Profile(
        "딥러닝을 배웁니다.",
        "/assets/me.jpg",
        "",
        (Link("GitHub", "https://github.com/example"), Link("mailto:a@example.org", "mailto:a@example.org")),
    )
    site.write({"fencepost.toml": 'navigation = [{title = "Mine", url = "/x/"}]\n'})
    assert site.config().navigation == (Link("Mine", "/x/"),)


def test_our_own_file_wins(make_site: MakeSite) -> None:
    site = make_site({**FOLDER, "fencepost.toml": 'title = "Mine"\n[execute]\noutputs = "real"\n'})
    assert (site.config().title, site.config().execute.outputs) == ("Mine", "real")


def test_a_broken_config_is_refused_at_its_line(make_site: MakeSite) -> None:
    site = make_site({**FOLDER, "_config.yml": "title: a\nx: [\ny: 1\n"})
    with pytest.raises(SiteError) as refused:
        read_config(site.root)
    assert refused.value.problems[0].path == "_config.yml"


def test_a_folder_is_built_in_place(make_site: MakeSite) -> None:
    site = make_site(
        {
            **FOLDER,
            "_posts/readme.md": "no date",
            "_posts/x/2023-03-07-b.md": "---\ntitle: B\ncategories: C\nredirect_from: /old/\n---\n[a]({% post_url 2023-03-06-a %})\n",
            "_drafts/d.md": "---\ntitle: D\n---\n",
            "about.md": "---\ntitle: About\npermalink: /about/\n---\nhi\n",
            "assets/x.png": "x",
            "_sass/x.scss": "x",
        }
    )
    report = site.build()
    files = set(site.output())
    assert {
        "2023/03/06/a.html",
        "c/2023/03/07/b.html",
        "about/index.html",
        "assets/x.png",
        "old/index.html",
    } <= files
    assert not any("draft" in name or "readme" in name or "scss" in name for name in files)
    assert "<strong>굵게(b)</strong>는" in site.html("2023/03/06/a.html")
    assert 'href="/2023/03/06/a.html"' in site.html("c/2023/03/07/b.html")
    assert [p.message for p in report.problems if p.path == "_posts"] == [
        "_posts/readme.md has no date in its name: left out"
    ]
    assert {path.name for path in site.root.iterdir()} <= {
        *("_config.yml", "_posts", "_drafts", "about.md", "assets", "_sass", "content"),
        *("output", ".fencepost"),
    }


def test_a_collision_is_named_and_nothing_is_lost(make_site: MakeSite) -> None:
    site = make_site(
        {
            **FOLDER,
            "_config.yml": "permalink: /:title/\n",
            "_posts/2023-03-06-a.md": "---\ntitle: Old\n---\nolder words\n",
            "_posts/2023-03-07-a.md": "---\ntitle: New\n---\nnewer words\n",
        }
    )
    problems = site.problems()
    assert "newer words" in site.html("a")
    assert "older words" in site.html("a-2023-03-06")
    assert [(p.level, p.path) for p in problems if p.kind == "url"] == [("warning", "_posts/2023-03-06-a.md")]
    assert site.problems() == problems


def test_a_date_is_never_in_the_future_today(make_site: MakeSite) -> None:
    today = datetime.now(SEOUL).date().isoformat()
    site = make_site(
        {
            "_config.yml": "timezone: Asia/Seoul\npermalink: /:title/\n",
            f"_posts/{today}-a.md": "---\ntitle: A\n---\nx",
        }
    )
    site.build()
    assert "a/index.html" in site.output()


def test_lists_made_by_loops_lead_to_ours(make_site: MakeSite) -> None:
    loop = "---\ntitle: C\npermalink: /categories/c\n---\n{% assign posts = site.categories['C'] %}{% for post in posts %}{% include x.html %}{% endfor %}\n"
    site = make_site({**FOLDER, "_pages/c.md": loop, "_config.yml": "include: [_pages]\n"})
    assert not [p for p in site.problems() if p.kind == "liquid"]
    assert 'url=/categories/c/"' in site.html("categories/c.html")


def test_a_fence_that_is_never_closed_is_text_and_told(make_site: MakeSite) -> None:
    site = make_site(
        {**FOLDER, "_posts/2023-03-06-a.md": "---\ntitle: A\n---\n\n```python\nx = 1\n\n## Heading\n"}
    )
    assert [(p.level, p.line) for p in site.problems() if p.kind == "markdown"] == [("warning", 5)]
    assert '<h2 id="heading">' in site.html("2023/03/06/a.html")


def test_a_blog_below_the_root_of_its_host(make_site: MakeSite) -> None:
    site = make_site(
        {
            "_config.yml": "baseurl: /blog\nurl: https://x.org\npermalink: /:title/\n",
            "_posts/2023-01-01-a.md": "---\ntitle: A\n---\na\n",
            "_posts/2023-01-02-b.md": "---\ntitle: B\n---\n"
            "[1]({% post_url 2023-01-01-a %}) [2]({{ site.baseurl }}{% post_url 2023-01-01-a %}) "
            "[3]({{ site.baseurl }}/a/) [4](/a/) [5]({{ '/a/' | relative_url }}) "
            "[6]({{ site.url }}{{ site.baseurl }}{% post_url 2023-01-01-a %}) [7]({% link _posts/2023-01-01-a.md %})\n",
        }
    )
    assert site.problems() == []
    assert site.html("b").count('<a href="/blog/a/">') == 7


def test_a_build_with_nothing_to_do(make_site: MakeSite) -> None:
    site = make_site({**FOLDER, "assets/a.png": "x"})
    assert site.command("build").status == 0
    assert "(0 written)" in site.command("build").out
