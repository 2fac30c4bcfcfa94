"""The law: after any edits, a warm build gives the same bytes as a cold one."""

from __future__ import annotations

import os
import random
import shutil
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.cli import main
from builder.kept import unpacked
from builder.memo import MOST_NAMES, Common
from builder.model import SiteError
from builder.state import said_before
from builder.views import Reads
from tests.conftest import MakeSite, TestSite

TEMPLATES = {
    "post.html": "{% extends 'theme/post.html' %}{% block after %}{{ site.articles | length }}{% for a in site.articles[:3] %}{{ a.title }}{% endfor %}{% endblock %}",
    "page.html": "<h1>{{ article.title }}</h1>{{ article.html }}",
    "404.html": "{{ site.tags | length }} {{ site.pages | map(attribute='url') | join }}",
}
TAGS = ["x", "y", "텐서", "C#", "a b"]
WORDS = ["하나", "two", "**세(3)**은", "`four`", "[다섯](p{}.md)", "![six](x.png)"]
CELLS = [
    "```python\nprint({})\n```\n```\n0\n```\n",
    "```python\n{} / 0\n```\n",
    "```python {{eval=false}}\n{}\n```\n",
]


def post(choose: random.Random) -> str:
    lines = [
        "---",
        f"title: {choose.choice(WORDS)} {choose.randrange(9)}",
        f"date: 2024-01-{choose.randrange(1, 28):02}",
        f"tags: [{', '.join(choose.sample(TAGS, choose.randrange(3)))}]",
        f"categories: [{choose.choice(TAGS)}]" if choose.random() < 0.3 else "",
        "draft: true" if choose.random() < 0.1 else "",
        "published: false" if choose.random() < 0.1 else "",
        "---",
        *(choose.choice(WORDS).format(choose.randrange(30)) for _ in range(choose.randrange(4))),
        "",
        f"## h{choose.randrange(4)}",
        "",
    ]
    if choose.random() < 0.3:
        lines.append(choose.choice(CELLS).format(choose.randrange(3)))
    return "\n".join(lines)


def edit(site: TestSite, choose: random.Random) -> None:
    """One random change of a site."""
    content = site.root / "content"
    posts = sorted(content.glob("p*.md"))
    kind = choose.randrange(10)
    if kind <= 3 and posts:
        choose.choice(posts).write_text(post(choose))
    elif kind == 4:
        (content / f"p{choose.randrange(40)}.md").write_text(post(choose))
    elif kind == 5 and posts:
        choose.choice(posts).unlink()
    elif kind == 6 and posts:
        choose.choice(posts).rename(content / f"p{choose.randrange(40)}.md")
    elif kind == 7:
        config = choose.choice(
            ['title = "T"\n', "paginate = 3\n", 'url = "https://example.org"\n', 'baseurl = "/b"\n']
        )
        site.write({"fencepost.toml": config})
    elif kind == 8:
        name = choose.choice(list(TEMPLATES))
        path = site.root / "templates" / name
        if path.exists():
            path.unlink()
        else:
            site.write({f"templates/{name}": TEMPLATES[name]})
    else:
        target = content / choose.choice(["x.png", "pages/about.md"])
        if target.exists():
            target.unlink()
        else:
            site.write(
                {target.relative_to(site.root).as_posix(): "about" if target.suffix == ".md" else b"\x89PNG"}
            )


def outcome(site: TestSite) -> tuple[object, object]:
    """What a build tells and writes."""
    try:
        report = site.build(jobs=1)
    except SiteError as error:
        return error.problems, None
    return (report.problems, report.notes, report.posts, report.pages), site.output()


def follow(site: TestSite, seed: int, edits: int) -> None:
    """Edit a site again and again; after each edit, warm and cold builds must agree."""
    choose = random.Random(seed)
    cold = TestSite(site.root.with_name(f"{site.root.name}-cold"))
    for number in range(edits):
        edit(site, choose)
        # Older than the tick of the file system's clock, or the memo trusts nothing.
        moment = time.time() - 5 + number * 0.01
        for path in (site.root / "content").rglob("*.md"):
            if path.stat().st_mtime > moment:
                os.utime(path, (moment, moment))
        warm = outcome(site)
        shutil.rmtree(cold.root, ignore_errors=True)
        shutil.copytree(site.root, cold.root, ignore=shutil.ignore_patterns(".fencepost", "output"))
        assert warm == outcome(cold), f"seed {seed}, edit {number}"


@pytest.mark.parametrize("seed", range(int(os.environ.get("FENCEPOST_SEQUENCES", "20"))))
def test_warm_equals_cold(make_site: MakeSite, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    choose = random.Random(-1 - seed)
    if seed % 2:  # what has changed is never so much that the base is written anew
        monkeypatch.setattr("builder.memo.MOST_CHANGED", 100)
    site = make_site({f"content/p{number}.md": post(choose) for number in range(30)})
    outcome(site)
    follow(site, seed, 10)


def test_one_edit_prepares_one_post_and_makes_the_pages_that_show_it(make_site: MakeSite) -> None:
    names = [f"content/2024-01-{day:02}-p{day}.md" for day in range(1, 21)]
    site = make_site(dict.fromkeys(names, "---\ntags: [t]\n---\nText."))
    old = time.time() - 10
    for path in (site.root / "content").iterdir():
        os.utime(path, (old, old))
    time.sleep(0.1)
    site.build()
    before = times(site)
    site.write({names[9]: "---\ntags: [t]\ntitle: New\n---\nText."})
    report = site.build()
    after = times(site)
    changed = {path for path in after if after[path] != before.get(path)}
    shows = ("p10", "p9", "p11", "tags/t", "archives")
    pages = {path for path in changed if path.endswith(".html")}
    assert pages == {"index.html", *(f"{folder}/index.html" for folder in shows)}
    assert report.written == len(changed)


def test_more_posts_are_edited_than_are_looked_for_one_by_one(make_site: MakeSite) -> None:
    def posts(text: str) -> dict[str, str]:
        return {f"content/p{number}.md": f"---\ntags: [t]\n---\n{text} {number}." for number in range(40)}

    def build() -> int:
        old = time.time() - 10
        for path in (site.root / "content").iterdir():
            os.utime(path, (old, old))
        time.sleep(0.1)
        return site.build(jobs=1).written

    site = make_site(posts("Text"))
    build()
    changed = dict(list(posts("Another text").items())[: MOST_NAMES + 4])
    site.write(changed)
    assert build() >= len(changed)
    warm = site.output()
    for name in (".fencepost", "output"):
        shutil.rmtree(site.root / name)
    build()
    assert site.output() == warm


def test_a_build_whose_sources_changed_after_the_snapshot_is_not_taken_for_the_last_word(
    make_site: MakeSite, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command looks at all files before it loads the program, and does not look again."""
    site = make_site({"content/a.md": "Old"})
    monkeypatch.chdir(site.root)
    assert site.command("build").status == 0
    time.sleep(0.1)
    site.write({"content/a.md": "New"})
    time.sleep(0.1)  # a file that has just changed is looked at again
    said, seen = said_before(["build"])
    assert said is None
    assert seen is not None
    site.write({"content/a.md": "Newest"})
    old = time.time() - 10
    os.utime(site.root / "content/a.md", (old, old))
    with pytest.raises(SystemExit):
        main(["build"], seen)
    assert "Newest" in site.html("a")
    assert said_before(["build"])[0] is None
    capsys.readouterr()


def times(site: TestSite) -> dict[str, int]:
    """When each file of the output was written."""
    output = site.root / "output"
    return {p.relative_to(output).as_posix(): p.stat().st_mtime_ns for p in output.rglob("*") if p.is_file()}


def test_the_command_prepares_what_has_changed_in_another_process(make_site: MakeSite) -> None:
    cell = "```python\nprint({})\n```\n"
    site = make_site({f"content/p{number}.md": f"Text {number}.\n\n{cell.format(1)}" for number in range(3)})
    command = ("build", "--jobs", "2")
    assert site.command(*command).status == 0
    for text in ("---\ntitle: Prose\n---\n" + cell.format(1), cell.format(2), "[lost](nowhere.md)"):
        site.write({"content/p1.md": text})
        warm = site.command(*command)
        output = site.output()
        for name in (".fencepost", "output"):
            shutil.rmtree(site.root / name)
        cold = site.command(*command)
        assert (warm.status, warm.err) == (cold.status, cold.err)
        assert site.output() == output


def aged(site: TestSite) -> None:
    """Build a site whose sources have not just been changed."""
    time.sleep(0.1)
    site.build(jobs=1)


def test_after_an_edit_no_more_is_written_than_has_changed(make_site: MakeSite) -> None:
    site = make_site({f"content/p{number:02}.md": f"Text {number}." for number in range(60)})
    aged(site)
    base, since = site.root / ".fencepost/memo", site.root / ".fencepost/memo.since"
    before = base.read_bytes()
    site.write({"content/p30.md": "Another text."})
    aged(site)
    assert base.read_bytes() == before
    assert since.stat().st_size < len(before) / 4
    site.write({f"content/p{number}.md": "Many." for number in range(20, 60)})
    aged(site)
    assert base.read_bytes() != before
    assert not since.exists()


def test_pages_are_not_known_by_a_memo_that_is_older_than_the_output(make_site: MakeSite) -> None:
    """A build is killed when the site is in place, before it keeps what it knows; then the change is undone."""
    site = make_site({"content/a.md": "---\ntitle: Old\n---\n", "content/b.md": "---\ntitle: B\n---\n"})
    aged(site)
    expected = site.output()
    known = {name: site.root / ".fencepost" / name for name in ("memo", "memo.since")}
    kept = {name: path.read_bytes() for name, path in known.items() if path.exists()}
    site.write({"content/a.md": "---\ntitle: New\n---\n"})
    aged(site)
    assert site.output() != expected
    for name, path in known.items():
        path.unlink(missing_ok=True)
        if name in kept:
            path.write_bytes(kept[name])
    site.write({"content/a.md": "---\ntitle: Old\n---\n"})
    aged(site)
    assert site.output() == expected


def test_a_lost_or_damaged_store_is_made_anew(make_site: MakeSite) -> None:
    site = make_site({f"content/p{number}.md": f"Text {number}." for number in range(5)})
    old = time.time() - 10
    for path in (site.root / "content").iterdir():
        os.utime(path, (old, old))
    time.sleep(0.1)
    site.build()
    expected = site.output()
    home = site.root / ".fencepost"
    for damage in range(4):
        (site.root / "output/p1/index.html").unlink()
        if damage == 0:
            shutil.rmtree(home / "bodies")
        elif damage == 1:
            for pack in (home / "bodies").iterdir():
                pack.write_bytes(b"x" * pack.stat().st_size)
        elif damage == 2:
            (home / "memo").write_text('{"program"')
        else:
            Path(home / "memo").unlink()
        site.build()
        assert site.output() == expected


@given(
    st.dictionaries(st.sampled_from(["a", "b", "c"]), st.sets(st.sampled_from(["title", "url", "html"]))),
    st.sets(
        st.sampled_from(["neighbours", "related", "site", "term"]).flatmap(
            lambda kind: st.tuples(st.just(kind), st.sampled_from(["a", "d"]))
        )
    ),
)
def test_what_a_page_read_is_kept(articles: dict[str, set[str]], others: set[tuple[str, ...]]) -> None:
    common = Common()
    content = [common.packed(Reads(articles, others)) for _ in range(2)]
    assert content[0] == content[1]
    again, plain = Common(common.added), unpacked(content[0])
    assert {path: set(names) for path, names in again.articles(plain)} == articles
    assert {*again.others(plain)} == others
