"""The quick lexer gives the tokens of the stock one, for every lexer and any text."""

from __future__ import annotations

import inspect
import re
import textwrap
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pygments.lexer import RegexLexer, bygroups, default, using
from pygments.lexers import get_lexer_by_name
from pygments.lexers.python import PythonLexer
from pygments.token import Comment, Keyword, Name, Number, Text

from builder import dialect, lexing
from builder.lexing import EVERY, Table, quick, tokens

SAMPLES = {
    "python": [
        inspect.getsource(dialect),
        inspect.getsource(re),
        inspect.getsource(textwrap),
        "f'{x!r:>{w}} {{}}' rb'\\x00' u'가' '''doc\n'''\nasync def 함수(self): await x\nmatch a:\n  case [1, *_]: ...\n",
        "print('끝나지 않은\nx = 0x_ff + 1_000j ** .5e-3 @ y\n@dec.o\nclass A(B, metaclass=M): pass\n",
        "%matplotlib inline\n!ls -l\nx?\n$ ? ` \x00 \x0b K ſ İ",
        "from . import a\nfrom ..b import (c as d,\n  e)\nimport torch.nn as nn, os\nraise E from None\nyield from x\n",
    ],
    "pycon": [">>> x = 1\n>>> for i in x:\n...     print(i)\n1\nTraceback (most recent call last):\n  a\nE: b\n"],
    "bash": ["for f in *.py; do echo \"${f%.py} $(ls | wc -l)\"; done # 끝\ncat <<EOF\n$x\nEOF\nif [[ -z $1 ]]; then :; fi"],
    "js": ["const a = `x ${b ? /re[/]x/g : 1n} y`; // c\nclass A { #p = async () => await 1 }\n/* open", "x = a / b / c"],
    "ts": ["type A<T> = { [k in keyof T]?: T[k] }; let x: number = <any>y; enum E { A = 1 }\n"],
    "json": ['{"a": [1, -2.5e3, true, null], "b": "\\u00e9\\"", // no\n "c": {}}', '{"broken'],
    "yaml": ["a: &x [1, 'two', \"three\"]\n- b: |\n    text\n  c: *x # d\n---\n? k\n: v\n"],
    "toml": ["[tool.x]\na = 1979-05-27T07:32:00Z\nb = [1, 0xFF, 'x', '''y''']\n"],
    "ini": ["[a]\nb = c ; d\n# e\nf: g\n"],
    "c": ["#include <stdio.h>\nint main(void) { char *s = \"a\\n\"; return 0x1UL; } /* x */ // y\n#if 0\nno\n#endif\n"],
    "cpp": ["template <typename T> auto f(T&& x) -> decltype(x) { return R\"(raw)\"; }\n"],
    "cuda": ["__global__ void k(float *x) { int i = threadIdx.x; x[i] = 1.f; }\nk<<<1, 2>>>(x);\n"],
    "java": ["@A public final class B<T> { int x = 0b11; String s = \"\"\"\n t\"\"\"; }"],
    "go": ["package main\nfunc f(x ...int) (<-chan int, error) { defer g(); return `raw`, nil }\n"],
    "rust": ["fn f<'a>(x: &'a str) -> Option<u8> { println!(\"{}\", r#\"x\"#); Some(b'a') } /* /* */ */"],
    "diff": ["--- a\n+++ b\n@@ -1 +1 @@\n-x\n+y\n z\nIndex: q\n"],
    "html": ["<!DOCTYPE html><a href='x' b=\"y\" c=z>&amp; <script>var a = '</'</script><style>a{b:c}</style><!-- x"],
    "css": ["@media (min-width: 1px) { a:hover > b::before { color: #fff !important; --x: calc(1px + 2%) } } /* c"],
    "sql": ["SELECT a.*, count(*) FROM t AS a WHERE b LIKE '%''x' -- c\nGROUP BY 1; /* d */"],
    "docker": ["FROM python:3.11 AS b\nRUN pip install x \\\n  && y\nCOPY --from=b /a /b\nENV A=1\n"],
    "make": ["a: b $(C)\n\t@echo $< > $@\nX := 1\nifeq (a,b)\nendif\n"],
    "r": ["x <- c(1L, NA, TRUE); f <- function(a, ...) a %in% b # c\n"],
    "julia": ["f(x::Int)::Float64 = x^2 # c\n@time \"a $(x) b\" :sym 'c'\n"],
    "latex": ["\\begin{align} \\frac{a}{b} &= 1 \\\\ % c\n\\end{align} $x_1$ \\verb|a|\n"],
    "md": ["# a\n\n- **b** `c` [d](e)\n\n```python\nx = 1\n```\n> q\n"],
    "jinja": ["{% for a in b|sort %}{{ a.c }}{# d #}{% endfor %}"],
}  # fmt: skip


@pytest.mark.parametrize("language", SAMPLES)
def test_samples_of_every_language_give_equal_tokens(language: str) -> None:
    lexer = get_lexer_by_name(language, stripnl=False)
    fast = quick(lexer)
    for sample in SAMPLES[language]:
        # Cut at many places: an unfinished string or comment takes other ways through the rules.
        for text in [sample + "\n", *(sample[: len(sample) * k // 9] for k in range(9)), sample[1:]]:
            assert fast(text) == tokens(lexer, text)


def is_quick(language: str) -> bool:
    return isinstance(getattr(quick(get_lexer_by_name(language)), "__self__", None), Table)


@pytest.mark.parametrize(
    "language", ["python", "bash", "js", "ts", "toml", "diff", "html", "css", "sql", "rust", "go"]
)
def test_common_languages_go_the_quick_way(language: str) -> None:
    assert is_quick(language)


@pytest.mark.parametrize("language", ["yaml", "c", "json", "pycon", "make", "text"])
def test_lexers_with_a_loop_of_their_own_keep_it(language: str) -> None:
    assert not is_quick(language)


CODE = st.lists(
    st.sampled_from(
        ["def", "class", "if", "else", "for", "import", "from", "return", "lambda", "async", "self", "None", "True", "print", "int", "f''", 'r""', "b'''", "#", "'", '"', "'''", '"""', "\\", "{", "}", "[", "]", "(", ")", "<", ">", "<=", "==", "=", "+", "-", "**", "/", "//", "@", ".", ",", ":", ";", "!", "?", "$", "`", "~", "%", "&", "|", "^", "0", "1.5", "0x1f", "1e5j", "_", "x", "가", "변수", "K", "ſ", "ı", "²", "function", "const", "=>", "/*", "*/", "<!--", "-->", "<a", "</a>", "&amp;", "${", "}}", "{{", "{%", "%}", "#!", "--", "&&", "||", "\t", "\n", "\r", "\x0c", "\x00", "\u2028"]
        + [" ", "\n", "\n    ", "  "]
    ),
    max_size=60,
).map("".join)  # fmt: skip


@pytest.mark.parametrize("language", ["python", "js", "bash", "html", "css", "sql", "rust", "toml", "diff"])
@settings(max_examples=60, deadline=None)
@given(text=CODE | st.text(max_size=60))
def test_random_text_gives_equal_tokens(language: str, text: str) -> None:
    lexer = get_lexer_by_name(language, stripnl=False)
    assert quick(lexer)(text) == tokens(lexer, text)


class Odd(RegexLexer):
    """Every kind of state change and rule."""

    flags = re.MULTILINE | re.IGNORECASE
    tokens = {
        "root": [
            (r"a(?=b)", Name, "two"),
            (r"(k)(\d)?", bygroups(Keyword, Number), ("two", "three")),
            (r"s", Keyword, "#push"),
            (r"p", Text, "#pop"),
            (r"<<", Comment, ("two", "#push", "#pop", "three")),
            (r"([(])(.*?)([)])", bygroups(Text, using(PythonLexer), Text)),
            (r"x*$", Text),
            (r"[^\W\d]", Name),
        ],
        "two": [(r"2", Number, "#pop:2"), (r"(?s:.)2", Text), default("three")],
        "three": [(r"3", Number, "#pop"), (r"(?<=3)b|[c-e]++", Text), (r"(q)\1", Text), (r"[^3bq]", Text, "root")],
    }  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="aAbk2s3pqxcdé()<\n KſS2", max_size=30))
def test_every_kind_of_rule(text: str) -> None:
    odd = Odd()
    stack_ends = list(odd.get_tokens_unprocessed(text))
    assert quick(odd)(text) == [(kind, value) for _, kind, value in stack_ends]


PATTERNS: list[tuple[str, int, str]] = [
    (r"abc", 0, "a"),
    (r"(?i)k", 0, "kK\u212a"),
    (r"ſ", re.IGNORECASE, "sSſ"),
    (r"[^a]", 0, "b\n가"),
    (r"[^a]", re.IGNORECASE, "b"),
    (r"[a-cé]", 0, "abcé"),
    (r"\d|\s", 0, "1 \u0663"),
    (r"(?a:\w)", 0, "a1_"),
    (r"a?b", 0, "ab"),
    (r"a{0,2}(?:b|c)*d", 0, "abcd"),
    (r"^\b(?=x)(?!y)x", 0, "x"),
    (r"(?:(?i:a)|b)", 0, "aAb"),
    (r"(?>a)b", 0, "a"),
    (r"a*+b", 0, "ab"),
    (r".", 0, "a가"),
    (r"(a)?(?(1)b|c)", 0, "ac"),
    (r"(?x) a  # comment", 0, "a"),
]


@pytest.mark.parametrize(("pattern", "flags", "chars"), PATTERNS)
def test_beginnings_are_never_too_few(pattern: str, flags: int, chars: str) -> None:
    begins = lexing._beginnings(re.compile(pattern, flags))
    assert {min(ord(char), 128) for char in chars} <= begins
    texts = [chr(c) + rest for c in range(0x250) for rest in ("", "b", "bc", "d", "x")]
    assert {min(ord(text[0]), 128) for text in texts if re.compile(pattern, flags).match(text)} <= begins


@pytest.mark.parametrize(
    ("pattern", "count"), [(r"abc", 1), (r"[a-f]x", 6), (r"(?<!\.)(if|else)\b", 2), (r"x?y", 2)]
)
def test_beginnings_are_few_where_they_can_be(pattern: str, count: int) -> None:
    assert len(lexing._beginnings(re.compile(pattern))) == count


@pytest.mark.parametrize("pattern", [r"", r"a*", r"(?=a)", r"^", r"(a)?\1", r"a|"])
def test_what_can_be_empty_begins_with_everything(pattern: str) -> None:
    assert lexing._beginnings(re.compile(pattern)) == EVERY


def test_a_match_function_that_is_no_pattern_is_always_tried() -> None:
    def match(text: str, pos: int) -> Any:
        return None

    assert lexing._beginnings(lexing._pattern(match)) == EVERY
