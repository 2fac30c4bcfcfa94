"""The engine from outside: jobs, starts, the fork server's own guards, progress, and a soak."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from benchmarks.soak import job, soak
from builder.execute.supervisor import Supervisor, cell_environment
from builder.progress import Progress
from builder.sizes import parse_size, size_text
from tests.conftest import MakeSite
from tests.faulty import faulty, post

ROOT = Path(__file__).resolve().parents[1]


def test_jobs_and_order_do_not_change_the_output(make_site: MakeSite) -> None:
    site = make_site(
        {f"content/p{n}.md": post(f"import random\nprint({n}, random.random())") for n in range(6)}
    )
    site.build(jobs=1)
    one = site.output()
    assert site.command("clean").status == 0
    site.build(jobs=4)
    assert site.output() == one


GUARD = """
import sys, torch
from builder.execute.server import works_in_a_fork
torch.set_num_threads(2)
if sys.argv[1] == 'parallel':
    torch.ones(600, 600) @ torch.ones(600, 600)
print(works_in_a_fork(torch))
"""


@pytest.mark.parametrize(("before", "works"), [("import only", "True"), ("parallel", "False")])
def test_row_33_the_libgomp_hang_is_seen_by_the_canary(before: str, works: str) -> None:
    """A parent that ran one parallel operation must not fork: to be looked at again with every new torch."""
    done = subprocess.run(
        [sys.executable, "-c", GUARD, before], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == works, done.stderr


UNFIT = {
    "a thread": ("import threading, time\nthreading.Thread(target=time.sleep, args=(99,), daemon=True).start()\n",
                 "an import started a thread"),
    "nothing": ("", ""),
}  # fmt: skip


@pytest.mark.parametrize("case", UNFIT)
def test_row_33_a_server_that_must_not_fork_spawns(tmp_path: Path, case: str) -> None:
    source, why = UNFIT[case]
    (tmp_path / "odd_module.py").write_text(source)
    environment = {**cell_environment(()), "PYTHONPATH": str(tmp_path)}
    with Supervisor(["odd_module"], "fork", environment) as supervisor:
        reasons = []
        jobs = [job(name, "print(1)", tmp_path) for name in ("a", "b")]
        events = lambda _, event: reasons.append(event.get("why"))  # noqa: E731
        assert [ended.out for ended in supervisor.run(jobs, 2, events)] == [b"1\n", b"1\n"]
        assert supervisor.start == ("spawn" if why else "fork")
        assert list(filter(None, reasons)) == ([why] if why else [])


def test_outputs_of_a_file_that_changes_meanwhile_are_not_kept(make_site: MakeSite) -> None:
    """Nobody could say whether they are those of the old file or of the new one."""
    change = "test -e done || echo new > data.txt; touch done"
    cell = (
        f"import subprocess\nprint(open('data.txt').read())\nsubprocess.run(['sh', '-c', '{change}'])\nNone"
    )
    site = make_site({"content/p.md": post(cell), "content/data.txt": "old\n"})
    report = site.build()
    assert "old\n" in site.html("p")
    assert [problem.message for problem in report.problems] == [
        "`data.txt` has changed since a cell read it: the post is run again next time"
    ]
    report = site.build()
    assert (report.run, report.problems) == (1, ())
    assert "new\n" in site.html("p")
    assert site.build().run == 0


def test_posts_of_the_same_code_in_two_folders_read_their_own_files(make_site: MakeSite) -> None:
    cell = "print(open('data.txt').read())"
    site = make_site({f"content/{name}/{name}.md": post(cell) for name in ("one", "two")})
    site.write({f"content/{name}/data.txt": f"data of {name}" for name in ("one", "two")})
    for again in range(2):  # from nothing, and from the cache
        site.write({"fencepost.toml": f'title = "{again}"\n'})
        site.build()
        for name in ("one", "two"):
            assert f"data of {name}" in site.html(name)


def test_a_soak_of_fifty_posts(tmp_path: Path) -> None:
    result = soak(50, tmp_path)
    assert result.failures == 0
    before, after = result.server
    assert after.tasks == 1
    assert after.zombies == 0
    assert after.descriptors == before.descriptors
    assert after.memory - before.memory < 5_000_000
    before, after = result.build
    assert after.descriptors == before.descriptors
    assert threading.active_count() == 1 or "xdist" in sys.modules


def test_a_slow_cell_says_so_once_in_a_while_in_a_pipe() -> None:
    stream = io.StringIO()
    progress = Progress(stream)
    for seconds in range(1, 45):
        event = {"event": "running", "cell": 2, "seconds": float(seconds), "limit": 60.0}
        progress.observe("content/a.md", event)
    progress.done()
    assert stream.getvalue().splitlines() == [
        f"content/a.md: cell 2 has been running for {seconds} s" for seconds in (10, 20, 40)
    ]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_how_far_the_build_is() -> None:
    progress = Progress(Terminal())
    progress.observe("content/a.md", {"event": "ended", "left": 3, "of": 4})
    progress.observe("content/b.md", {"event": "cell", "cell": 1})
    progress.observe("content/b.md", {"event": "running", "cell": 1, "seconds": 3.2, "limit": 60.0})
    progress.done()
    shown = progress.stream.getvalue().split("\r\x1b[K")
    assert shown == [
        "",
        "[1/4] running content/b.md, cell 1",
        "[1/4] running content/b.md, cell 1: 3 s of 60 s",
        "",
    ]


def test_a_running_cell_is_told_of_every_second(make_site: MakeSite) -> None:
    from builder.build import build

    events: list[str] = []
    site = faulty(make_site, "import time\ntime.sleep(2.3)")
    build(site.config(), 1, lambda path, event: events.append(f"{path} {event['event']}"))
    assert events.count("content/bad.md running") >= 2  # more where the machine has much else to do
    assert events[-1].endswith("ended")


@pytest.mark.parametrize(
    ("text", "size", "shown"),
    [
        ("4 GiB", 4 * 2**30, "4 GiB"),
        ("256 KiB", 2**18, "256 KiB"),
        ("1.5MiB", 3 * 2**19, "1.5 MiB"),
        ("100 kb", 100_000, "98 KiB"),
        ("0", 0, "0 KiB"),
    ],
)
def test_sizes(text: str, size: int, shown: str) -> None:
    assert parse_size(text) == size
    assert size_text(size) == shown


@pytest.mark.parametrize("text", ["", "x", "-1", "4 TB", "GiB", "1e9"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="no size"):
        parse_size(text)
