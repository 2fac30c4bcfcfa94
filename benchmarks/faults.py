"""The heavy rows of the fault matrix at full size, with their figures.

    python -m benchmarks.faults [NAME ...]

Each line says what was done to a build, whether it held, and what it cost. The same rows at a small size are in
tests/test_faults*.py.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from tests.conftest import TestSite
from tests.faulty import (
    MARK,
    assert_mended,
    killed,
    left_after,
    post,
    processes_of,
    steps_in,
)

ROOT = Path(__file__).resolve().parents[1]

TORCH = """
import torch
import matplotlib.pyplot as plt
x = torch.linspace(0, 1, 50, requires_grad=True)
(x * x).sum().backward()
plt.plot(x.detach(), x.grad)
plt.show()
print(x.grad[:3])
"""
ENDLESS_TORCH = "import torch\nx = torch.ones(400, 400)\nwhile True:\n    x = x @ x / x.norm()"
BUSY_FAMILY = """
import os
for k in range(10):
    if os.fork() == 0:
        os.setsid()
        os.fork()
        while True:
            pass
while True:
    pass
"""
# Two thousand processes: a bomb without an end would be other people's loss, should the limit fail.
BOMB = "import os, time\nfor _ in range(11):\n    os.fork()\ntime.sleep(100)"
# One call writes as much as the soft cap shows; a thousand of them a second are no rarity.
FLOOD = "import os\nblock = b'x' * 99 + b'\\n'\nwhile True:\n    os.write(1, block * 2600)"
GREEDY = "import torch\nkept = []\nwhile True:\n    kept.append(torch.ones(2**26))"


def site_with(folder: Path, text: str, config: str = "") -> TestSite:
    """A site with one post besides a healthy one."""
    site = TestSite(folder / "site")
    site.write(
        {
            "content/bad.md": text,
            "content/good.md": post("print('healthy', 6 * 7)"),
            "fencepost.toml": f"[execute]\n{config}\n",
        }
    )
    return site


def one_fault(source: str, words: str, config: str = "") -> Callable[[Path, str], str]:
    """A build with one faulty cell: it ends with 1, says `words`, leaves no process and a whole other post."""

    def run(folder: Path, mark: str) -> str:
        site = site_with(folder, post(source), config)
        ran = site.command("build", timeout=300)
        assert ran.status == 1, ran.err
        assert words in ran.err, ran.err
        assert processes_of(mark) == []
        assert "healthy 42" in site.html("good")
        return next(line for line in ran.err.splitlines() if words in line)

    return run


def sweep(folder: Path, mark: str) -> str:
    """How long does it take to end 21 busy processes in 11 sessions, when the build is killed?"""
    site = site_with(folder, post(BUSY_FAMILY))
    build = subprocess.Popen([sys.executable, "-m", "builder", "build", str(site.root)], cwd=ROOT)
    deadline = time.monotonic() + 60
    while len(processes_of(mark)) < 23 and time.monotonic() < deadline:
        time.sleep(0.05)
    count = len(processes_of(mark))
    build.send_signal(signal.SIGKILL)
    began = time.monotonic()
    left = left_after(mark, 10)
    assert left == []
    build.wait()
    return f"{count} processes gone {time.monotonic() - began:.2f} s after SIGKILL of the build"


def killed_at_every_step(folder: Path, mark: str) -> str:
    """A site of torch posts with figures, killed at each step of a build that changes, adds and removes."""
    original = TestSite(folder / "site")
    original.write({f"content/p{n}.md": post(TORCH.replace("50", str(50 + n))) for n in range(3)})
    original.write({"content/gone.md": post("1"), "content/a.txt": "a"})
    assert original.command("build").status == 0
    old = original.output()
    (original.root / "content/gone.md").unlink()
    original.write(
        {"content/p0.md": post(TORCH.replace("50", "77")), "content/new.md": post("2"), "content/a.txt": "b"}
    )
    ahead = TestSite(folder / "ahead")
    shutil.copytree(original.root, ahead.root)
    count = steps_in(killed(ahead, 0))
    new = ahead.output()
    for step in range(1, count + 1):
        site = TestSite(folder / "copy")
        shutil.copytree(original.root, site.root)
        assert_mended(site, step, mark, old, new)
        shutil.rmtree(site.root)
    return (
        f"{count} steps of a build: the old site or the new one each time, the next build finished each time"
    )


def damaged_builds(folder: Path, mark: str) -> str:
    """Every file of a cache cut at three places and flipped at three: a whole build after each."""
    site = TestSite(folder / "site")
    site.write(
        {f"content/p{n}.md": post(f"print({n})\n{TORCH}" if n == 0 else f"print({n})") for n in range(5)}
    )
    assert site.command("build").status == 0
    whole = site.output()
    builds = 0
    cache = site.root / ".fencepost" / "cache"
    for path in sorted(file for file in cache.rglob("*") if file.is_file()):
        content = path.read_bytes()
        for part in range(6):
            at = len(content) * (part % 3) // 3
            damaged = (
                content[:at] if part < 3 else content[:at] + bytes([content[at] ^ 4]) + content[at + 1 :]
            )
            path.write_bytes(damaged)
            (site.root / ".fencepost" / "state").unlink(missing_ok=True)
            ran = site.command("build")
            assert ran.status == 0, ran.err
            assert site.output() == whole, path
            builds += 1
    return f"{builds} builds with a damaged cache: 0 crashes, 0 wrong pages"


ROWS: dict[str, Callable[[Path, str], str]] = {
    "23 a torch loop that SIGINT does not end": one_fault(ENDLESS_TORCH, "limit of 3 s", "timeout = 3"),
    "25 all memory up to the default limit": one_fault(GREEDY, "the limit is 4 GiB"),
    "28 output as fast as it can be written": one_fault(FLOOD, "its limit of 16 MiB"),
    "30 busy processes": sweep,
    "38 killed at every step": killed_at_every_step,
    "41 a damaged cache": damaged_builds,
    "57 a fork bomb": one_fault(BOMB, "limit of 64 processes"),
}


def main(names: list[str]) -> None:
    for name, run in ROWS.items():
        if names and not any(wanted in name for wanted in names):
            continue
        mark = uuid4().hex
        os.environ[MARK] = mark
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            figure = run(Path(folder), mark)
            print(f"row {name}: {time.perf_counter() - began:.1f} s; {figure}", flush=True)
        assert left_after(mark) == []


if __name__ == "__main__":
    main(sys.argv[1:])
