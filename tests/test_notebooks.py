from __future__ import annotations

import ast
import json
from pathlib import Path

import nbformat
import pytest

from builder.copies import linked_lines, pieces
from builder.model import Figure, Markup, Part, Text
from builder.notebooks import notebook, script
from builder.posts import parse_post
from tests.conftest import SEED, MakeSite
from tests.samples import CONFIG

TEXT = """\
---
title: A
---
Before *it*

```python
import sys
#| label: x
print(1)
```
```
1
```

```python
#| echo: false
!pip install torch
%matplotlib inline
2 + 2
```

```python {eval=false}
raise SystemExit
```

```python {include=false}
y = 3
```

> ```python
> def f():
>
>     return y
> ```

>>> after
"""
SVG = b"<svg>\n</svg>\n"


def made(
    text: str = TEXT, shown: dict[int, tuple[Part, ...]] | None = None, raising: frozenset[int] = frozenset()
) -> str:
    post = parse_post(text, "content/a.md", CONFIG, page=False)[0]
    steps = tuple(pieces(post, shown or {}, linked_lines(post, [])))
    blobs = {"x.svg": SVG, "x.png": b"\x89PNG"}
    return notebook("The  title", steps, "3.11.7", raising, blobs.get)


def cells(document: str) -> list[tuple[str, str]]:
    return [(cell["cell_type"], "".join(cell["source"])) for cell in json.loads(document)["cells"]]


SHOWN: dict[int, tuple[Part, ...]] = {
    1: (Text("one\n"), Text("two\n")),
    2: (Text("4", value=True), Figure("x.svg", 1, 1), Figure("x.png", 1, 1), Figure("gone.svg", 1, 1)),
    4: (
        Markup("<b>x</b>\n", "x"),
        Text("\u2028\x85 text\n"),
        Markup("$x$", "x", "latex"),
        Markup("*x*", "x", "markdown"),
    ),
}


@pytest.mark.parametrize("shown", [{}, SHOWN, {1: ()}])
def test_a_notebook_is_the_very_bytes_that_nbformat_writes(shown: dict[int, tuple[Part, ...]]) -> None:
    document = made(shown=shown)
    read = nbformat.reads(document, as_version=4)
    nbformat.validate(read)
    assert nbformat.writes(read) == document.rstrip("\n")
    assert document == made(shown=shown), "its ids are not drawn"


def test_prose_and_code_are_in_the_authors_order() -> None:
    assert cells(made()) == [
        ("markdown", "# The title"),
        ("markdown", "Before *it*"),
        ("code", "import sys\n#| label: x\nprint(1)"),
        ("code", "!pip install torch\n%matplotlib inline\n2 + 2"),
        ("markdown", "```python\nraise SystemExit\n```"),
        ("code", "y = 3"),
        ("code", "def f():\n\n    return y"),
        ("markdown", ">>> after"),
    ]


def test_a_notebook_shows_what_the_cells_really_showed() -> None:
    outputs = {cell["id"]: cell.get("outputs") for cell in json.loads(made(shown=SHOWN))["cells"]}
    assert outputs["cell-1"] == [{"name": "stdout", "output_type": "stream", "text": ["one\n", "two\n"]}]
    value, svg, png = outputs["cell-2"]
    assert (value["output_type"], value["execution_count"], value["data"]) == (
        "execute_result",
        2,
        {"text/plain": ["4"]},
    )
    assert svg["data"] == {"image/svg+xml": ["<svg>\n", "</svg>\n"]}
    assert png["data"] == {"image/png": "iVBORw==\n"}
    assert [next(iter(output.get("data", {"stream": 0}))) for output in outputs["cell-4"]] == [
        "text/html", "stream", "text/latex", "text/markdown",
    ]  # fmt: skip


def test_what_the_page_hides_is_tagged() -> None:
    tags = {
        cell["id"]: cell["metadata"].get("tags") for cell in json.loads(made(raising=frozenset({1})))["cells"]
    }
    assert tags["cell-1"] == ["raises-exception"]
    assert tags["cell-2"] == ["remove-input"]
    assert tags["cell-4"] == ["remove-cell"]
    assert tags["cell-5"] is None


def test_prompts_are_not_code() -> None:
    text = "```python\n>>> x = 1\n>>> x\n1\n```\n"
    assert cells(made(text))[1] == ("code", "x = 1\nx")


def test_a_script_is_a_program() -> None:
    post = parse_post(TEXT, "content/a.md", CONFIG, page=False)[0]
    text = script("The  title", pieces(post, {}, linked_lines(post, [])))
    ast.parse(text)
    assert text.startswith("# The title\n\n# %% [markdown]\n# Before *it*\n\n# %%\nimport sys\n")
    assert "# %%\n# !pip install torch\n# %matplotlib inline\n2 + 2\n" in text
    assert "# %%\n# raise SystemExit\n" in text
    assert text.endswith("# %% [markdown]\n# >>> after\n")


@pytest.mark.parametrize("text", ["", "# only prose\n", "---\ntitle: x\n---\n```python\n```\n", "```python\n%%time\nx = 1\n```\n", "```python\n%%bash\nls\n```\n"])  # fmt: skip
def test_whatever_a_post_is_its_script_can_be_read(text: str) -> None:
    post = parse_post(text, "content/a.md", CONFIG, page=False)[0]
    ast.parse(script("t\n\nu", pieces(post, {}, linked_lines(post, []))))
    nbformat.validate(nbformat.reads(made(text), as_version=4))


def test_the_notebook_of_a_real_run(make_site: MakeSite) -> None:
    cell = "---\ntitle: A\n---\n```python\nx = 6\nprint('hi')\nx * 7\n```\n\n```python {error=true}\n1 / 0\n```\n"
    site = make_site({"content/a.md": cell})
    assert site.problems() == []
    read = nbformat.read(site.root / "output/a/a.ipynb", as_version=4)
    nbformat.validate(read)
    _, first, second = read.cells
    assert [output.get("text") or output.data["text/plain"] for output in first.outputs] == ["hi\n", "42"]
    assert "ZeroDivisionError" in second.outputs[0].text
    assert second.metadata.tags == ["raises-exception"]
    scope: dict[str, object] = {}
    exec(site.html("a/a.py").replace("1 / 0", ""), scope)
    assert scope["x"] == 6


def test_the_seed_post_as_a_notebook() -> None:
    text = Path(SEED).read_text(encoding="utf-8")
    post = parse_post(text, "content/a.md", CONFIG, page=False)[0]
    read = nbformat.reads(made(text), as_version=4)
    nbformat.validate(read)
    code = [cell for cell in read.cells if cell.cell_type == "code"]
    assert len(code) == len(post.cells)
    ast.parse(script("x", pieces(post, {}, linked_lines(post, []))))
