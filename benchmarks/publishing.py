"""Publishing to real places: what it costs, and what of it is left when it is killed.

    python -m benchmarks.publishing [--pages N] [--kills N] [TARGET ...]

A site of so many pages is published to a folder, a bare git repository, through rsync, and to a server of S3 on
this machine; then once more, and with one page in a hundred changed. Then each publish is killed at a random
moment, by SIGKILL, the host is looked at (each page is the old one or the new one, whole), and the next publish
mends it.
Times are ratios to copying the same files with `shutil.copytree`.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import TestSite
from tests.publishing import Place, lay_out, publish

ROOT = Path(__file__).resolve().parents[1]
TARGETS = ("folder", "git", "rsync", "s3")


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--pages", type=int, default=1000)
    arguments.add_argument("--kills", type=int, default=20)
    arguments.add_argument("targets", nargs="*", default=TARGETS)
    options = arguments.parse_args()
    for kind in options.targets:
        if kind == "rsync" and shutil.which("rsync") is None:
            print("rsync is not installed")
            continue
        with tempfile.TemporaryDirectory(prefix="fencepost-") as folder, server(kind) as endpoint:
            measure(kind, Path(folder), endpoint, options.pages, options.kills)


def measure(kind: str, folder: Path, endpoint: str, pages: int, kills: int) -> None:
    """Print the figures of one kind of target. Raises AssertionError if anything is lost."""
    place = Place(kind, Path("/blog/host") if kind == "s3" else folder / "blog" / "host", endpoint)
    site = TestSite(folder / "site")
    site.write({"fencepost.toml": f"[publish.host]\n{place.config}\n", "content/.keep": ""})
    versions = [version(pages, k) for k in range(3)]

    lay_out(site, versions[0])
    copied = seconds(lambda: shutil.copytree(site.root / "output", folder / "copy"))
    first = seconds(lambda: publish(site))
    again = seconds(lambda: publish(site))
    assert publish(site).plan.empty
    lay_out(site, {**versions[0], **dict(list(versions[1].items())[: pages // 100 or 1])})
    some = seconds(lambda: publish(site))
    print(
        f"{kind}: {pages} pages: first {first / copied:.1f} x a copy, nothing to do {again / copied:.1f} x, "
        f"one page in a hundred {some / copied:.1f} x"
    )

    chance, cut, old = random.Random(kind), 0, versions[2]
    lay_out(site, old)
    whole = seconds(lambda: run(site).wait())
    for number in range(kills):
        new = versions[number % 2]
        lay_out(site, new)
        process = run(site)
        delay = chance.uniform(0.1, 1) * whole
        time.sleep(delay)
        process.kill()
        if process.wait() == 0:
            whole = min(whole, delay)  # it takes less: the next one is to be killed within it
        else:
            cut += 1
        settle(process.pid)
        there = place.read()
        for path in old.keys() | new.keys():
            assert there.get(path) in {old.get(path), new.get(path)}, f"{path} is torn after kill {number}"
        publish(site)
        assert place.read() == new, f"not mended after kill {number}"
        old = new
    found = f"{cut} of them within a publish: {kills} x whole, {kills} x mended"
    print(f"{kind}: {kills} kills at random moments, {found}")


def version(pages: int, k: int) -> dict[str, bytes]:
    """A site in which most pages differ from those of another k."""
    text = f"<p>version {k}</p>\n".encode()
    files = {f"posts/{n}/index.html": b"%d " % n + text * 300 for n in range(pages)}
    files["index.html"] = text
    files[f"assets/style.{k:010}.css"] = text
    return files


def run(site: TestSite) -> subprocess.Popen[bytes]:
    """The real command, in a process of its own."""
    command = [sys.executable, "-m", "builder", "publish", "--allow", "stale", "--site", str(site.root)]
    silent = subprocess.DEVNULL
    return subprocess.Popen(command, cwd=ROOT, stdout=silent, stderr=silent, start_new_session=True)


def settle(session: int) -> None:
    """Wait for what a killed publish had started (git, rsync) to end."""
    while any(_session(stat) == session for stat in Path("/proc").glob("[0-9]*/stat")):
        time.sleep(0.01)


def _session(stat: Path) -> int:
    try:
        state, _, _, session = stat.read_text().rpartition(")")[2].split()[:4]
        return 0 if state == "Z" else int(session)
    except (OSError, ValueError):
        return 0


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


@contextmanager
def server(kind: str) -> Iterator[str]:
    """The address of a server of S3 with an empty bucket, where one is needed."""
    if kind != "s3":
        yield ""
        return
    import logging

    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    for name, value in (
        ("ACCESS_KEY_ID", "key"),
        ("SECRET_ACCESS_KEY", "secret-key"),
        ("DEFAULT_REGION", "us-east-1"),
    ):
        os.environ[f"AWS_{name}"] = value
    running = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    import boto3

    client = boto3.client("s3", endpoint_url=f"http://{host}:{port}")
    client.create_bucket(Bucket="blog")
    try:
        yield f"http://{host}:{port}"
    finally:
        running.stop()


if __name__ == "__main__":
    main()
