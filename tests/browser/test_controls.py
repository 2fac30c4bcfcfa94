"""What the theme's script adds to a page, used as readers use it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

POST = "/py/everything/"


def scheme_button(page: Page) -> Locator:
    return page.locator("button[data-scheme]")


def ground(page: Page) -> str:
    return page.evaluate("getComputedStyle(document.body).backgroundColor")  # type: ignore[no-any-return]


def test_the_colour_scheme_is_chosen_and_kept(page: Page, example: str) -> None:
    page.emulate_media(color_scheme="light")
    page.goto(example + POST)
    light = ground(page)
    scheme_button(page).focus()
    page.keyboard.press("Enter")  # automatic -> light
    assert ground(page) == light
    expect(scheme_button(page)).to_have_attribute("aria-label", re.compile("밝"))
    page.keyboard.press("Space")  # -> dark
    expect(scheme_button(page)).to_have_attribute("aria-label", re.compile("어둡"))
    dark = ground(page)
    assert dark != light
    page.reload()
    assert ground(page) == dark
    page.goto(f"{example}/about/")
    assert ground(page) == dark
    scheme_button(page).click()  # -> automatic
    assert ground(page) == light
    page.emulate_media(color_scheme="dark")
    assert ground(page) == dark


def test_a_chosen_scheme_is_there_before_anything_is_painted(page: Page, example: str) -> None:
    page.emulate_media(color_scheme="light")
    page.goto(example + POST)
    scheme_button(page).click()
    scheme_button(page).click()
    dark = ground(page)
    # When the first element of the body is there, nothing has been painted yet.
    page.add_init_script(
        """new MutationObserver((_, observer) => {
          if (!document.body) return;
          window.first = document.documentElement.dataset.scheme;
          observer.disconnect();
        }).observe(document, { childList: true, subtree: true })"""
    )
    page.reload()
    assert page.evaluate("window.first") == "dark"
    assert ground(page) == dark


def test_the_contents_follow_the_reader(page: Page, example: str) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(example + POST)
    current = page.locator("details.toc [aria-current]")
    for name in ("수식과 그림", "코드", "끝"):
        page.locator(f"h2:has-text('{name}')").evaluate(
            "(heading) => heading.scrollIntoView({ block: 'start', behavior: 'instant' })"
        )
        expect(current).to_have_text(name)
    page.locator("details.toc a", has_text="출력").click()
    expect(current).to_have_text("출력")
    expect(page).to_have_url(re.compile("#%EC%B6%9C%EB%A0%A5$"))


def test_the_contents_fold_on_a_phone(page: Page, example: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(example + POST)
    link = page.locator("details.toc a", has_text="수식과 그림")
    expect(link).to_be_hidden()
    page.locator("details.toc > summary").focus()
    page.keyboard.press("Enter")
    expect(link).to_be_visible()
    link.click()
    expect(link).to_be_hidden()
    expect(page.locator("h2", has_text="수식과 그림")).to_be_in_viewport()


@pytest.mark.parametrize("how", ["mouse", "keyboard"])
def test_code_is_copied_without_prompts(context: BrowserContext, page: Page, example: str, how: str) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(example + POST)
    block = page.locator(":has(> pre > code.language-console)").last
    button = block.get_by_role("button", name="복사")
    if how == "mouse":
        block.hover()
        button.click()
    else:
        button.focus()
        page.keyboard.press("Enter")
    expect(block.get_by_role("status")).not_to_be_empty()
    assert page.evaluate("navigator.clipboard.readText()") == 'python -c "print(1)"'


def test_numbered_code_is_copied_without_its_numbers(
    context: BrowserContext, page: Page, example: str
) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(example + POST)
    page.locator("#cell-1").get_by_role("button", name="복사").click()
    copied: Any = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("class Model:\n    def __init__(self, width):\n        self.width = width\n\n")


def test_folded_code_unfolds(page: Page, example: str) -> None:
    page.goto(example + POST)
    fold = page.locator("#cell-2 details.fold")
    code = fold.locator("pre")
    expect(code).to_be_hidden()
    fold.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(code).to_be_visible()
    fold.locator("summary").click()
    expect(code).to_be_hidden()


@pytest.mark.parametrize("place", ["#cell-3 .cell-code", "#cell-4 .cell-output"])
def test_a_long_text_is_shown_whole_on_demand(page: Page, example: str, place: str) -> None:
    page.goto(example + POST)
    pre = page.locator(f"{place} pre")
    button = page.locator(f"{place} button.show-all")
    scrolls = "(pre) => pre.scrollHeight > pre.clientHeight + 1"
    assert pre.evaluate(scrolls)
    expect(button).to_have_attribute("aria-expanded", "false")
    button.click()
    expect(button).to_have_attribute("aria-expanded", "true")
    assert not pre.evaluate(scrolls)
    page.keyboard.press("Enter")  # the focus is still on it
    expect(button).to_have_attribute("aria-expanded", "false")
    assert pre.evaluate(scrolls)


def test_tabs_by_mouse_and_by_arrow_keys(page: Page, example: str) -> None:
    page.goto(example + POST)
    tabs = page.locator(".tabs")
    first, second = tabs.locator("pre", has_text="torch.ones"), tabs.locator("pre", has_text="np.ones")
    expect(first).to_be_visible()
    expect(second).to_be_hidden()
    tabs.get_by_text("NumPy", exact=True).click()
    expect(second).to_be_visible()
    expect(first).to_be_hidden()
    tabs.get_by_role("radio", name="NumPy").focus()
    page.keyboard.press("ArrowLeft")
    expect(first).to_be_visible()


def test_a_wide_output_scrolls_in_its_frame(page: Page, example: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(example + POST)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator("#cell-5 .cell-output pre").evaluate("(pre) => pre.scrollWidth > pre.clientWidth")


def test_a_video_asks_its_host_for_nothing_before_it_is_started(
    context: BrowserContext, page: Page, example: str
) -> None:
    asked: list[str] = []

    def answer(route: Any) -> None:
        asked.append(route.request.url)
        route.fulfill(body="<p>player</p>", content_type="text/html")

    own = context.new_page()  # `page` is the one that must ask no other host
    own.route(lambda url: not url.startswith(example), answer)
    own.goto(example + POST, wait_until="networkidle")
    assert asked == []
    own.locator("button[data-frame]").focus()
    own.keyboard.press("Enter")
    expect(own.frame_locator(".video iframe").get_by_text("player")).to_be_visible()
    assert [url.split("?")[0] for url in asked] == ["https://www.youtube-nocookie.com/embed/aqz-KE-bpKQ"]
    assert own.evaluate("violations") == []


def test_the_first_tab_stop_skips_to_the_text(page: Page, example: str) -> None:
    page.goto(example + POST)
    page.keyboard.press("Tab")
    expect(page.locator("a.skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_on_a_phone_the_button_that_copies_lies_over_no_code(browser: Any, example: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(example + POST)
    expect(page.locator(".copy").first).to_be_visible()
    over = page.evaluate(
        """() => [...document.querySelectorAll(".copy")].filter((copy) => {
          const code = copy.parentElement.querySelector("pre.highlight code");
          const [a, b] = [copy.getBoundingClientRect(), code.getBoundingClientRect()];
          return code.checkVisibility() && a.bottom > b.top;
        }).map((copy) => copy.parentElement.textContent)"""
    )
    assert over == []
    assert page.locator(".copy").count() > 5
    context.close()
