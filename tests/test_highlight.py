"""Code as HTML: Pygments' own spans, no character lost, nothing that hangs or becomes markup."""

from __future__ import annotations

import html
import inspect
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pygments import highlight as pygments_highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

from builder import dialect
from builder import highlight as module
from builder.highlight import escape, highlight


def text_of(markup: str) -> str:
    return html.unescape(re.sub(r"</?span[^>]*>", "", markup))


@pytest.mark.parametrize(
    ("code", "language", "wanted"),
    [
        ("x = 1\n", "py", '<span class="n">x</span> <span class="o">=</span> <span class="mi">1</span>\n'),
        ("import a", "Python", '<span class="kn">import</span> <span class="nn">a</span>'),
        ("a && b", "no-such-language", "a &amp;&amp; b"),
        ("<b>", "text", "&lt;b&gt;"),
        ("$ ls\na", "console", "$ ls\na"),
        ("x", "", "x"),
        ("", "python", ""),
        ("\n\n", "python", "\n\n"),
        ("\n\n1\n\n", "python", '\n\n<span class="mi">1</span>\n\n'),
        ("-a\n+b\n", "diff", '<span class="gd">-a</span>\n<span class="gi">+b</span>\n'),
        ('"""a\n\nb"""', "python", '<span class="sd">"""a</span>\n\n<span class="sd">b"""</span>'),
    ],
)
def test_highlight(code: str, language: str, wanted: str) -> None:
    assert highlight(code, language) == wanted


@pytest.mark.parametrize("language", ["python", "js", "yaml", "c", "html", "bash", "diff", "markdown"])
def test_the_spans_are_those_of_pygments(language: str) -> None:
    """Quotes need no escaping in text, white space no span, and long class names are left out; all else is
    byte for byte the same."""
    code = inspect.getsource(dialect) + "<a href=\"x\">&amp;</a> # '가'\n"
    theirs = pygments_highlight(code, get_lexer_by_name(language, stripnl=False), HtmlFormatter(nowrap=True))
    theirs = re.sub(r'<span class="w">(.*?)</span>', r"\1", theirs)
    theirs = re.sub(r'<span class="(\w+) [^"]*">', r'<span class="\1">', theirs)
    assert highlight(code, language) == theirs.replace("&#39;", "'").replace("&quot;", '"')


@given(
    st.text(max_size=80) | st.text(alphabet="ab=+-#'\"\\<>&{}[]\n\r\t \ufeff\x00가", max_size=80),
    st.sampled_from(["python", "js", "yaml", "c", "html", "bash", "json", "pycon", "console", "md", "xx"]),
)
def test_no_character_is_lost(code: str, language: str) -> None:
    markup = highlight(code, language)
    assert text_of(markup) == code
    assert "<" not in re.sub(r'<span class="[a-z0-9 -]+">|</span>', "", markup)
    for line in markup.split("\n"):
        assert line.count("<span ") == line.count("</span>")


@pytest.mark.parametrize(
    ("code", "language"),
    [
        ("x = 1\n" * 40_000, "python"),
        ("x" * 20_001, "python"),
        ("a\n" + "(" * 1_000_000, "console"),
        ('"' + "\\" * 60, "scala"),
        ("//" + "\\" * 60, "tads3"),
        ('"' + "\\" * 60, "maple"),
    ],
    ids=["much", "long line", "console", "scala", "tads3", "maple"],
)
def test_what_could_hang_is_plain(code: str, language: str) -> None:
    start = time.monotonic()
    assert highlight(code, language) == escape(code)
    assert time.monotonic() - start < 2


def test_long_code_below_the_limits_is_highlighted() -> None:
    assert "<span" in highlight("x = 1\n" * 30_000, "python")


@pytest.mark.parametrize("fault", ["raises", "loses"])
def test_a_bad_lexer_costs_the_colours_only(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def lex(text: str) -> list[tuple[object, str]]:
        if fault == "raises":
            raise RecursionError
        return []

    monkeypatch.setattr(module, "_lexer", lambda language: lex)
    assert highlight("a < b\n", "python") == "a &lt; b\n"


def test_a_lexer_is_made_once() -> None:
    assert module._lexer("python") is module._lexer("python")
