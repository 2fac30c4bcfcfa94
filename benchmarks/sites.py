"""Building sites of many posts, as ratios to a bare loop and to `python -c pass` in the same run.

    python -m benchmarks.sites [--posts 1000] [--runs 5] [--unique] [--no-code]

The bare loop does what no generator can do without: PyYAML, markdown-it-py, Pygments and Jinja2 for each
post, on two processes, with lists and no theme. Every build is a process of its own. Medians.
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
from collections.abc import Callable
from pathlib import Path

from benchmarks import corpus

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--posts", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--unique", action="store_true", help="no two fences are alike")
    parser.add_argument("--no-code", action="store_true", help="without fences")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder) / "site"
        corpus.write(site, options.posts, unique=options.unique)
        if options.no_code:
            for path in (site / "content").iterdir():
                path.write_text(
                    re.sub(r"(?s)```.*?```\n", "", path.read_text(encoding="utf-8")), encoding="utf-8"
                )
        measure(site, options.runs)


def measure(site: Path, runs: int) -> None:
    """Print the times of cold, warm and empty builds, and check what they wrote."""
    posts = len(list((site / "content").iterdir()))
    nothing = median(runs, lambda: run([sys.executable, "-c", "pass"]))
    bare, cold = [], []
    for _ in range(runs):
        clean(site)
        bare.append(timed(lambda: run([sys.executable, "-m", "benchmarks.bare", str(site)])))
        cold.append(timed(lambda: build(site)))
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    time.sleep(0.2)
    build(site)  # the first that has nothing to do may find files too young to be sure of
    empty = median(runs, lambda: build(site))
    edits = [timed_edit(site, posts // 2, number) for number in range(runs)]
    check(site, posts, runs)
    one, two = statistics.median(bare), statistics.median(cold)
    print(f"{posts} posts; python -c pass {nothing * 1000:.0f} ms; largest process {peak:.0f} MiB")
    print(f"{'bare loop, 2 processes':30}{one:9.2f} s")
    print(
        f"{'cold build':30}{two:9.2f} s  {two / one:7.2f} x the bare loop  {two / posts * 1000:6.2f} ms a post"
    )
    print(f"{'nothing to do':30}{empty:9.3f} s  {empty / nothing:7.1f} x python -c pass")
    edit = statistics.median(edits)
    print(f"{'one post edited':30}{edit:9.3f} s  {edit / nothing:7.1f} x python -c pass")


def timed_edit(site: Path, index: int, number: int) -> float:
    """Change the text of one post, and time the build of that."""
    path = site / "content" / f"post-{index:05}.md"
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r"revision \d+", f"revision {number + 1}", text), encoding="utf-8")
    time.sleep(0.2)
    return timed(lambda: build(site))


def check(site: Path, posts: int, revision: int) -> None:
    """Fail on a wrong result: a page for each post, the edit on its page and in the list."""
    pages = list((site / "output" / "posts").glob("*/index.html"))
    assert len(pages) == posts
    edited = (site / "output" / "posts" / f"post-{posts // 2:05}" / "index.html").read_text(encoding="utf-8")
    assert f"revision {revision}" in edited
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
    # As the installed command starts: `python -m` would import runpy first.
    code = "import sys; from builder.__main__ import main; sys.argv[1:] = sys.argv[1:]; main()"
    run([sys.executable, "-c", code, "build", str(site)])


def run(command: list[str]) -> None:
    done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def median(runs: int, work: Callable[[], object]) -> float:
    return statistics.median(timed(work) for _ in range(max(runs, 5)))


if __name__ == "__main__":
    main()
