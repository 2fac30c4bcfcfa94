"""Adopting an old blog: afterwards a build is clean, runs the rest, and names what is not proven."""

from __future__ import annotations

import tomllib

from builder.adopt import BEGIN, END

from .conftest import MakeSite, TestSite

CONFIG = {"_config.yml": "title: Old\npermalink: /:title/\n"}
BROKEN = [
    "import no_such_module_anywhere\nno_such_module_anywhere.f()",
    "x = = 1",
    "1/0",
    "open('missing.csv')",
    "undefined_name",
    "!pip install x",
    "n = input()",
    "%%sql\nselect 1",
]


def post(number: int, code: str, output: str = "") -> tuple[str, str]:
    below = f"```\n{output}\n```\n" if output else ""
    text = f"---\ntitle: P{number}\n---\n```python\nprint('first')\n```\n```\nfirst\n```\n\n```python\n{code}\n```\n{below}"
    return f"_posts/2020-01-{number % 28 + 1:02}-p{number}.md", text


def old_blog(make_site: MakeSite) -> TestSite:
    good = dict(post(n, f"print({n} + 1)", str(n + 1)) for n in range(60))
    bad = dict(post(n, BROKEN[n % len(BROKEN)], "as written") for n in range(60, 100))
    return make_site({**CONFIG, **good, **bad})


def test_forty_posts_of_a_hundred_cannot_run(make_site: MakeSite) -> None:
    site = old_blog(make_site)
    assert site.command("build", "--jobs", "2").status == 1
    ran = site.command("adopt", "--jobs", "2")
    assert ran.status == 0
    assert "100 posts with 200 cells run: 40 cells in 40 posts cannot run" in ran.out
    entries = tomllib.loads((site.root / "fencepost.toml").read_text())["unproven"]
    assert len({entry["post"] for entry in entries}) == 40
    assert all(entry["cells"] == [2] and entry["reason"] for entry in entries)

    report = site.build()
    assert [p for p in report.problems if p.level != "note"] == []
    named = [p for p in report.problems if p.kind == "unproven"]
    assert len({p.path for p in named}) == 40
    assert report.cells == 200
    assert site.command("build", "--strict").status == 0
    assert "as written" in site.html("p60")


def test_a_second_adopt_shows_what_has_become_provable(make_site: MakeSite) -> None:
    name, text = post(1, "open('data.txt').read()", "hello")
    site = make_site({**CONFIG, name: text, "fencepost.toml": 'title = "Mine"\n'})
    assert "1 cell in 1 post cannot run" in site.command("adopt").out
    first = (site.root / "fencepost.toml").read_text()
    assert first.startswith('title = "Mine"\n')
    site.write({"_posts/data.txt": "hello"})
    again = site.command("adopt")
    assert "1 cell can be run now (FileNotFoundError" in again.out
    assert "0 cells in 0 posts cannot run" in again.out
    text = (site.root / "fencepost.toml").read_text()
    assert text.count(BEGIN) == text.count(END) == 1
    assert "unproven" not in tomllib.loads(text)


def test_what_ends_its_process_is_not_tried_again(make_site: MakeSite) -> None:
    code = "import os\nos.kill(os.getpid(), 9)\n```\n\n```python\nprint('behind')\n```\n```\nbehind\n```\n\n```python\n1/0"
    name, text = post(1, code)
    site = make_site({**CONFIG, name: text})
    site.command("adopt")
    entries = tomllib.loads((site.root / "fencepost.toml").read_text())["unproven"]
    assert [(entry["cells"], entry.get("run", True)) for entry in entries] == [([2], False), ([4], True)]
    report = site.build()
    assert [p.level for p in report.problems] == ["note"]
    assert (report.run, report.cached) == (0, 4)


def test_an_edit_of_a_cell_makes_it_run_again(make_site: MakeSite) -> None:
    name, text = post(1, "1/0")
    site = make_site({**CONFIG, name: text})
    site.command("adopt")
    assert [p.level for p in site.problems()] == ["note"]
    site.write({name: text.replace("print('first')", "print('inserted')\n```\n\n```python\nprint('first')")})
    assert [p.level for p in site.problems()] == ["note"]
    site.write({name: text.replace("1/0", "2/0")})
    assert [p.level for p in site.problems()] == ["error"]


def test_the_habit_of_the_site_is_written_down(make_site: MakeSite) -> None:
    posts = {
        f"_posts/2020-01-0{n}-a.md": f"---\ntitle: A{n}\n---\n```python\nprint({n})\n```\n\n    {n}\n"
        for n in range(1, 7)
    }
    site = make_site({**CONFIG, **posts})
    site.command("adopt")
    assert site.config().execute.output_forms == ("indented",)
    assert site.config().execute.outputs == "authored"
    assert "6 exact" in site.command("check").out
