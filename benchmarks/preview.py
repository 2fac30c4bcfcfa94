"""The preview as an author has it: the command in a process of its own, and a real browser.

    python -m benchmarks.preview [--posts 1000] [--runs 20] [--saves 120] [--idle 30] [--no-browser]

Prints how long it takes from a save to the changed text in the open page, the same for the output of an edited
last cell behind a slow first one, for a hundred open pages to be told, requests a second, what an idle preview
does, and what saves leave behind. The site has been built before. Times are those of the machine with all else
that it does: the load is printed, too.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from websockets.asyncio.client import connect

from benchmarks import corpus
from builder.execute.processes import descendants

# Told by the page itself: when a text first stands in it, in milliseconds of the system's clock.
SEEN = """text => new Promise(done => {
  const look = () => {
    if (!document.body.textContent.includes(text)) return false;
    done(performance.timeOrigin + performance.now());
    return true;
  };
  if (look()) return;
  const watcher = new MutationObserver(() => look() && watcher.disconnect());
  watcher.observe(document.body, { childList: true, subtree: true, characterData: true });
})"""
SLOW = """---
title: Slow
permalink: /slow/
execute: {{eval: true}}
---
```python
import time
time.sleep({seconds})
x = 7
```

```python
print("product", x * {factor})
```
"""


HEAD = "---\ntitle: Edited\ndate: 2024-01-01\npermalink: /edited/\n---\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--posts", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--saves", type=int, default=120, help="one a second; an hour has 3600")
    parser.add_argument("--pause", type=float, default=1.0, help="seconds between two of them")
    parser.add_argument("--idle", type=float, default=30.0)
    parser.add_argument("--slow", type=float, default=5.0, help="seconds of the slow cell")
    parser.add_argument("--no-browser", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder) / "site"
        corpus.write(site, options.posts, unique=False)
        (site / "content/slow.md").write_text(SLOW.format(seconds=options.slow, factor=1))
        (site / "content/edited.md").write_text(_text(0))
        measure(site, options)


def measure(site: Path, options: argparse.Namespace) -> None:
    """Print all figures of one site."""
    load = ", ".join(f"{number:.1f}" for number in os.getloadavg())
    print(f"{options.posts} posts; {os.cpu_count()} cores, load {load}")
    subprocess.run([sys.executable, "-m", "builder", "build", str(site)], check=True, capture_output=True)
    started = time.perf_counter()
    with served(site) as preview:
        print(f"the first page: {time.perf_counter() - started:.1f} s after the start")
        preview.save(
            "slow.md", SLOW.format(seconds=options.slow, factor=-1)
        )  # its first run leaves checkpoints
        preview.until("/slow/", "product -7")
        if not options.no_browser:
            with browser() as page:
                edits(preview, page, options.runs)
                resumed(preview, page, options.runs, options.slow)
        else:
            edits(preview, None, options.runs)
        print(f"100 open pages told: {asyncio.run(told(preview)) * 1000:.0f} ms after the save")
        requests(preview)
        swaps(preview)
        idle(preview, options.idle)
        hour(preview, options.saves, options.pause)
        family = [preview.pid, *descendants(preview.pid)]
    left = [pid for pid in family if Path(f"/proc/{pid}").exists()]
    print(f"after Ctrl-C: {len(left)} of {len(family)} processes left")
    assert not left


@dataclass(frozen=True, slots=True)
class Preview:
    """A preview that runs in another process."""

    pid: int
    port: int
    site: Path

    def get(self, path: str) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with contextlib.closing(connection):
            connection.request("GET", path, headers={"Host": f"localhost:{self.port}"})
            return connection.getresponse().read().decode()

    def until(self, path: str, text: str) -> float:
        """Wait until a page shows a text; return the system's time then."""
        deadline = time.time() + 120
        while text not in self.get(path):
            assert time.time() < deadline, f"{path} never shows {text!r}"
            time.sleep(0.002)
        return time.time()

    def save(self, name: str, text: str) -> float:
        """Write a post as editors do, all at once; return the time before it."""
        path = self.site / "content" / name
        now = time.time()
        path.write_text(text)
        return now

    def cpu(self) -> float:
        """Return the CPU seconds that the command itself has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> float:
        """Return the MB of memory that are its own."""
        found = re.search(r"RssAnon:\s+(\d+)", Path(f"/proc/{self.pid}/status").read_text())
        assert found
        return int(found[1]) / 1024

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))


@contextlib.contextmanager
def served(site: Path) -> Iterator[Preview]:
    arguments = [sys.executable, "-m", "builder", "serve", str(site), "--port", "0"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as command:
        assert command.stdout is not None and command.stderr is not None
        threading.Thread(target=command.stderr.read, daemon=True).start()
        found = re.match(r"http://localhost:(\d+)/", command.stdout.readline())
        assert found
        try:
            yield Preview(command.pid, int(found[1]), site)
        finally:
            command.send_signal(signal.SIGINT)
            assert command.wait(30) == 0


@contextlib.contextmanager
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        running = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)
        yield running.new_page()
        running.close()


def edits(preview: Preview, page: Any, runs: int) -> None:
    """From a save of prose to the changed text."""
    times, cpu = [], preview.cpu()
    if page is not None:
        page.goto(f"http://localhost:{preview.port}/edited/")
    for number in range(1, runs + 1):
        time.sleep(0.7)
        text = f"Edit {number} of the benchmark."
        if page is None:
            saved = preview.save("edited.md", _text(number))
            times.append(preview.until("/edited/", text) - saved)
        else:
            page.evaluate(f"text => {{ window.seen = ({SEEN})(text) }}", text)
            saved = preview.save("edited.md", _text(number))
            times.append(page.evaluate("window.seen") / 1000 - saved)
    cost = (preview.cpu() - cpu) / runs
    print(
        f"prose, save to {'browser' if page else 'answer'}: {_spread(times)}; {cost * 1000:.0f} ms of CPU each"
    )
    nothing = statistics.median(_timed([sys.executable, "-c", "pass"]) for _ in range(5))
    print(f"  = {statistics.median(times) / nothing:.1f} x `python -c pass` in the same minute")


def resumed(preview: Preview, page: Any, runs: int, slow: float) -> None:
    """From a save of the last cell to its output, with a slow cell before it."""
    page.goto(f"http://localhost:{preview.port}/slow/")
    times = []
    for factor in range(2, runs + 2):
        time.sleep(0.7)
        page.evaluate(f"text => {{ window.seen = ({SEEN})(text) }}", f"product {7 * factor}\n")
        saved = preview.save("slow.md", SLOW.format(seconds=slow, factor=factor))
        times.append(page.evaluate("window.seen") / 1000 - saved)
    print(f"the last cell behind one of {slow:g} s, save to browser: {_spread(times)}")


async def told(preview: Preview) -> float:
    """Open a hundred pages; return after how many seconds the last is told of a save."""
    token = re.search(r'data-token="([^"]+)"', preview.get("/edited/"))
    assert token
    host = f"localhost:{preview.port}"
    address = f"ws://{host}/.fencepost/live?page=/edited/&token={token[1]}"
    async with contextlib.AsyncExitStack() as stack:
        sockets = [
            await stack.enter_async_context(connect(address, origin=f"http://{host}", proxy=None))  # type: ignore[arg-type]
            for _ in range(100)
        ]
        first = [json.loads(await socket.recv())["edition"] for socket in sockets]

        async def next_edition(socket: Any) -> float:
            await socket.recv()
            return time.time()

        await asyncio.sleep(1)
        waiting = [asyncio.ensure_future(next_edition(socket)) for socket in sockets]
        await asyncio.sleep(0)
        saved = preview.save("edited.md", _text(1000 + first[0]))
        return max(await asyncio.gather(*waiting)) - saved


def requests(preview: Preview, seconds: float = 3.0) -> None:
    """Ask for one page again and again on kept connections."""
    preview.save("edited.md", _text(0) + "\n\n" + "Words to fill a page with. " * 400)
    preview.until("/edited/", "to fill a page")
    time.sleep(1)
    size = len(preview.get("/edited/").encode())
    connection = http.client.HTTPConnection("127.0.0.1", preview.port, timeout=60)
    number, cpu, end = 0, preview.cpu(), time.perf_counter() + seconds
    while time.perf_counter() < end:
        connection.request("GET", "/edited/", headers={"Host": f"localhost:{preview.port}"})
        number += len(connection.getresponse().read()) == size
    connection.close()
    used = preview.cpu() - cpu
    print(
        f"a page of {size / 1024:.0f} KB: {number / seconds:.0f} a second, {number / used:.0f} for a second of CPU"
    )


def swaps(preview: Preview) -> None:
    """A thousand requests while fifty saves are swapped in."""
    end = threading.Event()

    def save() -> None:
        for number in range(50):
            preview.save("edited.md", HEAD + "\n\n".join([f"Swap {number}!"] * 40))
            time.sleep(0.05)
        end.set()

    saving = threading.Thread(target=save)
    saving.start()
    asked = mixed = 0
    while asked < 1000 or not end.is_set():
        mixed += len(set(re.findall(r"<p>Swap (\d+)!", preview.get("/edited/")))) > 1
        asked += 1
    saving.join()
    preview.until("/edited/", "<p>Swap 49!")
    print(f"{asked} requests during 50 saves: {mixed} mixed pages")
    assert not mixed


def idle(preview: Preview, seconds: float) -> None:
    """What an idle preview does: nothing."""
    time.sleep(2)
    before = preview.get("/.fencepost/live.js"), preview.cpu()
    edition = asyncio.run(_edition(preview))
    time.sleep(seconds)
    again = asyncio.run(_edition(preview))
    assert before
    print(f"{seconds:g} s idle: {again - edition} builds, {preview.cpu() - before[1]:.2f} s of CPU")
    assert again == edition


def hour(preview: Preview, saves: int, pause: float) -> None:
    """A save every second, each taken in."""
    warm = max(saves // 10, 5)
    for number in range(warm):
        preview.save("edited.md", _text(number + 5000))
        time.sleep(pause)
    preview.until("/edited/", f"Edit {warm - 1 + 5000} ")
    before = preview.memory(), preview.descriptors()
    for number in range(saves):
        preview.save("edited.md", _text(number))
        time.sleep(pause)
    preview.until("/edited/", f"Edit {saves - 1} ")
    time.sleep(1)
    grown = preview.memory() - before[0]
    print(
        f"{saves} saves: memory grew by {grown:.1f} MB, {preview.descriptors() - before[1]} more descriptors"
    )
    assert preview.descriptors() <= before[1] + 2


async def _edition(preview: Preview) -> int:
    token = re.search(r'data-token="([^"]+)"', preview.get("/edited/"))
    assert token
    host = f"localhost:{preview.port}"
    address = f"ws://{host}/.fencepost/live?page=/edited/&token={token[1]}"
    async with connect(address, origin=f"http://{host}", proxy=None) as socket:  # type: ignore[arg-type]
        return int(json.loads(await socket.recv())["edition"])


def _text(number: int) -> str:
    return f"{HEAD}Edit {number} of the benchmark.\n\nMore prose.\n"


def _timed(arguments: Sequence[str]) -> float:
    started = time.perf_counter()
    subprocess.run(arguments, check=True)
    return time.perf_counter() - started


def _spread(times: Sequence[float]) -> str:
    ordered = sorted(time * 1000 for time in times)
    return f"{statistics.median(ordered):.0f} ms (median of {len(ordered)}, {ordered[0]:.0f} to {ordered[-1]:.0f})"


if __name__ == "__main__":
    main()
