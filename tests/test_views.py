"""What a page has read decides whether it is made again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from builder.model import Article
from builder.site import Site
from builder.views import EVERY, Pieces, Reads, SiteView, value_of
from tests.samples import CONFIG, article


def site(*articles: Article) -> Site:
    return Site.of(CONFIG, articles, str)


A, B, C = article("a", 1, tags=("x",)), article("b", 2, tags=("x", "y")), article("c", 3)


def test_only_what_is_read_is_noted() -> None:
    reads = Reads()
    view = SiteView(site(A, B, C), reads)
    seen = view.article("content/posts/b.md")
    assert (seen.title, seen.html) == ("B", "<p>Text.</p>")
    older, newer = view.neighbours(seen)
    assert older is not None and newer is not None
    assert older.url == "/a/"
    assert reads.articles == {
        "content/posts/b.md": {"title", "html"},
        "content/posts/a.md": {"url"},
        "content/posts/c.md": set(),
    }
    assert reads.others == {("neighbours", "content/posts/b.md")}


KEYS: dict[str, tuple[Callable[[SiteView], object], bool]] = {
    # what a template does: (how, the same?, other?) with a site that has one more post at the end
    "asks if there are any": (lambda s: bool(s.articles), True),
    "counts them": (lambda s: len(s.articles), False),
    "goes over them": (lambda s: list(s.articles), False),
    "takes the first": (lambda s: s.articles[:1], True),
    "takes the last": (lambda s: s.articles[-1:], False),
    "asks for a neighbour": (lambda s: s.neighbours(s.article("content/posts/c.md")), True),
    "asks for the neighbour that is new": (lambda s: s.neighbours(s.article("content/posts/a.md")), False),
    "asks for tags of a post": (lambda s: s.tags_of(s.article("content/posts/b.md")), True),
    "counts a tag's posts": (lambda s: len(s.term("/tags/x/").articles), False),
    "goes over another tag": (lambda s: list(s.term("/tags/y/").articles), True),
    "goes over the tags": (lambda s: [t.name for t in s.tags], True),
}  # fmt: skip


@pytest.mark.parametrize("what", KEYS)
def test_what_changes_with_one_more_post(what: str) -> None:
    read, same = KEYS[what]
    before, after = (
        site(A, B, C),
        site(A, B, C, article("0", 1, tags=("x",), date=replace(A).date.replace(year=2000))),
    )
    reads = Reads()
    read(SiteView(before, reads))
    assert reads.others
    assert all(value_of(before, key) == value_of(after, key) for key in reads.others) == same


def test_keys_of_what_is_gone_have_no_value() -> None:
    reads = Reads()
    view = SiteView(site(A, B), reads)
    view.neighbours(view.article("content/posts/a.md"))
    list(view.term("/tags/x/").articles)
    assert all(value_of(site(), key) in (None, (), 0) for key in reads.others)


def test_rows_are_read_as_attributes_are() -> None:
    reads = Reads()
    rows = list(SiteView(site(A, B), reads).articles.rows("url", "tags"))
    assert rows == [("/b/", ("x", "y")), ("/a/", ("x",))]
    assert reads.articles == {EVERY: {"url", "tags"}}
    assert reads.others == {("site", "articles", "all")}


def test_a_piece_is_made_once_and_read_by_all_that_show_it() -> None:
    made = []

    def make(view: SiteView, path: str) -> str:
        made.append(path)
        title: str = view.article(path).title
        return title

    pieces, whole = Pieces(make), site(A, B)
    for path, title in (("content/posts/a.md", "A"), ("content/posts/b.md", "B")) * 2:
        reads = Reads()
        assert pieces.of(SiteView(whole, reads), path) == title
        assert reads.articles == {path: {"title"}}
    assert made == ["content/posts/a.md", "content/posts/b.md"]
