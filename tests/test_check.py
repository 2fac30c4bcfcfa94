"""check: what each cell's authored output is, beside the real one."""

from __future__ import annotations

import json

import pytest

from builder.check import check, counts
from builder.model import Finding, SiteError
from tests.conftest import MakeSite, TestSite

SEED = "content/posts/2023-03-06-pytorch-grammar-4.md"


def findings(site: TestSite) -> list[Finding]:
    return list(check(site.config(), (), 2).findings)


def kinds(site: TestSite) -> list[set[str]]:
    return [set(finding.kinds) for finding in findings(site)]


def test_the_seed_post_before_and_after_accept(make_site: MakeSite, seed_text: str) -> None:
    site = make_site({SEED: seed_text.encode()})
    done = site.command("check", "--json")
    told = json.loads(done.out)
    assert [set(f["kinds"]) for f in told["findings"]] == [
        {"random", "space"},
        {"text", "marks"},
        {"exact"},
        {"marks"},  # its white-space line stands beside a mark: accept would leave it alone
        {"random"},
        {"exact"},
        {"exact"},
    ]
    assert (done.status, told["problems"]) == (1, [])
    assert site.command("check", "--fail-on", "numbers,shape,error,not-run").status == 0

    accepted = site.command("accept", "--yes")
    assert accepted.status == 0, accepted.err
    text = (site.root / SEED).read_text(encoding="utf-8")
    marks = [line for line in text.split("\n") if line.startswith(("-----", "## x,", "## y,"))]
    assert [m for m in marks if m in seed_text] == marks
    assert sum(line.startswith(("## x, x.grad", "## y, y.grad")) for line in text.split("\n")) == 2
    assert sum(line.rstrip() == "-" * 49 for line in text.split("\n")) == 3
    again = site.command("check")
    assert again.status == 0
    assert "7 cells checked: 5 exact, 2 marks" in again.out
    assert kinds(site) == [{"exact"}, {"marks"}, {"exact"}, {"marks"}, {"exact"}, {"exact"}, {"exact"}]

    outside = _outside_outputs(seed_text)
    assert _outside_outputs(text) == outside
    assert site.command("accept", "--undo").status == 0
    assert (site.root / SEED).read_text(encoding="utf-8") == seed_text


def _outside_outputs(text: str) -> list[str]:
    """The lines of the seed post that are not inside a bare fence."""
    kept, inside = [], ""
    for line in text.split("\n"):
        if line.startswith("```"):
            inside = "" if inside else line
            kept.append(line)
        elif inside != "```":
            kept.append(line)
    return kept


CELLS = {
    # what: (the post, kinds)
    "equal": ("```python\nprint(1)\n```\n```\n1\n```\n", [{"exact"}]),
    "no fence": ("```python\nprint(1)\n```\n", [{"missing"}]),
    "a fence behind a silent cell": ("```python\nx = 1\n```\n```\nprose\n```\n", [{"silent"}]),
    "nothing to compare": ("```python\nx = 1\n```\n", []),
    "raises": ("```python\n1/0\n```\n```\n1\n```\n", [{"error"}]),
    "does not parse": ("```python\ndef\n```\n```\n1\n```\n", [{"error"}]),
    "not run": ("```python\nx = 1/0\n```\n\n```python\nprint(x)\n```\n```\n1\n```\n", [{"error"}, {"not-run"}]),
    "a shell line": ("```python\n!ls\n```\n```\na\n```\n", [{"not-run"}]),
    "excused": ("```python {check=false}\nprint(1)\n```\n```\n2\n```\n", []),
    "not evaluated": ("```python {eval=false}\nprint(1)\n```\n```\n2\n```\n", []),
    "the error that it expects": ("```python\n1/0\n```\n```\nZeroDivisionError: division by zero\n```\n", [{"exact"}]),
    "random": ("```python\nimport random\nprint(random.random())\n```\n```\n0.5\n```\n", [{"random"}]),
    "random since an earlier cell": (
        "```python\nimport random\nx = random.random()\n```\n\n```python\nprint(x)\n```\n```\n0.5\n```\n",
        [{"random"}],
    ),
    "numbers": ("```python\nprint(0.25)\n```\n```\n0.5\n```\n", [{"numbers"}]),
}  # fmt: skip


@pytest.mark.parametrize("what", CELLS)
def test_kinds(make_site: MakeSite, what: str) -> None:
    post, expected = CELLS[what]
    assert kinds(make_site({"content/a.md": post})) == expected


def test_a_finding_names_its_line_and_shows_its_diff(make_site: MakeSite) -> None:
    site = make_site({"content/a.md": "Text\n\n```python\nprint('a')\n```\n\n```\nb\n```\n"})
    done = site.command("check", "--diff")
    assert "content/a.md:7: cell 1: text: " in done.out
    assert "    -b\n    +a\n" in done.out
    assert done.status == 1


def test_posts_are_chosen_by_file_and_folder(make_site: MakeSite) -> None:
    wrong = "```python\nprint(1)\n```\n```\n2\n```\n"
    site = make_site({"content/a.md": wrong, "content/x/b.md": wrong, "content/x/c.md": wrong})
    assert len(json.loads(site.command("check", "content/x", "--json").out)["findings"]) == 2
    assert len(json.loads(site.command("check", "content/a.md", "--json").out)["findings"]) == 1
    assert site.command("check", "content/no.md").status == 2
    assert site.command("check", "--fail-on", "nonsense").status == 2


def test_authored_outputs_stay_on_the_page_and_are_reported(make_site: MakeSite) -> None:
    post = "```python\nimport random\nprint(random.random() > 2)\n```\n```\nMaybe\n```\n"
    site = make_site({"content/old/a.md": post, "content/b.md": post})
    site.write({"fencepost.toml": '[folders.old]\noutputs = "authored"\n'})
    site.build()
    assert "Maybe" in site.html("a") and "False" not in site.html("a")
    assert "False" in site.html("b") and "Maybe" not in site.html("b")
    assert kinds(site) == [{"text"}, {"text"}]


def test_counts_are_in_the_order_of_the_kinds() -> None:
    found = [
        Finding("a", 1, 1, ("text", "error"), ""),
        Finding("a", 1, 2, ("exact",), ""),
        Finding("a", 1, 3, ("text",), ""),
    ]
    assert list(counts(found).items()) == [("exact", 1), ("text", 2), ("error", 1)]


def test_the_page_says_what_its_outputs_come_from(make_site: MakeSite) -> None:
    site = make_site({"content/a.md": "```python\nprint(1)\n```\n", "content/b.md": "```python\n1/0\n```\n"})
    site.build()
    assert "verified" in site.html("a")
    assert "Python 3." in site.html("a") and "seed 0" in site.html("a")
    assert "verified" not in site.html("b")


def test_another_interpreter_is_asked_what_would_change(make_site: MakeSite) -> None:
    import sys

    site = make_site(
        {"content/a.md": "```python\nprint(1)\n```\n\n```python\nimport sys\nsys.flags.utf8_mode\n```\n"}
    )
    done = site.command("check", "--python", sys.executable)
    assert (done.status, "2 exact" in done.out) == (0, True), done.out + done.err
    site.write({"other": "#!/bin/sh\nexec " + sys.executable + ' "$@"\n'})
    (site.root / "other").chmod(0o755)
    done = site.command("check", "--python", str(site.root / "other"), "--json")
    assert json.loads(done.out)["kinds"] == {"exact": 2}
    assert site.command("check", "--python", "no-such-python").status == 2


def test_a_path_in_another_site_names_that_site(make_site: MakeSite) -> None:
    files = {"content/a.md": "A", "docs/fencepost.toml": "", "docs/content/b.md": "B", "other/c.md": "C"}
    site = make_site(files)
    for path, hint in (
        ("docs/content/b.md", "it lies in another site: --site docs"),
        ("docs", "it lies in another site: --site docs"),
        ("other/c.md", ""),
        ("/elsewhere", ""),
    ):
        with pytest.raises(SiteError) as told:
            check(site.config(), [site.root / path], 1)
        (problem,) = told.value.problems
        assert (problem.message, problem.hint) == ("no post of this site", hint)
