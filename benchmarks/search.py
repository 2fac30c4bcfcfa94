"""What a first query of the search loads, in a real browser, on a site of 1,000 posts or on any other.

    python -m benchmarks.search [--site OUTPUT] [QUERY...]

Prints, for each query, how many files a reader's browser loads from the key that opens the search to the
results, their bytes as they are and compressed, and the time it took here.
"""

from __future__ import annotations

import argparse
import gzip
import shutil
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, Response, sync_playwright

from benchmarks import corpus
from builder.build import build
from builder.config import read_config
from tests.browser.serving import served

QUERIES = ("미분", "텐서", "손실 함수", "학습률이", "ㄱㅇㄱ", "requires_grad", "backward", "torch.no_grad()")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("queries", nargs="*", metavar="QUERY")
    parser.add_argument("--site", type=Path, metavar="OUTPUT", help="the output folder of a site")
    parser.add_argument("--posts", type=int, default=1000)
    options = parser.parse_args()
    queries = options.queries or QUERIES
    if options.site:
        measure(options.site, queries)
        return
    with tempfile.TemporaryDirectory() as folder:
        corpus.write(Path(folder), options.posts, unique=True)
        build(read_config(Path(folder), {}), 2)
        measure(Path(folder) / "output", queries)


def measure(output: Path, queries: tuple[str, ...]) -> None:
    """Print what each query loads."""
    program = shutil.which("chromium")
    for address in served(output):
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
            for query in queries:
                print(first_query(browser, address, query))
            browser.close()


def first_query(browser: Browser, address: str, query: str) -> str:
    """One line about a query of a reader who was never here before."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{address}/404.html", wait_until="networkidle")
    loaded: list[Response] = []
    page.on("response", lambda response: loaded.append(response))
    started = time.perf_counter()
    page.keyboard.press("/")
    page.locator("dialog input").fill(query)
    page.locator("dialog [role=status]:not(:empty)").wait_for()
    seconds = time.perf_counter() - started
    bodies = [response.body() for response in loaded]
    plain = sum(map(len, bodies)) / 1000
    compressed = sum(len(gzip.compress(body)) for body in bodies) / 1000
    told = page.locator("dialog [role=status]").inner_text()
    context.close()
    return (
        f"{query:18}{len(bodies):4} files {plain:7.1f} KB, {compressed:6.1f} KB compressed"
        f" {seconds * 1000:6.0f} ms  {told}"
    )


if __name__ == "__main__":
    main()
