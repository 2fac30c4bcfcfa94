from __future__ import annotations

from dataclasses import replace

import pytest

from builder.copies import Prose, Step, downloads, linked_lines, markdown_copy, pieces
from builder.model import Config, Figure, Markup, Part, Post, Text
from builder.posts import parse_post
from builder.site import LINK, Site
from builder.urls import beside
from builder.views import Reads, SiteView
from tests.conftest import MakeSite
from tests.samples import CONFIG, article


def post(text: str, config: Config = CONFIG) -> Post:
    return parse_post(text, "content/a.md", config, page=False)[0]


def lines(given: Post) -> list[str]:
    return linked_lines(given, [])


@pytest.mark.parametrize(
    ("url", "markdown", "notebook"),
    [
        ("/", "/index.md", "/index.ipynb"),
        ("/x/y/", "/x/y/index.md", "/x/y/y.ipynb"),
        ("/x/y.html", "/x/y.md", "/x/y.ipynb"),
        ("/x/y", "/x/y.md", "/x/y.ipynb"),
        ("/글/", "/글/index.md", "/글/글.ipynb"),
    ],
)
def test_where_copies_are(url: str, markdown: str, notebook: str) -> None:
    assert (beside(url, "md"), beside(url, "ipynb")) == (markdown, notebook)


def test_what_a_template_can_offer() -> None:
    one = article("a", url="/ml/가/", markdown="m", notebook="n", script="s")
    for repository, colab in (("", ""), ("me/notes", "https://colab.research.google.com/github/me/notes/blob/gh-pages/ml/%EA%B0%80/%EA%B0%80.ipynb")):  # fmt: skip
        site = SiteView(Site.of(replace(CONFIG, repository=repository), [one], str), Reads())
        found = downloads(site, site.article(one.path))
        assert (found.markdown, found.notebook, found.script) == (
            "/ml/가/index.md",
            "/ml/가/가.ipynb",
            "/ml/가/가.py",
        )
        assert found.colab == colab
    bare = article("b")
    site = SiteView(Site.of(CONFIG, [bare], str), Reads())
    assert downloads(site, site.article(bare.path)).notebook == ""


TEXT = """\
---
title: A
---
Before

```python
print(1)
```
```
old
```

between

```python
print(2)
```

- item

  ```python
  print(3)
  ```

after
"""


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ({}, {6: "```\nold\n```"}),
        ({1: (Text("new\n"),)}, {6: "```\nnew\n```"}),
        ({1: ()}, {6: None}),
        ({1: (Text("a\n"), Text("b", value=True))}, {6: "```\na\nb\n```"}),
        ({1: (Text("```\n"),)}, {6: "````\n```\n````"}),
        ({1: (Figure("x.svg", 1, 1, "a [b]"),)}, {6: "![a \\[b\\]](/figures/x.svg)"}),
        ({1: (Markup("<b>x</b>", "x"),)}, {6: "```\nx\n```"}),
        ({1: (Markup("*x*", "x", "markdown"),)}, {6: "*x*"}),
    ],
)
def test_real_outputs_stand_in_the_copy(
    shown: dict[int, tuple[Part, ...]], expected: dict[int, str | None]
) -> None:
    given = post(TEXT)
    copy = markdown_copy("A  b", given, shown, lines(given), lambda name: f"/figures/{name}")
    assert copy.startswith("# A b\n\nBefore\n\n```python\nprint(1)\n```\n")
    below = copy.split("print(1)\n```\n")[1].split("\nbetween")[0].strip("\n")
    assert below == (expected[6] or "")


def test_an_output_in_a_list_stays_in_it() -> None:
    given = post(TEXT)
    copy = markdown_copy("A", given, {3: (Text("3\n\nx\n"),)}, lines(given), str)
    assert "  ```python\n  print(3)\n  ```\n\n  ```\n  3\n\n  x\n  ```\n\nafter\n" in copy


def test_pieces_are_in_the_authors_order() -> None:
    given = post(TEXT)
    found = list(pieces(given, {2: (Text("2\n"),)}, lines(given)))
    assert [piece.text if isinstance(piece, Prose) else piece.cell.number for piece in found] == [
        "Before", 1, "between", 2, "- item", 3, "after",
    ]  # fmt: skip
    steps = [piece for piece in found if isinstance(piece, Step)]
    assert [step.parts for step in steps] == [(Text("old\n"),), (Text("2\n"),), ()]


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("[x](b.md) b.md", "b.md"),
        ("![x]( <b c.png> )", "b%20c.png"),
        ("[x](글.md#y)", "%EA%B8%80.md#y"),
        ("[x]: b.md", "b.md"),
        ('<img src="b.md">', "b.md"),
        ("<a href=b.md>", "b.md"),
    ],
)
def test_links_into_the_site_are_marked(written: str, address: str) -> None:
    [line, _] = linked_lines(post(f"{written}\n"), [(address, 1)])
    assert LINK.format(0) in line
    assert line.count("b.md") == written.count("b.md") - 1 if "b.md" in written else True


def test_a_link_that_is_not_where_it_should_be_stays() -> None:
    assert linked_lines(post("bb.md and `b.md`\n"), [("b.md", 1)]) == ["bb.md and `b.md`", ""]


SITE: dict[str, str | bytes] = {
    "fencepost.toml": 'url = "https://example.org"\nbaseurl = "/n"\n[execute]\neval = false\n',
    "content/a.md": "---\ntitle: A\n---\n[b](b.md#x) and [d](data.csv)\n\n```python\n1 + 1\n```\n```\n2\n```\n",
    "content/b.md": "---\ntitle: B\npermalink: /b.html\n---\n[a](a.md)\n",
    "content/data.csv": b"x",
    "content/a/a.py": "# the author's own\n",
}


def test_the_copies_of_a_site(make_site: MakeSite) -> None:
    site = make_site(SITE)
    assert site.problems() == []
    assert site.html("a/index.md").startswith(
        "# A\n\n[b](https://example.org/n/b.html#x) and [d](https://example.org/n/data.csv)\n"
    )
    assert site.html("b.md") == "# B\n\n[a](https://example.org/n/a/)\n"
    assert "https://example.org/n/b.html#x" in site.html("a/a.ipynb")
    assert site.html("a/a.py") == "# the author's own\n"
    assert not (site.root / "output/b.ipynb").exists()
    assert '<link rel="alternate" type="text/markdown" href="/n/a/index.md">' in site.html("a")


@pytest.mark.parametrize("chosen", [[], ["script"], ["markdown"], ["notebook", "markdown"]])
def test_a_site_may_have_some_of_them_or_none(make_site: MakeSite, chosen: list[str]) -> None:
    files = {path: SITE[path] for path in SITE if path != "content/a/a.py"}
    config = f"cards = false\ndownloads = {chosen}\n".encode() + str(SITE["fencepost.toml"]).encode()
    site = make_site({**files, "fencepost.toml": config})
    assert site.problems() == []
    made = {path for path in site.output() if path.startswith(("a/", "b.")) and not path.endswith("html")}
    given = {"markdown": {"a/index.md", "b.md"}, "notebook": {"a/a.ipynb"}, "script": {"a/a.py"}}
    assert made == {path for kind in chosen for path in given[kind]}
    page = site.html("a")
    for kind, file in (("markdown", "/n/a/index.md"), ("notebook", "/n/a/a.ipynb"), ("script", "/n/a/a.py")):
        assert (f'href="{file}"' in page) == (kind in chosen)
    entry = "a/index.md" if "markdown" in chosen else "a/"
    assert f"- [A](https://example.org/n/{entry})" in site.html("llms.txt")


def test_copies_follow_what_they_link_to(make_site: MakeSite) -> None:
    site = make_site(SITE)
    site.build()
    site.write({"content/b.md": "---\ntitle: B\npermalink: /moved/\n---\n[a](a.md)\n"})
    site.build()
    warm = site.output()
    assert b"https://example.org/n/moved/#x" in warm["a/index.md"]
    assert b"https://example.org/n/moved/#x" in warm["a/a.ipynb"]
    site.command("clean")
    site.build(jobs=1)
    assert site.output() == warm
