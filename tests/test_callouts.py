"""Callouts as GitHub writes them, with a title perhaps; no word of a quote is lost."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.markdown.callouts import KINDS
from builder.markdown.dialect import parse, to_html
from builder.markdown.render import render
from builder.words import words_for
from tests.test_markdown import post, rendered


def html(text: str) -> str:
    return to_html(parse(text)).replace("\n", "")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("written", [str.upper, str.lower, str.title])
def test_kinds(kind: str, written: object) -> None:
    assert callable(written)
    assert html(f"> [!{written(kind)}]\n> text") == (
        f'<div class="callout callout-{kind}" role="note">'
        f'<p class="callout-title">{kind.title()}</p><p>text</p></div>'
    )


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            "> [!NOTE] My **own** title\n> a\n\n> - b",
            '<p class="callout-title">My <strong>own</strong> title</p>',
        ),
        ("> [!NOTE]\n>\n> - item", "<ul><li>item</li></ul></div>"),
        ("> [!NOTE]", '<p class="callout-title">Note</p></div>'),
        ("> [!NOTE]\nlazy", "<p>lazy</p></div>"),
        ("- > [!TIP]\n  > in a list", '<li><div class="callout callout-tip"'),
        ("> > [!TIP]\n> > in a quote", '<blockquote><div class="callout callout-tip"'),
        ("> [!NOTE]\n> a\n{: .wide #own}", '<div class="callout callout-note wide" id="own" role="note">'),
        ("> [!NOTE]\n> ```\n> [!TIP]\n> ```", "<pre><code>[!TIP]</code></pre></div>"),
        # what is none
        ("> [!NEWS]\n> a", "<blockquote><p>[!NEWS]a</p></blockquote>"),
        ("> a [!NOTE]\n> b", "<blockquote><p>a [!NOTE]b</p></blockquote>"),
        ("> a\n>\n> [!NOTE]", "<blockquote><p>a</p><p>[!NOTE]</p></blockquote>"),
        ("[!NOTE]\na", "<p>[!NOTE]a</p>"),
        ("> [!NOTE](/x) a", '<blockquote><p><a href="/x">!NOTE</a> a</p></blockquote>'),
    ],
)
def test_shapes(text: str, wanted: str) -> None:
    assert wanted in html(text)


def test_titles_are_in_the_language_of_the_page_and_in_no_summary() -> None:
    result = render(post("> [!WARNING]\n> 본문\n"), {}, lambda a, n: a, str, "ko")
    assert f'<p class="callout-title">{words_for("ko").warning}</p>' in result.html
    assert result.summary == "본문"


def test_lines_of_a_callout_are_true() -> None:
    lines: list[int] = []
    text = "> [!NOTE] [t](/1)\n> [a](/2)\n> [b](/3)\n\n> [!TIP]\n>\n> [c](/7)\n"

    def resolve(address: str, line: int) -> str:
        lines.append(line)
        return address

    rendered(text, resolve=resolve)
    assert lines == [1, 2, 3, 7]


@given(st.text("> [!NOTEtip]\nab`", max_size=40))
def test_no_word_is_lost(text: str) -> None:
    shown = re.sub(r"<[^>]*>", "", to_html(parse(f"> [!NOTE] {text}\n\n> [!tip]\n> {text}")))
    assert sorted(re.findall("[ab]", shown)) == sorted(re.findall("[ab]", text) * 2)
