"""Front matter in every shape that real posts have, and in some that nobody should write."""

from __future__ import annotations

import datetime as dt
import time
import unicodedata
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.front_matter import parse_front_matter
from builder.model import FrontMatter, Problem

SEOUL = ZoneInfo("Asia/Seoul")


def read(block: str) -> tuple[FrontMatter, list[Problem]]:
    """A block whose first line is line 2 of the file."""
    front_matter, body_line, problems = parse_front_matter(f"---\n{block}\n---\nbody\n", "a.md", SEOUL)
    assert body_line == block.count("\n") + 4
    assert all(problem.path == "a.md" and problem.kind == "front-matter" for problem in problems)
    return front_matter, list(problems)


def good(block: str) -> FrontMatter:
    front_matter, problems = read(block)
    assert problems == []
    return front_matter


def told(problems: list[Problem]) -> list[tuple[str, int, str, str]]:
    return [(p.level, p.line, p.message.removeprefix("front matter: "), p.hint) for p in problems]


# --- where the block is ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "title", "body_line"),
    [
        ("---\ntitle: x\n---\nbody", "x", 4),
        ("---\n\ntitle: x\n\n---\nbody", "x", 6),
        ("---  \ntitle: x\n--- \t\nbody", "x", 4),
        ("---\ntitle: x\n...\nbody", "x", 4),
        ("---\ntitle: x\n---", "x", 4),
        ("---\n---\nbody", "", 3),
        ("\ufeff---\ntitle: x\n---\nbody", "x", 4),
        ("---\r\ntitle: x\r\n---\r\nbody", "x", 4),
        ("---\rtitle: x\r---\rbody", "x", 4),
        ("---\r\ntitle: x\n---\rbody", "x", 4),
        ("---\ntitle: x\n---\n\n---\ntitle: y\n---\n", "x", 4),
        ("---\ntitle: |\n  a\n  ---\n---\nbody", "a ---", 6),  # an indented rule does not close
        ("---\ntitle: x\u2028y\x85z\n---\nbody", "x y z", 4),  # line ends for YAML, not for an editor
        ("", "", 1),
        ("body", "", 1),
        ("\n---\ntitle: x\n---\n", "", 1),  # it is not at the beginning
        ("----\ntitle: x\n----\n", "", 1),
        ("--- # x\ntitle: x\n---\n", "", 1),
    ],
)
def test_where_the_block_is(text: str, title: str, body_line: int) -> None:
    front_matter, line, problems = parse_front_matter(text, "a.md", SEOUL)
    assert (front_matter.title, line, problems) == (title, body_line, ())


@pytest.mark.parametrize("text", ["---\ntitle: x\n", "---\n", "---\r\ntitle: x\r\n----\r\n"])
def test_a_block_that_is_never_closed(text: str) -> None:
    front_matter, line, problems = parse_front_matter(text, "a.md", SEOUL)
    assert (front_matter, line) == (FrontMatter(), 1)
    message = "the block opened here is never closed"
    assert told(list(problems)) == [("error", 1, message, "add a line `---` below it")]


def test_a_block_that_is_too_large() -> None:
    text = "---\ntitle: x\nlong: " + "x" * 70_000 + "\n---\nbody"
    front_matter, line, problems = parse_front_matter(text, "a.md", SEOUL)
    assert (front_matter, line) == (FrontMatter(), 5)
    assert told(list(problems))[0][:3] == ("error", 1, "the block is larger than 64 KB")


def test_the_seed() -> None:
    front_matter = good(
        "\ntitle: Pytorch 문법 (4) - Fianl\n\ncategories: \n  - py\n  \ntags:\n  - [DL, Pytorch]\n  \n"
        "toc: true\ntoc_sticky: true\n\ndate: 2023-03-06\nlast_modified_at: 2023-03-06"
    )
    day = datetime(2023, 3, 6, tzinfo=SEOUL)
    assert front_matter == FrontMatter(
        title="Pytorch 문법 (4) - Fianl",
        date=day,
        last_modified=day,
        categories=("py",),
        tags=("DL", "Pytorch"),
        toc=True,
        extra={"toc_sticky": True},
        lines={
            "title": 3,
            "categories": 5,
            "tags": 8,
            "toc": 11,
            "toc_sticky": 12,
            "date": 14,
            "last_modified_at": 15,
        },
    )


# --- fields ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "title"),
    [
        ("2023", "2023"),
        ("no", "no"),
        ("1.10", "1.10"),
        ("007", "007"),
        ("12:30:45", "12:30:45"),
        ("2023-03-06", "2023-03-06"),
        ("'2023'", "2023"),
        ('"a: b # c"', "a: b # c"),
        (">\n  two\n  lines", "two lines"),
        ("C#notes", "C#notes"),
        ("", ""),
        ("~", ""),
        ("null", ""),
        (unicodedata.normalize("NFD", "한글"), "한글"),
        (r'"a\0b\u0007c"', "abc"),  # no page can hold these
    ],
)
def test_a_text_is_the_text_of_the_source(value: str, title: str) -> None:
    assert good(f"title: {value}").title == title


@pytest.mark.parametrize(("value", "kind"), [("[a, b]", "a list"), ("{a: b}", "a table (`key: value`)")])
def test_a_text_that_is_none(value: str, kind: str) -> None:
    front_matter, problems = read(f"date: 2023-01-01\ntitle: {value}")
    assert front_matter.title == ""
    assert told(problems) == [("error", 3, f"`title` must be text, not {kind}", "")]


@pytest.mark.parametrize(("value", "left"), [("C# notes #1", "C# notes"), ("# 1", ""), ("a #b #c", "a")])
def test_a_title_that_is_cut_by_a_comment(value: str, left: str) -> None:
    front_matter, problems = read(f"title: {value}")
    assert front_matter.title == left
    message = f'`title` is cut at ` #`: "{left}"'
    assert told(problems) == [("warning", 2, message, "put the title into quotes")]


def test_comments_behind_other_values_are_comments() -> None:
    front_matter = good("toc: true # yes\ndate: 2023-03-06   # a day\ntags: [a] # b\ntitle: 'x' # y")
    assert (front_matter.toc, front_matter.tags, front_matter.title) == (True, ("a",), "x")


@pytest.mark.parametrize(
    ("block", "tags"),
    [
        ("tags: [a, b]", ("a", "b")),
        ("tags:\n- a\n- b c", ("a", "b c")),
        ("tags:\n  - [DL, Pytorch]", ("DL", "Pytorch")),
        ("tags: [[a, [b]], c]", ("a", "b", "c")),
        ("tags: a b  c", ("a", "b", "c")),
        ("tags: a, b c,", ("a", "b c")),
        ("tags: a", ("a",)),
        ("tags: []", ()),
        ("tags:", ()),
        ("tags: ~", ()),
        ("tags: [a, '', ~, null]", ("a", "null")),
        ("tags: [no, 1.10, 2023-01-01, 0123]", ("no", "1.10", "2023-01-01", "0123")),
        ("tags: [Java, java, JAVA, b]", ("Java", "b")),
        (f"tags: [{unicodedata.normalize('NFD', '파이썬')}, 파이썬]", ("파이썬",)),
        ("tag: a b", ("a b",)),
        ("tag: [a b, c]", ("a b", "c")),
        ("tag: x\ntags: [y, X]", ("x", "y")),
        (
            "tags: [Algorithm & Data Structure, 정규표현식(re)]",
            ("Algorithm & Data Structure", "정규표현식(re)"),
        ),
    ],
)
def test_tags_and_categories(block: str, tags: tuple[str, ...]) -> None:
    assert good(block).tags == tags
    categories = block.replace("tags:", "categories:").replace("tag:", "category:")
    assert good(categories).categories == tags


def test_a_tag_that_yaml_takes_for_a_table() -> None:
    front_matter, problems = read("tags:\n - C++: notes\n - y")
    assert front_matter.tags == ("y",)
    assert [(p.level, p.line) for p in problems] == [("error", 3)]


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2023-03-06", datetime(2023, 3, 6, tzinfo=SEOUL)),
        ("2023-1-3", datetime(2023, 1, 3, tzinfo=SEOUL)),
        ("2023/01/03", datetime(2023, 1, 3, tzinfo=SEOUL)),
        ('"2021-03-16"', datetime(2021, 3, 16, tzinfo=SEOUL)),
        ("2019-06-13 14:47:59", datetime(2019, 6, 13, 14, 47, 59, tzinfo=SEOUL)),
        ("2019-06-13 11:45:20 +0700", datetime(2019, 6, 13, 11, 45, 20, tzinfo=timezone(timedelta(hours=7)))),
        ("2019-02-07 12:00 -0400", datetime(2019, 2, 7, 12, tzinfo=timezone(-timedelta(hours=4)))),
        ("2019-02-07T12:00:00Z", datetime(2019, 2, 7, 12, tzinfo=UTC)),
        ("2019-02-07T12:00:00.25+05:30", None),
        ("2019-02-07 12:00:00 UTC", datetime(2019, 2, 7, 12, tzinfo=UTC)),
        ("2024-02-29", datetime(2024, 2, 29, tzinfo=SEOUL)),
    ],
)
def test_dates(value: str, moment: datetime | None) -> None:
    if moment is None:
        moment = datetime(2019, 2, 7, 12, 0, 0, 250_000, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    front_matter = good(f"date: {value}\nlast_modified_at: {value}")
    assert front_matter.date is not None
    assert (front_matter.date, front_matter.date.utcoffset()) == (moment, moment.utcoffset())
    assert front_matter.last_modified == moment


@pytest.mark.parametrize(
    "value",
    [
        "soon",
        "2023-02-30",
        "2023-13-01",
        "0000-01-01",
        "0001-01-01",
        "9999-12-31",
        "2023-03-06 25:00",
        "2023-03-06 12:00 +9900",
        "2023-03-06 12:00 +/-TTTT",
        "10/25/2022",
        "2023-03/06",
        "２０２３-03-06",
    ],
)
@pytest.mark.parametrize("key", ["date", "last_modified_at"])
def test_what_is_no_date(key: str, value: str) -> None:
    front_matter, problems = read(f"title: x\n{key}: {value}")
    assert (front_matter.date, front_matter.last_modified) == (None, None)
    assert told(problems) == [("error", 3, f'`{key}` is not a date: "{value}"', "write 2023-03-06")]


@pytest.mark.parametrize(
    ("value", "flag"),
    [
        ("true", True),
        ("True", True),
        ("yes", True),
        ("'true'", True),
        ("false", False),
        ("off", False),
        ("", None),
    ],
)
def test_flags(value: str, flag: bool | None) -> None:
    front_matter = good(f"toc: {value}\npublished: {value}\ndraft: {value}")
    assert front_matter.toc is flag
    assert front_matter.published is (flag is not False)
    assert front_matter.draft is (flag is True)


@pytest.mark.parametrize(
    ("value", "shown", "hint"),
    [("'flase'", '"flase"', "did you mean `false`?"), ("fa", '"fa"', ""), ("[true]", "[true]", "")],
)
def test_flags_that_are_none(value: str, shown: str, hint: str) -> None:
    """A post with a doubtful `published` or `draft` is kept back."""
    front_matter, problems = read(f"toc: {value}\npublished: {value}\ndraft: {value}")
    assert (front_matter.toc, front_matter.published, front_matter.draft) == (None, False, True)
    assert sorted((level, line, message) for level, line, message, _ in told(problems)) == [
        ("error", 3, f"`published` must be true or false, not {shown}"),
        ("error", 4, f"`draft` must be true or false, not {shown}"),
        ("warning", 2, f"`toc` must be true or false, not {shown}"),
    ]
    if hint:
        assert {problem.hint for problem in problems} == {hint}


def test_permalink_and_description() -> None:
    front_matter = good("permalink: /a b/\ndescription: d\nexcerpt: e")
    assert (front_matter.permalink, front_matter.description) == ("/a b/", "d")
    assert good("excerpt: >\n  e\n  f").description == "e f"


def test_execute() -> None:
    options = ("eval: no", "error: true", "seed: 3", "timeout: 1", "post-timeout: 2.5", "threads: 4")
    front_matter = good("\n  ".join(("execute:", *options, "device: cuda")))
    assert front_matter.execute == {
        "eval": False,
        "error": True,
        "seed": 3,
        "timeout": 1.0,
        "post_timeout": 2.5,
        "threads": 4,
        "device": "cuda",
    }


@pytest.mark.parametrize(
    ("line", "told_of"),
    [
        ("sed: 3", ("warning", 3, "execute: no option is called `sed`", "did you mean `seed`?")),
        ("zzz: 3", ("warning", 3, "execute: no option is called `zzz`", "")),
        ("shell: true", ("warning", 3, "execute: only the site's configuration may set `shell`", "")),
        ("timeout: 0", ("error", 3, "execute: `timeout` must be more than 0 seconds, not 0", "")),
        ("threads: two", ("error", 3, 'execute: `threads` must be a whole number, not "two"', "")),
        ("eval: [no]", ("error", 3, "execute: `eval` must be true or false, not [false]", "")),
        ("? [a]\n  : b", ("error", 3, "a key must be text", "put a value with `{` into quotes")),
    ],
)
def test_execute_that_is_wrong(line: str, told_of: tuple[str, int, str, str]) -> None:
    front_matter, problems = read(f"execute:\n  {line}")
    assert front_matter.execute == {}
    assert told(problems) == [told_of]


def test_execute_that_is_no_table() -> None:
    front_matter, problems = read("execute: false")
    assert front_matter.execute == {}
    assert told(problems)[0][:3] == ("error", 2, '`execute` must be a table, not "false"')


def test_other_keys_are_kept_as_yaml_gives_them() -> None:
    front_matter = good(
        "use_math: true\nheader:\n  image: /a.png\n  n: [1, 2.5, ~]\nwhen: 2020-01-01\n"
        "odd: 2023-02-30\nlayout: post\nsubtitle: s\npublished_at: x\nsummary: y"
    )
    assert front_matter.extra == {
        "use_math": True,
        "header": {"image": "/a.png", "n": [1, 2.5, None]},
        "when": dt.date(2020, 1, 1),
        "odd": "2023-02-30",
        "layout": "post",
        "subtitle": "s",
        "published_at": "x",
        "summary": "y",
    }


@pytest.mark.parametrize(
    ("key", "near"),
    [
        ("last_modified_ate", "last_modified_at"),
        ("Title", "title"),
        ("dates", "date"),
        ("permalinks", "permalink"),
    ],
)
def test_a_slip_in_a_key(key: str, near: str) -> None:
    front_matter, problems = read(f"layout: post\n{key}: x")
    assert front_matter.extra[key] == "x"
    assert told(problems) == [("warning", 3, f"no field is called `{key}`", f"did you mean `{near}`?")]


def test_a_key_like_a_known_one_that_is_there_too() -> None:
    assert good("title: x\ntitles: y").extra == {"titles": "y"}


# --- broken and hostile YAML -----------------------------------------------------------------


def test_a_duplicate_key() -> None:
    front_matter, problems = read("title: a\ntags: [x]\ntitle: b\ntitle: c")
    assert front_matter.title == "c"
    assert told(problems) == [
        ("error", 4, "`title` is given twice, in lines 2 and 4", "remove one of them"),
        ("error", 5, "`title` is given twice, in lines 2 and 5", "remove one of them"),
    ]


@pytest.mark.parametrize(
    ("block", "line", "fields"),
    [
        ("title: x\ntags:\ta b", 3, {"title": "x", "tags": ("a", "b")}),
        ("title: x\n\tb\ntags: q", 3, {"tags": ("q",)}),
        ("date: 2023-03-06\ntitle: [iPad] Working Copy", 3, {"title": "[iPad] Working Copy"}),
        ("toc: true\ntitle: a: b\ntags: [q]", 3, {"title": "a: b", "tags": ("q",), "toc": True}),
        ("title: 'a\ntags: q", None, {"title": "'a", "tags": ("q",)}),
        ('title: "a" b\ntags:\n  - x\n  - y', 2, {"title": '"a" b', "tags": ("x", "y")}),
        ("title: @x\ntags:\n- a\n - b\n  - [c, d]", 2, {"title": "@x"}),
        ("title: a\x07b\ntoc: true", 2, {"title": "ab", "toc": True}),
        ("just some words", 2, {}),
        ("- a\n- b", 2, {}),
        ("title: x\njust some words\ntags: q", None, {"tags": ("q",)}),
        ("title: {{ page.title }}\ntags: q", 2, {}),
        ("%TAG\ntitle: x", None, {"title": "x"}),
        ("title: x\n--- y\ntags: q", None, {"title": "x", "tags": ("q",)}),
        ("title: \ud800\ntags: q", 2, {"tags": ("q",)}),
    ],
)
def test_a_block_that_is_no_yaml_is_read_line_by_line(
    block: str, line: int | None, fields: dict[str, Any]
) -> None:
    front_matter, problems = read(block)
    assert problems[0].level == "error"
    assert line is None or problems[0].line == line
    assert {name: getattr(front_matter, name) for name in fields} == fields


@pytest.mark.parametrize(
    ("block", "line", "message"),
    [
        ("a: &x [1]\nb: *x", 3, "the alias `*x` is not read; write the value out"),
        ("a: [[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]", 2, "more than 20 levels of nesting are not read"),
        ("ok: 1\na: !!python/object/apply:os.system [ls]", 3, "the tag `tag:yaml.org,2002:python/object/"),
        ("a: !custom x", 2, "the tag `!custom` is not read"),
        ("a: &b {c: d}\n<<: {e: f}", 3, "merge keys (`<<`) are not read; write the values out"),
    ],
)
def test_hostile_yaml_is_refused_and_the_rest_is_read(block: str, line: int, message: str) -> None:
    front_matter, problems = read(f"{block}\ntitle: x\n")
    assert front_matter.title == "x"
    assert [(p.level, p.line) for p in problems] == [("error", line)]
    assert problems[0].message.startswith(f"front matter: {message}")


@pytest.mark.parametrize(
    "block",
    [
        "x: " + "[" * 60_000,
        "x: " + "{a: " * 15_000,
        "- " * 30_000,
        "? " * 30_000,
        "\n".join(f"{' ' * i}k{i}:" for i in range(300)),
        "a0: &a0 [x]\n" + "\n".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, 30)),
        " " * 60_000 + ":",
        "a" + " " * 60_000 + "b",
        "title: a" + " " * 60_000 + "#",
        "a:\n" * 20_000 + "[",
        "x: " + "9" * 60_000,
        'x: "' + "\\" * 60_000,
    ],
)
def test_no_block_takes_long_or_crashes(block: str) -> None:
    start = time.process_time()
    _, body_line, _ = parse_front_matter(f"---\n{block}\n---\n", "a.md", SEOUL)
    assert body_line == block.count("\n") + 4
    assert time.process_time() - start < 20


_YAML_PIECES = st.sampled_from(
    [
        *"abc:-#[]{}&*!|>%@`,?'\"~ \n\t\r\\",
        "title: ",
        "date: ",
        "tags:",
        "\n- ",
        "---",
        "\n",
        "!!int ",
        "가",
        "\x85",
    ]
)


@given(st.lists(_YAML_PIECES, max_size=30).map("".join))
def test_whatever_is_written_there_are_only_problems_in_the_file(block: str) -> None:
    text = f"---\n{block}"
    front_matter, body_line, problems = parse_front_matter(text, "a.md", SEOUL)
    lines = len(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    assert 1 <= body_line <= lines + 1
    assert all(1 <= problem.line <= lines for problem in problems)
    assert all(2 <= line <= lines for line in front_matter.lines.values())


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("lang: no", "`lang` is not a language: false"),
        ("lang: 한국어", "`lang` is not a language"),
        ("lang: [ko]", "`lang` is not a language"),
        ("series: 3", "`series` is not a name: 3"),
        ("series: {a: b}", "`series` is not a name"),
    ],
)
def test_what_the_theme_reads_is_looked_at(block: str, message: str) -> None:
    _, problems = read(f"title: x\n{block}")
    assert [(p.level, p.line) for p in problems] == [("warning", 3)]
    assert message in problems[0].message


@pytest.mark.parametrize(
    "block", ["lang: ko", "lang: en-US", "series: 파이토치", "series: [a, b]", "series:"]
)
def test_and_good_values_are_not_told_of(block: str) -> None:
    assert read(f"title: x\n{block}")[1] == []
