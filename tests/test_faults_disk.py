"""Rows 38 to 41 and 21: builds that are killed, disks that are full, two builds at once, a cache that is damaged."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from builder.execute.cache import Cache
from builder.model import Figure, Output, Run, Text
from tests.conftest import MakeSite, TestSite
from tests.faulty import (
    assert_healthy,
    assert_mended,
    faulty,
    killed,
    left_after,
    post,
    processes_of,
    sources,
    steps_in,
    temporary_files,
)

ROOT = Path(__file__).resolve().parents[1]


pytestmark = pytest.mark.usefixtures("mark")


# --- row 38: interrupted ----------------------------------------------------------------------

BUSY = """
import os, subprocess, time
child = subprocess.Popen(['sleep', '600'], start_new_session=True)
if os.fork() == 0:
    os.setsid()
    time.sleep(600)
open('begun', 'w').close()
time.sleep(600)
"""
ENDS = {
    "Ctrl-C": [signal.SIGINT],
    "Ctrl-C twice": [signal.SIGINT, signal.SIGINT],
    "SIGTERM": [signal.SIGTERM],
    "SIGKILL": [signal.SIGKILL],
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_row_38_a_build_that_is_ended_leaves_nothing(
    make_site: MakeSite, mark: str, end: str, start: str
) -> None:
    site = faulty(make_site, BUSY, config=f'start = "{start}"')
    build = subprocess.Popen(
        [sys.executable, "-m", "builder", "build", str(site.root)], cwd=ROOT, stderr=subprocess.DEVNULL
    )
    begun = site.root / "content" / "begun"
    deadline = time.monotonic() + 120
    # A process that has just begun a program has no environment yet, and is counted a moment later.
    while not (begun.exists() and len(processes_of(mark)) >= 5) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(processes_of(mark)) >= 5
    for number in ENDS[end]:
        build.send_signal(number)
        time.sleep(0.05)
    assert left_after(mark, 2.0) == []
    # The second Ctrl-C may meet an interpreter that is just about to exit with 130.
    assert build.wait() in ((130, -signal.SIGINT) if end.startswith("Ctrl") else (-ENDS[end][0],))
    assert not (site.root / "output").exists()
    begun.unlink()
    site.write({"content/bad.md": post("print('mended')")})
    assert site.command("build").status == 0
    assert "mended" in site.html("bad")
    assert temporary_files(site.root) == []


@pytest.fixture
def changed_site(tmp_path: Path) -> tuple[TestSite, dict[str, bytes], dict[str, bytes]]:
    """A built site whose sources have changed since; its output now, and as the next build will write it."""
    old = TestSite(tmp_path / "site")
    (old.root / "content").mkdir(parents=True)
    old.write(
        {"content/a.md": post("print('first')"), "content/gone.md": post("'gone'"), "content/n.txt": "n"}
    )
    assert old.command("build").status == 0
    before = old.output()
    (old.root / "content" / "gone.md").unlink()
    old.write({"content/a.md": post("print('second')"), "content/new.md": "---\ntitle: new\n---\nnew\n"})
    ahead = TestSite(tmp_path / "ahead")
    shutil.copytree(old.root, ahead.root)
    assert ahead.command("build").status == 0
    return old, before, ahead.output()


def steps_of(site: TestSite, tmp_path: Path) -> int:
    """How many steps has the build of `site`?"""
    copy = TestSite(tmp_path / "counted")
    shutil.copytree(site.root, copy.root)
    return steps_in(killed(copy, 0))


@pytest.mark.parametrize("share", range(4))
def test_row_38_a_build_killed_at_any_step(
    changed_site: tuple[TestSite, dict[str, bytes], dict[str, bytes]], tmp_path: Path, mark: str, share: int
) -> None:
    """Before each rename, link, unlink and folder, and in the middle of each write, one after the other."""
    original, old, new = changed_site
    count = steps_of(original, tmp_path)
    assert count > 40
    for step in range(1 + share, count + 1, 4):
        site = TestSite(tmp_path / f"step-{step}")
        shutil.copytree(original.root, site.root)
        assert_mended(site, step, mark, old, new)
        shutil.rmtree(site.root)


def test_row_38_a_build_with_a_lookout_killed_at_any_step(tmp_path: Path, mark: str) -> None:
    """The same in one place, where the output folder is found as the last build left it."""
    site = TestSite(tmp_path / "site")

    def edit(text: str) -> None:
        site.write({"content/a.md": text, "content/b/c.md": f"---\ntags: [{text}]\n---\nBeside."})
        time.sleep(0.1)  # a file that has just changed is looked at again

    def edited(text: str) -> subprocess.CompletedProcess[str]:
        edit(text)
        return killed(site, 0)

    (site.root / "content").mkdir(parents=True)
    edited("Old")
    old = site.output()
    edited("New")
    new = site.output()
    edited("Old")
    done = edited("New")
    assert "a lookout steps" in done.stdout, done.stderr
    count = steps_in(done)
    assert count > 20
    for step in range(1, count + 1, 4):
        edited("Old")
        assert site.output() == old
        edit("New")
        assert_mended(site, step, mark, old, new)


# --- row 39: the disk is full -----------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte."""
    if os.geteuid() != 0:
        pytest.skip("a small disk needs root; test_output.py has the same with an injected error")
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "fencepost-test", folder], check=True)
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize("free", [0, 4, 16, 40, 80])
def test_row_39_a_full_disk_changes_nothing(small_disk: Path, free: int) -> None:
    site = TestSite(small_disk)
    site.write(
        {"content/a.md": post("print('first')"), "content/b.md": post("1"), "content/c.txt": "c" * 9000}
    )
    assert site.command("build").status == 0
    before = site.output()
    site.write({"content/a.md": post("print('second')"), "content/c.txt": "C" * 90_000})
    written = sources(site)
    ballast = small_disk / "ballast"
    with ballast.open("wb") as file:
        usage = os.statvfs(small_disk)
        file.write(b"x" * max(usage.f_bavail * usage.f_frsize - free * 1024, 0))
    ran = site.command("build")
    assert ran.status == 2
    assert "No space left on device" in ran.err
    assert str(small_disk) in ran.err
    assert "need" in ran.err or free == 0
    assert site.output() == before
    assert sources(site) == written
    assert temporary_files(site.root) == []
    ballast.unlink()
    assert site.command("build").status == 0
    assert "second" in site.html("a")


# --- row 40: two builds at once ---------------------------------------------------------------


def test_row_40_two_builds_of_one_site(make_site: MakeSite) -> None:
    site = faulty(make_site, "import time\ntime.sleep(0.5)\nprint('slow')")
    command = [sys.executable, "-m", "builder", "build", str(site.root)]
    builds = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = [build.communicate(timeout=240)[0] for build in builds]
    assert [build.returncode for build in builds] == [0, 0, 0]
    assert sum("2 run" in text for text in said) == 1
    assert "slow" in site.html("bad")
    assert temporary_files(site.root) == []


STORE = """
import sys
from pathlib import Path
from builder.execute.cache import Cache
from builder.model import Figure, Output, Run, Text
cache = Cache(Path(sys.argv[1]), Path(sys.argv[1]))
for number in range(25):
    blob = cache.store_blob(f"<svg>{number}</svg>".encode(), "svg")
    run = Run((Output((Text(f"{number}\\n"), Figure(blob, 1, 1))),))
    cache.store(f"key-{number}", run, [("python", "")])
    assert cache.load(f"key-{number}") == run
"""


def test_row_40_eight_processes_store_into_one_cache(tmp_path: Path) -> None:
    command = [sys.executable, "-c", STORE, str(tmp_path)]
    stores = [subprocess.Popen(command, cwd=ROOT) for _ in range(8)]
    assert [process.wait(timeout=240) for process in stores] == [0] * 8
    cache = Cache(tmp_path, tmp_path)
    for number in range(25):
        run = cache.load(f"key-{number}")
        assert run is not None
        assert run.outputs[0].parts[0] == Text(f"{number}\n")
    assert cache.damaged == set()
    assert temporary_files(tmp_path) == []


# --- row 41: a damaged cache ------------------------------------------------------------------


def stored_cache(folder: Path) -> tuple[Cache, Run, list[Path]]:
    """A cache with one run and its figure, and its files."""
    cache = Cache(folder, folder)
    run = Run(
        (Output((Text("one\n"), Figure(cache.store_blob(b"<svg/>" * 20, "svg"), 1, 1))),), {"seed": "0"}
    )
    cache.store("key", run, [("python", "")])
    return cache, run, sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("damage", ["cut", "flip", "swap", "old"])
def test_row_41_a_damaged_cache_is_a_miss(tmp_path: Path, damage: str) -> None:
    """20 cuts, 20 flipped bits, 10 swapped files, 10 of another version: never a crash or a wrong output."""
    places = random.Random(damage)
    for number in range(20 if damage in ("cut", "flip") else 10):
        folder = tmp_path / str(number)
        cache, run, files = stored_cache(folder)
        path = files[number % len(files)]
        content = path.read_bytes()
        at = places.randrange(len(content))
        match damage:
            case "cut":
                path.write_bytes(content[:at])
            case "flip":
                path.write_bytes(content[:at] + bytes([content[at] ^ 1 << number % 8]) + content[at + 1 :])
            case "swap":
                path.write_bytes(files[(number + 1) % len(files)].read_bytes())
            case _:
                path.write_bytes(json.dumps({"version": number, "outputs": [number] * number}).encode())
        assert cache.load("key") is None
        assert cache.damaged == {path.name}
        cache.store_blob(b"<svg/>" * 20, "svg")
        cache.store("key", run, [("python", "")])
        assert cache.load("key") == run


def test_row_41_a_build_with_a_damaged_cache_runs_again_and_says_so(make_site: MakeSite) -> None:
    site = faulty(make_site, "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()\nprint('drawn')")
    site.build()
    whole = site.output()
    for path in sorted((site.root / ".fencepost" / "cache").rglob("*/*/*")):
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])
        report = site.build()
        assert report.problems == ()
        assert [note.kind for note in report.notes] in (["cache"], [])
        assert site.output() == whole


def test_row_41_a_figure_that_the_cache_has_lost_is_drawn_again(make_site: MakeSite) -> None:
    """Although the page that shows it is remembered, and needs no rendering."""
    site = faulty(make_site, "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()")
    assert site.command("build").status == 0
    whole = site.output()
    (blob,) = (site.root / ".fencepost" / "cache").rglob("blobs/*")
    for damage in (lambda: blob.write_bytes(b""), blob.unlink):
        damage()
        (site.root / ".fencepost" / "state").unlink(missing_ok=True)
        assert site.command("build").status == 0
        assert site.output() == whole  # which has the figure still
        shutil.rmtree(site.root / "output")
        assert site.command("build").status == 0
        assert site.output() == whole
        assert blob.stat().st_size > 0


# --- row 21: a stale cache --------------------------------------------------------------------


def test_row_21_whatever_an_output_depends_on_makes_it_stale(
    make_site: MakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NAMED", "1")
    cells = ["x = 1", "import local\nprint(x, local.y, open('data.csv').read())"]
    site = faulty(make_site, *cells, config='environment = ["NAMED"]')
    site.write({"content/local.py": "y = 1\n", "content/data.csv": "1"})

    def ran() -> int:
        return site.build().run

    def rewrite(old: str, new: str, path: str = "content/bad.md") -> None:
        file = site.root / path
        file.write_text(file.read_text().replace(old, new))

    assert ran() == 3
    assert ran() == 0
    rewrite("title: T", "title: Another title")
    assert ran() == 0
    rewrite("x = 1", "x = 2")
    assert ran() == 2
    site.write({"content/data.csv": "2"})
    assert ran() == 2
    site.write({"content/local.py": "y = 22\n"})
    assert ran() == 2
    assert "2 22 2" in site.html("bad")
    for option in (
        "seed = 1",
        "threads = 2",
        "memory = '2 GiB'",
        "output_lines = 7",
        "figure_format = 'png'",
    ):
        site.write({"fencepost.toml": f'[execute]\nenvironment = ["NAMED"]\n{option}\n'})
        assert ran() == 3, option
    monkeypatch.setenv("NAMED", "2")
    assert ran() == 3
    assert_healthy(site)
