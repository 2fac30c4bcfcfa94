"""All pages of the example site: valid, accessible, strict, and no link of theirs leads to nothing."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import package, required

PAGES = {
    "home": "/",
    "a list's second page": "/page/2/",
    "post": "/py/everything/",
    "post of the seed": "/py/pytorch-grammar-4/",
    "post in another language": "/second/",
    "page": "/about/",
    "tag": "/tags/dl/",
    "tags": "/tags/",
    "archives": "/archives/",
    "series": "/series/",
    "search": "/search/?q=grad",
    "not found": "/404.html",
}
SCHEMES = ("light", "dark")
# All that axe has but for what it calls experimental.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def visit(page: Page, address: str) -> None:
    """Open a page, and wait until it has shown all that it shows."""
    page.goto(address, wait_until="networkidle")


def violations(page: Page) -> list[str]:
    """What axe finds on a page: rule, where, and why."""
    page.evaluate(Path(package("axe-core/axe.min.js")).read_text(encoding="utf-8"))
    found = page.evaluate(
        "(rules) => axe.run(document, { runOnly: rules, resultTypes: ['violations'] })", RULES
    )
    return [
        f"{violation['id']}: {' '.join(map(str, node['target']))}: {node['failureSummary']}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("kind", PAGES)
def test_everybody_can_use_a_page(page: Page, example: str, kind: str, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    visit(page, example + PAGES[kind])
    assert violations(page) == []
    assert page.evaluate("violations") == []  # of its own policy, by the page


@pytest.mark.parametrize("scheme", SCHEMES)
def test_everybody_can_use_the_search(page: Page, example: str, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    visit(page, f"{example}/about/")
    page.keyboard.press("/")
    expect(page.get_by_role("combobox")).to_be_focused()
    page.keyboard.insert_text("grad")
    expect(page.get_by_role("option").first).to_be_visible()
    assert violations(page) == []
    assert page.evaluate("violations") == []


def html_files(folder: Path) -> dict[str, Path]:
    """Address -> file, of all pages."""
    files = sorted(folder.rglob("*.html"))
    return {f"/{file.relative_to(folder).as_posix()}".removesuffix("index.html"): file for file in files}


def test_a_page_keeps_to_its_policy_and_asks_nobody_else(
    page: Page, example: str, example_files: Path
) -> None:
    broken = {}
    for address in html_files(example_files):
        page.goto(example + address)
        if found := page.evaluate("window.violations"):
            broken[address] = found
    assert broken == {}  # and `page` looks at what was asked for, and at errors


def test_all_pages_are_valid(example_files: Path) -> None:
    java = required(shutil.which("java"), "Java")
    checker = package("vnu-jar/build/dist/vnu.jar")
    done = subprocess.run(
        [java, "-Xss4m", "-jar", checker, "--format", "json", "--skip-non-html", str(example_files)],
        capture_output=True,
        text=True,
        timeout=600,
    )
    messages = json.loads(done.stderr)["messages"]
    errors = {
        f"{urlsplit(message['url']).path.removeprefix(str(example_files))}:{message.get('lastLine')}: {message['message']}"
        for message in messages
        if (message["type"] != "info" or message.get("subType") == "warning")
        # The policy is that of a host, and not of files; the browser itself says where it is broken.
        and "Content Security Policy" not in message["message"]
    }
    assert errors == set()


class Links(HTMLParser):
    """The ids and the links of a page."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.ids.add(values.get("id", ""))
        self.links += [values[name] for name in ("href", "src", "poster", "action") if name in values]
        self.links += [part.split()[0] for part in values.get("srcset", "").split(",") if part.split()]
        if values.get("http-equiv", "").lower() == "refresh":
            self.links += re.findall(r"url=(.+)", values.get("content", ""))


def dead_links(folder: Path) -> Iterator[str]:
    """Every link of a page to this site that leads to no file, or to no id of it."""
    home = "https://example.org"
    pages = {address: Links(file) for address, file in html_files(folder).items()}
    for address, page in pages.items():
        for link in page.links:
            target = urlsplit(urljoin(home + address, link))
            if f"{target.scheme}://{target.netloc}" != home:
                continue
            path, name = unquote(target.path), unquote(target.fragment)
            if path not in pages and not (folder / path.lstrip("/")).is_file():
                yield f"{address}: {link}"
            elif name and path in pages and name not in pages[path].ids:
                yield f"{address}: {link} (no such id)"


def test_every_link_leads_somewhere(example_files: Path) -> None:
    assert sorted(dead_links(example_files)) == []


def test_a_dead_link_is_found(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(
        '<a href="/no/">a</a><a href="#no">b</a><a id="yes" href="/#yes">c</a>'
    )
    assert sorted(dead_links(tmp_path)) == ["/: #no (no such id)", "/: /no/"]
