"""How a session behaves: values, displays, figures, magics, lines, seeds; in both ways to start a process."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest

from tests.conftest import MakeSite, TestSite
from tests.faulty import faulty, line_of, only_error


def shown(site: TestSite, number: int) -> str:
    """The text below a cell of the faulty post's page."""
    part = site.html("bad").split(f'id="cell-{number}"')[1].split('class="cell"')[0]
    output = part.split('class="cell-output"')[1:] or [""]
    found = re.search(r"<pre[^>]*>(.*?)</pre>", output[0], re.DOTALL)
    return unescape(re.sub("<.*?>", "", found[1])).strip() if found else ""


VALUES = {
    "1 + 1": "2",
    "'a'": "'a'",
    "None": "",
    "x = 1": "",
    "x = 1\nx": "1",
    "3;": "",
    "3; 4": "4",
    "'semi;'": "'semi;'",
    "3 # comment;": "3",
    "print('p')\n5": "p\n5",
    "if True:\n    7": "",
    "import asyncio\nawait asyncio.sleep(0)\n'awaited'": "'awaited'",
    "%matplotlib inline\n%config InlineBackend.x = 1\n%load_ext autoreload\n%autoreload 2\n'magic'": "'magic'",
    "_ = 8\n_": "8",
    "display(1, 'two')": "1\n'two'",
    "get_ipython().__class__.__name__": "'Shell'",
    "__name__": "'__main__'",
}


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_the_value_of_the_last_expression(make_site: MakeSite, start: str) -> None:
    site = faulty(make_site, *VALUES, config=f'start = "{start}"')
    assert site.problems() == []
    assert {cell: shown(site, number) for number, cell in enumerate(VALUES, 1)} == VALUES


@pytest.mark.parametrize("line", ["!ls", "x = !ls", "%cd /", "%%bash\nls", "%pip install x", "%timeit 1"])
def test_shell_lines_and_magics_run_nothing(make_site: MakeSite, line: str) -> None:
    site = faulty(make_site, f"{line}\ny = 1" if not line.startswith("%%") else line, "print('next')")
    (problem,) = site.problems()
    assert problem.level == "warning"
    assert "was not run" in problem.message
    assert problem.line == line_of(site, line.split("\n")[0])
    assert shown(site, 2) == "next"


def test_the_site_may_allow_shell_lines(make_site: MakeSite) -> None:
    site = faulty(make_site, "!echo from a shell", config="shell = true")
    assert site.problems() == []
    assert shown(site, 1) == "from a shell"


FIGURES = [
    "import matplotlib.pyplot as plt\nplt.plot([1, 2, 3])",
    "fig, ax = plt.subplots(figsize=(2, 1))\nax.bar([1], [2])\nplt.show()\nprint('after')",
    "ax.set_title('t')",
    "fig",
    "print('none')",
    "plt.title('한글 제목')\nplt.text(0, 0, '그림')\nplt.show()",
]


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_figures(make_site: MakeSite, start: str) -> None:
    site = faulty(make_site, *FIGURES, config=f'start = "{start}"')
    report = site.build()
    assert report.problems == ()
    assert [note.detail for note in report.notes] == []  # no warning of a glyph that is missing
    cells = site.html("bad").split('class="cell"')[1:]
    assert ["<img" in cell for cell in cells] == [True, True, False, True, False, True]
    assert "Line2D" not in site.html("bad")  # an artist as last value is not shown
    assert 'width="' in cells[0]
    assert 'alt="' in cells[0]
    assert shown(site, 2) == "after"


def test_two_builds_and_both_starts_give_the_same_bytes(make_site: MakeSite) -> None:
    cells = [
        "import random, torch, numpy\nprint(random.random(), numpy.random.rand(), torch.rand(2))",
        "class A: pass\na = A()\nprint(a, object()); a",
        "import matplotlib.pyplot as plt\nplt.hist(numpy.random.rand(50))",
        "print({'b', 'a', 'c'}, hash('x'))",
        "x = torch.ones(2, requires_grad=True)\n(x * x).sum().backward()\nx.grad",
    ]
    outputs = []
    for start, jobs in (("fork", 1), ("fork", 4), ("spawn", 2)):
        site = faulty(make_site, *cells, config=f'start = "{start}"')
        for number in range(3):
            site.write({f"content/copy{number}.md": (site.root / "content" / "bad.md").read_bytes()})
        assert site.command("clean").status == 0
        assert site.problems(jobs=jobs) == []
        outputs.append(site.output())
    assert outputs[0] == outputs[1] == outputs[2]
    assert "at 0x000000000001" in site.html("bad")


def test_lines_stay_true_below_blank_lines_and_magics(make_site: MakeSite) -> None:
    site = faulty(make_site, "\n\n\n%matplotlib inline\n\nx = [\n    1,\n    2 / 0,\n]")
    assert only_error(site.build()).line == line_of(site, "2 / 0")


def test_a_warning_on_standard_error_is_a_note_with_its_true_line(make_site: MakeSite) -> None:
    site = faulty(make_site, "import warnings\nx = 1\nwarnings.warn('beware')")
    (note,) = site.build().notes
    assert f"content/bad.md:{line_of(site, 'warnings.warn')}: UserWarning: beware" in note.detail
    assert "beware" not in shown(site, 1)


def test_a_cell_runs_in_the_folder_of_its_post_and_imports_from_there(make_site: MakeSite) -> None:
    site = faulty(make_site, "import os, beside, above\nprint(os.listdir('.')[:0], beside.x, above.x)")
    site.write({"content/beside.py": "x = 1", "above.py": "x = 2"})
    assert site.problems() == []
    assert shown(site, 1) == "[] 1 2"


def test_a_cell_may_close_its_own_streams(make_site: MakeSite) -> None:
    site = faulty(make_site, "import os\nprint('before')\nos.close(1)", "1 + 1")
    assert [problem for problem in site.problems() if problem.level == "error"] == []
    assert shown(site, 1) == "before"
    assert shown(site, 2) == "2"


def test_two_threads_of_torch_work_in_every_fork(make_site: MakeSite) -> None:
    source = (
        "import torch\nx = torch.rand(300, 300, requires_grad=True)\n"
        "for _ in range(5):\n    (x @ x).sum().backward()\n"
        "torch.linalg.svd(x.detach()[:50, :50])\nprint(torch.get_num_threads())"
    )
    site = faulty(make_site, source, config="threads = 2")
    site.write(
        {f"content/n{number}.md": Path(site.root / "content/bad.md").read_bytes() for number in range(7)}
    )
    assert site.problems() == []
    assert shown(site, 1) == "2"
