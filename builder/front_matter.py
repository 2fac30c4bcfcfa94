"""The YAML block at the top of a post -> FrontMatter, and Problems with the line in the file.

YAML guesses types (`1.10` is a number, `no` is false, `2023-02-30` is a crash), so each field is read
from the text of its node as the field wants it; only unknown keys get what YAML makes of them. A block
that is no YAML is read line by line, so that its post is still built.
"""

from __future__ import annotations

import contextlib
import itertools
import re
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any, Final

import yaml

from builder.config import (
    OptionError,
    check_option,
    did_you_mean,
    nearest,
    option_from_text,
    option_types,
    shown,
)
from builder.frozen import frozen
from builder.model import ExecuteConfig, FrontMatter, Level, Problem
from builder.words import LANGUAGE

LARGEST: Final = 64 * 1024  # bytes of a block
DEEPEST: Final = 20  # collections in collections

_KNOWN: Final = (
    *("title", "date", "last_modified_at", "categories", "category", "tags", "tag", "toc"),
    *("published", "draft", "page", "permalink", "description", "excerpt", "execute"),
)
_NEAR: Final = 0.87  # far enough from `subtitle` and `published_at`
# Not `shell` and `environment`: what a post may do on this machine is for the site to say.
_EXECUTE: Final = (
    "eval",
    "error",
    "seed",
    "timeout",
    "post_timeout",
    "threads",
    "outputs",
    "memory",
    "device",
)

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CORE_TAGS: Final = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float", "str", "seq", "map")
)
_NULL: Final = "tag:yaml.org,2002:null"

_NEWLINE = re.compile(r"\r\n?|\n")
_OPENING = re.compile(r"\ufeff?---[ \t]*(?:\r\n?|\n)")
_CLOSING = re.compile(r"(?<=[\r\n])(?:---|\.\.\.)[ \t]*(?:\r\n?|\n|\Z)")
# YAML 1.1 ends a line at these, Markdown and editors do not.
_YAML_NEWLINE = re.compile("[\x85\u2028\u2029]")


def parse_front_matter(
    text: str, path: str, timezone: tzinfo, defaults: Mapping[str, Any] | None = None
) -> tuple[FrontMatter, int, tuple[Problem, ...]]:
    """The front matter of a file, the line (from 1) where its body begins, and all problems.

    A date without a zone is in `timezone`. With `defaults`, which hold for the keys that are left out, the
    rules are Jekyll's: what can be read is read, and all that is wrong is a warning. Nothing is raised,
    whatever `text` is.
    """
    reader = _Reader(path, timezone) if defaults is None else _JekyllReader(path, timezone, defaults)
    opening = _OPENING.match(text)
    if not opening:
        return reader.read(""), 1, ()
    closing = _CLOSING.search(text, opening.end())
    if not closing:
        reader.report(1, "the block opened here is never closed", "add a line `---` below it")
        return reader.read(""), 1, tuple(reader.problems)
    body_line = len(_NEWLINE.findall(text[: closing.end()])) + 1
    if not closing[0].endswith(("\r", "\n")):
        body_line += 1
    block = text[opening.end() : closing.start()]
    if len(block.encode(errors="replace")) > LARGEST:
        reader.report(1, f"the block is larger than {LARGEST // 1024} KB", "move text below the second `---`")
        return reader.read(""), body_line, tuple(reader.problems)
    front_matter = reader.read(_YAML_NEWLINE.sub(" ", _NEWLINE.sub("\n", block)))
    return front_matter, body_line, tuple(reader.problems)


# --- YAML, with limits -----------------------------------------------------------------------


@frozen
class _Entry:
    """A top-level key. `offset` makes the line in the file of a line of its node."""

    key: str
    line: int
    node: yaml.Node
    offset: int


class _Refused(Exception):
    """YAML that is valid and not read here: `line` (from 0), and why."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


_TAB = re.compile(r"^(?:\t+ *[^\s#]|[^\s#\"'][^:\n]*:[ ]*\t[ \t]*[^\s#])", re.MULTILINE)


# What a bomb needs: anchors, aliases, tags, merge keys, or depth.
_SUSPECT = re.compile(r"[&*!]|<<|^(?: {20}|\s*(?:[-?:]\s+){8})", re.MULTILINE)


def _compose(source: str) -> yaml.Node | None:
    """The node tree of `source`. Raises YAMLError for what is no YAML, _Refused for too much of it."""
    if _SUSPECT.search(source) or source.count("[") + source.count("{") > 8:
        _check_limits(source)
    node: yaml.Node | None = yaml.compose(source, Loader=_LOADER)
    return node


def _check_limits(source: str) -> None:
    """Look at the events, which cost no memory and no stack, before any tree is made of them."""
    depth = 0
    for event in yaml.parse(source, Loader=_LOADER):
        line = _line(event)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST:
            raise _Refused(line, f"more than {DEEPEST} levels of nesting are not read")
        if isinstance(event, yaml.AliasEvent):
            raise _Refused(line, f"the alias `*{event.anchor}` is not read; write the value out")
        if isinstance(event, yaml.ScalarEvent) and event.value == "<<" and not event.style:
            raise _Refused(line, "merge keys (`<<`) are not read; write the values out")
        tag = getattr(event, "tag", None)
        if tag and tag not in _CORE_TAGS and tag != "!":
            raise _Refused(line, f"the tag `{tag}` is not read")


def _error_line(error: yaml.YAMLError, source: str) -> int:
    """The line (from 0) of `source` where YAML gave up."""
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        return min(mark.line, source.count("\n")) if mark else 0
    unprintable = yaml.reader.Reader.NON_PRINTABLE.search(source)
    return source.count("\n", 0, unprintable.start()) if unprintable else 0


_TOP_KEY = re.compile(r"([^\s#:\-\[\]{}&*!|>%@`,?][^:]*):(?:\s+(.*)|\Z)")
_ITEM = re.compile(r"\s*-\s+(.*)")


def _line_entries(block: str) -> Iterator[_Entry]:
    """The `key: value` lines of a block that is no YAML, each with the lines below that belong to it."""
    lines = block.split("\n")
    starts = [number for number, line in enumerate(lines) if _TOP_KEY.fullmatch(line)]
    for start, stop in itertools.pairwise([*starts, len(lines)]):
        match = _TOP_KEY.fullmatch(lines[start])
        assert match is not None
        if node := _line_value((match[2] or "").strip(), lines[start:stop]):
            yield _Entry(_nfc(match[1].strip().strip("\"'")), start + 2, node, start + 2)


def _line_value(text: str, lines: list[str]) -> yaml.Node | None:
    """The value of one key: as YAML if its lines are some, else its text, else its `- item` lines."""
    try:
        # A tab behind the colon is what most of these blocks break at.
        node = _compose("\n".join([re.sub(r":\s+", ": ", lines[0], count=1), *lines[1:]]))
    except _Refused:
        return None
    except (yaml.YAMLError, UnicodeEncodeError):
        items = [match[1].strip() for line in lines[1:] if (match := _ITEM.fullmatch(line))]
        if text.startswith("- "):  # `tags: - [a, b]`
            with contextlib.suppress(yaml.YAMLError, UnicodeEncodeError, _Refused):
                return _compose(text)
        if text or not items:
            return _text_node(text)
        return yaml.SequenceNode("tag:yaml.org,2002:seq", [_text_node(item) for item in items])
    if isinstance(node, yaml.MappingNode) and len(node.value) == 1:
        value: yaml.Node = node.value[0][1]
        return value
    return _text_node(text)


def _text_node(text: str) -> yaml.ScalarNode:
    return yaml.ScalarNode("tag:yaml.org,2002:str", text)


def _line(place: yaml.Node | yaml.Event) -> int:
    """The line (from 0) where a node begins; one that we made ourselves is on its key's line."""
    return place.start_mark.line if place.start_mark else 0


# --- fields ----------------------------------------------------------------------------------


class _Reader:
    """Reads the fields of one block; what is wrong with them collects in `problems`."""

    refuses_tabs = True

    def __init__(self, path: str, timezone: tzinfo) -> None:
        self.path = path
        self.timezone = timezone
        self.problems: list[Problem] = []
        self.broken = False  # the block is no YAML

    def report(self, line: int, message: str, hint: str = "", level: Level = "error") -> None:
        message = f"front matter: {message}"
        self.problems.append(Problem(level, self.path, line, "front-matter", message, hint))

    def read(self, block: str) -> FrontMatter:
        entries = {entry.key: entry for entry in self.entries(block)}  # of two, the last, as in Jekyll
        lines = {key: entry.line for key, entry in entries.items()}
        self.report_slips(entries)
        self.report_cut_title(entries, block)
        entries = self.with_defaults(entries)
        extra = {key: _plain(entry.node) for key, entry in entries.items() if key not in _KNOWN}
        self.report_extra(extra, entries)
        return FrontMatter(
            title=self.text(entries.get("title")),
            date=self.moment(entries.get("date")),
            last_modified=self.moment(entries.get("last_modified_at")),
            categories=self.words(entries.get("category"), entries.get("categories")),
            tags=self.words(entries.get("tag"), entries.get("tags")),
            toc=self.flag(entries.get("toc"), None, "warning"),
            # A post whose author wrote `draft: ture` must not go out.
            published=self.is_published(entries.get("published")),
            draft=self.flag(entries.get("draft"), True, "error") is True,
            page=self.flag(entries.get("page"), None, "warning") is True,
            permalink=self.scalar(entries.get("permalink"), "text"),
            description=self.text(entries.get("description")) or self.text(entries.get("excerpt")),
            execute=self.execute(entries.get("execute")),
            extra=extra,
            lines=lines,
            broken=self.broken,
            url_categories=self.url_categories(entries),
        )

    def with_defaults(self, entries: dict[str, _Entry]) -> dict[str, _Entry]:
        return entries

    def is_published(self, entry: _Entry | None) -> bool:
        return self.flag(entry, False, "error") is not False

    def url_categories(self, entries: Mapping[str, _Entry]) -> tuple[str, ...]:
        """Categories as addresses have them, where those are others than the post's."""
        return ()

    def entries(self, block: str) -> list[_Entry]:
        """The top-level keys in order; a key that is given twice is in it twice, and reported."""
        entries = self.yaml_entries(block)
        if entries is None:
            entries = list(_line_entries(block))
        first: dict[str, int] = {}
        for entry in entries:
            if entry.key in first:
                lines = f"lines {first[entry.key]} and {entry.line}"
                self.report(entry.line, f"`{entry.key}` is given twice, in {lines}", "remove one of them")
            first.setdefault(entry.key, entry.line)
        return entries

    def yaml_entries(self, block: str) -> list[_Entry] | None:
        """The keys as YAML reads them; None, and a problem, if the block is none."""
        hint = "put a value with `:`, `#`, `[` or quotes into quotes"
        try:
            # libyaml reads on where YAML and Ruby stop; an author should know before Jekyll does.
            if tab := _TAB.search(block):
                line = block.count("\n", 0, tab.start())
                self.report(line + 2, "a tab stands where YAML wants spaces", "write a space")
                if self.refuses_tabs:
                    return None
            node = _compose(block)
        except _Refused as error:
            self.report(error.line + 2, error.message)
            return None
        except yaml.YAMLError as error:
            self.broken = True
            what = error.problem if isinstance(error, yaml.MarkedYAMLError) else "a control character"
            self.report(_error_line(error, block) + 2, f"this is no YAML: {what}", hint)
            return None
        except UnicodeEncodeError as error:
            self.report(block.count("\n", 0, error.start) + 2, "this is no YAML: half a character")
            return None
        if node is None:
            return []
        if not isinstance(node, yaml.MappingNode):
            self.broken = True
            self.report(_line(node) + 2, "this is no list of `key: value` lines", hint)
            return None
        return [
            _Entry(_nfc(key.value), _line(key) + 2, value, 2)
            for key, value in node.value
            if self.is_key(key, 2)
        ]

    def is_key(self, node: yaml.Node, offset: int) -> bool:
        if isinstance(node, yaml.ScalarNode):
            return True
        self.report(_line(node) + offset, "a key must be text", "put a value with `{` into quotes")
        return False

    def report_slips(self, entries: Mapping[str, _Entry]) -> None:
        """Unknown keys are other tools' and left in peace, but for those that look like a slip."""
        for key, entry in entries.items():
            near = "" if key in _KNOWN else nearest(key, _KNOWN, _NEAR)
            if near and near not in entries:
                self.report(entry.line, f"no field is called `{key}`", f"did you mean `{near}`?", "warning")

    def report_extra(self, extra: Mapping[str, Any], entries: Mapping[str, _Entry]) -> None:
        """The values of two keys that the theme reads, where they say nothing to it."""
        language, series = extra.get("lang"), extra.get("series")
        if language is not None and not (isinstance(language, str) and LANGUAGE.fullmatch(language)):
            message = f"`lang` is not a language: {shown(language)}"
            self.report(entries["lang"].line, message, 'write one like ko, en or "no"', "warning")
        name = series[0] if isinstance(series, list) and series else series
        if name is not None and not isinstance(name, str):
            message = f"`series` is not a name: {shown(series)}"
            self.report(entries["series"].line, message, "put it into quotes", "warning")

    def report_cut_title(self, entries: Mapping[str, _Entry], block: str) -> None:
        """`title: C# notes #1` is `C# notes` in YAML, which no author means."""
        entry = entries.get("title")
        if entry is None or not isinstance(entry.node, yaml.ScalarNode) or entry.node.style:
            return
        _, _, written = block.split("\n")[entry.line - 2].partition(":")
        if re.search(r"(?:^|\s)#", written) and entry.node.value != written.strip():
            message = f"`title` is cut at ` #`: {shown(_one_line(entry.node.value))}"
            self.report(entry.line, message, "put the title into quotes", "warning")

    def scalar(self, entry: _Entry | None, wanted: str) -> str:
        """The text of a value as the author wrote it, in NFC; "" for none."""
        if entry is None or entry.node.tag == _NULL:
            return ""
        if isinstance(entry.node, yaml.ScalarNode):
            return _nfc(entry.node.value).strip()
        self.report(entry.line, f"`{entry.key}` must be {wanted}, not {_kind(entry.node)}")
        return ""

    def text(self, entry: _Entry | None) -> str:
        return _one_line(self.scalar(entry, "text"))

    def flag(self, entry: _Entry | None, doubtful: bool | None, level: Level) -> bool | None:
        """True or False; None if it is left out; `doubtful`, and a problem, for what is neither."""
        if entry is None or entry.node.tag == _NULL:
            return None
        try:
            return bool(_option(entry.key, bool, entry.node))
        except OptionError as error:
            hint = did_you_mean(str(entry.node.value), ("true", "false"))
            self.report(entry.line, error.message, hint, level)
            return doubtful

    def moment(self, entry: _Entry | None) -> datetime | None:
        text = self.scalar(entry, "a date")
        if not entry or not text:
            return None
        moment = self.parse_moment(text, entry)
        if moment is None:
            self.report(entry.line, f"`{entry.key}` is not a date: {shown(text)}", "write 2023-03-06")
        return moment

    def parse_moment(self, text: str, entry: _Entry) -> datetime | None:
        return _parse_moment(text, self.timezone)

    def words(self, one: _Entry | None, many: _Entry | None) -> tuple[str, ...]:
        """Tags or categories, as Jekyll reads them: the singular key holds one text, the plural one a
        list, at any depth, or a text that is cut at commas, else at spaces."""
        words: list[str] = [self.scalar(one, "text")] if one and _is_scalar(one.node) else self.items(one)
        if many and _is_scalar(many.node):
            text = self.scalar(many, "text")
            words += text.split(",") if "," in text else text.split()
        else:
            words += self.items(many)
        unique: dict[str, str] = {}
        for word in map(_one_line, words):
            if word not in ("", "~"):
                unique.setdefault(_nfc(word.casefold()), word)
        return tuple(unique.values())

    def items(self, entry: _Entry | None) -> list[str]:
        """The texts of a list and of the lists in it."""
        found: list[str] = []
        # A stack of what is still to be read, in the order of the file.
        nodes = [entry.node] if entry else []
        while nodes:
            node = nodes.pop()
            if isinstance(node, yaml.SequenceNode):
                nodes += reversed(node.value)
            elif isinstance(node, yaml.ScalarNode):
                found.append(_nfc(node.value))
            elif entry:
                message = f"`{entry.key}` must be a list of texts, but holds {_kind(node)}"
                self.report(_line(node) + entry.offset, message, "put a text with `:` into quotes")
        return found

    def execute(self, entry: _Entry | None) -> Mapping[str, Any]:
        """The checked options below `execute:`."""
        options: dict[str, Any] = {}
        if entry is None or entry.node.tag == _NULL:
            return options
        if not isinstance(entry.node, yaml.MappingNode):
            message = f"`execute` must be a table, not {_kind(entry.node)}"
            self.report(entry.line, message, "write `eval: false` on the next line, indented")
            return options
        types = option_types(ExecuteConfig)
        for key, node in entry.node.value:
            if not self.is_key(key, entry.offset):
                continue
            name, line = key.value.replace("-", "_"), _line(key) + entry.offset
            if name in _EXECUTE:
                try:
                    options[name] = _option(name, types[name], node)
                except OptionError as error:
                    self.report(line, f"execute: {error.message}", error.hint)
            elif name in types:
                self.report(line, f"execute: only the site's configuration may set `{name}`", level="warning")
            else:
                hint = did_you_mean(name, _EXECUTE)
                self.report(line, f"execute: no option is called `{key.value}`", hint, "warning")
        return options


class _JekyllReader(_Reader):
    """The same by Jekyll's rules: nothing in a block keeps its post from the site."""

    refuses_tabs = False  # Ruby's YAML is libyaml, which reads on

    def __init__(self, path: str, timezone: tzinfo, defaults: Mapping[str, Any]) -> None:
        super().__init__(path, timezone)
        self.defaults = defaults

    def report(self, line: int, message: str, hint: str = "", level: Level = "error") -> None:
        super().report(line, message, hint, "warning")

    def with_defaults(self, entries: dict[str, _Entry]) -> dict[str, _Entry]:
        """The keys of `defaults`, and those of the block, which win unless they are empty."""
        represent = yaml.representer.SafeRepresenter().represent_data
        found = {key: _Entry(_nfc(key), 0, represent(value), 0) for key, value in self.defaults.items()}
        return found | {k: e for k, e in entries.items() if k not in found or e.node.tag != _NULL}

    def is_published(self, entry: _Entry | None) -> bool:
        """Whatever is neither false nor empty is true for Ruby."""
        return entry is None or (entry.node.tag != _NULL and self.flag(entry, True, "error") is not False)

    def url_categories(self, entries: Mapping[str, _Entry]) -> tuple[str, ...]:
        """The categories of the defaults, then `categories` cut at spaces only, then `category`.

        Jekyll reads nothing of a block that is no YAML.
        """
        default, many, one = (
            self.defaults.get("categories"),
            entries.get("categories"),
            entries.get("category"),
        )
        words = default.split() if isinstance(default, str) else list(map(str, default or ()))
        if self.broken:
            return tuple(words)
        for entry, cut in ((many, True), (one, False)):
            if entry and _is_scalar(entry.node):
                text = self.scalar(entry, "text")
                words += text.split() if cut else [text] if text else []
            else:
                # Jekyll keeps a list in the list as Ruby writes it, and puts what is in it behind.
                node = entry.node if entry else None
                inner = node.value if isinstance(node, yaml.SequenceNode) else ()
                words += [_as_ruby(item) for item in inner]
                words += self.items(entry)
        return tuple(dict.fromkeys(word for word in words if word))

    def parse_moment(self, text: str, entry: _Entry) -> datetime | None:
        """YAML takes a time of day without quotes and without a zone for UTC, and Jekyll with it."""
        is_yaml = isinstance(entry.node, yaml.ScalarNode) and not entry.node.style
        utc = is_yaml and _YAML_MOMENT.fullmatch(text)
        moment = _parse_moment(text, UTC if utc else self.timezone)
        if moment is None and (american := _AMERICAN.fullmatch(text)):
            month, day, year = american.groups()
            moment = _parse_moment(f"{year}-{month}-{day}", self.timezone)
            self.report(
                entry.line, f"`{entry.key}` is read as month/day/year: {shown(text)}", "write 2023-03-06"
            )
        elif moment is None and (start := _MOMENT.match(text)):
            moment = _parse_moment(start[0].strip(), self.timezone)
            if moment is not None:
                what = f"`{entry.key}` is read up to `{start[0].strip()}`: {shown(text)}"
                self.report(entry.line, what, "write 2023-03-06 10:00:00 +0900")
        return moment


def _as_ruby(node: yaml.Node) -> str:
    """A text as it is, a list as Ruby's `inspect` has it: `["a", "b"]`."""
    if isinstance(node, yaml.SequenceNode):
        quoted = (_as_ruby(n) if isinstance(n, yaml.SequenceNode) else f'"{n.value}"' for n in node.value)
        return f"[{', '.join(quoted)}]"
    return _nfc(str(node.value)) if isinstance(node, yaml.ScalarNode) else ""


def _option(name: str, kind: Any, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return option_from_text(name, kind, node.value)
    return check_option(name, kind, _plain(node))


# --- values ----------------------------------------------------------------------------------


_MOMENT = re.compile(
    r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})"
    r"(?:(?:[Tt]|\s+)(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?"
    r"\s*(?:([Zz]|UTC|GMT)|([+-])(\d{1,2}):?(\d{2})?)?)?",
    re.ASCII,
)

_YAML_MOMENT = re.compile(r"\d{4}-\d{1,2}-\d{1,2}(?:[Tt]|[ \t]+)\d{1,2}:\d{2}:\d{2}(?:\.\d*)?", re.ASCII)
_AMERICAN = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)


def _parse_moment(text: str, zone: tzinfo) -> datetime | None:
    """A date with or without time and zone; None if `text` is none, or no such day."""
    match = _MOMENT.fullmatch(text)
    if not match:
        return None
    year, _, month, day, hour, minute, second, fraction, utc, sign, zone_hours, zone_minutes = match.groups()
    # The ends of the calendar have no room for another time zone.
    if not 1 < int(year) < 9999:
        return None
    try:
        if utc:
            zone = UTC
        elif sign:
            offset = timedelta(hours=int(zone_hours), minutes=int(zone_minutes or 0))
            zone = timezone(offset if sign == "+" else -offset)
        microsecond = int((fraction or "0")[:6].ljust(6, "0"))
        clock = (int(hour or 0), int(minute or 0), int(second or 0), microsecond)
        return datetime(int(year), int(month), int(day), *clock, tzinfo=zone)
    except ValueError:
        return None


def _plain(node: yaml.Node) -> Any:
    """What YAML makes of a node: for keys that are not ours. The tree is at most `DEEPEST` deep."""
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item) for item in node.value]
    if isinstance(node, yaml.MappingNode):
        pairs = ((key, value) for key, value in node.value if isinstance(key, yaml.ScalarNode))
        return {_nfc(key.value): _plain(value) for key, value in pairs}
    try:
        value = yaml.constructor.SafeConstructor().construct_document(node)
    # PyYAML's own crashes: `2023-02-30`, `!!bool maybe`, `!!int`, a number of 5,000 digits.
    except (yaml.YAMLError, ValueError, KeyError, IndexError, OverflowError):
        value = node.value
    return _NO_TEXT.sub("", _nfc(value)) if isinstance(value, str) else value


def _is_scalar(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode)


def _kind(node: yaml.Node) -> str:
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    return "a table (`key: value`)" if isinstance(node, yaml.MappingNode) else shown(node.value)


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


# No page, feed or file can hold these; YAML can write them ("\\0").
_NO_TEXT = re.compile("[\x00-\x08\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def _one_line(text: str) -> str:
    return " ".join(_NO_TEXT.sub("", text).split())
