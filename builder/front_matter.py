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
from typing import Any, Final, TypeGuard

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
from builder.nodes import (
    MappingNode,
    Node,
    NoYaml,
    Refused,
    ScalarNode,
    SequenceNode,
    compose,
    plain_entries,
    represented,
    value_of,
)
from builder.words import LANGUAGE

LARGEST: Final = 64 * 1024  # bytes of a block

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
    node: Node
    offset: int


_TAB = re.compile(r"^(?:\t+ *[^\s#]|[^\s#\"'][^:\n]*:[ ]*\t[ \t]*[^\s#])", re.MULTILINE)


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


def _line_value(text: str, lines: list[str]) -> Node | None:
    """The value of one key: as YAML if its lines are some, else its text, else its `- item` lines."""
    try:
        # A tab behind the colon is what most of these blocks break at.
        node = compose("\n".join([re.sub(r":\s+", ": ", lines[0], count=1), *lines[1:]]))
    except Refused:
        return None
    except NoYaml:
        items = [match[1].strip() for line in lines[1:] if (match := _ITEM.fullmatch(line))]
        if text.startswith("- "):  # `tags: - [a, b]`
            with contextlib.suppress(NoYaml):
                return compose(text)
        if text or not items:
            return ScalarNode(text)
        return SequenceNode(tuple(map(ScalarNode, items)))
    if isinstance(node, MappingNode) and len(node.value) == 1:
        return node.value[0][1]
    return ScalarNode(text)


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
        plain = plain_entries(block)
        if plain is not None:
            return [_Entry(key.value, key.line + 2, node, 2) for key, node in plain]
        hint = "put a value with `:`, `#`, `[` or quotes into quotes"
        # libyaml reads on where YAML and Ruby stop; an author should know before Jekyll does.
        if tab := _TAB.search(block):
            line = block.count("\n", 0, tab.start())
            self.report(line + 2, "a tab stands where YAML wants spaces", "write a space")
            if self.refuses_tabs:
                return None
        try:
            node = compose(block)
        except Refused as error:
            self.report(error.line + 2, error.message)
            return None
        except NoYaml as error:
            self.broken = True
            self.report(error.line + 2, f"this is no YAML: {error.message}", hint)
            return None
        if node is None:
            return []
        if not isinstance(node, MappingNode):
            self.broken = True
            self.report(node.line + 2, "this is no list of `key: value` lines", hint)
            return None
        return [
            _Entry(_nfc(key.value), key.line + 2, value, 2)
            for key, value in node.value
            if self.is_key(key, 2)
        ]

    def is_key(self, node: Node, offset: int) -> TypeGuard[ScalarNode]:
        if isinstance(node, ScalarNode):
            return True
        self.report(node.line + offset, "a key must be text", "put a value with `{` into quotes")
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
        if entry is None or not isinstance(entry.node, ScalarNode) or entry.node.style:
            return
        _, _, written = block.split("\n")[entry.line - 2].partition(":")
        if re.search(r"(?:^|\s)#", written) and entry.node.value != written.strip():
            message = f"`title` is cut at ` #`: {shown(_one_line(entry.node.value))}"
            self.report(entry.line, message, "put the title into quotes", "warning")

    def scalar(self, entry: _Entry | None, wanted: str) -> str:
        """The text of a value as the author wrote it, in NFC; "" for none."""
        if entry is None or entry.node.tag == "null":
            return ""
        if isinstance(entry.node, ScalarNode):
            return _nfc(entry.node.value).strip()
        self.report(entry.line, f"`{entry.key}` must be {wanted}, not {_kind(entry.node)}")
        return ""

    def text(self, entry: _Entry | None) -> str:
        return _one_line(self.scalar(entry, "text"))

    def flag(self, entry: _Entry | None, doubtful: bool | None, level: Level) -> bool | None:
        """True or False; None if it is left out; `doubtful`, and a problem, for what is neither."""
        if entry is None or entry.node.tag == "null":
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
            if isinstance(node, SequenceNode):
                nodes += reversed(node.value)
            elif isinstance(node, ScalarNode):
                found.append(_nfc(node.value))
            elif entry:
                message = f"`{entry.key}` must be a list of texts, but holds {_kind(node)}"
                self.report(node.line + entry.offset, message, "put a text with `:` into quotes")
        return found

    def execute(self, entry: _Entry | None) -> Mapping[str, Any]:
        """The checked options below `execute:`."""
        options: dict[str, Any] = {}
        if entry is None or entry.node.tag == "null":
            return options
        if not isinstance(entry.node, MappingNode):
            message = f"`execute` must be a table, not {_kind(entry.node)}"
            self.report(entry.line, message, "write `eval: false` on the next line, indented")
            return options
        types = option_types(ExecuteConfig)
        for key, node in entry.node.value:
            if not self.is_key(key, entry.offset):
                continue
            name, line = key.value.replace("-", "_"), key.line + entry.offset
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
        found = {key: _Entry(_nfc(key), 0, represented(value), 0) for key, value in self.defaults.items()}
        return found | {k: e for k, e in entries.items() if k not in found or e.node.tag != "null"}

    def is_published(self, entry: _Entry | None) -> bool:
        """Whatever is neither false nor empty is true for Ruby."""
        return entry is None or (entry.node.tag != "null" and self.flag(entry, True, "error") is not False)

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
                inner = node.value if isinstance(node, SequenceNode) else ()
                words += [_as_ruby(item) for item in inner]
                words += self.items(entry)
        return tuple(dict.fromkeys(word for word in words if word))

    def parse_moment(self, text: str, entry: _Entry) -> datetime | None:
        """YAML takes a time of day without quotes and without a zone for UTC, and Jekyll with it."""
        is_yaml = isinstance(entry.node, ScalarNode) and not entry.node.style
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


def _as_ruby(node: Node) -> str:
    """A text as it is, a list as Ruby's `inspect` has it: `["a", "b"]`."""
    if isinstance(node, SequenceNode):
        quoted = (_as_ruby(n) if isinstance(n, SequenceNode) else f'"{n.value}"' for n in node.value)
        return f"[{', '.join(quoted)}]"
    return _nfc(str(node.value)) if isinstance(node, ScalarNode) else ""


def _option(name: str, kind: Any, node: Node) -> Any:
    if isinstance(node, ScalarNode):
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


def _plain(node: Node) -> Any:
    """What YAML makes of a node: for keys that are not ours. The tree is at most `DEEPEST` deep."""
    if isinstance(node, SequenceNode):
        return [_plain(item) for item in node.value]
    if isinstance(node, MappingNode):
        pairs = ((key, value) for key, value in node.value if isinstance(key, ScalarNode))
        return {_nfc(key.value): _plain(value) for key, value in pairs}
    value = value_of(node)
    return _NO_TEXT.sub("", _nfc(value)) if isinstance(value, str) else value


def _is_scalar(node: Node) -> bool:
    return isinstance(node, ScalarNode)


def _kind(node: Node) -> str:
    if isinstance(node, SequenceNode):
        return "a list"
    return "a table (`key: value`)" if isinstance(node, MappingNode) else shown(node.value)


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


# No page, feed or file can hold these; YAML can write them ("\\0").
_NO_TEXT = re.compile("[\x00-\x08\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def _one_line(text: str) -> str:
    return " ".join(_NO_TEXT.sub("", text).split())
