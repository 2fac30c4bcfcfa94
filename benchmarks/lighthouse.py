"""Lighthouse on a post of the example site, served from this machine by a real browser on this machine.

    (cd tests/browser && npm ci --ignore-scripts)
    python -m benchmarks.lighthouse [--page /py/pytorch-grammar-4/] [--runs 3] [--desktop]

Prints the scores and the figures of each run. The speeds are simulated: Lighthouse's slow phone, or its desktop.
Exit code 1 unless the middle run has 100 four times and no layout shift.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from builder.build import build
from builder.config import read_config
from tests.browser.serving import served

ROOT = Path(__file__).resolve().parents[1]
LIGHTHOUSE = ROOT / "tests/browser/node_modules/lighthouse/cli/index.js"
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
FIGURES = {
    "first-contentful-paint": "first paint",
    "largest-contentful-paint": "largest paint",
    "total-blocking-time": "blocked",
    "cumulative-layout-shift": "layout shift",
    "total-byte-weight": "bytes",
}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--page", default="/py/pytorch-grammar-4/")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--desktop", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        shutil.copytree(ROOT / "content", root / "content")
        shutil.copy(ROOT / "pyproject.toml", root)
        build(read_config(root, {}), 2)
        for address in served(root / "output"):
            results = [measure(address + options.page, desktop=options.desktop) for _ in range(options.runs)]
    for result in results:
        print(told(result))
    middle = sorted(results, key=lambda result: result["categories"]["performance"]["score"])[
        len(results) // 2
    ]
    perfect = all(middle["categories"][name]["score"] == 1 for name in CATEGORIES)
    return 0 if perfect and middle["audits"]["cumulative-layout-shift"]["numericValue"] == 0 else 1


def measure(address: str, *, desktop: bool) -> Mapping[str, Any]:
    """What Lighthouse says of a page."""
    command = [
        *("node", str(LIGHTHOUSE), address, "--output=json", "--quiet"),
        f"--only-categories={','.join(CATEGORIES)}",
        "--chrome-flags=--headless=new --no-sandbox --disable-dev-shm-usage",
        *(["--preset=desktop"] if desktop else []),
    ]
    environment = {**os.environ, "CHROME_PATH": shutil.which("chromium") or ""}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise SystemExit(done.stderr)
    result: Mapping[str, Any] = json.loads(done.stdout)
    return result


def told(result: Mapping[str, Any]) -> str:
    """One line: the scores, the figures, and the audits that cost points."""
    scores = " ".join(f"{name} {result['categories'][name]['score'] * 100:.0f}" for name in CATEGORIES)
    figures = " ".join(f"{name} {result['audits'][key]['displayValue']};" for key, name in FIGURES.items())
    weights = {
        ref["id"] for name in CATEGORIES for ref in result["categories"][name]["auditRefs"] if ref["weight"]
    }
    lost = [
        name
        for name in sorted(weights)
        if (result["audits"][name]["score"] or 1) < 1 or result["audits"][name]["score"] == 0
    ]
    return f"{scores} | {figures} {'below 1: ' + ', '.join(lost) if lost else ''}"


if __name__ == "__main__":
    sys.exit(main())
