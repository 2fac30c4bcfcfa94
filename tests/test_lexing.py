"""The quick lexer gives the tokens of the stock one, for every lexer and any text."""

from __future__ import annotations

import functools
import inspect
import itertools
import re
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, TypeAlias, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pygments.lexer import Lexer, RegexLexer, bygroups, default, using
from pygments.lexers import get_lexer_by_name
from pygments.lexers.python import PythonLexer
from pygments.token import Comment, Keyword, Name, Number, Operator, Punctuation, Text, Whitespace

from builder.markdown import dialect, lexing
from builder.markdown.lexing import EVERY, Table, TextLost, has_stock_loop

Tokens: TypeAlias = list[tuple[Any, str]]

SAMPLES = {path.suffix[1:]: path for path in (Path(__file__).parent / "cases/lexing").glob("sample.*")}
PYTHON = [inspect.getsource(module) for module in (dialect, re, textwrap)]


class Pairs(dict[str, tuple[Any, str]]):
    """Texts of one type, each shown as both."""

    def __init__(self, kind: Any) -> None:
        super().__init__()
        self.kind = kind

    def __missing__(self, text: str) -> tuple[Any, str]:
        return self.kind, text


def quick(lexer: Lexer) -> Callable[[str], Tokens]:
    """The tokens of a lexer by a `Table`."""
    return Table(lexer, functools.cache(Pairs)).shown


def tokens(lexer: Lexer, text: str) -> Tokens:
    """The same by Pygments itself."""
    return [(kind, value) for _, kind, value in lexer.get_tokens_unprocessed(text)]


def merged(found: Tokens) -> Tokens:
    """Tokens with neighbours of one type as one, and without empty ones."""
    runs: Tokens = []
    for kind, value in found:
        if runs and runs[-1][0] is kind:
            runs[-1] = kind, runs[-1][1] + value
        elif value:
            runs.append((kind, value))
    return runs


@pytest.mark.parametrize("language", sorted(SAMPLES))
def test_samples_of_every_language_give_equal_tokens(language: str) -> None:
    lexer = get_lexer_by_name(language, stripnl=False)
    fast = quick(lexer)
    sample = SAMPLES[language].read_bytes().decode()  # with the odd line ends that it has
    # Cut at many places: an unfinished string or comment takes other ways through the rules.
    for text in [sample, sample[1:], *(sample[: len(sample) * k // 40] for k in range(40))]:
        assert merged(fast(text)) == merged(tokens(lexer, text))


@pytest.mark.parametrize("source", PYTHON)
def test_whole_modules_give_equal_tokens(source: str) -> None:
    lexer = get_lexer_by_name("python", stripnl=False)
    assert merged(quick(lexer)(source)) == merged(tokens(lexer, source))


def is_quick(language: str) -> bool:
    return has_stock_loop(get_lexer_by_name(language))


@pytest.mark.parametrize(
    "language", ["python", "bash", "js", "ts", "toml", "diff", "html", "css", "sql", "rust", "go"]
)
def test_common_languages_go_the_quick_way(language: str) -> None:
    assert is_quick(language)


@pytest.mark.parametrize("language", ["yaml", "c", "json", "pycon", "make", "text"])
def test_lexers_with_a_loop_of_their_own_keep_it(language: str) -> None:
    assert not is_quick(language)


VOCABULARY = r"""
def class if else for import from return lambda async self None True print int .len __init__ match case lazy in rb f'' r"" b''' # ' " ''' \ { }
[ ] ( ) < > <= == = + - ** / // @ . , : ; ! ? $ ` ~ % & | ^ 0 1.5 0x1f 1e5j _ x 가 변수 K ſ ı ²
function const => /* */ <!-- --> <a </a> &amp; ${ }} {{ {% %} #! -- && ||
"""
SPACES = [" ", "  ", "\n", "\n    ", "\t", "\r", "\f", "\x00", "\u2028", "\u0301"]
CODE = st.lists(st.sampled_from(VOCABULARY.split() + SPACES), max_size=60).map("".join)


@pytest.mark.parametrize(
    "language", ["python", "js", "bash", "html", "css", "sql", "rust", "toml", "java", "r"]
)
@settings(max_examples=60, deadline=None)
@given(text=CODE | st.text(max_size=60))
def test_random_text_gives_equal_tokens(language: str, text: str) -> None:
    lexer = get_lexer_by_name(language, stripnl=False)
    assert merged(quick(lexer)(text)) == merged(tokens(lexer, text))


KEY: Any = cast(Any, bygroups)(Keyword, Number)
CALL: Any = cast(Any, bygroups)(Text, cast(Any, using)(PythonLexer), Text)


class Odd(RegexLexer):
    """Every kind of state change and rule."""

    flags = re.MULTILINE | re.IGNORECASE
    tokens: ClassVar = {
        "root": [
            (r"a(?=b)", Name, "two"),
            (r"(k)(\d)?", KEY, ("two", "three")),
            (r"s", Keyword, "#push"),
            (r"p", Text, "#pop"),
            (r"<<", Comment, ("two", "#push", "#pop", "three")),
            (r"([(])(.*?)([)])", CALL),
            (r"x+$", Text),
            (r"[^\W\d]", Name),
        ],
        "two": [(r"2", Number, "#pop:2"), (r"(?s:.)2", Text), default("three")],
        "three": [
            (r"3", Number, "#pop"),
            (r"(?<=3)b|[c-e]++", Text),
            (r"(q)\1", Text),
            (r"[^3bq]", Text, "root"),
        ],
    }


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="aAbk2s3pqxcdé()<\n KſS2", max_size=30))
def test_every_kind_of_rule(text: str) -> None:
    odd = Odd()
    assert merged(quick(odd)(text)) == merged(tokens(odd, text))


LOST: Any = cast(Any, bygroups)(Keyword, None)


class Careless(RegexLexer):
    """What a lexer must not do with text."""

    tokens: ClassVar = {
        "root": [
            (r"a", Text),
            (r"(c)(c)", LOST),
            (r"d", lambda lexer, match: [(match.start(), Text, "e")]),
            (r"f", lambda lexer, match: [(match.start(), Text, "f"), (match.end(), Text, "g")]),
        ]
    }


@pytest.mark.parametrize("text", ["acca", "ada", "af", "afg"])
def test_lost_text_is_noticed(text: str) -> None:
    assert quick(Careless())("aa") == [(Text, "aa")]
    with pytest.raises(TextLost):
        quick(Careless())(text)


PATTERNS: list[tuple[str, int, str]] = [
    (r"abc", 0, "a"),
    (r"(?i)k", 0, "kK\u212a"),
    (r"ſ", re.IGNORECASE, "sSſ"),
    (r"[^a]", 0, "b\n가"),
    (r"[^a]", re.IGNORECASE, "b"),
    (r"[a-cé]", 0, "abcé"),
    (r"\d|\s", 0, "1 \u0663"),
    (r"(?a:\w)", 0, "a1_"),
    (r"\S", re.ASCII, "a\x1c"),
    (r"[^\s]", re.ASCII, "a\x1c"),
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
    begins = lexing._beginnings(re.compile(pattern, flags).match)
    assert {min(ord(char), 128) for char in chars} <= begins
    texts = [chr(c) + rest for c in range(0x250) for rest in ("", "b", "bc", "d", "x")]
    assert {min(ord(text[0]), 128) for text in texts if re.compile(pattern, flags).match(text)} <= begins


@pytest.mark.parametrize(
    ("pattern", "count"), [(r"abc", 1), (r"[a-f]x", 6), (r"(?<!\.)(if|else)\b", 2), (r"x?y", 2)]
)
def test_beginnings_are_few_where_they_can_be(pattern: str, count: int) -> None:
    assert len(lexing._beginnings(re.compile(pattern).match)) == count


@pytest.mark.parametrize("pattern", [r"", r"a*", r"(?=a)", r"^", r"(a)?\1", r"a|"])
def test_what_can_be_empty_begins_with_everything(pattern: str) -> None:
    assert lexing._beginnings(re.compile(pattern).match) == EVERY


def test_a_match_function_that_is_no_pattern_is_always_tried() -> None:
    def match(text: str, pos: int) -> Any:
        return None

    assert lexing._beginnings(match) == EVERY


HEADS: list[tuple[str, int, set[str] | None]] = [
    (r"(?<!\.)(if|else)\b", 0, {"if", "else"}),
    (r"(def)((?:\s|\\\s)+)", 0, {"def"}),
    (r"yield from\b|yield\b", 0, {"yield"}),
    (r"a(?:bs|ll)?\b", 0, {"a", "abs", "all"}),
    (r'^(\s*)([rR]{,2})(""")', 0, {'"', "r", "R", "rr", "rR", "Rr", "RR", "\n"}),
    (r"(?i)(r[ft])(')", 0, {"rf", "rF", "Rf", "RF", "rt", "rT", "Rt", "RT", "r", "R"}),
    (r"(^[ \t]*)(match|case)\b(?!:)", 0, {"match", "case"}),
    (r"#.*$", 0, {"#"}),
    (r"(?>in)\b", 0, {"in"}),
    (r"x{2}\b", 0, {"xx"}),
    (r"in", 0, None),  # also the `in` of `int`
    (r"[a-z]+\b", 0, None),
    (r"\s+", 0, None),
    (r"(a)\1\b", 0, None),
    (r"", 0, None),
]
BEHIND = ["", " ", "\t", "\n", "(", '"""', "'", ".", "é", "²", "\u0301", " from ", "'''"]


@pytest.mark.parametrize(("pattern", "flags", "wanted"), HEADS)
def test_the_words_that_a_match_begins_with(pattern: str, flags: int, wanted: set[str] | None) -> None:
    heads = lexing._heads(re.compile(pattern, flags).match)
    assert heads == wanted
    if heads is not None:
        words = {*heads, "a", "in", "i", "int", "ifs", "yields", "R", "rf", "absx", "matches", "x", "xxx"}
        for before, word, behind in itertools.product(["", " ", "\t  "], words, BEHIND):
            if re.compile(pattern, flags).match(before + word + behind):
                assert word in heads


@pytest.mark.parametrize("language", ["python", "js", "bash", "html", "sql", "rust", "toml", "java", "go"])
def test_no_rule_begins_with_a_word_that_is_not_named(language: str) -> None:
    lexer: Any = get_lexer_by_name(language)
    text = SAMPLES[language].read_bytes().decode() + VOCABULARY
    words = {f"{word}{more}" for word in re.findall(r"[A-Za-z_][A-Za-z0-9_]*", text) for more in ("", "s")}
    for match in {rule[0] for rules in lexer._tokens.values() for rule in rules}:
        heads = lexing._heads(match)
        if heads is None:
            continue
        for word, behind in itertools.product(words, BEHIND):
            if match(f"\n  {word}{behind}", 3) or match(f"\n  {word}{behind}", 1):
                assert word in heads


@pytest.mark.parametrize(
    ("pattern", "first", "takes"),
    [
        (r"[^\W\d]\w*", "a", True),
        (r"\w+", "a", True),
        (r"[a-z]\w*", "A", False),
        (r"[a-z_]+", "a", False),
        (r"[\w$]+", "a", False),
        (r"\w+?", "a", False),
        (r"\w+\b", "a", False),
        (r"\w{2,}", "a", False),
        (r"", "a", False),
        (r"[^\S\n]+", " ", True),
        (r"\s+", " ", False),
        (r" +", " ", False),
    ],
)
def test_what_takes_a_run(pattern: str, first: str, takes: bool) -> None:
    run = lexing._BLANKS if first == " " else lexing._WORD
    match = re.compile(pattern)
    assert (lexing._takes_all(match.match) == run.goes_on and match.match(first) is not None) == takes


PAIRS: list[tuple[str, int, str]] = [
    (r"=|==|[-+]=?", 0, "=-+"),
    (r"\d*\.\d+|\.", 0, ".1"),
    (r"(?i)k{2,}|a?b", 0, "ka"),
    (r"(?:a|ab)(?>c)?", 0, "a"),
    (r"a(?=b)|\Bc", 0, "ac"),
    (r"(a)\1", 0, "a"),
    (r"x*", 0, "xy"),
]


@pytest.mark.parametrize(("pattern", "flags", "chars"), PAIRS)
def test_the_second_characters_of_a_match_are_never_too_few(pattern: str, flags: int, chars: str) -> None:
    match = re.compile(pattern, flags).match
    for text in map("".join, itertools.product(chars, "abckx.1=-+ \n", "abck.1=")):
        seconds, few = lexing._seconds(match, text[0])
        if hit := match(text):
            assert few if hit.end() < 2 else ord(text[1]) in seconds


def test_most_of_python_is_sure_without_a_try() -> None:
    row: Any = Table(get_lexer_by_name("python"), functools.cache(Pairs))._rows["root"]
    assert (row["("].kind, row["\n"].kind, row["parse"].kind) == (Punctuation, Whitespace, Name)
    assert row["print"] is row["1"] is row["."] is row["    "] is row["pä"] is None
    assert row.before["    ", "x"][0].kind is Text
    assert row.before[".", "x"][0].kind is row.before["=", " "][0].kind is Operator
    for unsure in (("print", "("), ("    ", '"'), (".", "5"), ("=", "="), ("1", "."), ("pä", " ")):
        kind, rules = row.before[unsure]
        assert kind is None
        assert rules
