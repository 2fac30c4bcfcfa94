"""Image files: their size, and smaller copies of them in modern formats, kept in the cache by content.

A picture is read, and Pillow imported, only when its content is new. Copies hold no metadata: no place, no camera.
"""

from __future__ import annotations

import io
import os
import re
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from builder.execute.cache import Cache
from builder.execute.keys import digest
from builder.frozen import frozen
from builder.model import Config

if TYPE_CHECKING:
    from PIL import Image

VERSION: Final = 1  # another one for other copies of the same picture
WIDTHS: Final = (640, 960, 1280, 1920)
FORMATS: Final = ("avif", "webp")
SMALL: Final = 4096  # bytes, of which there is nothing to be saved
SUFFIXES: Final = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".avif", ".svg")

_ROOM: Final = "images"  # of the cache
_COPIED: Final = frozenset({"JPEG", "MPO", "PNG", "WEBP"})
_LOSSLESS: Final = frozenset({"PNG"})
_GPS: Final = 0x8825
_SVG_SIZE = re.compile(
    r'<svg\b[^>]*?\s(width|height)="([\d.]+)(?:px)?"[^>]*?\s(?:width|height)="([\d.]+)(?:px)?"'
)
_SVG_BOX = re.compile(r'<svg\b[^>]*?\sviewBox="[\d.-]+[ ,]+[\d.-]+[ ,]+([\d.]+)[ ,]+([\d.]+)"')


@frozen
class Picture:
    """An image file, as a page shows it.

    width, height   in pixels; 0 where they are not known
    copies          for each format its type and its files: ("image/webp", ((640, name of a blob), …))
    complaint       what is wrong with the file, or ""
    """

    width: int = 0
    height: int = 0
    copies: tuple[tuple[str, tuple[tuple[int, str], ...]], ...] = ()
    complaint: str = ""

    @property
    def files(self) -> tuple[str, ...]:
        """The names of all blobs."""
        return tuple(name for _, files in self.copies for _, name in files)


class Images:
    """The pictures of one site, each made once."""

    def __init__(self, config: Config, cache: Cache) -> None:
        self._root = config.root
        self._formats = config.images
        self._cache = cache

    def known(self, path: str) -> Picture | None:
        """What is known of the image file at a path of the site, if it is as it was."""
        stored = self._cache.kept(_ROOM, self._key(path))
        if not isinstance(stored, dict):
            return None
        copies = tuple(
            (kind, tuple((width, name) for width, name in files)) for kind, files in stored["copies"]
        )
        picture = Picture(stored["width"], stored["height"], copies, stored["complaint"])
        return picture if all(self._cache.blob(name) is not None for name in picture.files) else None

    def picture(self, path: str) -> Picture:
        """The picture in the image file at a path of the site; its copies are made if it is new."""
        return self.known(path) or self._make(path)

    def make(self, paths: Sequence[str]) -> list[None]:
        """Make the copies of some pictures, for `workers.spread`."""
        return [None for path in paths if self.picture(path)]

    def _make(self, path: str) -> Picture:
        try:
            content = (self._root / path).read_bytes()
        except OSError as error:
            return Picture(complaint=f"cannot be read: {error.strerror}")
        if path.lower().endswith(".svg"):
            return svg_picture(content)
        picture = self._read(content)
        plain = {"width": picture.width, "height": picture.height, "complaint": picture.complaint}
        self._cache.keep(_ROOM, self._key(path), plain | {"copies": picture.copies})
        return picture

    def _read(self, content: bytes) -> Picture:
        from PIL import Image

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                with Image.open(io.BytesIO(content)) as image:
                    return self._picture(image, len(content))
        except Exception as error:  # Pillow raises what its many readers raise
            first = (str(error).splitlines() or [""])[0]
            return Picture(
                complaint=f"is damaged: {re.sub(r'<_io[^>]*>', 'it', first) or type(error).__name__}"
            )

    def _picture(self, image: Image.Image, size: int) -> Picture:
        from PIL import ImageOps

        kind = image.format
        frames = getattr(image, "n_frames", 1)
        located = bool(image.getexif().get_ifd(_GPS))
        image.load()
        upright = ImageOps.exif_transpose(image)
        complaint = "says where it was taken, and is published as it is" if located else ""
        copies: list[tuple[str, tuple[tuple[int, str], ...]]] = []
        if (
            kind in _COPIED
            and size > SMALL
            and (frames == 1 or kind == "MPO")
            and upright.mode[0] not in "IF"
        ):
            shown = _in_srgb(upright)
            for name in self._formats:
                files = self._copies(shown, name, size, sharp=kind in _LOSSLESS)
                copies += [(f"image/{name}", files)] if files else []
        return Picture(upright.width, upright.height, tuple(copies), complaint)

    def _copies(
        self, image: Image.Image, kind: str, size: int, *, sharp: bool
    ) -> tuple[tuple[int, str], ...]:
        """The files of one format, narrow ones first; none if the widest is no smaller than the original."""
        made: list[tuple[int, bytes]] = []
        for width in reversed(widths(image.width)):
            height = max(round(image.height * width / image.width), 1)
            content = _encoded(_resized(image, width, height), kind, sharp=sharp)
            if len(content) >= (len(made[-1][1]) if made else size):
                if not made:
                    return ()
                continue
            made.append((width, content))
        return tuple((width, self._cache.store_blob(content, kind)) for width, content in reversed(made))

    def _key(self, path: str) -> str:
        return digest([VERSION, self._cache.values.of("file", path), *self._formats])


def widths(width: int) -> tuple[int, ...]:
    """How wide the copies of a picture are to be: no two nearly the same, and none wider than the widest."""
    widest = min(width, WIDTHS[-1])
    return (*(other for other in WIDTHS if other <= 0.9 * widest), widest)


def svg_picture(content: bytes) -> Picture:
    """What an SVG says of its size."""
    head = content[:4000].decode("utf-8", "replace")
    if (size := _SVG_SIZE.search(head)) and (numbers := (size[2], size[3])):
        wide, high = numbers if size[1] == "width" else numbers[::-1]
    elif box := _SVG_BOX.search(head):
        wide, high = box[1], box[2]
    else:
        return Picture()
    try:
        return Picture(round(float(wide)), round(float(high)))
    except ValueError:  # "1.2.3"
        return Picture()


def is_image(address: str) -> bool:
    """Does an address without its query look like that of an image file?"""
    return os.path.splitext(address)[1].lower() in SUFFIXES


def _in_srgb(image: Image.Image) -> Image.Image:
    """The picture in the colours that a page has without a profile."""
    from PIL import Image, ImageCms

    mode = "RGBA" if "A" in image.mode or "transparency" in image.info else "RGB"
    profile = image.info.get("icc_profile")
    if not profile or mode == "RGBA":
        return image.convert(mode)
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        found = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode=mode)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image.convert(mode)
    return found if isinstance(found, Image.Image) else image.convert(mode)


def _resized(image: Image.Image, width: int, height: int) -> Image.Image:
    from PIL import Image

    return image if image.width == width else image.resize((width, height), Image.Resampling.LANCZOS)


def _encoded(image: Image.Image, kind: str, *, sharp: bool) -> bytes:
    """The bytes of a picture in a format. `sharp`: it may have lines and letters, which are to stay crisp."""
    if kind == "avif":
        options: dict[str, Any] = {"quality": 70 if sharp else 60, "speed": 8, "max_threads": 1}
        return _saved(image, kind, **options, **({"subsampling": "4:4:4"} if sharp else {}))
    written = _saved(image, kind, quality=88 if sharp else 80, method=4)
    if sharp:
        written = min(written, _saved(image, kind, lossless=True, quality=50, method=2), key=len)
    return written


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    clean = image.copy()
    clean.info = {}
    clean.save(buffer, kind, **options)
    return buffer.getvalue()
