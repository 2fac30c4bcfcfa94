"""What an author sees of a preview: the page follows, and nothing that they do in it is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.conftest import TestSite
from tests.previewing import Served, previewing

TEXT = (
    "---\ntitle: A\n---\n\n"
    + "\n\n".join(f"Paragraph {number}." for number in range(60))
    + "\n\n<details><summary>More</summary>\n\nFolded.\n\n</details>\n"
)
CELLS = """
```python
import os, time
for step in range(3):
    print("step", step, flush=True)
while not os.path.exists("gate"):
    time.sleep(0.01)
```

```python
print(1.5)
```
```
2.5
```
"""


@pytest.fixture
def preview(tmp_path: Path) -> Iterator[Served]:
    site = TestSite(tmp_path)
    site.write({"content/a.md": TEXT, "content/b.md": "Another post."})
    with previewing(site) as served:
        yield served


def write(preview: Served, text: str) -> None:
    (preview.preview.press.edition.site.config.root / "content/a.md").write_text(text)  # type: ignore[union-attr]


def address(preview: Served, path: str = "/a/") -> str:
    return f"http://127.0.0.1:{preview.port}{path}"


def test_a_save_is_swapped_in_and_all_else_stays(page: Page, preview: Served) -> None:
    page.goto(address(preview))
    page.locator("details summary").click()
    page.evaluate("window.kept = document.querySelector('.prose p')")
    page.evaluate("scrollTo({ top: 700, behavior: 'instant' })")
    page.evaluate("document.querySelector('.site-title').focus({ preventScroll: true })")
    write(preview, TEXT.replace("Paragraph 30.", "Paragraph thirty."))
    expect(page.get_by_text("Paragraph thirty.")).to_be_attached()
    assert page.evaluate("window.kept.isConnected")  # not a new page
    assert page.evaluate("scrollY") == 700
    assert page.evaluate("document.activeElement.className") == "site-title"
    expect(page.locator("details")).to_have_attribute("open", "")
    expect(page.get_by_text("Paragraph 29.")).to_be_attached()
    write(preview, TEXT.replace("title: A", "title: Renamed"))
    expect(page.locator("h1")).to_have_text("Renamed")
    expect(page).to_have_title("Renamed · Fencepost")


def test_what_scripts_have_made_of_the_root_stays(page: Page, preview: Served) -> None:
    page.add_init_script("localStorage.setItem('scheme', 'dark')")
    page.goto(address(preview))
    write(preview, TEXT.replace("Paragraph 30.", "Paragraph thirty."))
    expect(page.get_by_text("Paragraph thirty.")).to_be_attached()
    assert page.evaluate("document.documentElement.dataset.scheme") == "dark"
    expect(page.locator("button[data-scheme]")).to_be_visible()


def test_what_is_swapped_in_has_the_buttons_that_it_had_from_the_start(
    context: BrowserContext, page: Page, preview: Served
) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(address(preview))
    for code in (
        "print(1)",
        "print(2)",
        "\n".join(f"x{number} = {number}" for number in range(100)),
        "print(3)",
    ):
        write(preview, f"{TEXT}\n## Code\n\n```python {{eval=false}}\n{code}\n```\n")
        block = page.locator(".cell-code", has_text=code.split("\n")[-1])
        button = block.get_by_role("button", name="Copy")
        expect(button).to_have_count(1)
        block.hover()
        button.click()
        expect(block.get_by_role("status")).not_to_be_empty()
        assert page.evaluate("navigator.clipboard.readText()") == code
        expect(block.locator(".show-all")).to_have_count(int("\n" in code))


def test_twelve_tabs_of_one_browser_follow(context: BrowserContext, preview: Served) -> None:
    pages = [context.new_page() for _ in range(12)]
    for each in pages:
        each.goto(address(preview))
    write(preview, TEXT.replace("Paragraph 5.", "Paragraph five."))
    for each in pages:
        expect(each.get_by_text("Paragraph five.")).to_be_attached()


def test_a_training_loop_is_watched_and_drift_is_seen(page: Page, preview: Served, tmp_path: Path) -> None:
    page.goto(address(preview))
    write(preview, TEXT + CELLS)
    expect(page.locator("#cell-1 .cell-output")).to_contain_text("step 2")
    expect(page.locator("#cell-1.running")).to_be_attached()
    expect(page.locator("#cell-2.stale")).to_be_attached()
    (tmp_path / "content/gate").touch()
    expect(page.locator(".cell[aria-busy]")).to_have_count(0)
    expect(page.locator("#cell-2 .cell-output")).to_contain_text("1.5")
    page.locator("#cell-2 .preview-drift summary").click()
    expect(page.locator("#cell-2 .preview-drift del")).to_be_visible()


def test_a_running_cell_has_a_button_that_stops_it(page: Page, preview: Served) -> None:
    page.goto(address(preview))
    write(preview, TEXT + CELLS)
    page.locator("#cell-1 .preview-stop").click()
    expect(page.locator("#cell-1 .preview-error")).to_contain_text("stopped by hand")
    expect(page.locator("#cell-2 .cell-output")).to_contain_text("1.5")


def test_an_error_lies_over_the_page_until_it_is_mended(page: Page, preview: Served) -> None:
    page.goto(address(preview))
    write(preview, "---\ntitle: [\n---\n")
    expect(page.locator(".preview-troubles")).to_contain_text("content/a.md:")
    expect(page.get_by_text("Paragraph 7.")).to_be_attached()
    write(preview, TEXT)
    expect(page.locator(".preview-troubles")).to_have_count(0)
