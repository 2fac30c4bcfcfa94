"""Related posts: by tags, then by words of the title; the same in every order of reading, and after every edit."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from builder.kinship import Kinship
from builder.model import Article
from tests.conftest import MakeSite
from tests.samples import article


def nearest(articles: list[Article], name: str) -> list[str]:
    place = [one.title for one in articles].index(name)
    return [one.title for one in Kinship(articles).nearest(place)]


def post(number: int, title: str, *tags: str) -> Article:
    date = datetime(2023, 3, 6, tzinfo=UTC) + timedelta(days=number)
    return article(f"p{number}", date=date, title=title, tags=tags)


ARTICLES = [
    post(9, "자동미분을 배우다", "torch"),
    post(8, "넘파이 배열", "numpy"),
    post(7, "자동미분의 원리", "torch", "calculus"),
    post(6, "Backpropagation from scratch", "calculus"),
    post(5, "요리하는 법", "kitchen"),
    post(4, "Backpropagation again", "notes"),
]


def test_what_is_shared_decides() -> None:
    assert nearest(ARTICLES, "자동미분을 배우다") == ["자동미분의 원리"]
    assert nearest(ARTICLES, "Backpropagation from scratch") == ["자동미분의 원리", "Backpropagation again"]
    assert nearest(ARTICLES, "요리하는 법") == []


def test_at_most_three_and_none_of_those_left_out() -> None:
    many = [post(n, f"글 {n}", "a", "b") for n in range(9, 0, -1)] + [post(0, "other")] * 9
    kinship = Kinship(many)
    assert [one.title for one in kinship.nearest(0)] == ["글 8", "글 7", "글 6"]
    near = kinship.nearest(0, {"content/posts/p8.md"})
    assert [one.title for one in near] == ["글 7", "글 6", "글 5"]


def test_what_all_posts_share_says_nothing() -> None:
    assert nearest([post(n, f"글 {n}", "all") for n in range(9)], "글 3") == []


def test_an_answer_looks_at_few_posts_however_many_share_a_term() -> None:
    """A tag of a thousand posts must not make a million steps: only those nearest in time are looked at."""
    many = [post(n, "x", "a") for n in range(600)] + [post(n, "y") for n in range(600, 1600)]
    found = Kinship(many).nearest(300)
    assert [one.date for one in found] == [many[n].date for n in (292, 293, 294)]


WORDS = [
    "자동미분을",
    "미분",
    "notes",
    "Notes2",
    "footnotes",
    "straße",
    "STRASSE",
    "one\ntwo",
    "글",
    "x_notes",
    "e\u0301te\u0301s",
]
SPELLED = ["A", "a", "ß", "SS", " a", "", "텐서"]


@given(
    st.lists(
        st.tuples(
            st.lists(st.sampled_from(WORDS)).map(" ".join) | st.lists(st.sampled_from(WORDS)).map("".join),
            st.lists(st.sampled_from(SPELLED), max_size=3),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_few_terms_are_found_as_all_are(posts: list[tuple[str, list[str]]]) -> None:
    articles = [post(-number, title, *tags) for number, (title, tags) in enumerate(posts)]
    all_looked_at = Kinship(articles)
    all_looked_at._look_at_all()
    for place in range(len(articles)):
        assert Kinship(articles).nearest(place) == all_looked_at.nearest(place)


FILES = {
    "content/2024-01-01-a.md": "---\ntitle: Tensors and views\ntags: [torch]\n---\nA\n",
    "content/2024-01-02-b.md": "---\ntitle: Cooking\n---\nB\n",
    "content/2024-01-03-c.md": "---\ntitle: Walking\n---\nC\n",
    "content/2024-01-04-d.md": "---\ntitle: Strides of tensors\ntags: [torch]\nseries: Memory\n---\nD\n",
    "content/2024-01-05-e.md": "---\ntitle: Memory of tensors\ntags: [torch]\nseries: Memory\n---\nE\n",
}


def related_of(html: str) -> str:
    return html.partition('class="related"')[2].partition("</section>")[0]


def test_a_new_title_makes_the_related_pages_again_and_no_other(make_site: MakeSite) -> None:
    site = make_site(FILES)
    site.build()
    assert "Tensors and views" in related_of(site.html("d"))
    assert "Memory of tensors" not in related_of(site.html("d"))  # its own series stands above
    assert related_of(site.html("b")) == ""
    site.write({"content/2024-01-03-c.md": "---\ntitle: Cooking while walking\n---\nC\n"})
    report = site.build()
    assert "Cooking while walking" in related_of(site.html("b"))
    warm = site.output()
    assert report.written < report.pages
    for name in (".fencepost", "output"):
        shutil.rmtree(site.root / name)
    site.build()
    assert warm == site.output()


def test_prose_makes_its_own_page_again_only(make_site: MakeSite) -> None:
    front = "---\ntitle: Cooking\ndescription: x\n---\n"
    site = make_site({**FILES, "content/2024-01-02-b.md": f"{front}B\n"})
    site.build()
    before = site.output()
    site.write({"content/2024-01-02-b.md": f"{front}B, and more\n"})
    site.build()
    changed = {name for name, content in site.output().items() if before.get(name) != content}
    assert {name for name in changed if name.endswith(".html")} == {"b/index.html"}
