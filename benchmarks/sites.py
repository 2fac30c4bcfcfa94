"""Building sites of many posts, as ratios to a bare loop and to `python -c pass` in the same run.

    python -m benchmarks.sites [--posts 1000] [--runs 5] [--unique] [--no-code] [--full] [--peer NAME=COMMAND]

The bare loop does what no generator can do without: PyYAML, markdown-it-py, Pygments and Jinja2 for each
post, on two processes, with lists and no theme. Every build is a process of its own, with its bytecode
written, as in an installed program. Medians: seconds by the clock, and of all processors.

The site is asked for what all generators make: pages, lists, tags, feeds. With `--full` it has all that a site
of Fencepost has by default: the search and a picture of each post too. A peer is a shell command that builds
the same posts from nothing; it is timed between the others.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks import corpus

ROOT = Path(__file__).resolve().parents[1]
# As the installed command starts: `python -m` would import runpy first.
COMMAND = "import sys; from builder.__main__ import main; sys.argv[1:] = sys.argv[1:]; main()"
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


@dataclass(frozen=True, slots=True)
class Cost:
    """What some work took: seconds by the clock, and of all processors."""

    wall: float
    cpu: float

    def __str__(self) -> str:
        return f"{self.wall:9.3f} s {self.cpu:9.3f} s cpu"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--posts", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--unique", action="store_true", help="no two fences are alike")
    parser.add_argument("--no-code", action="store_true", help="without fences")
    parser.add_argument("--full", action="store_true", help="with all that a site has by default")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=COMMAND")
    options = parser.parse_args()
    peers = dict(peer.split("=", 1) for peer in options.peer)
    run([sys.executable, "-m", "compileall", "-q", "builder"])
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder) / "site"
        corpus.write(site, options.posts, unique=options.unique, full=options.full)
        if options.no_code:
            for path in (site / "content").iterdir():
                path.write_text(
                    re.sub(r"(?s)```.*?```\n", "", path.read_text(encoding="utf-8")), encoding="utf-8"
                )
        measure(site, options.runs, peers)


def measure(site: Path, runs: int, peers: Mapping[str, str]) -> None:
    """Print what cold, warm and empty builds cost, and check what they wrote."""
    posts = len(list((site / "content").iterdir()))
    nothing: list[Cost] = []
    bare, cold, first = [], [], []
    theirs: dict[str, list[Cost]] = {name: [] for name in peers}
    for number in range(runs):
        clean(site)
        bare.append(cost(lambda: run([sys.executable, "-m", "benchmarks.bare", str(site)])))
        cold.append(cost(lambda: build(site)))
        for name, command in peers.items():
            theirs[name].append(cost(lambda command=command: run(["sh", "-c", command])))
        first.append(edit(site, posts // 2, number))
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    time.sleep(0.2)
    build(site)  # the first that has nothing to do may find files too young to be sure of
    empty, edits = [], []
    for number in range(max(runs, 9)):
        nothing.append(cost(lambda: run([sys.executable, "-c", "pass"])))
        empty.append(cost(lambda: build(site)))
        edits.append(edit(site, posts // 2, runs + number))
    check(site, posts, runs + len(edits) - 1)
    loop, whole, started = median(bare), median(cold), median(nothing)
    print(f"{posts} posts; python -c pass {started.wall * 1000:.1f} ms; largest process {peak:.0f} MiB")
    print(f"{'bare loop, 2 processes':30}{loop}")
    ratios = f"{whole.wall / loop.wall:6.2f} x the bare loop, of cpu {whole.cpu / loop.cpu:.2f}"
    print(f"{'cold build':30}{whole}  {ratios}")
    print(f"{'':30}{whole.wall / posts * 1000:9.2f} ms a post")
    for name, costs in theirs.items():
        peer = median(costs)
        print(f"{name:30}{peer}  the cold build is {whole.wall / peer.wall:6.2f} x")
    for what, one in (
        ("nothing to do", median(empty)),
        ("first edit", median(first)),
        ("later edits", median(edits)),
    ):
        print(f"{what:30}{one}  {one.wall / started.wall:6.1f} x python -c pass")
    print("\nof one process, cold, for each post:")
    clean(site)
    print(run([sys.executable, "-m", "benchmarks.stages", str(site)]), end="")


def edit(site: Path, index: int, number: int) -> Cost:
    """Change the text of one post, and return the cost of building that."""
    path = site / "content" / f"post-{index:05}.md"
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r"revision \d+", f"revision {number + 1}", text), encoding="utf-8")
    time.sleep(0.2)
    return cost(lambda: build(site))


def check(site: Path, posts: int, number: int) -> None:
    """Fail on a wrong result: a page for each post, the edit on its page and in the list."""
    pages = list((site / "output" / "posts").glob("*/index.html"))
    assert len(pages) == posts
    edited = (site / "output" / "posts" / f"post-{posts // 2:05}" / "index.html").read_text(encoding="utf-8")
    assert f"revision {number + 1}" in edited
    warm = files(site)
    clean(site)
    build(site)
    assert files(site) == warm, "a warm build and a cold one give the same bytes"


def files(site: Path) -> dict[str, bytes]:
    output = site / "output"
    return {p.relative_to(output).as_posix(): p.read_bytes() for p in output.rglob("*") if p.is_file()}


def clean(site: Path) -> None:
    """Move what was written out of the way: a file system is slow for a while where much was deleted."""
    for name in ("output", ".fencepost", "bare"):
        if (site / name).exists():
            (site / name).rename(Path(tempfile.mkdtemp(dir=site.parent)) / name)


def build(site: Path) -> None:
    run([sys.executable, "-c", COMMAND, "build", str(site)])


def run(command: list[str]) -> str:
    done = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def cost(work: Callable[[], object]) -> Cost:
    started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(time.perf_counter() - started, cpu)


def median(costs: list[Cost]) -> Cost:
    return Cost(statistics.median(c.wall for c in costs), statistics.median(c.cpu for c in costs))


if __name__ == "__main__":
    main()
