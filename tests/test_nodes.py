"""The plainest YAML blocks say the same without PyYAML."""

from __future__ import annotations

import random

import pytest
import yaml

from builder.nodes import MappingNode, Node, NoYaml, ScalarNode, compose, plain_entries, value_of

KEYS = ("title", "tags", "date", "a", "yes", "x-y", "key_1")
PIECES = (
    *(
        "a",
        "b c",
        "it's",
        "가나",
        "다 라",
        "C#",
        "x:y",
        "http://x.y/z",
        "é",
        "𝒳",
        "½",
        "(a)",
        "/",
        "=",
        "<<",
        "-",
        "--",
    ),
    *("true", "Yes", "NO", "on", "Off", "null", "Null", "~", "0", "12", "012", "1_0", "1e3", ".5"),
    *(
        "2024-01-05",
        " 10:00",
        " 10:00:00",
        " +0900",
        "+09:00",
        " #",
        "#",
        ": ",
        ":",
        "- ",
        "  ",
        "\n",
        "\n  ",
        "\t",
    ),
    *(
        "[",
        "]",
        ", ",
        ",",
        "'",
        '"',
        "\\",
        "&a",
        "*a",
        "!",
        "|",
        ">",
        "{",
        "}",
        "%",
        "@",
        "`",
        "?",
        "---",
        "...",
    ),
    *("\u2028", "\x85", "\xa0", "\ufeff", "\x07"),
)


def block(choose: random.Random) -> str:
    """Some lines, most of them nearly plain."""

    def pieces(most: int) -> str:
        return "".join(choose.choice(PIECES) for _ in range(choose.randint(0, most)))

    lines = []
    for _ in range(choose.randint(1, 4)):
        match choose.randrange(10):
            case 0 | 1 | 2 | 3:
                lines.append(f"{choose.choice(KEYS)}:{choose.choice(['', ' ', '  '])}{pieces(4)}")
            case 4 | 5:
                items = ", ".join(pieces(2) for _ in range(choose.randint(0, 3)))
                lines.append(f"{choose.choice(KEYS)}: [{items}]")
            case 6:
                lines.append(f"{choose.choice(KEYS)}:")
            case 7 | 8:
                lines.append(f"{choose.choice(['', ' ', '  '])}- {pieces(3)}")
            case _:
                lines.append(pieces(5))
    return "\n".join(lines) + choose.choice(["", "\n"])


def shown(node: Node, *, key: bool = False) -> object:
    """A node as it is compared: of what a key is taken for, and where a value is that is none, nobody asks."""
    if isinstance(node, ScalarNode):
        tag = "" if key else node.tag
        return node.value, tag, node.style, node.line if node.value else 0
    if isinstance(node, MappingNode):
        return [(shown(name, key=True), shown(value)) for name, value in node.value]
    return [shown(item) for item in node.value]


@pytest.mark.parametrize("seed", range(10))
def test_a_plain_block_is_what_pyyaml_makes_of_it(seed: int) -> None:
    choose = random.Random(seed)
    plain = 0
    for _ in range(2000):
        source = block(choose)
        entries = plain_entries(source)
        if entries is None:
            continue
        plain += 1
        try:
            node = compose(source)
        except NoYaml as error:
            raise AssertionError(source) from error
        ours = shown(MappingNode(tuple(entries)))
        assert ours == (shown(node) if node else []), source
    assert plain > 150


@pytest.mark.parametrize(
    "source",
    [
        'title: "A: name #1"\ndate: 2024-01-05 10:00:00 +0900\ntags: [torch, C++, "x, y"]\ncategories:\n  - py',
        "title: 텐서 정리\n\ntags:\n- 파이토치\n- deep learning\ntoc: true\nweight: 3\nimage: /a/b.png\nlast:\n",
    ],
)
def test_what_most_posts_say_is_plain(source: str) -> None:
    entries = plain_entries(source)
    assert entries is not None
    assert shown(MappingNode(tuple(entries))) == shown(compose(source) or ScalarNode(""))


@pytest.mark.parametrize(
    "text",
    ["a b", "true", "No", "ON", "null", "", "12", "2024-01-05", "2023-02-30", "2024-01-05 10:00:00", "'12'"],
)
def test_a_plain_value_is_what_pyyaml_makes_of_it(text: str) -> None:
    entries = plain_entries(f"key: {text}")
    assert entries is not None
    node = entries[0][1]
    assert isinstance(node, ScalarNode)
    try:
        value = yaml.safe_load(f"key: {text}")["key"]
    except ValueError:
        value = text
    assert value_of(node) == value
