"""The fault matrix: one test per row, each injects its fault into a real build.

After each of them the process table is read: nothing of the build may be left. The rows that are about
files and pages are in test_faults_site.py; the same rows at full size are in benchmarks/faults.py.
"""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest

from builder.execute import cage
from tests.conftest import MakeSite
from tests.faulty import (
    assert_healthy,
    faulty,
    line_of,
    only_error,
    processes_of,
    temporary_files,
)

pytestmark = pytest.mark.usefixtures("mark")


@pytest.fixture(params=["fork", "spawn"])
def start(request: pytest.FixtureRequest) -> str:
    """Both ways for a post's process to come to be."""
    return f'start = "{request.param}"'


def test_row_01_a_cell_raises_in_a_function_of_an_earlier_cell(make_site: MakeSite, start: str) -> None:
    site = faulty(
        make_site,
        "def halve(x):\n    return x / 0",
        ("print('before')\ny = halve(1)\nprint('never')", "as the author had it"),
        ("print(y)", "kept"),
        "print('unconcerned')",
        config=start,
    )
    error = only_error(site.build())
    assert error.line == line_of(site, "y = halve(1)")
    assert "ZeroDivisionError: division by zero" in error.message
    assert f"in `halve`, line {line_of(site, 'return x / 0')}" in error.message
    assert "before" in error.detail
    assert "cell 3 was not run: it uses `y`" in error.detail
    page = site.html("bad")
    assert "as the author had it" in page
    assert "kept" in page
    assert "unconcerned" in page
    assert "Traceback" not in page
    assert_healthy(site)


def test_row_01_the_command_says_so_and_exits_with_1(make_site: MakeSite) -> None:
    site = faulty(make_site, "1 / 0")
    ran = site.command("build")
    assert ran.status == 1
    assert f"content/bad.md:{line_of(site, '1 / 0')}: cell 1 raised ZeroDivisionError" in ran.err


def test_row_01_an_expected_error_must_happen(make_site: MakeSite) -> None:
    site = faulty(make_site, ("int('x')", "ValueError: old words"), ("int('1')", "ValueError: x"))
    error = only_error(site.build())
    assert "cell 2 was to raise ValueError" in error.message


DEATHS = {
    "exits by itself": ("os._exit(3)", "exit code 3", False),
    "segfaults": ("ctypes.string_at(0)", "segmentation fault", True),
    "is killed": ("os.kill(os.getpid(), 9)", "was killed (SIGKILL)", False),
    "aborts": ("os.abort()", "abort", True),
}


@pytest.mark.parametrize("death", DEATHS)
def test_row_24_a_process_that_dies_is_named_and_keeps_its_output(
    make_site: MakeSite, death: str, start: str
) -> None:
    statement, words, knows_line = DEATHS[death]
    site = faulty(
        make_site,
        (f"import ctypes, os\nprint('so far', flush=False)\n{statement}", "as written"),
        ("print(1)", "kept"),
        "print(2)",
        config=start,
    )
    error = only_error(site.build())
    first = line_of(site, "import ctypes")
    assert error.line == (line_of(site, statement) if knows_line else first)
    assert words in error.message
    assert "so far" in error.detail
    assert "cells 2 to 3 were not run" in error.detail
    assert "as written" in site.html("bad")
    assert "kept" in site.html("bad")
    assert_healthy(site)


def test_row_23_a_cell_that_swallows_every_exception_is_ended_at_its_limit(
    make_site: MakeSite, start: str
) -> None:
    site = faulty(
        make_site,
        (
            "import time\nwhile True:\n    try:\n        time.sleep(30)\n    except BaseException:\n        pass",
            "x",
        ),
        config=start,
        execute="timeout: 0.5",
    )
    began = time.monotonic()
    error = only_error(site.build())
    assert time.monotonic() - began < 60
    assert error.line == line_of(site, "time.sleep(30)")
    assert "limit of 0.5 s" in error.message
    assert "`timeout`" in error.message
    assert_healthy(site)


def test_row_23_a_cell_that_takes_the_interrupt_ends_alone(make_site: MakeSite) -> None:
    site = faulty(make_site, "import time\ntime.sleep(30)", "print('next')", execute="timeout: 1.5")
    error = only_error(site.build())
    assert error.line == line_of(site, "time.sleep(30)")
    assert "limit of 1.5 s" in error.message
    assert "next" in site.html("bad")


def test_row_23_a_post_has_a_limit_of_its_own(make_site: MakeSite) -> None:
    site = faulty(
        make_site, *(f"import time\ntime.sleep(0.4)\n{n}" for n in range(5)), execute="post_timeout: 1"
    )
    error = only_error(site.build())
    assert "limit of 1 s" in error.message
    assert "`post_timeout`" in error.message


def test_row_26_sys_exit_is_an_error_of_its_cell(make_site: MakeSite, start: str) -> None:
    site = faulty(
        make_site, ("import sys\nx = 1\nsys.exit()\ny = 2", "kept"), "print(x)", "print(y)", config=start
    )
    error = only_error(site.build())
    assert error.line == line_of(site, "sys.exit()")
    assert "called for its own end" in error.message
    assert "cell 3 was not run: it uses `y`" in error.detail
    assert "kept" in site.html("bad")
    assert_healthy(site)


def test_row_27_input_has_no_one_to_ask(make_site: MakeSite, start: str) -> None:
    site = faulty(make_site, ("import sys\nx = input('name? ')", "kept"), "sys.stdin.read()", config=start)
    error = only_error(site.build())
    assert error.line == line_of(site, "input(")
    assert "cells have no input" in error.hint
    assert "kept" in site.html("bad")


def test_a_cell_that_does_not_parse(make_site: MakeSite) -> None:
    site = faulty(make_site, ("x = 1\ny = = 2", "kept"), "print(y)")
    error = only_error(site.build())
    assert error.line == line_of(site, "y = = 2")
    assert "does not parse" in error.message
    assert "cell 2 was not run: it uses `x`, `y`" in error.detail or "it uses `y`" in error.detail
    assert "kept" in site.html("bad")


def test_a_missing_module(make_site: MakeSite) -> None:
    site = faulty(
        make_site, ("import os\nimport no_such_module_here\nprint(os.sep)", "kept"), "print(os.sep)"
    )
    error = only_error(site.build())
    assert error.line == line_of(site, "import no_such")
    assert error.hint == "pip install no_such_module_here"
    assert "kept" in site.html("bad")


def test_row_29_a_thread_that_is_left_is_named_and_ended(make_site: MakeSite) -> None:
    site = faulty(
        make_site,
        "import threading, time\nt = threading.Thread(target=time.sleep, args=(60,), name='sleeper')\nt.start()",
        "print('two')",
    )
    report = site.build()
    assert [problem.level for problem in report.problems] == ["warning"]
    assert "'sleeper'" in report.problems[0].message
    assert_healthy(site)


def test_row_24_a_post_that_died_is_run_again_by_the_next_build(make_site: MakeSite) -> None:
    site = faulty(make_site, "import os\nif not os.path.exists('ok'):\n    os._exit(3)\nprint('alive')")
    assert site.command("build").status == 1
    (site.root / "content" / "ok").write_text("")
    assert site.command("build").status == 0
    assert "alive" in site.html("bad")


def test_row_24_a_cell_that_kills_the_fork_server_fails_alone(make_site: MakeSite) -> None:
    site = faulty(make_site, "import os, time\nos.kill(os.getppid(), 9)\ntime.sleep(20)")
    report = site.build(jobs=2)
    assert "it was ended" in only_error(report).message
    assert_healthy(site)


def test_row_25_memory_has_a_limit_with_a_name(make_site: MakeSite, start: str) -> None:
    site = faulty(
        make_site,
        ("x = bytearray(3 * 2**30)", "kept"),
        "print('next')",
        config=f'memory = "2 GiB"\n{start}',
    )
    error = only_error(site.build())
    assert "MemoryError" in error.message
    assert error.hint == "the limit is 2 GiB (option `memory`)"
    assert error.line == line_of(site, "x = ")
    assert "next" in site.html("bad")


def test_row_25_a_large_process_that_is_killed_was_probably_out_of_memory(make_site: MakeSite) -> None:
    site = faulty(
        make_site,
        "import os\nx = b'x' * (600 * 2**20)\nos.kill(os.getpid(), 9)  # as the kernel does it",
        config='memory = "1 GiB"',
    )
    message = only_error(site.build()).message
    assert "was killed, probably out of memory, peak 0." in message
    assert "of 1 GiB (option `memory`)" in message


def test_row_25_the_kernel_is_to_end_a_post_and_not_the_build(make_site: MakeSite) -> None:
    site = faulty(make_site, "print('score', open('/proc/self/oom_score_adj').read())")
    site.build()
    assert "score 800" in site.html("bad")


def test_row_28_endless_output_is_stopped_and_cut(make_site: MakeSite, start: str) -> None:
    site = faulty(
        make_site,
        "while True:\n    print('y' * 99)",
        "print('next')",
        config=f'output_limit = "1 MiB"\n{start}',
    )
    error = only_error(site.build())
    assert "its limit of 1 MiB" in error.message
    assert "`output_limit`" in error.message
    assert error.line == line_of(site, "print('y'") or error.line == line_of(site, "while True")
    assert len(error.detail) < 10_000
    assert "next" in site.html("bad")


def test_row_28_a_child_that_writes_without_end_is_stopped(make_site: MakeSite) -> None:
    site = faulty(make_site, "import subprocess\nsubprocess.run(['yes'])", config='output_limit = "1 MiB"')
    assert "`output_limit`" in only_error(site.build()).message


def test_row_28_long_output_is_cut_where_a_reader_sees_it(make_site: MakeSite) -> None:
    site = faulty(make_site, "for k in range(5000):\n    print('line', k)", "print('x' * 300_000)")
    assert site.problems() == []
    page = site.html("bad")
    assert "line 1999\n… 3,000 more lines cut\n" in page
    assert "line 2000" not in page
    assert "37 KiB of this line cut" in page
    assert len(page) < 400_000


def test_row_28_long_standard_error_is_cut_too(make_site: MakeSite) -> None:
    site = faulty(make_site, "import sys\nfor k in range(5000):\n    print('line', k, file=sys.stderr)")
    (note,) = site.build().notes
    assert note.detail.endswith("line 1999\n… 3,000 more lines cut")


def test_row_29_what_a_thread_prints_belongs_to_the_cell_that_is_running(make_site: MakeSite) -> None:
    site = faulty(
        make_site,
        "import threading\nbegun = threading.Event()\n"
        "late = threading.Thread(target=lambda: (begun.wait(), print('late')))\nlate.start()\nprint('one')",
        "begun.set()\nlate.join()\nprint('two')",
    )
    site.build()
    second = site.html("bad").split('id="cell-2"')[1]
    assert "late\ntwo" in second


DAEMON = """
import os, sys, time
for k in range(10):
    if os.fork() == 0:
        if k % 2:
            os.setsid()
        if os.fork() == 0:
            time.sleep(600)
        os._exit(0)
    os.wait()
print('started')
"""


@pytest.mark.parametrize("end", ["", "os._exit(1)", "time.sleep(60)"])
def test_row_30_no_child_outlives_its_post(make_site: MakeSite, mark: str, end: str, start: str) -> None:
    site = faulty(make_site, DAEMON + end, config=f"timeout = 1\n{start}")
    site.build()
    assert processes_of(mark) == []
    assert_healthy(site)


def test_row_31_a_forked_child_that_comes_back_does_not_report(make_site: MakeSite, start: str) -> None:
    site = faulty(
        make_site,
        "import os\npid = os.fork()\nprint('child' if pid == 0 else 'parent', flush=True)\n"
        "if pid:\n    os.waitpid(pid, 0)",
        "print('once')",
        "if os.fork() == 0:\n    raise SystemExit(3)\nos.wait()[1] >> 8",
        config=start,
    )
    assert site.problems() == []
    page = site.html("bad")
    assert page.count("once\n") == 1
    assert "child" in page
    assert "parent" in page


def test_row_32_a_process_forked_after_openmp_ran_meets_the_limit(make_site: MakeSite) -> None:
    site = faulty(
        make_site,
        """
        import multiprocessing, torch

        def work():
            (torch.ones(512, 512) @ torch.ones(512, 512)).sum()

        work()
        child = multiprocessing.get_context('fork').Process(target=work)
        child.start()
        child.join()
        """,
        execute="timeout: 4, threads: 2",
    )
    error = only_error(site.build())
    assert error.line == line_of(site, "child.join()")
    assert "limit of 4 s" in error.message
    assert "multiprocessing.get_context('spawn')" in error.hint


def test_row_57_a_post_has_a_limit_of_processes(make_site: MakeSite, mark: str, start: str) -> None:
    bomb = "import os, time\nfor _ in range(9):\n    os.fork()\ntime.sleep(60)"
    site = faulty(make_site, bomb, config=f"processes = 30\n{start}")
    began = time.monotonic()
    error = only_error(site.build())
    assert time.monotonic() - began < 50
    assert "limit of 30 processes" in error.message
    assert "`processes`" in error.message
    assert processes_of(mark) == []
    assert_healthy(site)


def test_row_57_the_kernel_bounds_all_posts_where_it_has_a_group_for_that(make_site: MakeSite) -> None:
    site = faulty(
        make_site, "print([line for line in open('/proc/self/cgroup') if 'fencepost-' in line][:1])"
    )
    site.build()
    home, found = cage._home(), re.search(r"/(fencepost-\d+)", site.html("bad"))
    assert (found is not None) == bool(home)
    assert found is None or found[1] not in os.listdir(home)


def test_nothing_temporary_is_left(make_site: MakeSite) -> None:
    site = faulty(make_site, "print(1)", "1 / 0")
    site.command("build")
    assert temporary_files(site.root) == []


# Preview, publish and remote runs have issues of their own.
LATER = {18, 19, 20, 22, 48, 51, 52, 56, 60}


def test_nothing_is_left_in_the_home_or_among_temporary_files(
    make_site: MakeSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: str
) -> None:
    """IPython would have a folder for its profile, or make one."""
    for variable in ("HOME", "TMPDIR"):
        (tmp_path / variable).mkdir()
        monkeypatch.setenv(variable, str(tmp_path / variable))
    site = faulty(make_site, "print(1)", "1 / 0", config=start)
    assert "ZeroDivisionError" in site.command("build").err
    assert [*(tmp_path / "HOME").rglob("*"), *(tmp_path / "TMPDIR").rglob("*")] == []


def test_every_row_has_a_test() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    names = re.findall(r"def test_row_(\d\d)(?:_and_(\d\d))?_", text)
    assert {int(number) for pair in names for number in pair if number} == {*range(1, 61)} - LATER
