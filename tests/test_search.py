"""The files of the search: what is in them, and that an edit costs what it changes."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from builder.search import FIELDS, part_of, read_list, written
from builder.terms import Findable, findable
from tests.conftest import MakeSite, TestSite

WORDS = [
    "텐서",
    "미분",
    "역전파를",
    "gradient",
    "torch.no_grad()",
    "값",
    "3.14",
    "`loss`",
    "학습률",
    "backward",
]


def post(title: str, text: str, tags: str = "", date: str = "2024-01-01") -> str:
    return f"---\ntitle: {title}\ndate: {date}\ntags: [{tags}]\n---\n{text}\n"


def terms(site: TestSite) -> dict[str, list[tuple[str, int]]]:
    """Term -> (address, field) of the pages where it stands, as a browser reads the files."""
    entry = _json(site, "index")
    rows = [row for name in entry["pages"] for row in _json(site, f"pages/{name}")]
    found = {}
    for number, name in enumerate(entry["terms"]):
        for term, codes in _json(site, f"terms/{name}").items():
            assert part_of(term, len(entry["terms"])) == number
            found[term] = [(rows[code // FIELDS][0], code % FIELDS) for code in read_list(codes)]
    return found


def _json(site: TestSite, name: str) -> Any:
    return json.loads((site.root / f"output/search/{name}.json").read_bytes())


def test_every_page_stands_under_its_terms(make_site: MakeSite) -> None:
    site = make_site(
        {
            "content/a.md": post("자동 미분", "## 기울기\n\n`requires_grad`", "torch"),
            "content/b.md": post("B", "미분값", date="2024-02-01"),
            "content/pages/about.md": "---\ntitle: About\n---\n미분",
        }
    )
    site.build()
    found = terms(site)
    assert found["미분"] == [("/about/", 0), ("/a/", 3), ("/b/", 0)]
    assert found["기울"] == [("/a/", 2)]
    assert found["torch"] == [("/a/", 1)]
    assert found["grad"] == [("/a/", 0)]
    assert found["ㅈㄷㅁㅂ"] == [("/a/", 3)]


def test_outputs_are_searched(make_site: MakeSite) -> None:
    site = make_site({"content/a.md": "```python\nprint('al' + 'pha')\n```\n"})
    site.build()
    assert terms(site)["alpha"] == [("/a/", 0)]


def test_a_post_that_is_not_to_be_found(make_site: MakeSite) -> None:
    hidden = "---\nsearch: false\n---\nsecret"
    moved = "---\nredirect_to: https://example.org\n---\nsecret"
    site = make_site({"content/a.md": hidden, "content/b.md": moved, "content/c.md": "open"})
    site.build()
    assert "secret" not in terms(site)
    assert terms(site)["open"] == [("/c/", 0)]


def test_a_site_without_a_search(make_site: MakeSite) -> None:
    site = make_site({"content/a.md": "text", "fencepost.toml": "search = false\n"})
    site.build()
    assert not (site.root / "output/search").exists()
    assert "data-search" not in site.html("a") + site.html("404.html")


def test_addresses_hold_the_base(make_site: MakeSite) -> None:
    site = make_site({"content/가 나.md": "text", "fencepost.toml": 'baseurl = "/b"\n'})
    site.build()
    assert terms(site)["text"] == [("/b/%EA%B0%80-%EB%82%98/", 0)] or terms(site)["text"][0][0].startswith(
        "/b/"
    )


def test_names_say_what_is_in_a_file(make_site: MakeSite) -> None:
    """A cache never mixes two states: only index.json keeps its name."""
    site = make_site({"content/a.md": "하나"})
    site.build()
    before = site.output()
    site.write({"content/a.md": "하나 둘"})
    site.build()
    after = site.output()
    changed = {
        name
        for name in before.keys() & after.keys()
        if name.startswith("search/") and before[name] != after[name]
    }
    assert changed == {"search/index.json"}


def _age(site: TestSite) -> None:
    """Let all sources be older than the tick of the clock, or nothing of them is remembered."""
    old = time.time() - 10
    for path in (site.root / "content").rglob("*.md"):
        if path.stat().st_mtime > old:
            os.utime(path, (old, old))
    time.sleep(0.06)  # for the time of the change itself, which no one can set


def test_an_edit_rewrites_the_parts_that_it_changes(
    make_site: MakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"content/p{number:02}.md" for number in range(40)]
    site = make_site({name: post(name[8:11], "같은 글 the same text") for name in names})
    _age(site)
    site.build(jobs=1)
    before = _json(site, "index")
    made: list[str] = []
    monkeypatch.setattr("builder.terms.findable", _counting(made))
    site.write({names[7]: post("p07", "같은 글 the same text zebra")})
    site.build(jobs=1)
    after = _json(site, "index")
    assert made == ["p07"]
    parts = zip(before["terms"], after["terms"], strict=True)
    changed = [number for number, (old, new) in enumerate(parts) if old != new]
    assert changed == [part_of("zebra", len(after["terms"]))]
    assert terms(site)["zebra"] == [("/p07/", 0)]


def _counting(made: list[str]) -> Callable[[str, Iterable[str], str], Findable]:
    def counted(title: str, tags: Iterable[str], html: str) -> Findable:
        made.append(title)
        return findable(title, tags, html)

    return counted


@pytest.mark.parametrize("seed", range(4))
def test_what_is_brought_up_to_date_is_what_would_be_made_anew(make_site: MakeSite, seed: int) -> None:
    choose = random.Random(seed)

    def some(number: int) -> str:
        text = " ".join(choose.choices(WORDS, k=6))
        return post(f"{choose.choice(WORDS)} {number}", text, "", f"2024-01-{choose.randrange(1, 29):02}")

    site = make_site({f"content/p{number}.md": some(number) for number in range(20)})
    _age(site)
    site.build(jobs=1)
    state = site.root / ".fencepost/search.json"
    for _ in range(6):
        number = choose.randrange(24)
        path = site.root / f"content/p{number}.md"
        if path.exists() and choose.random() < 0.25:
            path.unlink()
        else:
            site.write({f"content/p{number}.md": some(number)})
        _age(site)
        assert state.exists()
        site.build(jobs=1)
        warm = {name: content for name, content in site.output().items() if name.startswith("search/")}
        state.unlink()
        Path(site.root / ".fencepost/memo").unlink()
        site.build(jobs=1)
        cold = {name: content for name, content in site.output().items() if name.startswith("search/")}
        assert warm == cold


DAMAGE = {
    "no state": lambda site: (site.root / ".fencepost/search.json").unlink(),
    "a state that is no JSON": lambda site: (site.root / ".fencepost/search.json").write_text("{"),
    "a part that is gone": lambda site: next((site.root / "output/search/terms").iterdir()).unlink(),
    "a part that was changed": lambda site: next((site.root / "output/search/terms").iterdir()).write_text(
        "{}"
    ),
    "a text that is gone": lambda site: next((site.root / "output/search/texts").iterdir()).unlink(),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_mended(make_site: MakeSite, damage: str) -> None:
    site = make_site({f"content/p{number}.md": f"글 {number} text" for number in range(3)})
    _age(site)
    site.build()
    expected = site.output()
    DAMAGE[damage](site)
    site.build()
    assert site.output() == expected


@pytest.mark.parametrize(
    "codes",
    [[], [0], [3], [45], [46], [4, 8, 12], [0, 46, 92, 2208], [5, 4005, 400_000], list(range(0, 9000, 4))],
)
def test_a_list_is_read_as_it_was_written(codes: list[int]) -> None:
    text = written(codes)
    assert list(read_list(text)) == codes
    assert len(json.dumps(text)) == len(text) + 2  # JSON writes each sign as it is
