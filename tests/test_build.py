"""The way of the data from end to end, on small sites and on the author's own post."""

from __future__ import annotations

import hashlib
import html
import re
from pathlib import Path

import pytest

from builder.model import SiteError
from tests.conftest import SEED, MakeSite

CELL_2 = """\
tensor([[1., 1., 1.],
        [1., 1., 1.],
        [1., 1., 1.]], requires_grad=True)
-------------------------------------------------  
tensor([[6., 6., 6.],
        [6., 6., 6.],
        [6., 6., 6.]], grad_fn=<AddBackward0>)
True
-------------------------------------------------
tensor([[36., 36., 36.],
        [36., 36., 36.],
        [36., 36., 36.]], grad_fn=<MulBackward0>)
tensor(36., grad_fn=<MeanBackward0>)
-------------------------------------------------
"""
CELL_4 = """\
## x, x.grad
tensor([[1., 1., 1.],
        [1., 1., 1.],
        [1., 1., 1.]], requires_grad=True)
tensor([[1.3333, 1.3333, 1.3333],
        [1.3333, 1.3333, 1.3333],
        [1.3333, 1.3333, 1.3333]])
        
## y, y.grad
tensor([[6., 6., 6.],
        [6., 6., 6.],
        [6., 6., 6.]], grad_fn=<AddBackward0>)
None
"""
PICTURES = """\
---
title: Pictures
date: 2024-01-02
---
```python
import matplotlib.pyplot as plt
plt.plot([1, 2, 3])
```

```python
object()
```

```python
import random
print(random.random(), {"a", "b", "c", "d"})
```
"""


def outputs(page: str) -> list[str]:
    """The text of every output block of a page."""
    blocks = re.findall(r'cell-output".*?<pre[^>]*>(.*?)</pre>', page, re.DOTALL)
    return [html.unescape(re.sub(r"</?span[^>]*>", "", block)) for block in blocks]


def test_the_seed_post_is_its_authors_word_for_word() -> None:
    digest = "9c54fde290a1b27d18452a55c874bc667f50ee383df278ba9503b5d82013ccff"
    assert hashlib.sha256(SEED.read_bytes()).hexdigest() == digest


def test_the_seed_post(make_site: MakeSite, seed_text: str) -> None:
    site = make_site({"content/posts/2023-03-06-pytorch-grammar-4.md": seed_text.encode()})
    report = site.build()
    assert (report.posts, report.cells, report.run, report.problems) == (1, 7, 7, ())
    page = site.html("py/pytorch-grammar-4")
    shown = outputs(page)
    assert len(shown) == 7
    assert re.fullmatch(r"tensor\(\[\[[\d., \[\]\n]+\]\]\)\nFalse\n", shown[0])
    assert shown[1] == CELL_2
    assert shown[2] == "tensor(36., grad_fn=<MeanBackward0>)\n"
    assert shown[3] == CELL_4
    assert re.fullmatch(r"tensor\([^\n]+grad_fn=<MulBackward0>\)\ntensor\([^\n]+\)\n", shown[4])
    assert shown[5] == "True\nTrue\nFalse\n"
    assert shown[6] == "True\nFalse\ntensor(True)\n"
    assert "/tags/dl/" in page and "/tags/pytorch/" in page and "/categories/py/" in page
    headings = ["1-autograd자동미분-복습", "1-정의", "2-기울기gradient", "3-자동-미분-흐름-예제"]
    assert re.findall(r'<a href="#([^"]+)">', page)[-4:] == headings or all(f"#{h}" in page for h in headings)

    first = site.output()
    again = site.build()
    assert (again.run, again.cached, again.written, again.removed) == (0, 7, 0, 0)
    site.write(
        {"content/posts/2023-03-06-pytorch-grammar-4.md": seed_text.replace("계산이 완료된", "계산이 끝난")}
    )
    mended = site.build()
    assert (mended.run, mended.cached) == (0, 7)
    warm = site.output()
    assert mended.written == sum(warm[name] != first.get(name) for name in warm)
    assert site.command("clean").status == 0
    assert not (site.root / "output").exists()
    assert site.build().run == 7
    assert site.output() == warm, "warm and cold builds give the same bytes"


def test_cold_builds_are_equal_at_any_number_of_jobs(make_site: MakeSite) -> None:
    posts = {f"content/p{n}.md": PICTURES.replace("Pictures", f"Pictures {n}") for n in range(3)}
    site = make_site({**posts, "content/a.md": "```python\nx = 1\nx\n```\n"})
    assert site.build(jobs=1).problems == ()
    first = site.output()
    assert any(name.startswith("figures/") for name in first)
    assert b"at 0x000000000001" in first["p0/index.html"]
    site.command("clean")
    site.build(jobs=4)
    assert site.output() == first


def test_prose_never_runs_a_cell_and_code_does(make_site: MakeSite) -> None:
    post = "---\ntitle: A\ntags: [x]\n---\nText.\n\n```python\nprint(1)\n```\n"
    site = make_site({"content/a.md": post})
    assert site.build().run == 1
    site.write(
        {"content/a.md": "\n\n" + post.replace("Text.", "Other\n\nlines.").replace("[x]", "[y]").lstrip()}
    )
    assert site.build().run == 0
    site.write({"content/a.md": post.replace("print(1)", "print(2)")})
    report = site.build()
    assert report.run == 1
    assert outputs(site.html("a")) == ["2\n"]


def test_a_failure_is_kept_and_told_where_the_cell_now_stands(make_site: MakeSite) -> None:
    site = make_site({"content/a.md": "```python\n1/0\n```\n"})
    (first,) = site.problems()
    assert (first.path, first.line, first.level) == ("content/a.md", 2, "error")
    site.write({"content/a.md": "One\n\nmore\n\n```python\n1/0\n```\n"})
    report = site.build()
    assert (report.run, report.problems[0].line) == (0, 6)


def test_a_removed_post_takes_its_page_with_it(make_site: MakeSite) -> None:
    site = make_site({"content/a.md": "A", "content/b.md": "B"})
    site.build()
    before = site.output().keys()
    (site.root / "content/a.md").unlink()
    report = site.build()
    assert report.removed == len(before - site.output().keys())
    assert not (site.root / "output/a").exists()
    assert (site.root / "output/b/index.html").exists()


def test_two_posts_at_one_address_are_named_before_anything_is_written(make_site: MakeSite) -> None:
    site = make_site({"content/a.md": "A", "content/2024-01-01-A.md": "---\npermalink: /a/\n---\nA"})
    with pytest.raises(SiteError) as told:
        site.build()
    (problem,) = told.value.problems
    assert problem.kind == "url"
    assert "content/a.md" in problem.path + problem.message
    assert "content/2024-01-01-A.md" in problem.path + problem.message
    assert not (site.root / "output").exists()


def test_drafts_and_the_future_are_left_out_and_named(make_site: MakeSite) -> None:
    site = make_site(
        {
            "content/draft.md": "---\ndraft: true\n---\nD",
            "content/later.md": "---\ndate: 2999-01-01\n---\nL",
            "content/hidden.md": "---\npublished: false\n---\nH",
            "content/a.md": "A",
        }
    )
    report = site.build()
    assert report.posts == 1
    assert {note.path for note in report.notes} == {
        "content/draft.md",
        "content/later.md",
        "content/hidden.md",
    }
    assert site.build(drafts=True, future=True).posts == 3


def test_files_beside_posts_are_copied_and_links_resolved(make_site: MakeSite) -> None:
    site = make_site(
        {
            "content/posts/2024-01-01-a.md": "![x](img/x.png) [b](b.md#h) [no](nothing.md)",
            "content/posts/b.md": "# h",
            "content/posts/img/x.png": b"GIF89a\x01\0\x01\0\0\0\0;",
            "fencepost.toml": 'baseurl = "/base"\n',
        }
    )
    report = site.build()
    page = site.html("a")
    assert 'src="/base/posts/img/x.png"' in page
    assert 'href="/base/b/#h"' in page
    assert site.output()["posts/img/x.png"] == b"GIF89a\x01\0\x01\0\0\0\0;"
    assert [(problem.level, problem.kind, problem.line) for problem in report.problems] == [
        ("warning", "link", 1),
        ("warning", "image", 1),  # the picture has no pixels
    ]


def test_lists_and_tags_can_be_linked(make_site: MakeSite) -> None:
    text = "---\ntags: [텐서]\ncategories: py\n---\n[a](/tags/텐서/) [b](/categories/py/) [c](/tags/) [d](/tags/none/)\n"
    (problem,) = make_site({"content/a.md": text}).problems()
    assert problem.message == "links to nothing: `/tags/none/`"


def test_a_site_overrides_a_template_by_a_file_of_the_same_name(make_site: MakeSite) -> None:
    site = make_site({"content/a.md": "A", "templates/post.html": "<h1>mine: {{ article.title }}</h1>"})
    site.build()
    assert site.html("a") == "<h1>mine: a</h1>"


@pytest.mark.parametrize("name", ["stray.txt", "sub/stray.txt"])
def test_an_output_folder_with_foreign_files_is_refused(make_site: MakeSite, name: str) -> None:
    site = make_site({"content/a.md": "A", f"output/{name}": "not ours"})
    with pytest.raises(SiteError) as told:
        site.build()
    assert name in told.value.problems[0].message
    assert (site.root / "output" / name).read_text() == "not ours"


BAD_INPUTS: dict[str, tuple[bytes, int]] = {
    # what: (the file, the line of its Problem; -1: none, a page)
    "not UTF-8": ("한글".encode("cp949"), 1),
    "a BOM": (b"\xef\xbb\xbf---\ntitle: T\n---\nx", -1),
    "CRLF": (b"---\r\ntitle: T\r\n---\r\n```python\r\nprint(1)\r\n```\r\n", -1),
    "an empty file": (b"", -1),
    "broken YAML": (b"---\ntitle: T\ntags:\ta b\n---\nx", 3),
    "a date that is none": (b"---\ntitle: T\ndate: 2023-02-30\n---\nx", 3),
    "a duplicate key": (b"---\ntitle: T\ntitle: U\n---\nx", 3),
    "an unclosed fence": (b"text\n\n```python\nprint(1)\n", 3),
}


@pytest.mark.parametrize("what", BAD_INPUTS)
def test_bad_input_is_a_page_or_a_problem_with_a_line(make_site: MakeSite, what: str) -> None:
    content, line = BAD_INPUTS[what]
    site = make_site({"content/bad.md": content, "content/good.md": "Good"})
    report = site.build()
    assert "Good" in site.html("good")
    if line == -1:
        assert not [p for p in report.problems if p.level == "error"]
        assert (site.root / "output/bad/index.html").exists()
    else:
        assert [(p.path, p.line) for p in report.problems if p.level == "error"] == [("content/bad.md", line)]


def test_sources_are_never_written(make_site: MakeSite, seed_text: str) -> None:
    path = Path("content/posts/2023-03-06-pytorch-grammar-4.md")
    site = make_site({str(path): seed_text.encode()})
    before = (site.root / path).stat()
    site.build()
    after = (site.root / path).stat()
    assert (before.st_mtime_ns, before.st_ino) == (after.st_mtime_ns, after.st_ino)
