"""Each benchmark at a small size: it fails on a wrong result, never on a time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PREVIEW = "--posts 12 --runs 2 --saves 3 --pause 0.1 --idle 0.5 --slow 0.2 --no-browser"
SMALL = [
    ("benchmarks.preview", *PREVIEW.split()),
    ("benchmarks.execution", "--copies", "2", "--runs", "1"),
    ("benchmarks.sites", "--posts", "60", "--runs", "1"),
    ("benchmarks.sites", "--posts", "60", "--runs", "1", "--unique", "--no-code"),
    ("benchmarks.publishing", "--pages", "20", "--kills", "2", "folder", "git"),
]


@pytest.mark.parametrize("arguments", SMALL, ids=" ".join)
def test_a_benchmark_runs_and_prints_its_ratios(arguments: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert " x " in done.stdout
