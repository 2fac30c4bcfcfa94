"""The little Liquid that posts use, replaced before Markdown sees it, with every line kept in its place.

`relative_url`, `absolute_url`, `prepend: site.baseurl`, `site.x`, `page.x`, `post_url`, `link`, `raw`,
`comment`, `highlight`, and `include` of figure, gallery, video and toc as Minimal Mistakes has them. Nothing
is replaced in code or in mathematics (`{{a-\\mu} \\over b}` is LaTeX), but for what stands in `raw`, whose
tags go wherever they are. All else stays as it is written, and is a warning.

A post or file that is linked to (`post_url`, `link`) becomes the path of its source, which `urls.Links`
resolves: an address needs all posts, and this needs one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from html import escape
from typing import Any, Final
from urllib.parse import quote

from builder.frozen import frozen
from builder.model import TOC_PLACE, Problem

_RAW = re.compile(r"\{%-?\s*raw\s*-?%\}(.*?)\{%-?\s*endraw\s*-?%\}", re.DOTALL)
_COMMENT = re.compile(r"\{%-?\s*comment\s*-?%\}.*?\{%-?\s*endcomment\s*-?%\}", re.DOTALL)
_HIGHLIGHT = re.compile(
    r"^([ \t]*)\{%-?\s*highlight\s+([^\s%]+)([^%\n]*?)-?%\}(.*?)\{%-?\s*endhighlight\s*-?%\}",
    re.DOTALL | re.MULTILINE,
)
_FENCE = re.compile(r"[ \t>]*(?:(?:[-*+]|\d+[.)])[ \t]+)*(`{3,}|~{3,})")
# Code and mathematics, which are passed over, or a piece of Liquid.
_PIECE = re.compile(
    r"(?<!`)(`+)(?!`)[^\n]*?(?<!`)\1(?!`)"
    r"|\$\$.*?\$\$|\\\\\(.*?\\\\\)|\\\\\[.*?\\\\\]|(?<![\\$\w])\$(?=\S)[^$\n]*\\[^$\n]*\$"
    r"|(?P<output>\{\{-?(?P<expression>.*?)-?\}\})|(?P<tag>\{%-?\s*(?P<name>\w+)(?P<rest>.*?)-?%\})",
    re.DOTALL,
)
# Before an address that will be resolved: it is given the site's own host and baseurl there.
_HOST = re.compile(
    r"(?:\{\{-?\s*site\.(?:url|baseurl)\s*-?\}\})+(?=(?:\{\{-?\s*site\.baseurl\s*-?\}\})?\{%-?\s*(?:post_url|link)\b)"
)
_TOKEN = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)'|(-?\d+(?:\.\d+)?)(?![\w.])|([A-Za-z_][\w.-]*))""")
_ATTRIBUTE = re.compile(r"""([\w-]+)\s*=\s*(?:"((?:\\"|[^"])*)"|'((?:\\'|[^'])*)'|([^\s"']+))""")
# What Jekyll fills in and we do not have: left as written, while another missing name is empty as in Jekyll.
_UNKNOWN: Final = frozenset(
    {"time", "posts", "pages", "data", "collections", "related_posts", "static_files"}
)
_LONGEST = 4_000  # characters of one piece


class _Unknown(Exception):
    """Liquid that is not done here."""


@frozen
class Scene:
    """What a piece of Liquid may name: `site` and `page` as Jekyll has them, and the site's two addresses."""

    site: Mapping[str, Any]
    page: Mapping[str, Any]
    url: str
    baseurl: str
    markdown: Callable[[str], str]  # inline Markdown -> HTML, for captions


def expand(text: str, scene: Scene, path: str, first_line: int) -> tuple[str, tuple[Problem, ...]]:
    """`text`, which begins at line `first_line` of its file, without its Liquid, and what was not known."""
    if "{{" not in text and "{%" not in text:
        return text, ()
    problems: list[Problem] = []
    result: list[str] = []
    line = first_line
    text = _HOST.sub("", text)

    def replace(match: re.Match[str], before: str) -> str:
        if not (match["output"] or match["tag"]):
            return match[0]
        try:
            shown = _output(match["expression"], scene) if match["output"] else _tag(match, scene)
        except _Unknown:
            at = line + before.count("\n", 0, match.start())
            message = f"this Liquid is not known, and is shown as it is written: `{_short(match[0])}`"
            problems.append(Problem("warning", path, at, "liquid", message))
            return match[0]
        return shown + "\n" * match[0].count("\n")

    for kind, piece in _pieces(text):
        if kind == "prose":
            result.append(_PIECE.sub(lambda match, piece=piece: replace(match, piece), piece))  # type: ignore[misc]
        elif kind == "comment":
            result.append("\n" * piece.count("\n"))
        else:
            result.append(piece)
        line += piece.count("\n")
    return "".join(result), tuple(problems)


def _short(text: str) -> str:
    shown = " ".join(text.split())
    return shown if len(shown) <= 60 else f"{shown[:57]}..."


# --- what is code ----------------------------------------------------------------------------


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """`text` in pieces: ("prose" | "code" | "comment", its characters, without the tags of `raw`)."""
    at = 0
    for match in sorted((*_RAW.finditer(text), *_COMMENT.finditer(text)), key=lambda found: found.start()):
        if match.start() < at:
            continue
        yield from _highlights(text[at : match.start()])
        yield ("code", match[1]) if match.re is _RAW else ("comment", match[0])
        at = match.end()
    yield from _highlights(text[at:])


def _highlights(text: str) -> Iterator[tuple[str, str]]:
    """The same for text without `raw`; a block of `highlight` becomes a fence."""
    at = 0
    for match in _HIGHLIGHT.finditer(text):
        yield from _fences(text[at : match.start()])
        yield "code", _fence(match)
        at = match.end()
    yield from _fences(text[at:])


def _fence(match: re.Match[str]) -> str:
    """A block of `highlight` as a fence on the same lines, or as HTML if it is all on one line."""
    indent, language, options, body = match.groups()
    if not body.startswith("\n") or body.rpartition("\n")[2].strip():
        if "\n" in body:
            return match[0]
        return f'{indent}<pre><code class="language-{escape(language)}">{escape(body.strip())}</code></pre>'
    marker = "`" * max(3, 1 + max(map(len, re.findall("`+", body)), default=0))
    words = " ".join(options.split())
    return f"{indent}{marker}{language}{' ' + words if words else ''}{body}{marker}"


def _fences(text: str) -> Iterator[tuple[str, str]]:
    """Prose and fences, line by line."""
    kind, marker = "prose", ""
    lines: list[str] = []
    for line in text.splitlines(keepends=True):
        found = _FENCE.match(line)
        if kind == "prose" and found and not ("`" in line[found.end() :] and found[1][0] == "`"):
            yield kind, "".join(lines)
            kind, marker, lines = "code", found[1], [line]
        elif kind == "code" and found and found[1].startswith(marker) and not line[found.end() :].strip():
            yield kind, "".join([*lines, line])
            kind, lines = "prose", []
        else:
            lines.append(line)
    # A fence that is never closed is no code.
    yield "prose", "".join(lines)


# --- {{ … }} ---------------------------------------------------------------------------------


def _output(expression: str, scene: Scene) -> str:
    if len(expression) > _LONGEST:
        raise _Unknown
    value, *filters = _split(expression)
    result = _value(value, scene)
    for written in filters:
        name, _, rest = written.partition(":")
        arguments = [_value(argument, scene) for argument in rest.split(",")] if rest.strip() else []
        result = _filtered(name.strip(), result, arguments, scene)
    return _text(result)


def _split(expression: str) -> list[str]:
    """The parts of an expression between its `|`, none of them in quotes."""
    return [part.strip() for part in re.findall(r"""((?:"[^"]*"|'[^']*'|[^|"'])+)""", expression)] or [""]


def _value(written: str, scene: Scene) -> Any:
    match = _TOKEN.fullmatch(written.strip())
    if not match:
        raise _Unknown
    double, single, number, name = match.groups()
    if double is not None or single is not None:
        return double if double is not None else single
    if number is not None:
        return number
    first, *rest = name.split(".")
    if first not in ("site", "page") or not rest or (first == "site" and rest[0] in _UNKNOWN):
        raise _Unknown
    value: Any = scene.site if first == "site" else scene.page
    for key in rest:
        value = value.get(key) if isinstance(value, Mapping) else None
    if isinstance(value, list | tuple | Mapping):
        raise _Unknown
    return value


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _filtered(name: str, value: Any, arguments: list[Any], scene: Scene) -> Any:
    text = _text(value)
    match name, arguments:
        case "relative_url", []:
            return relative(text, scene.baseurl) if value is not None else None
        case "absolute_url", []:
            own = relative(text, scene.baseurl)
            return own if own == text and "://" in text else scene.url + own
        case "prepend", [before]:
            return _text(before) + text
        case "append", [behind]:
            return text + _text(behind)
        case "remove", [part]:
            return text.replace(_text(part), "")
        case "replace", [old, new]:
            return text.replace(_text(old), _text(new))
        case "default", [other]:
            return text or other
        case (("escape" | "xml_escape"), []):
            return escape(text)
        case "strip", []:
            return text.strip()
        case "downcase", []:
            return text.lower()
        case "upcase", []:
            return text.upper()
        case (("url_encode" | "uri_escape"), []):
            return quote(text, safe="/:")
    raise _Unknown


def relative(address: str, baseurl: str) -> str:
    """An address as `relative_url` gives it: with the site's baseurl, unless it has a scheme."""
    if "://" in address or address.startswith(("mailto:", "//")):
        return address
    joined = f"{baseurl}/{address.lstrip('/')}" if address else baseurl or "/"
    return joined if joined.startswith("/") else f"/{joined}"


# --- {% … %} ---------------------------------------------------------------------------------


def _tag(match: re.Match[str], scene: Scene) -> str:
    name, rest = match["name"], match["rest"].strip()
    if len(rest) > _LONGEST:
        raise _Unknown
    match name:
        case "post_url" if rest:
            return quote(f"/_posts/{rest.strip('/')}.md", safe="/")
        case "link" if rest and "{{" not in rest:
            return quote(f"/{rest.lstrip('/')}", safe="/")
        case "include" | "include_cached":
            return _include(rest, scene)
    raise _Unknown


def _include(rest: str, scene: Scene) -> str:
    """`{% include figure image_path="/a.png" caption="…" %}` and its kin, on one line."""
    file, _, written = rest.partition(" ")
    given = {}
    for key, double, single, bare in _ATTRIBUTE.findall(written):
        text = (double or single).replace('\\"', '"').replace("\\'", "'")
        given[key] = text if text or not bare else _value(bare, scene)
    match file.strip().removesuffix(".html"):
        case "toc":
            return TOC_PLACE
        case "figure" if given.get("image_path"):
            return _figure([given], str(given.get("class") or ""), str(given.get("caption") or ""), scene)
        case "gallery":
            pictures = scene.page.get(str(given.get("id") or "gallery"))
            if isinstance(pictures, list) and all(isinstance(one, dict) for one in pictures):
                layout = str(given.get("layout") or ("half", "third")[len(pictures) > 2])
                layout = layout if len(pictures) > 1 else ""
                kind = f"{layout} {given.get('class') or ''}".strip()
                return _figure(pictures, kind, str(given.get("caption") or ""), scene)
        case "video" if given.get("id") and given.get("provider") in _PLAYERS:
            source = escape(_PLAYERS[str(given["provider"])].format(given["id"]))
            frame = f'<iframe src="{source}" allowfullscreen></iframe>'
            return f'<div class="responsive-video-container">{frame}</div>'
    raise _Unknown


_PLAYERS: Final[Mapping[str, str]] = {
    "vimeo": "https://player.vimeo.com/video/{}?dnt=true",
    "youtube": "https://www.youtube-nocookie.com/embed/{}",
    "google-drive": "https://drive.google.com/file/d/{}/preview",
    "bilibili": "https://player.bilibili.com/player.html?bvid={}",
}


def _figure(pictures: list[Mapping[str, Any]], kind: str, caption: str, scene: Scene) -> str:
    images = []
    for picture in pictures:
        source = escape(relative(str(picture.get("image_path") or ""), scene.baseurl))
        title = f' title="{escape(str(picture["title"]))}"' if picture.get("title") else ""
        image = f'<img src="{source}" alt="{escape(str(picture.get("alt") or ""))}"{title}>'
        if picture.get("url"):
            target = escape(relative(str(picture["url"]), scene.baseurl))
            image = f'<a href="{target}"{title}>{image}</a>'
        images.append(image)
    below = f"<figcaption>{scene.markdown(caption)}</figcaption>" if caption else ""
    return f'<figure class="{escape(kind)}">{"".join(images)}{below}</figure>'
