"""Code as HTML: Pygments' own spans, no character lost, nothing that hangs or becomes markup."""

from __future__ import annotations

import html
import inspect
import re
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, ClassVar, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pygments import highlight as pygments_highlight
from pygments.formatters import HtmlFormatter
from pygments.lexer import RegexLexer, bygroups
from pygments.lexers import get_lexer_by_name
from pygments.token import Number, Text

from builder.fences import parse_info
from builder.markdown import dialect
from builder.markdown import highlight as module
from builder.markdown.highlight import Look, escape, highlight, in_lines, is_ours, look_of, remember
from builder.markdown.lexing import Table
from builder.model import Markup
from tests.test_markdown import rendered


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


class Careless(RegexLexer):
    """A lexer that loses an `a` behind others, and fails at a `!`."""

    tokens: ClassVar = {
        "root": [
            (r"(a)(a)", cast(Any, bygroups)(Text, None)),
            (r"!", lambda lexer, match: 1 / 0),
            (r".", Number),
        ]
    }


@pytest.mark.parametrize(
    ("code", "wanted"),
    [("b\n", '<span class="m">b</span>\n'), ("baa < b\n", "baa &lt; b\n"), ("b!\n", "b!\n")],
)
def test_a_bad_lexer_costs_the_colours_only(code: str, wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_lexer", lambda language: Table(Careless(), module._class_of).shown)
    assert highlight(code, f"careless {code}") == wanted


def test_a_lexer_is_made_once() -> None:
    assert module._lexer("python") is module._lexer("python")


# --- what an earlier process has highlighted --------------------------------------------------

OURS = '<pre class="highlight" tabindex="0"><code class="language-python">{}</code></pre>\n'
CODES = [
    "x = 1\n",
    "print('<&>', \"&amp;\")  # 가 &lt;\n",
    "a\n" * 60,
    "def f():\n    '''\n\n    </code></pre>'''\n",
    "x",
    "\n\n1\n\n",
]


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """What lets `highlight` forget everything, like a new process, in which no lexer can be made."""

    def no_lexer(language: str) -> None:
        raise AssertionError(f"a lexer of {language} is made")

    def forget() -> None:
        module._html.clear()
        module._given.clear()
        monkeypatch.setattr(module, "_lexer", no_lexer)

    return forget


@pytest.mark.parametrize("code", CODES)
def test_a_block_is_remembered(code: str, fresh: Callable[[], None]) -> None:
    inside = highlight(code, "Python")
    html = f"<p>a</p>{OURS.format(inside)}<p>b</p>"
    assert is_ours(html)
    fresh()
    assert not is_ours(html)
    remember(html)
    assert highlight(code, "python") == inside
    assert is_ours(html)


def test_a_block_that_render_writes_is_remembered(fresh: Callable[[], None]) -> None:
    """Long ones, titles and folds are in other frames; numbered and marked lines are left alone."""
    fences = [
        f"```python {look}\n{code.rstrip()}\n```\n"
        for look in ("", "{fold=true}", 'title="a"')
        for code in CODES
    ]
    numbered = '```python {linenos=true}\na = 1\n```\n```python {hl_lines="1"}\na = 2\n```\n'
    plain = "```\n<a>\n```\n```text\nx\n```\n```py\n\n```\n"
    html = rendered("\n".join([*fences, numbered, plain])).html
    assert is_ours(html)
    assert html.count("<code ") - 4 == sum(1 for _ in module._blocks(html))
    fresh()
    remember(html)
    assert rendered("\n".join(fences)).html in html
    with pytest.raises(AssertionError, match="a lexer"):
        rendered(numbered)


HOSTILE = [
    OURS.format("x = 1\n"),
    OURS.format('<span class="n">x</span> = 1\n'),
    OURS.format('<span class="n">x</span> <span class="o">=</span> <span class="mi">1</span>\n<b>evil</b>\n'),
    OURS.format("<script>alert(1)</script>"),
    OURS.replace("python", "js").format(
        '<span class="n">x</span> <span class="o">=</span> <span class="mi">1</span>\n'
    ),
    OURS.replace(' tabindex="0"', ' tabindex="0" data-lines="1"').format("x = 1\n"),
]


@pytest.mark.parametrize("html", HOSTILE)
def test_a_block_that_an_author_has_written_is_not_ours(html: str, fresh: Callable[[], None]) -> None:
    fence = "```python\nx = 1\n```\n"
    genuine = rendered(fence).html
    assert is_ours(genuine)
    assert html in rendered(f"{fence}\n{html}\n").html  # it passes through as it is
    assert not is_ours(rendered(f"{fence}\n{html}\n").html)
    shown = Markup(html, "")
    assert not is_ours(rendered(f"{fence}\n", {1: (shown,)}).html)
    assert is_ours(genuine)


@pytest.mark.parametrize(
    "html",
    [
        OURS.format("x"),
        '<pre class="highlight" tabindex="0"><code class="language-python">x = 2',  # without an end
        '<pre class="highlight" tabindex="0"',
        '<pre><code class="language-python">x = 2</code></pre>',
        OURS.replace("python", "text").format("x = 2"),
        OURS.format(" \n"),
    ],
)
def test_what_is_no_block_of_ours_changes_nothing(html: str) -> None:
    """Even if it is remembered against the rule: there is no code of which it would be believed."""
    wanted = highlight("x = 2", "python"), highlight("x = 2", "text"), highlight(" \n", "python")
    module._html.clear()
    module._given.clear()
    if is_ours(html):
        remember(html)
    assert (highlight("x = 2", "python"), highlight("x = 2", "text"), highlight(" \n", "python")) == wanted


@given(st.text(max_size=60) | st.text(alphabet="ab=+-#'\"\\<>&;lt{}[]\n\r\t 가", max_size=60))
def test_code_is_got_back_from_its_html(code: str) -> None:
    inside = highlight(code, "python")
    assert module._text_of(inside) == code
    html = OURS.format(inside)
    assert is_ours(html)
    remember(html)
    assert highlight(code, "python") == inside


def test_only_so_much_is_held_in_memory() -> None:
    for number in range(module._MOST_BLOCKS + 5):
        highlight(f"x{number}", "python")
        assert is_ours(OURS.format(f'<span class="n">x{number}</span>'))
        assert len(module._html) == sum(map(len, module._given.values())) <= module._MOST_BLOCKS


def test_what_is_remembered_needs_no_pygments() -> None:
    html = OURS.format(highlight("x = 1\n", "python"))
    program = (
        "import sys\nfrom builder.markdown.highlight import highlight, remember\n"
        f"remember({html!r})\nhighlight('x = 1\\n', 'python')\nprint('pygments' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


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
