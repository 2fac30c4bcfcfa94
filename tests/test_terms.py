"""What of an article can be found, and under which terms."""

from __future__ import annotations

import json
import unicodedata

import pytest

from builder.terms import Section, findable, sections

SECTIONS: dict[str, tuple[str, list[Section]]] = {
    # HTML -> (id, heading, text) of each part
    "text above the first heading": ("<p>하나</p>", [Section("", "", "하나")]),
    "text by headings": (
        '<p>a</p><h2 id="b-c">B <em>c</em> <a class="anchor" href="#b-c">#</a></h2><p>d</p><h3 id="e">e</h3>',
        [Section("", "", "a"), Section("b-c", "B c", "d"), Section("e", "e", "")],
    ),
    "a heading without a name is text": ("<h2>a</h2><p>b</p>", [Section("", "", "a\nb")]),
    "an id that is written as an entity": (
        '<h2 class="x" id="a&amp;b">A &amp; B</h2>',
        [Section("", "", ""), Section("a&b", "A & B", "")],
    ),
    "a line end of a paragraph is a space": ("<p>자동\n미분</p>", [Section("", "", "자동 미분")]),
    "lines of code are lines, its colours nothing": (
        '<pre class="highlight"><code><span class="n">x</span><span class="o">.</span>grad\n<span>y</span>\n</code></pre>',
        [Section("", "", "x.grad\ny")],
    ),
    "the label of folded code is none of the text, its title is": (
        '<details class="fold"><summary><span class="code-title">a.py</span><span class="count">코드 3줄</span>'
        "</summary><pre>x</pre></details>",
        [Section("", "", "a.py\nx")],
    ),
    "escaped code": ("<pre>a &lt; b &amp;&amp; c</pre>", [Section("", "", "a < b && c")]),
    "inline elements do not part a word": ("<p>자동<b>미분</b>을</p>", [Section("", "", "자동미분을")]),
    "cells of a table stand side by side (what shows them takes out spaces)": (
        "<table><tr><th>a</th><th>b</th></tr><tr><td>c</td></tr></table>",
        [Section("", "", "a  b\n c")],
    ),
    "a formula is its TeX": (
        '<p>nun <math class="x" alttext="\\frac{1}{2} &lt; x"><mi>x</mi></math></p>',
        [Section("", "", "nun \\frac{1}{2} < x")],
    ),
    "what is no text": (
        "<p>a<script>no</script><style>no</style><!-- no --><button>no</button></p><svg><text>no</text></svg>",
        [Section("", "", "a")],
    ),
    "an element that never ends": ("<p>a</p><script>no <p>no</p>", [Section("", "", "a")]),
    "a decomposed text is composed": (
        f"<p>{unicodedata.normalize('NFD', '미분')}</p>",
        [Section("", "", "미분")],
    ),
    "signs that part sections inside": ("<p>a\x1eb\x1fc</p>", [Section("", "", "abc")]),
    "nothing": ("", [Section("", "", "")]),
}


@pytest.mark.parametrize("case", SECTIONS)
def test_the_text_by_headings(case: str) -> None:
    html, expected = SECTIONS[case]
    assert sections(html) == expected


TERMS: dict[str, set[str]] = {
    "자동미분을": {"자동", "동미", "미분", "분을", "을", "ㅈㄷㅁㅂㅇ", "ㄷㅁㅂㅇ", "ㅁㅂㅇ", "ㅂㅇ"},
    "값": {"값"},
    "requires_grad": {"requires_grad", "grad"},
    "nn.BatchNorm2d(3)": {"nn", "batchnorm2d", "norm2d", "3"},
    "HTTPServer": {"httpserver", "server"},
    "__init__": {"__init__", "init__"},
    "GPU에서": {"gpu", "에서", "서", "ㅇㅅ"},
    "3.14159": {"3", "141"},
    "深層学習": {"深層", "層学", "学習", "習"},
    "Überraschung": {"überraschung"},
    "a" * 30: {"a" * 20},
    "!?": set(),
}


@pytest.mark.parametrize("word", TERMS)
def test_the_terms_of_a_word(word: str) -> None:
    assert set(findable("", (), f"<p>{word}</p>").terms.split("\n")[0].split()) == TERMS[word]


def test_a_term_stands_in_the_best_field() -> None:
    html = '<p>title tag head text</p><h2 id="h">head title</h2>'
    fields = [line.split() for line in findable("Title", ("Tag", "title"), html).terms.split("\n")]
    assert fields == [["text"], ["tag"], ["head"], ["title"]]


def test_initial_consonants_of_a_title_begin_at_each_letter() -> None:
    title = findable("자동 미분 정리", (), "").terms.split("\n")[3].split()
    assert {"ㅈㄷㅁㅂㅈㄹ", "ㅁㅂㅈㄹ", "ㅈㄹ"} <= set(title)


def test_the_text_is_that_of_the_page() -> None:
    found = findable("t", ("텐서",), '<p>"a"</p><h2 id="b">B</h2><p>c</p>')
    assert json.loads(found.text) == [["텐서"], ["", "", '"a"'], ["b", "B", "c"]]
