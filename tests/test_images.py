"""Image files: sizes, copies, what is not copied, and what must not be in a copy."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from builder.build import build
from builder.markdown.images import Images, Picture, svg_picture, widths
from builder.model import Problem
from builder.prepare import Workshop
from tests.conftest import MakeSite, TestSite


def photo(
    width: int = 1000, height: int = 500, kind: str = "JPEG", mode: str = "RGB", **options: Any
) -> bytes:
    """A picture with something in it."""
    image = Image.new(mode, (width, height), "white")
    draw = ImageDraw.Draw(image)
    for step in range(0, width, 7):
        draw.line((step, 0, width - step, height), fill=(step % 256, 90, 200), width=3)
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def exif(orientation: int = 1, *, place: bool = False) -> Image.Exif:
    found = Image.Exif()
    found[0x0112] = orientation
    found[0x010F] = "Camera"
    if place:
        found.get_ifd(0x8825)[1] = "N"
    return found


def picture(site: TestSite, name: str = "content/a.jpg") -> Picture:
    workshop = Workshop.of(site.config(), frozen=False)
    return workshop.images.picture(name)


@pytest.mark.parametrize(
    ("width", "wanted"),
    [
        (100, (100,)),
        (640, (640,)),
        (700, (700,)),
        (720, (640, 720)),
        (1000, (640, 1000)),
        (1920, (640, 960, 1280, 1920)),
        (6000, (640, 960, 1280, 1920)),
    ],
)
def test_widths(width: int, wanted: tuple[int, ...]) -> None:
    assert widths(width) == wanted


@pytest.mark.parametrize(
    ("svg", "wanted"),
    [
        ('<svg width="30" height="20">', (30, 20)),
        ('<?xml?><svg xmlns="x" height="20.4px" viewBox="0 0 1 1" width="30">', (30, 20)),
        ('<svg viewBox="0 0 12.5 8">', (12, 8)),
        ('<svg width="100%" height="5">', (0, 0)),
        ("<svg>", (0, 0)),
        ("\0\xff", (0, 0)),
        ('<svg width="1.2.3" height="5">', (0, 0)),
    ],
)
def test_sizes_of_svg(svg: str, wanted: tuple[int, int]) -> None:
    found = svg_picture(svg.encode())
    assert (found.width, found.height) == wanted


def test_copies(make_site: MakeSite) -> None:
    site = make_site({"content/a.jpg": photo(quality=98)})
    found = picture(site)
    assert (found.width, found.height, found.complaint) == (1000, 500, "")
    assert [(kind, [width for width, _ in files]) for kind, files in found.copies] == [
        ("image/avif", [640, 1000]),
        ("image/webp", [640, 1000]),
    ]
    for _, files in found.copies:
        for width, name in files:
            with Image.open(site.root / ".fencepost/cache" / _version(site) / "blobs" / name) as copy:
                assert copy.size == (width, width // 2)


def _version(site: TestSite) -> str:
    [folder] = (site.root / ".fencepost/cache").iterdir()
    return folder.name


@pytest.mark.parametrize(
    ("name", "content", "size"),
    [
        ("tiny.jpg", photo(4, 2), (4, 2)),  # nothing to be saved
        (
            "moving.gif",
            photo(kind="GIF", save_all=True, append_images=[Image.new("RGB", (1000, 500))]),
            (1000, 500),
        ),
        ("still.gif", photo(kind="GIF"), (1000, 500)),
        ("deep.png", None, (800, 400)),  # 16 bits
    ],
)
def test_what_is_not_copied(
    make_site: MakeSite, name: str, content: bytes | None, size: tuple[int, int]
) -> None:
    if content is None:
        buffer = io.BytesIO()
        Image.new("I;16", (800, 400)).save(buffer, "PNG")
        content = buffer.getvalue()
    found = picture(make_site({f"content/{name}": content}), f"content/{name}")
    assert (found.width, found.height) == size
    assert found.copies == ()


@pytest.mark.parametrize("mode", ["P", "LA", "RGBA", "L", "CMYK", "1"])
def test_all_modes(make_site: MakeSite, mode: str) -> None:
    buffer = io.BytesIO()
    kind = "JPEG" if mode == "CMYK" else "PNG"
    Image.open(io.BytesIO(photo(900, 300))).convert(mode).save(buffer, kind)
    found = picture(make_site({"content/a.jpg": buffer.getvalue()}))
    assert (found.width, found.height, found.complaint) == (900, 300, "")


def test_a_copy_stands_upright_and_tells_nothing(make_site: MakeSite) -> None:
    site = make_site({"content/a.jpg": photo(exif=exif(6, place=True))})
    found = picture(site)
    assert (found.width, found.height) == (500, 1000)
    assert "where it was taken" in found.complaint
    for name in found.files:
        content = (site.root / ".fencepost/cache" / _version(site) / "blobs" / name).read_bytes()
        with Image.open(io.BytesIO(content)) as copy:
            assert copy.size[1] == copy.size[0] * 2
            assert not copy.getexif()
        assert b"Camera" not in content


@pytest.mark.parametrize("content", [b"", b"no image", photo()[:3000], b"\x89PNG\r\n\x1a\n" + b"\0" * 50])
def test_damaged_files_are_said(make_site: MakeSite, content: bytes) -> None:
    site = make_site({"content/a.jpg": content, "content/p.md": "text\n\n![x](a.jpg)\n![x](a.jpg)\n"})
    [problem] = site.problems()
    assert (problem.path, problem.line, problem.kind) == ("content/p.md", 3, "image")
    assert problem.message.startswith("the picture `a.jpg` is damaged: ")
    assert "0x" not in problem.message
    assert '<img src="/a.jpg" alt="x" decoding="async">' in site.html("p")


def test_bytes_are_the_same_each_time(make_site: MakeSite) -> None:
    site = make_site({"content/a.jpg": photo(quality=98), "content/b.png": photo(kind="PNG")})
    first = (picture(site), picture(site, "content/b.png"))
    for path in (site.root / ".fencepost").rglob("*"):
        if path.is_file():
            path.unlink()
    assert (picture(site), picture(site, "content/b.png")) == first


# --- in a site -------------------------------------------------------------------------------


def site_of(make_site: MakeSite) -> TestSite:
    posts = {f"content/p{n}.md": f"# T\n\n![x](pics/a.jpg)\n\n<img src='/pics/b{n}.png'>\n" for n in range(3)}
    files = {f"content/pics/b{n}.png": photo(700 + n, 100, "PNG") for n in range(3)}
    return make_site({**posts, **files, "content/pics/a.jpg": photo(quality=98), "content/none.md": "text\n"})


def test_a_page_shows_copies_and_they_are_published_once(make_site: MakeSite) -> None:
    site = site_of(make_site)
    assert site.problems() == []
    output = site.output()
    shown = {name for name in output if name.startswith("figures/")}
    assert shown
    for name in shown:
        assert f"/{name}" in "".join(site.html(f"p{n}") for n in range(3))
    assert 'width="1000" height="500"' in site.html("p0")
    assert output["pics/a.jpg"] == (site.root / "content/pics/a.jpg").read_bytes()


def test_a_changed_image_makes_exactly_the_pages_anew_that_show_it(make_site: MakeSite) -> None:
    site = site_of(make_site)
    site.build()
    before = site.output()
    site.write({"content/pics/b1.png": photo(701, 200, "PNG")})
    site.build()
    after = site.output()
    pages = {name for name in after if name.endswith(".html") and after[name] != before.get(name)}
    assert pages == {"p1/index.html"}
    assert 'width="701" height="200"' in site.html("p1")
    assert {name for name in before if name.startswith("figures/")} - after.keys()


def test_warm_is_cold_when_images_come_and_go(make_site: MakeSite) -> None:
    site = site_of(make_site)
    site.write({"content/late.md": "![l](late.png)\n"})
    site.build()

    def come() -> None:
        site.write({"content/late.png": photo(300, 100, "PNG")})

    def go() -> None:
        (site.root / "content/pics/a.jpg").unlink()

    for change in (come, go):
        change()
        warm = site.problems(), site.output()
        clean(site.root)
        assert (site.problems(jobs=1), site.output()) == warm


def clean(root: Path) -> None:
    import shutil

    for name in (".fencepost", "output"):
        shutil.rmtree(root / name, ignore_errors=True)


def test_pillow_is_not_imported_where_all_is_known(
    make_site: MakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = site_of(make_site)
    site.build()
    monkeypatch.setattr(Images, "_read", lambda *_: pytest.fail("an image was read again"))
    site.write({"content/p0.md": "# U\n\n![y](pics/a.jpg)\n"})
    (site.root / ".fencepost/memo").unlink()
    assert site.problems() == []
    assert "<picture>" in site.html("p0")


def test_a_lost_copy_is_made_again(make_site: MakeSite) -> None:
    site = site_of(make_site)
    site.build()
    before = site.output()
    for blob in (site.root / ".fencepost/cache" / _version(site) / "blobs").iterdir():
        blob.unlink()
    for name in [name for name in before if name.startswith("figures/")]:
        (site.root / "output" / name).unlink()
    assert site.problems() == []
    assert site.output() == before


def test_a_site_may_do_without(make_site: MakeSite) -> None:
    site = site_of(make_site)
    site.write({"fencepost.toml": "images = []\n"})
    assert site.problems() == []
    assert "<picture>" not in site.html("p0")
    assert 'width="1000" height="500"' in site.html("p0")


def test_formats_are_checked(make_site: MakeSite) -> None:
    from builder.model import SiteError

    site = make_site({"fencepost.toml": 'images = ["jpeg"]\n'})
    with pytest.raises(SiteError) as raised:
        build(site.config(), 1)
    [problem] = raised.value.problems
    assert isinstance(problem, Problem)
    assert problem.message == '`images` knows "avif", "webp", not "jpeg"'
