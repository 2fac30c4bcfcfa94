"""Outputs in other clothes: which block is the output of a cell, and that it is written back in its own form."""

from __future__ import annotations

import pytest

from builder.fences import forms_below, read_cells, replace_outputs, runnable
from builder.model import Cell

from .conftest import MakeSite

CELL = "```python\nprint(1)\n```\n"


def cells(text: str, *forms: str) -> tuple[Cell, ...]:
    return read_cells(text, 1, "a.md", kramdown=True, forms=forms)[0]


def bodies(text: str, *forms: str) -> list[str | None]:
    return [cell.authored.body if cell.authored else None for cell in cells(text, *forms)]


FOUND = [
    (f"{CELL}```\n1\n```", ["1\n"]),
    (f"{CELL}\n```text\n1\n```", ["1\n"]),
    (f"{CELL}**[Output]**\n```python\ntensor([1., 2.]) ...\n```", ["tensor([1., 2.]) ...\n"]),
    (f"{CELL}**[Output]**\n```python\n{{'a': 1}}\n```", ["{'a': 1}\n"]),
    (f"{CELL}결과:\n\n```\n1\n```", ["1\n"]),
    (f"{CELL}- 출력 결과\n```\n1\n```", [None]),  # a list is prose
    (f"{CELL}> output\n\n    1\n", [None]),
    (f"{CELL}#### 출력\n\n    1\n", ["1\n"]),
    (f"{CELL}output\n```bash\n1\n```", ["1\n"]),
    (f"{CELL}<br>\n**Result**\n```code\n1\n```", ["1\n"]),
    (f"{CELL}text\n```\n1\n```", [None]),
]


@pytest.mark.parametrize(("text", "wanted"), FOUND)
def test_what_is_an_output_by_itself(text: str, wanted: list[str | None]) -> None:
    assert bodies(text) == wanted


def test_a_labelled_program_is_a_cell() -> None:
    assert bodies(f"{CELL}**[Output]**\n```python\nx = 1\nprint(x)\n```") == [None, None]


HABITS = [
    ("indented", "\n    1\n\n"),
    ("code", "```code\n1\n```\n\n"),
    ("bash", "```bash\n1\n```\n\n"),
    ("break", "<br>\n\n```code\n1\n```\n\n"),
]


@pytest.mark.parametrize(("form", "below"), HABITS)
def test_other_forms_are_outputs_by_habit(form: str, below: str) -> None:
    once = f"{CELL}{below}"
    assert forms_below(once, 1) == [form]
    assert bodies(once) == [None]
    assert bodies(once, form) == ["1\n"]
    assert bodies(once * 2) == ["1\n", "1\n"]


def test_pictures_and_tables_are_known() -> None:
    assert [
        cell.picture for cell in cells(f"{CELL}\n![](a.png)\n\n{CELL}\n<table>\n<tr></tr>\n</table>\n")
    ] == [
        (5, 6),
        (11, 14),
    ]


def test_outputs_are_written_back_in_their_own_form() -> None:
    text = f"{CELL}\n    1\n\nprose\n\n> ```python\n> print(2)\n> ```\n>\n>     2\n>     3\n\nend\n"
    found = cells(text, "indented")
    new = replace_outputs(text, found, {1: "a\n\nb\n", 2: "c\n"})
    assert new == f"{CELL}\n    a\n\n    b\n\nprose\n\n> ```python\n> print(2)\n> ```\n>\n>     c\n\nend\n"
    assert replace_outputs(new, cells(new, "indented"), {1: "a\n\nb\n", 2: "c\n"}) == new


def test_accept_writes_an_indented_output(make_site: MakeSite) -> None:
    post = f"---\ntitle: A\n---\n{CELL}\n    2\n\n{CELL}\n    2\n"
    site = make_site({"_config.yml": "title: x\n", "_posts/2023-01-01-a.md": post})
    assert site.command("accept", "--yes").status == 0
    written = (site.root / "_posts/2023-01-01-a.md").read_text()
    assert written == post.replace("    2\n", "    1\n")


def test_a_labelled_output_stays_where_it_is(make_site: MakeSite) -> None:
    post = f"---\ntitle: A\n---\n{CELL}**[Output]**\n```python\n1 ...\n```\nlast words\n"
    site = make_site({"_config.yml": "permalink: /:title/\n", "_posts/2023-01-01-a.md": post})
    site.build()
    page = site.html("a")
    assert page.index("[Output]") < page.index("1 ...") < page.rindex("last words")
    assert page.count('class="cell-output"') == 1


RUNS = [
    ("%%time\nx = 1\n", ("\nx = 1\n", False)),
    ("# note\n%%capture out\nprint(1)\n", ("# note\n\nprint(1)\n", True)),
    (">>> x = 1\n>>> x\n1\n>>> for i in x:\n...     i\n", ("x = 1\nx\n\nfor i in x:\n    i\n", False)),
    ("%%sql\nselect 1\n", ("%%sql\nselect 1\n", False)),
    ("x = '%%time'\n", ("x = '%%time'\n", False)),
]


@pytest.mark.parametrize(("body", "wanted"), RUNS)
def test_magics_and_prompts(body: str, wanted: tuple[str, bool]) -> None:
    assert runnable(body) == wanted
    assert runnable(body)[0].count("\n") == body.count("\n")


def test_an_image_below_a_cell_stays_unless_figures_are_to_replace_it(make_site: MakeSite) -> None:
    plot = (
        "```python\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])\n```\n\n![mine](/mine.png)\n\nText.\n"
    )
    real = 'execute.outputs = "real"\n'
    site = make_site(
        {
            "_config.yml": "title: T\npermalink: /:title/\n",
            "_posts/2024-01-01-a.md": f"---\ntitle: A\n---\n{plot}",
            "mine.png": b"\x89PNG",
            "fencepost.toml": real,
        }
    )
    site.build()
    page = site.html("a")
    assert "mine.png" in page and "/figures/" not in page
    site.write({"fencepost.toml": f"{real}execute.replace_figures = true\n"})
    site.build()
    page = site.html("a")
    assert "mine.png" not in page and "/figures/" in page and "Text." in page
