"""What a YAML block says, as nodes with their lines: PyYAML's, and the plainest blocks without PyYAML.

    title: A name            text that begins with a letter, `/` or `(`, or stands in quotes without a backslash
    date: 2024-01-05         a date, with a time or without
    toc: true                one of YAML's own words
    weight: 3                a number
    tags: [one, two]         a list of texts, in one line or of one `- text` in each line below

Most posts say no more, and PyYAML takes longer to load than all the rest of such a post. A block that is anything
else, if by one character, is PyYAML's to read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from builder.frozen import frozen

if TYPE_CHECKING:
    import yaml


@frozen
class ScalarNode:
    """One value. `tag` is what YAML takes it for; `style` its quotes, or `|` or `>`, "" for none."""

    value: str
    tag: str = "str"
    style: str = ""
    line: int = 0  # from 0


@frozen
class SequenceNode:
    """A list of nodes."""

    value: tuple[Node, ...]
    line: int = 0
    tag: str = "seq"


@frozen
class MappingNode:
    """Keys, which may be any nodes, and their values."""

    value: tuple[tuple[Node, Node], ...]
    line: int = 0
    tag: str = "map"


Node: TypeAlias = ScalarNode | SequenceNode | MappingNode


class NoYaml(Exception):
    """A block that is no YAML: where it is not, `line` (from 0), and why."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


class Refused(NoYaml):
    """YAML that is valid and not read here."""


DEEPEST: Final = 20  # collections in collections
_TAG: Final = "tag:yaml.org,2002:"
# Words that YAML 1.1 takes for something, in PyYAML's three spellings of each.
_VALUES: Final = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}
_SPELLINGS: Final = {
    written: word for word in (*_VALUES, "null") for written in (word, word.title(), word.upper())
}


_CORE_TAGS: Final = frozenset(_TAG + name for name in ("null", "bool", "int", "float", "str", "seq", "map"))
# What a bomb needs: anchors, aliases, tags, merge keys, or depth.
_SUSPECT: Final = re.compile(r"[&*!]|<<|^(?: {20}|\s*(?:[-?:]\s+){8})", re.MULTILINE)


def compose(source: str) -> Node | None:
    """The nodes of `source`; None where there is nothing. Raises NoYaml, and Refused for too much of it."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        if _SUSPECT.search(source) or source.count("[") + source.count("{") > 8:
            _check_limits(source, loader)
        node: yaml.Node | None = yaml.compose(source, Loader=loader)
    except UnicodeEncodeError as error:
        raise NoYaml(source.count("\n", 0, error.start), "half a character") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = min(mark.line, source.count("\n")) if mark else 0
        raise NoYaml(line, str(error.problem)) from None
    except yaml.YAMLError:
        unprintable = yaml.reader.Reader.NON_PRINTABLE.search(source)
        line = source.count("\n", 0, unprintable.start()) if unprintable else 0
        raise NoYaml(line, "a control character") from None
    return node_of(node) if node else None


def _check_limits(source: str, loader: Any) -> None:
    """Look at the events, which cost no memory and no stack, before any tree is made of them."""
    import yaml

    depth = 0
    for event in yaml.parse(source, Loader=loader):
        line = event.start_mark.line if event.start_mark else 0
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST:
            raise Refused(line, f"more than {DEEPEST} levels of nesting are not read")
        if isinstance(event, yaml.AliasEvent):
            raise Refused(line, f"the alias `*{event.anchor}` is not read; write the value out")
        if isinstance(event, yaml.ScalarEvent) and event.value == "<<" and not event.style:
            raise Refused(line, "merge keys (`<<`) are not read; write the values out")
        tag = getattr(event, "tag", None)
        if tag and tag not in _CORE_TAGS and tag != "!":
            raise Refused(line, f"the tag `{tag}` is not read")


def node_of(node: yaml.Node) -> Node:
    """One of PyYAML's nodes, and what is in it, as ours."""
    import yaml

    line = node.start_mark.line if node.start_mark else 0
    tag = node.tag.removeprefix(_TAG)
    if isinstance(node, yaml.ScalarNode):
        return ScalarNode(node.value, tag, node.style or "", line)
    if isinstance(node, yaml.SequenceNode):
        return SequenceNode(tuple(map(node_of, node.value)), line, tag)
    return MappingNode(tuple((node_of(key), node_of(value)) for key, value in node.value), line, tag)


def represented(value: Any) -> Node:
    """The node that a block would have for a value, of a configuration say."""
    import yaml

    return node_of(yaml.representer.SafeRepresenter().represent_data(value))


def value_of(node: ScalarNode) -> Any:
    """What YAML makes of a scalar; its text where that is what only looks like something, as `2023-02-30`."""
    if node.tag == "str":
        return node.value
    if node.tag == "bool" and node.value.lower() in _VALUES:
        return _VALUES[node.value.lower()]
    if node.tag == "null":
        return None
    import yaml

    # It crashes at such things, at `!!bool maybe`, `!!int`, a number of 5,000 digits.
    try:
        made = yaml.ScalarNode(node.tag if node.tag.startswith("!") else _TAG + node.tag, node.value)
        return yaml.constructor.SafeConstructor().construct_document(made)
    except (yaml.YAMLError, ValueError, KeyError, IndexError, OverflowError):
        return node.value


# --- the plainest blocks ---------------------------------------------------------------------

_TEXT: Final = r"""(?:[^\W\d_]|[/(])[^:#]*(?:(?::(?=\S)|(?<!\ )\#)[^:#]*)*"""  # no `: ` and no ` #` in it
_IN_LIST: Final = r"""[^\W\d_][\w.+/()~'\ -]*(?:(?<!\ )\#[\w.+/()~'\ -]*)*"""
_QUOTED: Final = r""""[^"\\]*"|'[^']*'"""
_DAY: Final = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_KEY: Final = re.compile(
    rf"""(?P<key>[A-Za-z_][A-Za-z0-9_-]{{0,60}}):
    (?:\ +(?:(?P<text>{_TEXT})|(?P<quoted>{_QUOTED})|(?P<number>0|[1-9][0-9]{{0,8}})|(?P<day>{_DAY})
    |(?P<moment>{_DAY}\ [0-9]{{2}}:[0-9]{{2}}(?::[0-9]{{2}})?(?:\ [+-][0-9]{{4}})?)|\[(?P<list>.*)\]))?\ *""",
    re.VERBOSE,
)
_ITEM: Final = re.compile(rf"(?P<indent>\ *)-\ +(?:(?P<text>{_TEXT})|(?P<quoted>{_QUOTED}))\ *", re.VERBOSE)
_LISTED: Final = re.compile(rf"\ *(?:(?P<text>{_IN_LIST})|(?P<quoted>{_QUOTED}))\ *(?:,|\Z)", re.VERBOSE)


def plain_entries(block: str) -> list[tuple[ScalarNode, Node]] | None:
    """The keys of one of the plainest blocks, and their values; None for any other."""
    if not block.replace("\n", "").isprintable():  # a tab, say, or the end of a line that only YAML knows
        return None
    entries: list[tuple[ScalarNode, Node]] = []
    below: list[ScalarNode] | None = None  # the list that goes on in the next line
    indent = ""
    for number, line in enumerate(block.split("\n")):
        if key := _KEY.fullmatch(line):
            node = _value(key, number)
            if node is None:
                return None
            entries.append((ScalarNode(key["key"], line=number), node))
            below = [] if key.lastgroup == "key" else None  # which has no value yet
        elif item := _ITEM.fullmatch(line):
            if below is None or (below and item["indent"] != indent):
                return None
            indent = item["indent"]
            below.append(_scalar(item, number))
            entries[-1] = entries[-1][0], SequenceNode(tuple(below), number)
        elif line.strip(" "):
            return None
    return entries


def _value(key: re.Match[str], line: int) -> Node | None:
    """The value of a key in its line; None if that is more than a plain one."""
    kind = key.lastgroup
    if kind == "list":
        return _listed(key["list"], line)
    if kind == "number":
        return ScalarNode(key["number"], "int", line=line)
    if kind == "day":
        return ScalarNode(key["day"], "timestamp", line=line)
    if kind == "moment":  # without seconds, or with Jekyll's zone, it is no time for YAML
        return ScalarNode(key["moment"], "timestamp" if len(key["moment"]) == 19 else "str", line=line)
    return ScalarNode("", "null", line=line) if kind == "key" else _scalar(key, line)


def _listed(text: str, line: int) -> SequenceNode | None:
    """The list between brackets."""
    items = []
    at = 0
    while at < len(text):
        item = _LISTED.match(text, at)
        if item is None or (item[0].endswith(",") and item.end() == len(text)):
            return None
        items.append(_scalar(item, line))
        at = item.end()
    return SequenceNode(tuple(items), line)


def _scalar(found: re.Match[str], line: int) -> ScalarNode:
    """The text of a line or of a place in a list."""
    quoted = found["quoted"]
    if quoted:
        return ScalarNode(quoted[1:-1], "str", quoted[0], line)
    text = found["text"].rstrip(" ")
    word = _SPELLINGS.get(text)
    return ScalarNode(text, "str" if word is None else "null" if word == "null" else "bool", "", line)
