"""What differs from the site that Jekyll built, and a blog that moves."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from builder.config import read_config
from builder.jekyll.importing import differences, import_jekyll
from builder.jekyll.old_site import compare_sites, read_page
from builder.model import Profile, SiteError

from .conftest import MakeSite

PAGE = '<html><head><title>t</title></head><body><nav>menu</nav><div class="page__content">{}</div><script>x</script></body></html>'


def site(folder: Path, pages: dict[str, str]) -> Path:
    for name, body in pages.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(PAGE.format(body), encoding="utf-8")
    return folder


def test_only_the_article_is_read() -> None:
    page = read_page(
        PAGE.format('<h2 id="a">하나</h2><p>둘<b>셋</b> <br>넷</p><style>no</style><a href="#a">a</a>')
    )
    assert (page.headings, page.words, page.links) == (["a"], ["하나", "둘셋", "넷", "a"], ["#a"])


def test_differences_are_listed(tmp_path: Path) -> None:
    old = site(
        tmp_path / "old",
        {
            "a/index.html": '<h2 id="x">X</h2>one two <a href="#x">x</a> <a href="/b/">b</a> <a href="/never/">n</a>',
            "b/index.html": "b",
            "c.html": "same",
        },
    )
    new = site(
        tmp_path / "new",
        {"a/index.html": '<h2 id="y">X</h2>one <a href="/b/">b</a>', "c.html": "<p>same</p>"},
    )
    found = [(d.address, d.kind) for d in compare_sites(new, old)]
    assert found[0] == ("/a/", "heading")
    assert set(found) == {("/a/", kind) for kind in ("heading", "fragment", "words", "link")} | {
        ("/b/", "address")
    }


def test_a_blog_moves_with_its_addresses(make_site: MakeSite, tmp_path: Path) -> None:
    blog = make_site(
        {
            "_config.yml": "title: 옛 블로그\nurl: https://example.org\ntimezone: Asia/Seoul\npermalink: /:categories/:title/\n",
            "_posts/x/2023-01-01-한글 글.md": "---\ntitle: A\ncategories: Deep Learning\n---\n**굵게(b)**는 {{ site.title }}\n",
            "_posts/2023-01-02-b.md": "---\r\ntitle: B\r\n---\r\n[a]({% post_url 2023-01-01-한글 글 %})\r\n",
            "lang/_posts/2023-01-03-c.md": "---\ntitle: C\n---\nc\n",
            "_drafts/d.md": "---\ntitle: D\n---\nd\n",
            "about.md": "---\ntitle: About\npermalink: /about.html\n---\nabout\n",
            "assets/a b.png": b"\x89PNG",
        }
    )
    shutil.rmtree(blog.root / "content")
    blog.build()
    before = blog.output()
    target = tmp_path / "new"
    changes, problems = import_jekyll(blog.root, target)
    assert problems == ()
    assert {change.path: change.what for change in changes if change.what} == {
        "_posts/x/2023-01-01-한글 글.md": "Liquid replaced, `permalink: /deep/learning/한글-글/`",
        "_posts/2023-01-02-b.md": "Liquid replaced",
        "lang/_posts/2023-01-03-c.md": '`categories: ["lang"]`',
        "_drafts/d.md": "`draft: true`",
    }
    assert list(differences(target, blog.root / "output", 1)) == []
    after = {
        p.relative_to(target / "output").as_posix() for p in (target / "output").rglob("*") if p.is_file()
    }
    assert before.keys() - after == set()
    assert (target / "output/assets/a b.png").read_bytes() == b"\x89PNG"


def test_the_menu_and_the_author_come_over(make_site: MakeSite, tmp_path: Path) -> None:
    author = (
        "author:\n  name: 하늘\n  bio: '\"말\"'\n  links: [{label: GitHub, url: 'https://github.com/x'}]\n"
    )
    menu = "main:\n- {title: 소개, url: /about/}\n"
    blog = make_site({"_config.yml": author, "_data/navigation.yml": menu, "_posts/2023-01-01-a.md": "a"})
    shutil.rmtree(blog.root / "content")
    import_jekyll(blog.root, tmp_path / "new")
    old, new = blog.config(), read_config(tmp_path / "new")
    assert new.navigation == old.navigation != ()
    assert new.profile == old.profile != Profile()


def test_what_cannot_be_imported(make_site: MakeSite, tmp_path: Path) -> None:
    with pytest.raises(SiteError, match="no blog of Jekyll's"):
        import_jekyll(make_site({"content/a.md": "a"}).root, tmp_path / "new")
    blog = make_site({"_config.yml": "title: x", "_posts/2023-01-01-a.md": "a"})
    with pytest.raises(SiteError, match="not empty"):
        import_jekyll(blog.root, blog.root)


def test_titles_dates_tags_and_feeds(tmp_path: Path) -> None:
    page = '<html><head><title>{}</title></head><body><time datetime="{}T00:00">x</time><a rel="tag" href="/t">{}</a><article>a</article></body></html>'
    for name, values in (
        ("old", ("하나 - 블로그", "2023-01-01", "파이썬")),
        ("new", ("둘 · 블로그", "2023-01-02", "기타")),
    ):
        (tmp_path / name / "a").mkdir(parents=True)
        (tmp_path / name / "a/index.html").write_text(page.format(*values), encoding="utf-8")
    (tmp_path / "old/b.html").write_text("<body></body>", encoding="utf-8")
    (tmp_path / "old/feed.xml").write_text(
        '<feed><link href="https://x.org/b"/><link href="https://x.org/a/"/></feed>'
    )
    found = [d.kind for d in compare_sites(tmp_path / "new", tmp_path / "old")]
    assert found == ["title", "date", "tag", "feed"]
