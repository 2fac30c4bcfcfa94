"""Pictures of the example site for docs/screenshots.md: pages on a phone and on a desk, light and dark.

python -m tests.browser.screenshots    writes them (`make screenshots`); look at each before it is kept.
"""

from __future__ import annotations

import io
import shutil
import tempfile
from pathlib import Path
from typing import Final, Literal

from PIL import Image, ImageOps
from playwright.sync_api import Browser, sync_playwright

from builder.build import build
from builder.config import read_config
from tests.browser.serving import served

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = ROOT / "docs" / "screenshots"
GALLERY: Final = ROOT / "docs" / "gallery"

PAGES: Final = {
    "home": "/",
    "post": "/py/pytorch-grammar-4/",
    "tag": "/tags/pytorch/",
    "search": "/search/?q=requires_grad",
    "missing": "/no/such/page/",
}
SCREENS: Final = {"phone": (390, 844, 2), "desktop": (1280, 800, 1)}  # width, height, pixels to a point
SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
EDGE: Final = {"light": "#d4d4d4", "dark": "#3a3f44"}  # or a light picture ends nowhere on a light page
QUALITY: Final = 74


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        output = example(Path(folder))
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        for address in served(output):
            for kind in PAGES:
                for screen in SCREENS:
                    for scheme in SCHEMES:
                        name = f"{kind}-{screen}-{scheme}.webp"
                        (FOLDER / name).write_bytes(picture(browser, address + PAGES[kind], screen, scheme))
        browser.close()
    size = sum(path.stat().st_size for path in FOLDER.iterdir())
    print(f"{len(list(FOLDER.iterdir()))} pictures, {size / 1000:.0f} kB in all")


def example(root: Path) -> Path:
    """Build the example site with the Korean posts of the gallery, and return its output folder."""
    shutil.copytree(ROOT / "content", root / "content")
    for file in (*GALLERY.glob("*.ko.md"), *GALLERY.glob("*.mplstyle")):
        shutil.copy(file, root / "content" / "posts" / file.name)
    shutil.copy(ROOT / "pyproject.toml", root)
    config = read_config(root, {})
    build(config, 2)
    return config.output


def picture(browser: Browser, address: str, screen: str, scheme: Literal["light", "dark"]) -> bytes:
    """What a screen shows of a page when it opens, as WebP."""
    width, height, scale = SCREENS[screen]
    phone = screen == "phone"
    context = browser.new_context(
        viewport={"width": width, "height": height},
        device_scale_factor=scale,
        color_scheme=scheme,
        is_mobile=phone,
        has_touch=phone,
        locale="ko-KR",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(address, wait_until="networkidle")
    if "?q=" in address:
        page.get_by_role("option").first.wait_for()
    if (cell := page.locator(".cell:has(.cell-output)").first).count():
        cell.evaluate("(cell) => cell.scrollIntoView({ block: 'center', behavior: 'instant' })")
    taken = Image.open(io.BytesIO(page.screenshot(animations="disabled", caret="hide")))
    context.close()
    encoded = io.BytesIO()
    framed = ImageOps.expand(taken.convert("RGB"), border=scale, fill=EDGE[scheme])
    framed.save(encoded, "WEBP", quality=QUALITY, method=6)
    return encoded.getvalue()


if __name__ == "__main__":
    main()
