"""The key is right, and `why` says what of it has changed."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import MakeSite, TestSite

POSTS = {
    "content/a.md": "```python\nimport tools\nprint(tools.two())\n```\n",
    "content/b.md": "```python\nprint(open('data.csv').read())\n```\n\n```python\nprint(1)\n```\n",
    "content/c.md": "```python\nimport fenceposttestpackage\nprint(1)\n```\n",
    "content/d.md": "```python\nprint('nothing')\n```\n",
    "tools.py": "import helper_of_tools\ndef two(): return helper_of_tools.TWO\n",
    "helper_of_tools.py": "TWO = 2\n",
    "content/data.csv": "1,2\n",
}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package that can be installed in another version."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    (folder / "fenceposttestpackage.py").write_text("")
    return folder


def install(folder: Path, version: str) -> None:
    for old in folder.glob("*.dist-info"):
        shutil.rmtree(old)
    info = folder / f"fenceposttestpackage-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: fenceposttestpackage\nVersion: {version}\n")


def reruns(site: TestSite, package: Path) -> set[str]:
    """The posts that a build now runs, by `why`, which must agree with the build."""
    environment: dict[str, Any] = {"PYTHONPATH": f"{package}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    told = site.command("why", "--json", **environment)
    assert told.status == 0, told.err
    stale = {reason["path"] for reason in told.json if not reason["cached"]}
    report = site.command("build", "--json", **environment).json
    cells = {"content/b.md": 2}
    assert report["run"] == sum(cells.get(path, 1) for path in stale)
    return stale


def test_only_the_posts_that_use_what_changed_are_run(make_site: MakeSite, package: Path) -> None:
    install(package, "1.0")
    site = make_site({**POSTS, "fencepost.toml": 'execute.environment = ["PYTHONPATH"]\n'})
    everything = {"content/a.md", "content/b.md", "content/c.md", "content/d.md"}
    assert reruns(site, package) == everything
    assert reruns(site, package) == set()
    site.write({"helper_of_tools.py": "TWO = 3\n"})
    assert reruns(site, package) == {"content/a.md"}
    assert "3" in site.html("a")
    site.write({"content/data.csv": "3,4\n"})
    assert reruns(site, package) == {"content/b.md"}
    install(package, "2.0")
    environment: dict[str, Any] = {"PYTHONPATH": str(package)}
    assert "package fenceposttestpackage: 1.0 -> 2.0" in site.command("why", **environment).out
    assert reruns(site, package) == {"content/c.md"}
    assert reruns(site, package) == set()


def test_a_build_with_nothing_to_do_sees_the_inputs_of_cells(make_site: MakeSite, package: Path) -> None:
    site = make_site(POSTS)
    old = time.time() - 10
    for path in site.root.rglob("*"):
        os.utime(path, (old, old))
    time.sleep(0.1)
    del package
    site.write({"content/c.md": "C"})
    time.sleep(0.1)
    site.command("build")
    assert site.command("build", "--json").json["run"] == 0
    site.write({"helper_of_tools.py": "TWO = 4\n"})
    assert site.command("build", "--json").json["run"] == 1


WHY: dict[str, tuple[dict[str, str | None], list[str]]] = {
    # what: (files to change, what is said of each cell of b.md)
    "nothing": ({}, ["cached", "cached"]),
    "the cell": (
        {"content/b.md": POSTS["content/b.md"].replace("print(1)", "print(2)")},
        ["a cell behind it has changed", "its source: `print(1)` -> `print(2)`"],
    ),
    "an earlier cell": (
        {"content/b.md": POSTS["content/b.md"].replace("read())", "read(1))")},
        [
            "its source: `print(open('data.csv').read())`",
            "cell 1, before it: `print(open('data.csv').read())`",
        ],
    ),
    "a new cell": (
        {"content/b.md": POSTS["content/b.md"] + "\n```python\nprint(3)\n```\n"},
        ["a cell behind it", "a cell behind it", "it is new"],
    ),
    "an option": (
        {"content/b.md": "---\nexecute: {seed: 1}\n---\n" + POSTS["content/b.md"]},
        ["option `seed`: 0 -> 1", "option `seed`: 0 -> 1"],
    ),
    "a file": ({"content/data.csv": "9"}, ["file content/data.csv: ", "file content/data.csv: "]),
    "a lost file": ({"content/data.csv": None}, ["file content/data.csv: ", "-> (none)"]),
    "prose": (
        {"content/b.md": "---\ntitle: T\n---\n\nText\n\n" + POSTS["content/b.md"]},
        ["cached", "cached"],
    ),
}


@pytest.mark.parametrize("what", WHY)
def test_why(make_site: MakeSite, what: str) -> None:
    changes, said = WHY[what]
    site = make_site({name: POSTS[name] for name in ("content/b.md", "content/data.csv")})
    assert site.command("why", "content/b.md").out.count("its post has not run yet") == 2
    site.build()
    for name, content in changes.items():
        if content is None:
            (site.root / name).unlink()
        else:
            site.write({name: content})
    lines = site.command("why", "content/b.md").out.strip().split("\n")
    assert len(lines) == len(said)
    for line, words in zip(lines, said, strict=True):
        assert words in line


def test_a_file_that_was_missing_is_awaited(make_site: MakeSite) -> None:
    site = make_site({"content/a.md": "```python\nprint(open('late.txt').read())\n```\n"})
    assert len(site.problems()) == 1
    assert site.build().run == 0
    site.write({"content/late.txt": "here"})
    report = site.build()
    assert (report.run, report.problems) == (1, ())


def test_what_a_cell_writes_itself_is_no_input(make_site: MakeSite) -> None:
    cell = "```python\nopen('/tmp/{0}', 'w').write('x')\nprint(open('/tmp/{0}').read())\n```\n"
    name = f"fencepost-test-{os.getpid()}"
    site = make_site({"content/a.md": cell.replace("{0}", name)})
    try:
        site.build()
        Path(f"/tmp/{name}").write_text("other")
        assert site.build().run == 0
    finally:
        Path(f"/tmp/{name}").unlink()
