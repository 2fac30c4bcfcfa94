"""freeze: a site that is built from committed outputs, with nothing run and no torch installed."""

from __future__ import annotations

import json
import sys
import venv
from pathlib import Path

import pytest

from tests.conftest import MakeSite

PLOT = "```python\nimport matplotlib.pyplot as plt\nplt.plot([1, 2, {0}])\n```\n"
POST = "Prose.\n\n```python\nx = open('data.csv').read()\nprint(x)\n```\n\n```python\nprint(x * 2)\n```\n"


def test_a_frozen_build_gives_the_same_bytes_and_runs_nothing(make_site: MakeSite) -> None:
    site = make_site(
        {"content/a.md": POST, "content/p.md": PLOT.replace("{0}", "3"), "content/data.csv": "1,2\n"}
    )
    site.build()
    real = site.output()
    assert site.command("freeze").status == 0
    site.command("clean")
    frozen = site.command("build", "--frozen", "--json")
    assert (frozen.status, frozen.json["run"], frozen.json["problems"]) == (0, 0, [])
    assert site.output() == real
    assert site.command("check", "--frozen").status == 0


def test_one_changed_character_is_a_problem_with_its_line(make_site: MakeSite) -> None:
    site = make_site({"content/a.md": POST, "content/data.csv": "1,2\n"})
    site.command("freeze")
    site.write({"content/a.md": "More prose.\n\n" + POST.replace("x * 2", "x * 3")})
    done = site.command("build", "--frozen")
    assert done.status == 1
    assert "content/a.md:11: cell 2 is not frozen as it stands: its code has changed" in done.err
    assert "1,2" in site.html("a"), "the cells before it are shown"
    site.write({"content/a.md": POST, "content/data.csv": "1,3\n"})
    done = site.command("build", "--frozen")
    assert "content/a.md:4: cell 1 is not frozen as it stands: `content/data.csv` has changed" in done.err
    assert "cell 2 behind it is not frozen either" in done.err
    assert site.command("check", "--frozen").status == 1


def test_a_post_that_was_never_frozen_is_named(make_site: MakeSite) -> None:
    site = make_site({"content/a.md": POST, "content/data.csv": "1"})
    done = site.command("build", "--frozen")
    assert (done.status, "content/a.md:4: cell 1 is not frozen" in done.err) == (1, True)


def test_freezing_again_changes_nothing_and_removes_what_is_stale(make_site: MakeSite) -> None:
    site = make_site({"content/a.md": PLOT.replace("{0}", "3"), "content/b.md": PLOT.replace("{0}", "4")})
    site.command("freeze")
    folder = site.root / "_freeze"
    before = {
        path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()
    }
    assert len(before) == 4
    site.command("clean")
    site.command("freeze")
    assert {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in folder.rglob("*") if p.is_file()} == before
    (site.root / "content/b.md").unlink()
    site.command("freeze")
    assert len([path for path in folder.rglob("*") if path.is_file()]) == 2


def test_frozen_outputs_spare_a_run_where_the_versions_are_the_same(make_site: MakeSite) -> None:
    site = make_site({"content/a.md": "```python\nprint(1)\n```\n"})
    site.command("freeze")
    site.command("clean")
    report = site.build()
    assert (report.run, report.cached) == (0, 1)


def test_figures_stay_small(make_site: MakeSite) -> None:
    cells = "\n".join(PLOT.replace("{0}", str(n)) for n in range(3, 6))
    scatter = "```python\nimport random\nplt.scatter(*[[random.random() for _ in range(5000)]] * 2)\n```\n"
    site = make_site(
        {
            "content/a.md": cells,
            "content/b.md": "```python\nimport matplotlib.pyplot as plt\n```\n\n" + scatter,
        }
    )
    site.command("freeze")
    sizes = [path.stat().st_size for path in (site.root / "_freeze/figures").iterdir()]
    assert len(sizes) == 4
    assert max(sizes) < 100_000
    assert sum(sizes) / 4 * 300 < 10_000_000, "100 posts with 3 plots each"


def test_a_damaged_freeze_is_a_problem_and_no_crash(make_site: MakeSite) -> None:
    site = make_site({"content/a.md": "```python\nprint(1)\n```\n"})
    site.command("freeze")
    (site.root / "_freeze/a.md.json").write_text('{"cells": 3')
    done = site.command("build", "--frozen")
    assert (done.status, "is not frozen" in done.err) == (1, True)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX layout of virtual environments")
def test_no_torch_is_needed(make_site: MakeSite, tmp_path: Path) -> None:
    """In an environment that has our requirements but no torch, NumPy or Matplotlib."""
    site = make_site(
        {
            "content/a.md": "```python\nimport torch\nprint(torch.ones(2))\n```\n",
            "content/b.md": PLOT.replace("{0}", "3"),
        }
    )
    site.build()
    real = site.output()
    site.command("freeze")
    site.command("clean")
    bare = tmp_path / "bare"
    venv.create(bare, with_pip=False, symlinks=True)
    packages = next(bare.glob("lib/python*/site-packages"))
    here = Path(next(path for path in sys.path if path.endswith("site-packages")))
    for installed in here.iterdir():
        if not installed.name.startswith(
            ("torch", "numpy", "matplotlib", "__editable__", "_editable", "distutils")
        ):
            target = packages / installed.name
            if not target.exists() and installed.suffix != ".pth":
                target.symlink_to(installed)
    root = Path(__file__).resolve().parents[1]
    code = f"import sys; sys.path.append({str(root)!r}); import builder.cli; builder.cli.main(sys.argv[1:])"
    import subprocess

    done = subprocess.run(
        [str(bare / "bin/python"), "-c", code, "build", "--frozen", "--json", str(site.root)],
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["problems"] == []
    assert site.output() == real
