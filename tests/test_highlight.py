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

from builder.fences import parse_info
from builder.markdown import dialect
from builder.markdown import highlight as module
from builder.markdown.highlight import Look, escape, highlight, in_lines, look_of


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
    start = time.process_time()
    assert highlight(code, language) == escape(code)
    assert time.process_time() - start < 20


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


# --- how a block looks besides its colours ----------------------------------------------------


def look(info: str, lines: int = 9) -> tuple[Look, tuple[str, ...]]:
    options = parse_info(info)
    return look_of(options.options, options.braced, lines)


@pytest.mark.parametrize(
    ("info", "wanted"),
    [
        ("python", Look()),
        ("python linenos", Look()),  # of another tool: a word without a value
        ("python {linenos=true}", Look(numbered=True)),
        ("python linenos=true", Look(numbered=True)),
        ("python {linenos=false}", Look()),
        ('python title="train.py"', Look(title="train.py")),
        ('python {title=" a b "}', Look(title="a b")),
        ('python {hl_lines="2 4-5"}', Look(marked=frozenset({2, 4, 5}))),
        ('python hl_lines="2, 4-5"', Look(marked=frozenset({2, 4, 5}))),
        ("python {hl_lines=[2,4]}", Look(marked=frozenset({2, 4}))),
        ("python {hl_lines=3}", Look(marked=frozenset({3}))),
        ('python hl_lines="8-99"', Look(marked=frozenset({8, 9}))),
        ('python hl_lines="x" linenos=maybe', Look()),
        ("python {fold=yes}", Look(fold=True)),
        ("{.python .input n=3}", Look()),
    ],
)
def test_how_a_block_looks(info: str, wanted: Look) -> None:
    assert look(info) == (wanted, ())


@pytest.mark.parametrize(
    ("info", "complaint"),
    [
        ("python {linenos=maybe}", "`linenos` must be true or false, not `maybe`"),
        ("python {fold=1}", "`fold` must be true or false, not `1`"),
        ('python {hl_lines="two"}', '`hl_lines` must be like "2 4-5", not `two`'),
        ('python {hl_lines=""}', '`hl_lines` must be like "2 4-5", not ``'),
        ("python {hl_lines=10}", "`hl_lines` names `10`, of 9 lines"),
        ('python {hl_lines="0"}', "`hl_lines` names `0`, of 9 lines"),
        ('python {hl_lines="5-4"}', "`hl_lines` names `5-4`, of 9 lines"),
        ('python {hl_lines="1-999999"}', "`hl_lines` names `1-999999`, of 9 lines"),
    ],
)
def test_what_is_wrong_in_braces_is_told(info: str, complaint: str) -> None:
    assert look(info)[1] == (complaint,)


@pytest.mark.parametrize("code", ["a\nb\n", "a\n\nb", "\n\n", '"""a\nb"""\n', ""])
def test_lines_are_elements_and_no_character_is_lost(code: str) -> None:
    markup = in_lines(highlight(code, "python"), {1})
    assert text_of(markup) == (code if code.endswith("\n") or not code else code + "\n")
    lines = re.findall(
        r'<span class="line(?: marked)?">(?:<span class="\w+">[^<]*</span>|[^<])*\n</span>', markup
    )
    assert "".join(lines) == markup
    assert len(lines) == len(code.splitlines())
    assert markup.count("marked") == (1 if code else 0)
