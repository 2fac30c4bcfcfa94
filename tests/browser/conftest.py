"""A browser on real sites, served from this machine.

    example     the address of the example site, with one more post that shows all that a post can show
    library     that of a small blog for the search
    page        a new page, in which errors, requests to other hosts and broken policies are noted

Chromium is Debian's. Where there is none, these tests are left out, but not for root or in CI, who can have it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from builder.build import build
from builder.config import read_config
from tests.browser import everything, library
from tests.browser.serving import served

ROOT = Path(__file__).resolve().parents[2]
MODULES = Path(__file__).parent / "node_modules"
PATIENCE = 90_000  # ms, on a machine that has much else to do
# Written into every page before anything else, and read by `Seen.violations`.
WATCH = "window.violations = []; addEventListener('securitypolicyviolation', (event) => violations.push(`${event.violatedDirective}: ${event.blockedURI}`))"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests with a browser run in one process, which starts it once."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("browser"))


def required(path: str | None, what: str) -> str:
    """The path of a program or file; where it is missing, the test is left out, or fails where it may not be."""
    if path and os.path.exists(path):
        return path
    message = f"there is no {what}: `make browser` as root installs it"
    if os.geteuid() == 0 or os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


def package(path: str) -> str:
    """A file of an npm package."""
    return required(str(MODULES / path), path.split("/")[0])


@dataclass
class Seen:
    """What a page did that it should not: see `page`."""

    host: str
    errors: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)


expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = required(shutil.which("chromium"), "Chromium")
    with sync_playwright() as playwright:
        # In a container, root has no sandbox and little shared memory.
        arguments = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        running = playwright.chromium.launch(executable_path=program, args=arguments, timeout=120_000)
        yield running
        running.close()


@pytest.fixture(scope="session")
def example_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder of the example site with one more post."""
    root = tmp_path_factory.mktemp("example")
    shutil.copytree(ROOT / "content", root / "content")
    for name, content in everything.FILES.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    report = build(read_config(root, {}), 2).report
    assert report.problems == ()
    return root / "output"


@pytest.fixture(scope="session")
def example(example_files: Path) -> Iterator[str]:
    yield from served(example_files)


@pytest.fixture(scope="session")
def library_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    root = tmp_path_factory.mktemp("library")
    for name, content in library.FILES.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
    assert build(read_config(root, {}), 2).report.problems == ()
    yield from served(root / "output")


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(viewport={"width": 1280, "height": 900}, locale="ko-KR")
    made.set_default_timeout(PATIENCE)
    made.add_init_script(WATCH)
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page; when the test ends, it must have raised no error, and asked no other host for anything."""
    opened = context.new_page()
    errors: list[str] = []
    asked: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    opened.on("request", lambda request: asked.append(request.url))
    yield opened
    assert [error for error in errors if "404" not in error] == []
    assert [url for url in asked if not url.startswith(("http://127.0.0.1:", "data:", "blob:"))] == []
