"""Pictures in a page: their size, their copies for small screens, when they are loaded; and figures and galleries.

A picture alone in its paragraph, with a title, is a figure: the title is its caption. A paragraph of pictures
marked `{: .gallery}` is a grid of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from markdown_it.token import Token

from builder.markdown.attributes import html_attributes
from builder.markdown.highlight import escape
from builder.markdown.images import Picture

Find: TypeAlias = Callable[[str, int], Picture | None]

# How wide a picture is shown: the theme's text, or the screen.
_SIZES: Final = "(min-width: 50rem) 46rem, 100vw"
_ATTRIBUTE = re.compile(r"""\s(width|height|loading|decoding|srcset)\s*=\s*["']?([^\s"'>]+)""", re.IGNORECASE)
_GALLERY: Final = "gallery"


@dataclass
class Pictures:
    """The pictures of one page, in their order.

    find    (address as written, line) -> the image file on this site that it names, if there is one
    url     name of a copy -> its address
    """

    find: Find
    url: Callable[[str], str]
    count: int = 0

    def enclose(self, token: Token, address: str, line: int) -> tuple[str, str]:
        """Give the image `token` its attributes; return the HTML before and after it."""
        given = {name: str(value) for name, value in token.attrs.items()}
        found = self.find(address, line)
        token.attrs |= self._attributes(given, found)
        return self._sources(found, given.get("width", "")) if found else ("", "")

    def raw(self, tag: str, address: str, line: int, *, alone: bool) -> str:
        """The same for an `<img …>` of the author's own HTML. Unless `alone`, there is a `<picture>` around it."""
        given = {name.lower(): value for name, value in _ATTRIBUTE.findall(tag)}
        found = self.find(address, line)
        end = -2 if tag.endswith("/>") else -1
        shown = f"{tag[:end].rstrip()}{html_attributes(self._attributes(given, found))}{tag[end:]}"
        if found is None or not alone or "srcset" in given:
            return shown
        before, after = self._sources(found, given.get("width", ""))
        return f"{before}{shown}{after}"

    def _attributes(self, given: dict[str, str], found: Picture | None) -> dict[str, str | int | float]:
        self.count += 1
        # The first one may be in sight when the page opens, and is not to wait.
        more = {} if self.count == 1 else {"loading": "lazy"}
        attributes: dict[str, str | int | float] = {**_size(given, found), **more, "decoding": "async"}
        return {name: value for name, value in attributes.items() if name not in given}

    def _sources(self, found: Picture, width: str) -> tuple[str, str]:
        if not found.copies:
            return "", ""
        sizes = f"{width}px" if width.isdecimal() else _SIZES
        sources = "".join(
            f'<source type="{kind}" srcset="{", ".join(f"{escape(self.url(name))} {w}w" for w, name in files)}"'
            f' sizes="{sizes}">'
            for kind, files in found.copies
        )
        return f"<picture>{sources}", "</picture>"


def _size(given: dict[str, str], found: Picture | None) -> dict[str, str | int | float]:
    """Width and height of a picture; what the author gives of them holds, and the other follows from it."""
    if found is None or not found.width or not found.height:
        return {}
    wide, high = given.get("width", ""), given.get("height", "")
    if wide and high:
        return {}
    if wide.isdecimal():
        return {"height": max(round(int(wide) * found.height / found.width), 1)}
    if high.isdecimal():
        return {"width": max(round(int(high) * found.width / found.height), 1)}
    return {} if wide or high else {"width": found.width, "height": found.height}


# --- figures ---------------------------------------------------------------------------------


def frame_pictures(tokens: Sequence[Token]) -> None:
    """Make figures and galleries of the paragraphs that are nothing but pictures."""
    for index, token in enumerate(tokens):
        if token.type != "inline" or not token.children or tokens[index - 1].type != "paragraph_open":
            continue
        if token.children[0].type not in ("image", "link_open"):
            continue
        opening, closing = tokens[index - 1], tokens[index + 1]
        groups = _groups(token.children)
        gallery = _GALLERY in str(opening.attrs.get("class", "")).split()
        if gallery and groups:
            opening.tag = closing.tag = "div"
            token.children = [part for group in groups for part in _figure(group, {})]
        elif len(groups) == 1 and "title" in _image(groups[0]).attrs:
            token.children = _figure(groups[0], opening.attrs)
            opening.hidden = closing.hidden = True


def _groups(children: Iterable[Token]) -> list[list[Token]]:
    """The pictures of a text, each with the link around it; none if there is anything else."""
    groups: list[list[Token]] = []
    inside = False
    for token in children:
        if token.type in ("softbreak", "hardbreak") or (token.type == "text" and not token.content.strip()):
            continue
        if token.type == "link_open":
            groups.append([token])
            inside = True
        elif token.type == "image":
            if inside and any(other.type == "image" for other in groups[-1]):
                return []
            if inside:
                groups[-1].append(token)
            else:
                groups.append([token])
        elif token.type == "link_close":
            groups[-1].append(token)
            inside = False
        else:
            return []
    return [] if any(_image(group) is None for group in groups) else groups


def _image(group: Sequence[Token]) -> Token:
    return next((token for token in group if token.type == "image"), None)  # type: ignore[return-value]


def _figure(group: list[Token], attributes: dict[str, str | int | float]) -> list[Token]:
    """One picture in a frame, its title below it."""
    caption = str(_image(group).attrs.pop("title", ""))
    below = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return [
        Token("html_inline", "", 0, content=f"<figure{html_attributes(attributes)}>", meta={"ours": True}),
        *group,
        Token("html_inline", "", 0, content=f"{below}</figure>\n", meta={"ours": True}),
    ]
