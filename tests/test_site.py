from __future__ import annotations

import unicodedata
from collections.abc import Iterable

import pytest

from builder.model import Article
from builder.site import Claim, Site, collisions, fold
from builder.urls import output_path
from tests.samples import CONFIG, article

NFD = unicodedata.normalize("NFD", "파이썬")


def site(*articles: Article) -> Site:
    return Site.of(CONFIG, articles, str)


def paths(articles: Iterable[Article]) -> list[str]:
    return [one.path.removeprefix("content/posts/").removesuffix(".md") for one in articles]


# --- order -----------------------------------------------------------------------------------


def test_posts_are_newest_first_and_by_path_within_a_moment() -> None:
    given = [article("b", 6), article("a", 6), article("new", 9), article("old", 1)]
    assert paths(site(*given).articles) == ["new", "a", "b", "old"]
    assert site(*given) == site(*reversed(given))


def test_pages_stand_apart_by_title() -> None:
    made = site(article("z", page=True, title="about"), article("y", page=True, title="Zoo"), article("post"))
    assert [page.title for page in made.pages] == ["about", "Zoo"]
    assert paths(made.articles) == ["post"]


def test_neighbours() -> None:
    old, middle, new, page = article("o", 1), article("m", 2), article("n", 3), article("p", page=True)
    made = site(middle, new, page, old)
    assert made.neighbours(new) == (middle, None)
    assert made.neighbours(middle) == (old, new)
    assert made.neighbours(old) == (None, middle)
    assert made.neighbours(page) == (None, None)


# --- terms -----------------------------------------------------------------------------------


def test_spellings_of_one_tag_are_one_term_under_the_most_frequent() -> None:
    made = site(
        article("a", 1, tags=("java", NFD)),
        article("b", 2, tags=("Java",)),
        article("c", 3, tags=(" Java ",)),
    )
    assert [(term.name, paths(term.articles)) for term in made.tags] == [
        ("Java", ["c", "b", "a"]),
        ("파이썬", ["a"]),
    ]


def test_of_equally_frequent_spellings_the_oldest_is_shown() -> None:
    made = site(article("a", 2, tags=("java",)), article("b", 1, tags=("JAVA",)))
    assert [term.name for term in made.tags] == ["JAVA"]


def test_an_article_is_once_under_a_term_and_shows_it_once() -> None:
    one = article(tags=("DL", "dl", "Pytorch", "", " "))
    made = site(one)
    assert [(term.name, len(term.articles)) for term in made.tags] == [("DL", 1), ("Pytorch", 1)]
    assert [term.name for term in made.tags_of(one)] == ["DL", "Pytorch"]
    assert made.categories_of(one) == ()


def test_pages_are_under_no_term() -> None:
    page = article(page=True, tags=("x",))
    made = site(page)
    assert made.tags == ()
    assert made.tags_of(page) == ()


def test_terms_are_in_the_order_of_their_names() -> None:
    made = site(article(categories=("하늘", "b", "가람", "A", "나무")))
    assert [term.name for term in made.categories] == ["A", "b", "가람", "나무", "하늘"]


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("Pytorch", "/tags/pytorch/"),
        ("딥 러닝", "/tags/딥-러닝/"),
        (NFD, "/tags/파이썬/"),
        ("C++", "/tags/c++/"),
        ("C#", "/tags/c#/"),
        ("a/b", "/tags/a-b/"),
        ("a\\b", "/tags/a-b/"),
        (".NET", "/tags/net/"),
        ("what?", "/tags/what/"),
        ("..", "/tags/2e-2e/"),
        ("/", "/tags/2f/"),
        ("-", "/tags/2d/"),
        ("a\tb\nc", "/tags/a-b-c/"),
        ("\ud800", "/tags/d800/"),
    ],
)
def test_url_of_a_term(name: str, url: str) -> None:
    assert [term.url for term in site(article(tags=(name,))).tags] == [url]


def test_the_url_of_a_long_term_fits_a_file_system() -> None:
    made = site(article(tags=("가" * 300, "가" * 301)))
    urls = {term.url for term in made.tags}
    assert len(urls) == 2
    assert all(len(part.encode()) <= 255 for url in urls for part in url.split("/"))


# --- collisions ------------------------------------------------------------------------------


def test_two_posts_at_one_url_are_a_problem_that_names_both() -> None:
    made = site(article("a", url="/py/x/"), article("b", url="/py/x/"), article("c"))
    [problem] = collisions(made.claims())
    assert (problem.level, problem.kind, problem.path) == ("error", "url", "content/posts/b.md")
    assert "content/posts/a.md" in problem.message
    assert "content/posts/b.md" in problem.message
    assert "/py/x/" in problem.message


@pytest.mark.parametrize(
    ("one", "two", "collide"),
    [
        ("a/index.html", "A/index.html", True),
        (f"{NFD}/index.html", "파이썬/index.html", True),
        ("straße.html", "STRASSE.html", True),
        ("a", "a/index.html", True),  # a file that would have to be a folder
        ("a/b/c.png", "A", True),
        ("a.html", "a/index.html", False),
        ("a/index.html", "ab/index.html", False),
        ("a/1.png", "a/2.png", False),
    ],
)
def test_what_collides(one: str, two: str, collide: bool) -> None:
    for first, second in ((one, two), (two, one)):
        found = collisions([Claim(first, "1.md", "1.md"), Claim(second, "2.md", "2.md")])
        assert [problem.path for problem in found] == (["2.md"] if collide else [])


def test_three_at_one_url_are_two_problems() -> None:
    made = site(*(article(name, url="/x/") for name in "abc"))
    assert [problem.path for problem in collisions(made.claims())] == [
        "content/posts/b.md",
        "content/posts/c.md",
    ]


def test_a_term_collides_with_a_post_and_with_another_term() -> None:
    made = site(article("a", url="/tags/dl/", tags=("DL", "x y", "x-y")))
    messages = [problem.message for problem in collisions(made.claims())]
    assert messages == [
        "the tag `DL` and content/posts/a.md would both be at /tags/dl/",
        "the tag `x-y` and the tag `x y` would both be at /tags/x-y/",
    ]


def test_claims_are_where_the_articles_and_terms_are_written() -> None:
    made = site(article("a", tags=("t",)), article("p", page=True))
    outputs = [claim.output for claim in made.claims()]
    assert outputs == [output_path(url) for url in ("/a/", "/p/", "/tags/t/")]


def test_fold() -> None:
    assert fold(" Stra\u00dfe ") == "strasse"
    assert fold(NFD) == "파이썬"
