"""The search, as readers use it: what it finds, and by which keys."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import pytest
from playwright.sync_api import Page, expect

POSTS = frozenset(
    [
        "autograd",
        "tensors",
        "descent",
        "convolution",
        "loader",
        "attention",
        "broadcasting",
        "inference",
        "branches",
        "jeju",
        "about",
    ]
)

# query -> (posts that it must find, the first of them first where it begins with ">"; none that is not named)
KOREAN = {
    "미분": "autograd",
    "자동미분": "autograd",
    "자동미": "autograd",  # while it is being typed
    "자동밉": "autograd",  # 미부 on the way to 미분
    "자도": "autograd",
    "텐서": "> tensors autograd inference",
    "텐서의": "tensors",
    "기울기": "> inference autograd",
    "역전파": "autograd",
    "경사하강법": "descent",
    "학습률": "descent",
    "손실 함수": "descent",
    "합성곱": "convolution",
    "정규화": "convolution",
    "값": "inference descent convolution autograd jeju",
    "ㅈㄷㅁㅂ": "autograd",
    "ㄱㅅㅎㄱㅂ": "descent",
    "ㅈㅍㄹ": "autograd",  # in 역전파를
    "ㅈㅈㄷ ㅇㅎ": "jeju",
    "여행": "> jeju about",
    "브랜치 이슈": "branches",
    "억새가": "jeju",
    "순방향모드": "autograd",  # 순방향 모드
    "순방향모": "autograd",
    "배치정규": "convolution",  # 배치 정규화
    "배치정규화를": "",
    "자동 미분": "autograd",  # 자동미분
    "없는낱말": "",
}
ENGLISH = {
    "requires_grad": "autograd",
    "backward": "autograd descent",
    ".backward()": "autograd descent",
    "zero_grad": "autograd",
    "no_grad": "inference",
    "torch.no_grad()": "inference",
    "BatchNorm2d": "convolution",
    "norm2d": "convolution",
    "conv2": "convolution",
    "DataLoader": "loader",
    "dataload": "loader",
    "num_workers=2": "loader",
    "scaled_dot_product": "attention",
    "softmax": "attention",
    "RuntimeError": "broadcasting",
    "singleton dimension": "broadcasting",
    "KEEPDIM": "broadcasting",
    "lr=0.01": "descent",
    "0.0371": "descent",
    "torch.int64": "tensors",
    "git branch": "branches",
    "1875": "loader",
    "torch 기울기": "inference autograd",
    "epoch 브랜치": "",
    "propagandistic": "",
}


@pytest.fixture(scope="module")
def searching(browser: Any, library_address: str) -> Any:
    """A page that has the script of the search at hand."""
    page = browser.new_page()
    page.goto(f"{library_address}/search/")
    expect(page.get_by_role("combobox")).to_be_focused()  # both scripts are there
    scripts = page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
    script = next(name for name in scripts if "search-index" in name)
    page.evaluate("async (script) => { window.search = await import(script); }", script)
    yield page
    page.close()


def find(page: Page, query: str) -> list[dict[str, Any]]:
    """What is shown for a query, all of it."""
    return page.evaluate(  # type: ignore[no-any-return]
        """async (query) => {
          const words = search.parse(query);
          const index = await search.Index.open("/search/");
          const places = await index.find(words);
          return (await Promise.all(places.map((place) => index.show(place, words)))).filter(Boolean);
        }""",
        query,
    )


@pytest.mark.parametrize("query", [*KOREAN, *ENGLISH])
def test_what_a_query_finds(searching: Page, query: str) -> None:
    wanted = {**KOREAN, **ENGLISH}[query].split()
    found = [hit["url"].split("/")[1] for hit in find(searching, query)]
    assert set(found) == set(wanted) - {">"}
    assert len(found) == len(set(found))
    if wanted[:1] == [">"]:
        assert found[0] == wanted[1]
    assert set(found) <= POSTS


@pytest.mark.parametrize("query", ["미분", "자동 미분", "ㅈㄷㅁㅂ"])
def test_a_decomposed_query_is_the_same(searching: Page, query: str) -> None:
    assert find(searching, unicodedata.normalize("NFD", query)) == find(searching, query)


SHOWN = {
    # query -> (address, heading, sentence with its hits in brackets)
    "zero_grad": ("/autograd/#기울기-누적", "기울기 누적", "그래서 [zero_grad]()를 부른다."),
    "lr=0.01": (
        "/descent/#학습률-고르기",
        "학습률 고르기",
        "여기에서는 [lr=0.01]이다.",
    ),
    "파이토치는 거꾸로": (
        "/autograd/",
        "",
        "[파이토치는] 연산을 기록해 두었다가 [거꾸로] 따라가며 기울기를 구한다.",
    ),
    "배치 정규": (
        "/convolution/#배치-정규화",
        "[배치] [정규]화",
        "BatchNorm2d는 채널마다 평균과 분산을 맞춘다.",
    ),
}


@pytest.mark.parametrize("query", SHOWN)
def test_a_hit_is_shown_in_its_sentence_under_its_heading(searching: Page, query: str) -> None:
    first = find(searching, query)[0]
    shown = [
        "".join(f"[{text}]" if is_hit else text for text, is_hit in first[name])
        for name in ("heading", "excerpt")
    ]
    address = searching.evaluate("decodeURIComponent", first["url"])
    assert (address, *shown) == SHOWN[query]


def dialog(page: Page) -> Any:
    return page.get_by_role("dialog")


def open_by_key(page: Page) -> None:
    page.keyboard.press("/")
    expect(dialog(page).get_by_role("combobox")).to_be_focused()


@pytest.mark.parametrize("key", ["/", "Control+k", "Meta+k"])
def test_a_key_opens_it_and_escape_gives_the_focus_back(page: Page, library_address: str, key: str) -> None:
    page.goto(f"{library_address}/tensors/")
    link = page.get_by_role("banner").get_by_role("link").first
    link.focus()
    page.keyboard.press(key)
    field = dialog(page).get_by_role("combobox")
    expect(field).to_be_focused()
    expect(field).to_have_value("")
    page.keyboard.press("Escape")
    expect(dialog(page)).to_be_hidden()
    expect(link).to_be_focused()


@pytest.mark.parametrize("key", ["/", "Control+k"])
def test_what_is_typed_before_the_script_is_there_is_kept(page: Page, library_address: str, key: str) -> None:
    held: list[Any] = []
    is_slow = True
    page.route("**/search*.js", lambda route: held.append(route) if is_slow else route.continue_())
    page.goto(f"{library_address}/tensors/")
    page.keyboard.press(key)
    page.keyboard.type("soft/")
    page.keyboard.press("Backspace")
    page.keyboard.insert_text("max")
    while not held:
        page.wait_for_timeout(10)
    is_slow = False
    for route in held:
        route.continue_()
    expect(dialog(page).get_by_role("combobox")).to_have_value("softmax")
    expect(dialog(page).get_by_role("combobox")).to_be_focused()
    expect(dialog(page).get_by_role("option")).to_have_count(1)
    page.keyboard.type("es")
    expect(dialog(page).get_by_role("combobox")).to_have_value("softmaxes")


def test_by_keyboard_alone(page: Page, library_address: str) -> None:
    page.goto(f"{library_address}/tensors/")
    open_by_key(page)
    field = dialog(page).get_by_role("combobox")
    expect(field).to_have_attribute("aria-expanded", "false")
    page.keyboard.insert_text("기울기")
    options = dialog(page).get_by_role("option")
    expect(options).to_have_count(2)
    expect(field).to_have_attribute("aria-expanded", "true")
    expect(dialog(page).get_by_role("status")).to_contain_text("2")
    expect(options.nth(0)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    expect(options.nth(0)).to_have_attribute("aria-selected", "false")
    chosen = options.nth(1).get_attribute("id")
    assert chosen
    expect(field).to_have_attribute("aria-activedescendant", chosen)
    expect(field).to_be_focused()
    page.keyboard.press("ArrowDown")  # and around
    expect(options.nth(0)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowUp")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/autograd/#"))
    heading = page.evaluate("document.getElementById(decodeURIComponent(location.hash.slice(1))).tagName")
    assert heading == "H2"


def test_by_mouse(page: Page, library_address: str) -> None:
    page.goto(f"{library_address}/404.html")
    page.get_by_role("banner").get_by_role("button", name="검색").click()
    field = dialog(page).get_by_role("combobox")
    field.fill("softmax")
    option = dialog(page).get_by_role("option")
    expect(option.locator("mark").first).to_have_text("Softmax")
    option.click()
    page.wait_for_url(re.compile("/attention/"))


def test_a_result_on_this_page_closes_the_dialog(page: Page, library_address: str) -> None:
    page.goto(f"{library_address}/jeju/")
    open_by_key(page)
    page.keyboard.insert_text("고기국수")
    expect(dialog(page).get_by_role("option")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(dialog(page)).to_be_hidden()
    assert page.url.endswith("/jeju/#%EB%A8%B9%EC%9D%80-%EA%B2%83")


def test_nothing_is_found(page: Page, library_address: str) -> None:
    page.goto(f"{library_address}/")
    open_by_key(page)
    page.keyboard.insert_text("없는낱말")
    expect(dialog(page).get_by_role("status")).to_have_text("찾은 글이 없습니다.")
    expect(dialog(page).get_by_role("listbox")).to_be_hidden()
    expect(dialog(page).get_by_role("combobox")).to_have_attribute("aria-expanded", "false")


def test_a_slash_in_a_field_is_a_slash(page: Page, library_address: str) -> None:
    page.goto(f"{library_address}/search/")
    field = page.get_by_role("combobox")
    expect(field).to_be_focused()
    page.keyboard.press("/")
    expect(field).to_have_value("/")
    expect(dialog(page)).to_have_count(0)


def test_the_page_answers_the_query_in_its_address(page: Page, library_address: str) -> None:
    page.goto(f"{library_address}/search/?q=backward")
    options = page.get_by_role("option")
    expect(options).to_have_count(2)
    expect(page.get_by_role("combobox")).to_have_value("backward")
    page.get_by_role("combobox").fill("텐서의")
    expect(options).to_have_count(1)
    assert page.url.endswith("?q=%ED%85%90%EC%84%9C%EC%9D%98")


def test_without_a_script_the_page_says_so(browser: Any, library_address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{library_address}/search/")
    expect(page.get_by_text("자바스크립트가 필요합니다")).to_be_visible()
    expect(page.get_by_role("link", name="PyTorch")).to_be_visible()
    expect(page.get_by_role("button", name="검색")).to_have_count(0)
    context.close()


def test_files_of_an_old_state_are_not_mixed_with_those_of_a_new_one(
    page: Page, library_address: str
) -> None:
    """The names that index.json gave are gone: it is loaded again, and the query answered."""
    answers = iter([{"pages": ["gone"], "terms": ["gone"] * 8}])

    def stale(route: Any) -> None:
        old = next(answers, None)
        if old is None:
            route.continue_()
        else:
            route.fulfill(json=old)

    page.route("**/search/index.json", stale)
    page.goto(f"{library_address}/search/?q=backward")
    expect(page.get_by_role("option")).to_have_count(2)


def test_on_a_phone_nothing_is_wider_than_the_screen(browser: Any, library_address: str) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 640}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(f"{library_address}/tensors/")
    page.get_by_role("banner").get_by_role("button", name="검색").tap()
    dialog(page).get_by_role("combobox").fill("grad")
    expect(dialog(page).get_by_role("option").first).to_be_visible()
    box = dialog(page).bounding_box()
    assert box is not None
    assert (box["x"], box["width"]) == (0, 360)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    size = page.evaluate("parseFloat(getComputedStyle(document.querySelector('dialog input')).fontSize)")
    assert size >= 16  # or the phone zooms in
    context.close()
