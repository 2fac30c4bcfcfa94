"""Twenty torch posts at the price of one import.

    python -m benchmarks.execution [--copies 20] [--runs 5]

Copies of the seed post, each with one number changed in its first cell, are built cold; in the same run
`python -c 'import torch'` is timed, and the cells of posts as plain scripts, one after the other: of more than
twenty, twenty are timed, and the rest is taken to be like them. Medians.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from builder.config import read_config
from builder.posts import parse_post

MOST_SCRIPTS = 20
SEED = Path(__file__).resolve().parents[1] / "content/posts/2023-03-06-pytorch-grammar-4.md"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--copies", type=int, default=20)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), options.copies, options.runs)


def measure(folder: Path, copies: int, runs: int) -> tuple[float, float]:
    """Print the times; return cold build / import torch, and scripts / cold build."""
    make_site(folder, copies)
    scripts = make_scripts(folder)
    imports, builds = [], []
    for _ in range(runs):
        imports.append(timed(lambda: run("-c", "import torch")))
        shutil.rmtree(folder / ".fencepost", ignore_errors=True)
        shutil.rmtree(folder / "output", ignore_errors=True)
        builds.append(timed(lambda: run("-m", "builder", "build", str(folder))))
    tried = scripts[:MOST_SCRIPTS]
    floor = timed(lambda: [run(str(script)) for script in tried]) * len(scripts) / len(tried)
    one_import, build = statistics.median(imports), statistics.median(builds)
    print(f"{'import torch':34}{one_import:8.2f} s")
    print(f"{f'cold build of {copies} posts':34}{build:8.2f} s   {build / one_import:6.2f} x import torch")
    print(f"{'share of it that is that import':34}{one_import / build:8.0%}")
    print(f"{f'{copies} scripts one by one':34}{floor:8.2f} s   {floor / build:6.1f} x the build")
    print(f"{'each further post':34}{(build - one_import) / copies * 1000:8.1f} ms")
    return build / one_import, floor / build


def make_site(folder: Path, copies: int) -> None:
    """Write the copies, each with its own first cell."""
    text = SEED.read_text(encoding="utf-8")
    assert text.count("a = a * 3") == 1
    (folder / "content").mkdir()
    for number in range(copies):
        changed = text.replace("a = a * 3", f"a = a * {number + 3}").replace(
            "title: Pytorch", f"title: {number}"
        )
        (folder / "content" / f"2023-03-06-copy-{number}.md").write_text(changed, encoding="utf-8")


def make_scripts(folder: Path) -> list[Path]:
    """Write each post's cells as a plain script."""
    config = read_config(folder)
    scripts = []
    for path in sorted((folder / "content").glob("*.md")):
        post, _ = parse_post(path.read_text(encoding="utf-8"), f"content/{path.name}", config, page=False)
        script = folder / f"{path.stem}.py"
        script.write_text("\n".join(cell.source for cell in post.cells), encoding="utf-8")
        scripts.append(script)
    return scripts


def run(*arguments: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    done = subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
