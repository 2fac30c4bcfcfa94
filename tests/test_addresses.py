"""Addresses of links and pictures, in Markdown and in raw HTML, with their lines."""

from __future__ import annotations

import pytest

from builder.markdown.addresses import resolve_html, resolve_text
from builder.markdown.dialect import inline_to_html, parse
from builder.markdown.pictures import Pictures

SEEN: list[tuple[str, int]] = []


def resolve(address: str, line: int) -> str:
    SEEN.append((address, line))
    return f"/at/{address}"


def pictures() -> Pictures:
    SEEN.clear()
    return Pictures(lambda address, line: None, str)


@pytest.mark.parametrize(
    ("html", "wanted", "seen"),
    [
        ("<a href=x>", '<a href="/at/x">', [("x", 5)]),
        ("\n<a\n href='x&amp;y'>\n<b href=z>", '\n<a\n href="/at/x&amp;y">\n<b href=z>', [("x&y", 6)]),
        ("<!-- <a href=x> -->", "<!-- <a href=x> -->", []),
        ("<img alt='>' src=x>", '<img alt=\'>\' src="/at/x" decoding="async">', [("x", 5)]),
        (
            "<video poster=p src=v></video>",
            '<video poster="/at/p" src="/at/v"></video>',
            [("p", 5), ("v", 5)],
        ),
    ],
)
def test_raw_html(html: str, wanted: str, seen: list[tuple[str, int]]) -> None:
    assert resolve_html(html, 5, resolve, pictures()) == wanted
    assert seen == SEEN


def test_text() -> None:
    [_, text, _] = parse("[a](x)\n![b](y)\n<img src=z> `[c](w)`")
    settled = resolve_text(text.children or [], 2, resolve, pictures())
    assert SEEN == [("x", 2), ("y", 3), ("z", 4)]
    assert inline_to_html(settled) == (
        '<a href="/at/x">a</a>\n<img src="/at/y" alt="b" decoding="async">\n'
        '<img src="/at/z" loading="lazy" decoding="async"> <code>[c](w)</code>'
    )
