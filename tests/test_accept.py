"""accept: the real outputs in the sources, and every byte outside the output fences as it was."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from builder.accept import AcceptError, plan, undo, write
from builder.check import check
from tests.conftest import MakeSite, TestSite

WRONG = "```python\nprint('a')\n```\n```\nb\n```\n"


def accept(site: TestSite, *, insert: bool = False, random: bool = False, named: bool = False) -> int:
    """Accept all; return the number of files written."""
    config = site.config()
    rewrites, problems = plan(check(config, (), 2), config, insert=insert, random=random, named=named)
    assert problems == []
    write(rewrites, config)
    return len(rewrites)


CASES = {
    # what: (before, after)
    "plain": (WRONG, WRONG.replace("\nb\n", "\na\n")),
    "CRLF": (WRONG.replace("\n", "\r\n"), WRONG.replace("\nb\n", "\na\n").replace("\n", "\r\n")),
    "a BOM": ("\ufeff" + WRONG, "\ufeff" + WRONG.replace("\nb\n", "\na\n")),
    "no line end at the end": (WRONG[:-1], WRONG.replace("\nb\n", "\na\n")[:-1]),
    "in a list": (
        "- x\n\n  ```python\n  print('a')\n  ```\n  ```\n  b\n  ```\n\n  y\n",
        "- x\n\n  ```python\n  print('a')\n  ```\n  ```\n  a\n  ```\n\n  y\n",
    ),
    "in a quote": (
        "> ```python\n> print('a')\n> ```\n> ```\n> b\n> ```\n",
        "> ```python\n> print('a')\n> ```\n> ```\n> a\n> ```\n",
    ),
    "a fence in the output": (
        "```python\nprint('```')\n```\n```\nb\n```\n",
        "```python\nprint('```')\n```\n````\n```\n````\n",
    ),
    "marks stay": (
        "```python\nprint('a')\nprint('c')\n```\n```\nb\n-----  \nc\n```\n",
        "```python\nprint('a')\nprint('c')\n```\n```\na\n-----  \nc\n```\n",
    ),
    "Hangul and trailing blanks outside": (
        "한글  \n\n" + WRONG + "\n\n끝 \t\n",
        "한글  \n\n" + WRONG.replace("\nb\n", "\na\n") + "\n\n끝 \t\n",
    ),
    "a failed cell is left": ("```python\n1/0\n```\n```\n1\n```\n", None),
    "an excused cell is left": ("```python {check=false}\nprint(1)\n```\n```\n2\n```\n", None),
    "a fence behind a silent cell is left": ("```python\nx = 1\n```\n```\nprose\n```\n", None),
    "no fence": ("```python\nprint(1)\n```\n", None),
}


@pytest.mark.parametrize("what", CASES)
def test_accept(make_site: MakeSite, what: str) -> None:
    before, after = CASES[what]
    site = make_site({"content/a.md": before.encode()})
    written = accept(site)
    assert (site.root / "content/a.md").read_bytes().decode() == (before if after is None else after)
    assert written == (after is not None)
    assert accept(site) == 0, "accepting twice changes nothing"


def test_insert(make_site: MakeSite) -> None:
    site = make_site(
        {
            "content/a.md": b"x\r\n\r\n```python\r\nprint(1)\r\n```\r\ny",
            "content/b.md": "- ```python\n  1\n  ```",
        }
    )
    assert accept(site, insert=True) == 2
    assert (
        site.root / "content/a.md"
    ).read_bytes() == b"x\r\n\r\n```python\r\nprint(1)\r\n```\r\n```\r\n1\r\n```\r\ny"
    assert (site.root / "content/b.md").read_text() == "- ```python\n  1\n  ```\n  ```\n  1\n  ```"
    assert accept(site, insert=True) == 0


def test_random_outputs_of_an_authored_post_stay_unless_asked_for(make_site: MakeSite) -> None:
    post = "---\nexecute: {outputs: authored}\n---\n```python\nimport random\nrandom.random()\n```\n```\n0.5\n```\n"
    site = make_site({"content/a.md": post})
    assert accept(site) == 0
    assert accept(site, random=True) == 1
    site.write({"content/a.md": post})
    assert accept(site, named=True) == 1


def test_what_the_author_left_out_stays_left_out(make_site: MakeSite) -> None:
    cut = "```python\nfor n in range(9):\n    print(n)\n```\n```\n0\n...\n8\n```\n"
    site = make_site({"content/a.md": cut})
    assert accept(site, named=True) == 0
    site.write({"content/a.md": cut.replace("\n8\n", "\n7\n")})
    assert accept(site) == 1


def test_a_file_that_changed_since_it_was_read_is_refused(make_site: MakeSite) -> None:
    site = make_site({"content/a.md": WRONG, "content/b.md": WRONG})
    config = site.config()
    rewrites, _ = plan(check(config, (), 2), config, insert=False, random=False, named=False)
    site.write({"content/b.md": WRONG + "\nmore\n"})
    with pytest.raises(AcceptError) as told:
        write(rewrites, config)
    assert told.value.problem.path == "content/b.md"
    assert (site.root / "content/a.md").read_text() == WRONG, "nothing is written, not even the others"


def test_mode_and_link_are_kept(make_site: MakeSite) -> None:
    site = make_site({"content/real.txt": WRONG})
    (site.root / "content/a.md").symlink_to("real.txt")
    (site.root / "content/real.txt").chmod(0o640)
    assert accept(site) == 1
    assert (site.root / "content/a.md").is_symlink()
    assert "\na\n" in (site.root / "content/real.txt").read_text()
    assert stat.S_IMODE((site.root / "content/real.txt").stat().st_mode) == 0o640
    assert sorted(path.name for path in (site.root / "content").iterdir()) == ["a.md", "real.txt"]


def test_a_read_only_file_is_refused(make_site: MakeSite) -> None:
    site = make_site({"content/a.md": WRONG})
    (site.root / "content/a.md").chmod(0o444)
    with pytest.raises(AcceptError, match="read-only"):
        accept(site)


def test_undo(make_site: MakeSite) -> None:
    site = make_site({"content/a.md": WRONG, "content/b.md": WRONG})
    accept(site)
    assert sorted(undo(site.config())) == ["content/a.md", "content/b.md"]
    assert (site.root / "content/a.md").read_text() == WRONG
    with pytest.raises(AcceptError, match="nothing to undo"):
        undo(site.config())
    accept(site)
    site.write({"content/b.md": "other"})
    with pytest.raises(AcceptError, match="changed since"):
        undo(site.config())
    assert "\na\n" in (site.root / "content/a.md").read_text(), "all are put back, or none"


def test_a_full_disk_leaves_the_file_as_it_was(make_site: MakeSite, monkeypatch: pytest.MonkeyPatch) -> None:
    site = make_site({"content/a.md": WRONG})

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(AcceptError, match="No space left"):
        accept(site)
    assert (site.root / "content/a.md").read_text() == WRONG
    assert [path.name for path in (site.root / "content").iterdir()] == ["a.md"]


def test_the_command_asks(make_site: MakeSite) -> None:
    site = make_site({"content/a.md": WRONG})
    done = site.command("accept")
    assert "-b" in done.out and "+a" in done.out and "--yes" in done.out
    assert Path(site.root / "content/a.md").read_text() == WRONG
    assert site.command("accept", "--yes").status == 0
    assert "nothing to accept" in site.command("accept").out
