"""Comments, analytics and an author's own scripts, under the policy of their pages. Other hosts are played here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from builder.build import build
from builder.config import read_config
from tests.browser.serving import served

POST = """\
---
title: Own
---
Words

<p id="red" style="color: rgb(255, 0, 0)">red</p>
<button id="mine" onclick="this.textContent = 'ran'">run</button>
<style>#green { color: rgb(0, 128, 0) }</style>
<p id="green">green</p>
<script>document.title = "script ran"</script>
<img id="picture" alt="" width="1" height="1" src="https://pictures.example/x.svg">
"""
# As giscus.app does: a style sheet of its own, and a frame in the place that is there for it.
GISCUS = """
const link = document.createElement("link");
link.rel = "stylesheet";
link.href = "https://giscus.app/default.css";
document.head.append(link);
const frame = document.createElement("iframe");
frame.className = "giscus-frame";
frame.src = "https://giscus.app/widget?" + new URLSearchParams(document.currentScript.dataset);
document.querySelector(".giscus").append(frame);
"""
FRAME = """<script>
addEventListener("message", (event) => { document.body.textContent = JSON.stringify(event.data) });
parent.postMessage({ type: "resize", height: 321 }, "*");
</script><body>"""
CONFIGURATIONS = {
    "giscus": 'provider = "giscus"\nrepository = "me/notes"\nrepository_id = "R_1"\ncategory = "Talk"\ncategory_id = "C_1"',
    "utterances": 'provider = "utterances"\nrepository = "me/notes"\nlabel = "talk"',
    "disqus": 'provider = "disqus"\nshortname = "notes"',
}


def play(route: Route) -> None:
    """Be every other host."""
    address = urlsplit(route.request.url)
    if address.hostname == "127.0.0.1":
        route.continue_()
    elif address.path == "/client.js":
        route.fulfill(
            body=GISCUS, content_type="text/javascript", headers={"Access-Control-Allow-Origin": "*"}
        )
    elif address.path.endswith((".js", "/js")):
        route.fulfill(body="window.loaded = true", content_type="text/javascript")
    elif address.path.endswith(".css"):
        route.fulfill(body="", content_type="text/css")
    elif address.path.endswith(".svg"):
        route.fulfill(body='<svg xmlns="http://www.w3.org/2000/svg"/>', content_type="image/svg+xml")
    else:
        route.fulfill(body=FRAME, content_type="text/html")


@pytest.fixture
def visitor(context: BrowserContext) -> Page:
    page = context.new_page()
    page.route("**/*", play)
    return page


def site(root: Path, config: str) -> Iterator[str]:
    (root / "content").mkdir()
    (root / "content/own.md").write_text(POST, encoding="utf-8")
    (root / "content/plain.md").write_text("---\ntitle: Plain\n---\nWords\n", encoding="utf-8")
    (root / "fencepost.toml").write_text(config, encoding="utf-8")
    assert [
        problem for problem in build(read_config(root, {}), 1).report.problems if problem.level != "note"
    ] == []
    yield from served(root / "output")


def wait_until(page: Page, expression: str) -> None:
    """Wait until an expression holds. (`wait_for_function` would need `eval`, which the policy forbids.)"""
    for _ in range(600):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    raise AssertionError(expression)


def violations(page: Page) -> list[str]:
    found: list[str] = page.evaluate("window.violations")
    return found


def test_what_is_the_authors_own_runs_and_what_is_not_does_not(tmp_path: Path, visitor: Page) -> None:
    for address in site(tmp_path, 'title = "x"\n'):
        visitor.goto(f"{address}/own/")
        assert visitor.title() == "script ran"
        expect(visitor.locator("#red")).to_have_css("color", "rgb(255, 0, 0)")
        expect(visitor.locator("#green")).to_have_css("color", "rgb(0, 128, 0)")
        visitor.locator("#mine").click()
        expect(visitor.locator("#mine")).to_have_text("ran")
        assert visitor.locator("#picture").evaluate("image => image.decode().then(() => true)")
        assert violations(visitor) == []
        visitor.evaluate(
            "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.hacked = 1\">')"
        )
        wait_until(visitor, "window.violations.length > 0")
        visitor.evaluate(
            "document.body.append(Object.assign(document.createElement('script'), {text: 'window.hacked = 1'}))"
        )
        visitor.evaluate(
            "document.body.append(Object.assign(document.createElement('img'), {src: 'https://other.example/x.svg'}))"
        )
        wait_until(visitor, "window.violations.length > 2")
        assert visitor.evaluate("window.hacked") is None


@pytest.mark.parametrize("provider", CONFIGURATIONS)
def test_comments_are_asked_for_when_a_reader_comes_near(
    provider: str, tmp_path: Path, visitor: Page
) -> None:
    asked: list[str] = []
    visitor.on("request", lambda request: asked.append(request.url))
    visitor.set_viewport_size({"width": 800, "height": 300})
    long = "Words\n\n" * 400
    for address in site(tmp_path, f"[comments]\n{CONFIGURATIONS[provider]}\n"):
        (tmp_path / "content/long.md").write_text(f"---\ntitle: Long\n---\n{long}", encoding="utf-8")
        build(read_config(tmp_path, {}), 1)
        visitor.goto(f"{address}/long/", wait_until="load")
        assert all(url.startswith(address) for url in asked), asked
        visitor.locator(".comments-place").scroll_into_view_if_needed()
        if provider == "disqus":
            wait_until(visitor, "window.loaded")
            assert "https://notes.disqus.com/embed.js" in asked
        else:
            frame = visitor.locator(".comments-place iframe")
            expect(frame).to_be_attached()
            query = parse_qs(urlsplit(frame.get_attribute("src") or "").query)
            assert "me/notes" in (query["repo"])
            body = visitor.frame_locator(".comments-place iframe").locator("body")
            expect(body).to_be_attached()
            visitor.evaluate("document.documentElement.dataset.scheme = 'dark'")
            expect(body).to_contain_text("dark")
        if provider == "utterances":
            expect(visitor.locator(".comments-place iframe")).to_have_attribute("height", "321")
        assert violations(visitor) == []


@pytest.mark.parametrize(
    ("config", "script"),
    [
        ('provider = "plausible"\nid = "example.org"', "https://plausible.io/js/script.js"),
        ('provider = "goatcounter"\nid = "notes"', "https://gc.zgo.at/count.js"),
        ('provider = "google"\nid = "G-ABC1"', "https://www.googletagmanager.com/gtag/js?id=G-ABC1"),
    ],
)
def test_analytics_load_just_their_script(config: str, script: str, tmp_path: Path, visitor: Page) -> None:
    asked: list[str] = []
    visitor.on("request", lambda request: asked.append(request.url))
    for address in site(tmp_path, f"[analytics]\n{config}\n"):
        visitor.goto(f"{address}/plain/")
        wait_until(visitor, "window.loaded")
        assert [url for url in asked if not url.startswith(address)] == [script]
        assert violations(visitor) == []
