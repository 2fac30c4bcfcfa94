"""`*[HTML]: …` in both dialects."""

from __future__ import annotations

import pytest

from builder.markdown.dialect import parse, to_html


@pytest.mark.parametrize("kramdown", [True, False])
@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("A AA A은\n\n*[A]: B", '<p><abbr title="B">A</abbr> AA A은</p>'),
        ("*[A]: B & <c>\n\n**A**", '<p><strong><abbr title="B &amp; &lt;c&gt;">A</abbr></strong></p>'),
        ("*[A]:\n\nA", "<p><abbr>A</abbr></p>"),
        ("*[A]: B\n*[A B]: C\n\nA B", '<p><abbr title="C">A B</abbr></p>'),
        ("*[A]: B\n\n`A` [x](/A)", '<p><code>A</code> <a href="/A">x</a></p>'),
        ("*[A]: B", ""),
        ("text\n*[A]: B", "<p>text</p>"),
        ("*[A] B", "<p>*[A] B</p>"),
    ],
)
def test_abbreviations(text: str, wanted: str, kramdown: bool) -> None:
    assert to_html(parse(text, kramdown=kramdown)).replace("\n", "") == wanted
