"""The rows of the fault matrix that are about sources, pages and the output folder, each on a whole site."""

from __future__ import annotations

import datetime
import re
import subprocess
import sys
import time
import unicodedata
from html import unescape

import pytest

from builder.model import SiteError
from tests.conftest import MakeSite, TestSite
from tests.faulty import BAD, faulty, line_of, post

pytestmark = pytest.mark.usefixtures("mark")


def accept(site: TestSite) -> str:
    """Let the command write the real outputs into the posts; return what it said."""
    ran = site.command("accept", "--yes")
    return ran.out + ran.err


def test_row_02_seeds_and_modes_of_the_check(make_site: MakeSite) -> None:
    random = "import random, torch, numpy\nprint(random.random(), torch.rand(1), numpy.random.rand())"
    site = faulty(make_site, random, ("import time\nprint(time.time())", "1700000000.1"))
    cell = "print(0.3333333)\n"
    site.write({"content/near.md": f"---\ntitle: n\n---\n```python\n{cell}```\n```\n0.3333334\n```\n"})
    excused = f"---\ntitle: e\n---\n```python {{check=false}}\n{cell}```\n```\nsomething else\n```\n"
    site.write({"content/excused.md": excused})
    site.build()
    first = site.html("bad").split('id="cell-2"')[0]
    assert site.command("clean").status == 0
    site.build()
    assert site.html("bad").split('id="cell-2"')[0] == first
    kinds = {f["path"]: f["kinds"] for f in site.command("check", "--json").json["findings"]}
    assert kinds["content/near.md"] == ["close"]
    assert "content/excused.md" not in kinds


def test_row_03_a_build_never_writes_to_a_source_and_accept_keeps_marks(make_site: MakeSite) -> None:
    site = faulty(make_site, ("print(1)\nprint(2)", "## first\n9\n-----\n8"))
    before = (site.root / BAD).read_bytes()
    site.build()
    assert (site.root / BAD).read_bytes() == before
    assert "## first\n1\n-----\n2" in re.sub(r"</?span[^>]*>", "", site.html("bad"))
    accept(site)
    assert (site.root / BAD).read_bytes() == before.replace(b"9\n-----\n8", b"1\n-----\n2")
    assert site.command("accept", "--undo").status == 0
    assert (site.root / BAD).read_bytes() == before


def test_row_04_standard_error_goes_to_the_terminal_with_its_line(make_site: MakeSite) -> None:
    source = "import logging, warnings, sys\nwarnings.warn('beware')\nlogging.warning('logged')\nprint('p')"
    site = faulty(make_site, source)
    ran = site.command("build")
    assert ran.status == 0
    assert f"content/bad.md:{line_of(site, 'warnings.warn')}: UserWarning: beware" in ran.err
    assert "logged" in ran.err
    assert "UserWarning" not in site.html("bad")


def test_row_07_what_does_not_come_from_print(make_site: MakeSite) -> None:
    source = (
        "import ctypes, os, subprocess\nctypes.CDLL(None).puts(b'from C')\n"
        "os.write(1, b'from write\\n')\nsubprocess.run(['echo', 'from a child'])\nos.system('echo from a shell')"
    )
    site = faulty(make_site, source + ";")
    site.build()
    assert "from C\nfrom write\nfrom a child\nfrom a shell\n" in site.html("bad")


def test_row_09_a_page_whose_post_is_gone_goes_too(make_site: MakeSite) -> None:
    site = make_site({f"content/{name}.md": post(f"print({name!r})") for name in ("a", "b", "c")})
    site.build()
    (site.root / "content/a.md").unlink()
    (site.root / "content/b.md").rename(site.root / "content/d.md")
    site.write({"content/c.md": "---\ntitle: c\ndraft: true\n---\nx\n"})
    before = site.output().keys()
    report = site.build()
    assert report.removed == len(before - site.output().keys())
    assert {path for path in site.output() if path.count("/") == 1 and path[0] in "abcd"} >= {"d/index.html"}
    assert not [path for path in site.output() if path.startswith(("a/", "b/", "c/"))]


@pytest.mark.parametrize("output", [".", "content", "content/out", "..", "full"])
def test_row_10_an_output_folder_with_files_of_the_author_is_refused(
    make_site: MakeSite, output: str
) -> None:
    site = faulty(make_site, "print(1)")
    site.write({"full/thesis.txt": "years of work", "content/picture.png": b"png"})
    before = {path: path.read_bytes() for path in site.root.rglob("*") if path.is_file()}
    ran = site.command("build", "--output", output)
    assert ran.status == 2
    assert "output folder" in ran.err
    assert {path: path.read_bytes() for path in before} == before
    assert site.command("clean", "--output", output).status in (0, 2)
    assert {path: path.read_bytes() for path in before} == before


def test_row_11_two_posts_at_one_address(make_site: MakeSite) -> None:
    text = "---\ntitle: {}\npermalink: /same/\n---\nx\n"
    site = make_site({"content/a.md": text.format("a"), "content/b.md": text.format("b")})
    with pytest.raises(SiteError) as told:
        site.build()
    said = " ".join(problem.path + problem.message for problem in told.value.problems)
    assert "content/a.md" in said
    assert "content/b.md" in said
    assert not (site.root / "output").exists()


def test_row_12_tags_that_differ_in_case_or_form_are_one(make_site: MakeSite) -> None:
    nfd = unicodedata.normalize("NFD", "파이썬")
    site = make_site(
        {
            "content/a.md": "---\ntitle: a\ntags: [Java, 파이썬]\n---\nx\n",
            "content/b.md": f"---\ntitle: b\ntags: [java, {nfd}, ' JAVA ']\n---\nx\n",
        }
    )
    site.build()
    pages = [path for path in site.output() if re.fullmatch(r"tags/[^/]+/index\.html", path)]
    assert len(pages) == 2
    for path in pages:
        assert 'href="/a/"' in site.html(path)
        assert 'href="/b/"' in site.html(path)


def test_row_13_a_bare_date_is_never_in_the_future_on_its_day(make_site: MakeSite) -> None:
    zone = datetime.timezone(datetime.timedelta(hours=9))
    today = datetime.datetime.now(zone).date()
    later = today + datetime.timedelta(days=2)
    site = make_site(
        {
            "content/today.md": f"---\ntitle: t\ndate: {today}\n---\nx\n",
            "content/later.md": f"---\ntitle: t\ndate: {later}\n---\nx\n",
            "content/leap.md": "---\ntitle: t\ndate: 2024-02-29\n---\nx\n",
            "fencepost.toml": 'timezone = "Asia/Seoul"\n',
        }
    )
    report = site.build()
    assert [(note.path, note.kind) for note in report.notes] == [("content/later.md", "left-out")]
    assert "today/index.html" in site.output()
    assert "2024" in site.html("leap")


def test_row_14_yaml_does_not_change_what_was_written(make_site: MakeSite) -> None:
    site = make_site(
        {
            "content/a.md": "---\ntitle: 2023\ntags:\n  - [DL, no]\n  - 0123\n  - 12:30:45\n  - 1.10\n---\nx\n",
            "content/b.md": "---\ntitle: C# notes #1\n---\nx\n",
            "content/c.md": "---\ntitle: c\ndate: 2023-02-30\n---\nx\n",
        }
    )
    report = site.build()
    assert "<h1>2023</h1>" in site.html("a")
    for tag in ("DL", "no", "0123", "12:30:45", "1.10"):
        assert f">{tag}</a>" in site.html("a")
    assert [(p.path, p.line, p.level) for p in report.problems] == [
        ("content/b.md", 2, "warning"),
        ("content/c.md", 3, "error"),
    ]


def test_row_15_duplicate_keys_name_both_lines(make_site: MakeSite) -> None:
    site = make_site({"content/a.md": "---\ntitle: a\ntags: [x]\ntitle: b\n---\nx\n"})
    (problem,) = site.problems()
    assert problem.line == 4
    assert "2" in problem.message


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_row_16_and_17_a_bom_and_crlf_are_read_and_kept(make_site: MakeSite, end: str, mark: str) -> None:
    text = (mark + post(("print('real')", "stale"))).replace("\n", end)
    site = make_site({"content/a.md": text.encode()})
    assert site.problems() == []
    assert "real" in site.html("a")
    assert "title: T" not in site.html("a")
    accept(site)
    assert (site.root / "content/a.md").read_bytes() == text.replace("stale", "real").encode()


def test_row_36_output_with_a_fence_in_it(make_site: MakeSite) -> None:
    site = faulty(make_site, ("print('```\\n# no heading\\n<b>raw</b>\\n````')", "old"))
    site.build()
    assert "```\n# no heading\n&lt;b&gt;raw&lt;/b&gt;\n````\n" in site.html("bad")
    accept(site)
    assert "`````\n```\n# no heading\n<b>raw</b>\n````\n`````\n" in (site.root / BAD).read_text()
    assert site.build().cells == 2


SHAPES = {
    "in a list": "- item\n\n  ```python\n  print(6 * 7)\n  ```\n  ```\n  old\n  ```\n",
    "in a quote": "> ```python\n> print(6 * 7)\n> ```\n> ```\n> old\n> ```\n",
    "tildes": "~~~python\nprint(6 * 7)\n~~~\n~~~\nold\n~~~\n",
    "longer": "`````python\nprint(6 * 7)\n`````\n````\nold\n````\n",
    "blank lines between": "```python\nprint(6 * 7)\n```\n\n\n```\nold\n```\n",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_row_37_shapes_of_fences(make_site: MakeSite, shape: str) -> None:
    site = make_site({"content/a.md": f"---\ntitle: a\n---\n{SHAPES[shape]}"})
    assert site.problems() == []
    assert re.search(r"<pre[^>]*>42\n</pre>", site.html("a"))
    assert "old" not in site.html("a")


def test_row_37_text_between_and_an_unclosed_fence(make_site: MakeSite) -> None:
    body = "```python\nprint(6 * 7)\n```\n\nwords\n\n```\nnot its output\n```\n\n```python\nprint('open')\n"
    site = make_site({"content/a.md": f"---\ntitle: a\n---\n{body}"})
    site.build()
    assert "not its output" in site.html("a")
    assert "42" in site.html("a")


def test_row_42_a_post_that_was_saved_meanwhile_is_not_overwritten(make_site: MakeSite) -> None:
    site = faulty(
        make_site,
        (
            "import os, time\nopen('begun', 'w').close()\n"
            "while not os.path.exists('saved'):\n    time.sleep(0.01)\n1",
            "9",
        ),
    )
    command = [sys.executable, "-m", "builder", "accept", "--yes"]
    with subprocess.Popen(
        command, cwd=site.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as run:
        while not (site.root / "content" / "begun").exists():
            time.sleep(0.02)
        saved = (site.root / BAD).read_text() + "\nA new thought.\n"
        (site.root / BAD).write_text(saved)
        (site.root / "content" / "saved").touch()
        said, _ = run.communicate(timeout=240)
    assert run.returncode != 0
    assert "changed" in said
    assert (site.root / BAD).read_text() == saved


def test_row_43_accept_through_a_link_and_to_a_read_only_file(make_site: MakeSite) -> None:
    site = make_site({"content/kept/real.txt": post(("1", "9")), "content/b.md": post(("1", "9"))})
    (site.root / "content/a.md").symlink_to("kept/real.txt")
    (site.root / "content/kept/real.txt").chmod(0o640)
    (site.root / "content/b.md").chmod(0o444)
    said = accept(site)
    assert "read-only" in said
    assert "9" in (site.root / "content/b.md").read_text()
    (site.root / "content/b.md").chmod(0o644)
    accept(site)
    assert (site.root / "content/a.md").is_symlink()
    assert "\n1\n" in (site.root / "content/kept/real.txt").read_text()
    assert (site.root / "content/kept/real.txt").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("depth", [30, 90, 150])
def test_row_44_deep_nesting_loses_no_words(make_site: MakeSite, depth: int) -> None:
    quotes = "> " * depth + "a deep word"
    lists = "".join("  " * level + f"- word{level}\n" for level in range(depth))
    site = make_site({"content/a.md": f"---\ntitle: a\n---\n{quotes}\n\n{lists}"})
    problems = site.problems()
    page = unescape(re.sub("<[^>]*>", " ", site.html("a")))
    assert "a deep word" in page
    assert [level for level in range(depth) if f"word{level}" not in page] == []
    assert bool(problems) == (depth > 100)


def test_row_45_two_forms_of_one_name(make_site: MakeSite) -> None:
    nfd = unicodedata.normalize("NFD", "한글")
    site = make_site({f"content/{nfd}.md": "---\ntitle: one\n---\nx\n"})
    assert site.problems() == []
    assert "한글/index.html" in site.output()
    site.write({"content/한글.md": "---\ntitle: two\n---\nx\n"})
    try:
        problems = site.problems()
    except SiteError as error:
        problems = list(error.problems)
    assert any(problem.level == "error" for problem in problems)


@pytest.mark.parametrize(("encoding", "guess"), [("cp949", "CP949"), ("utf-16", "UTF-16")])
def test_row_46_another_encoding(make_site: MakeSite, encoding: str, guess: str) -> None:
    site = faulty(make_site, "1")
    site.write({"content/odd.md": "---\ntitle: 한글 제목\n---\n본문\n".encode(encoding)})
    (problem,) = site.problems()
    assert problem.path == "content/odd.md"
    assert re.search(r"byte \d+", problem.message)
    assert guess in problem.hint
    assert not any("\ufffd".encode() in content for content in site.output().values())


ODD = {
    "empty": "",
    "only front matter": "---\ntitle: x\n---\n",
    "no front matter": "just text\n",
    "rules in the body": f"---\ntitle: x\n---\none\n\n{'-' * 80}\n\n---\n\ntwo\n\n---\n",
    "unclosed front matter": "---\ntitle: x\n",
}


@pytest.mark.parametrize("what", ODD)
def test_row_50_odd_files_are_a_page_or_a_problem(make_site: MakeSite, what: str) -> None:
    site = faulty(make_site, "1")
    site.write({"content/odd.md": ODD[what]})
    problems = site.problems()
    assert all(problem.path == "content/odd.md" for problem in problems)
    assert problems or "odd/index.html" in site.output()


def test_row_50_a_file_that_is_too_large_is_refused(make_site: MakeSite) -> None:
    site = faulty(make_site, "1")
    site.write({"content/huge.md": b"word\n" * 5_000_000})
    began = time.monotonic()
    (problem,) = site.problems()
    assert time.monotonic() - began < 60
    assert "larger than 20 MB" in problem.message


BAD_LINKS = (
    *("/../../etc/", "/%2e%2e/x/", "/..%2fx/", "/a/../../b/", "/%252e%252e/..", "\\\\..\\x", "//evil/x/"),
    *(
        "https://evil/x/",
        "/a\\..\\..\\b/",
        "/x\x00y/",
        "/" + "n" * 300 + "/",
        "/./../x/",
        "/%00/",
        "..",
        "/CON/../..",
    ),
)


@pytest.mark.parametrize("link", BAD_LINKS)
def test_row_53_no_permalink_leads_out(make_site: MakeSite, link: str) -> None:
    site = faulty(make_site, "1")
    quoted = link.replace("\\", "\\\\").replace("\x00", "\\0")
    site.write({"content/evil.md": f'---\ntitle: evil words\npermalink: "{quoted}"\n---\nx\n'})
    outside = {path for path in site.root.parent.rglob("*") if not path.is_relative_to(site.root)}
    site.command("build")
    assert {path for path in site.root.parent.rglob("*") if not path.is_relative_to(site.root)} == outside
    for path in site.root.rglob("*.html"):
        assert path.is_relative_to(site.root / "output") or path.is_relative_to(site.root / ".fencepost")
        assert len(path.parent.name.encode()) <= 255


def test_row_54_a_link_that_leads_out_is_refused(make_site: MakeSite) -> None:
    site = faulty(make_site, "1")
    (site.root / "content/secret.md").symlink_to("/etc/hostname")
    (site.root / "content/etc").symlink_to("/etc")
    problems = site.problems()
    assert {problem.path for problem in problems} == {"content/secret.md", "content/etc"}
    assert all("leads out" in problem.message for problem in problems)
    assert not [path for path in site.output() if "secret" in path or path.startswith("etc")]


BOMBS = {
    "aliases": "a: &a [x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)),
    "merge keys": "a: &a {x: 1}\n" + "".join(f"k{n}: {{<<: *a}}\n" for n in range(30)),
    "deep": "a: " + "[" * 5000 + "]" * 5000 + "\n",
    "python": "a: !!python/object/apply:os.system ['touch boom']\n",
    "large": "a: " + "x" * 70_000 + "\n",
}  # fmt: skip


@pytest.mark.parametrize("bomb", BOMBS)
def test_row_58_yaml_bombs(make_site: MakeSite, bomb: str) -> None:
    site = faulty(make_site, "1")
    site.write({"content/bomb.md": f"---\ntitle: b\n{BOMBS[bomb]}---\nx\n"})
    began = time.monotonic()
    problems = site.problems()
    assert time.monotonic() - began < 60
    assert [problem.path for problem in problems][:1] == ["content/bomb.md"]
    assert not (site.root / "boom").exists()


BLOWN = {
    "scala": "scala\n" + '"' + "\\" * 45,
    "tads3": "tads3\n" + "'" + "\\" * 40,
    "console": "console\n" + "x" * 1_000_000,
    "python": "python {eval=false}\n" + "x = [1, 2]\n" * 90_000,
}


@pytest.mark.parametrize("what", BLOWN)
def test_row_59_highlighting_never_hangs(make_site: MakeSite, what: str) -> None:
    site = make_site({"content/a.md": f"---\ntitle: a\n---\n```{BLOWN[what]}\n```\n\nafter\n"})
    began = time.monotonic()
    site.build()
    assert time.monotonic() - began < 60
    assert "after" in site.html("a")
