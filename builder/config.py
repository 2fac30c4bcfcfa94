"""`[tool.fencepost]` of pyproject.toml, or fencepost.toml -> Config.

The fields of `Config` and `ExecuteConfig` are the one list of options, with their types and
defaults; what more an option has to be is said in `_READERS`. Front matter and cells read their
options with the same `check_option`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import math
import os
import re
import tomllib
import types
import typing
import zoneinfo
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from builder import policy, services, style, urls
from builder.frozen import frozen
from builder.jekyll import rules as jekyll
from builder.model import (
    Analytics,
    Cloudflare,
    Comments,
    Config,
    Destination,
    ExecuteConfig,
    FolderCopy,
    GitBranch,
    Link,
    Netlify,
    ObjectStore,
    Problem,
    Profile,
    Rsync,
    SiteError,
    Unproven,
)
from builder.sizes import parse_size, size_text

_TABLES: Final = (ExecuteConfig, Profile, Comments, Analytics)  # options in a table of their own
# The kinds of `[publish.NAME]`, and what none of them can do without.
_DESTINATIONS: Final[Mapping[str, Any]] = {
    "git": GitBranch,
    "folder": FolderCopy,
    "rsync": Rsync,
    "store": ObjectStore,
    "netlify": Netlify,
    "cloudflare": Cloudflare,
}
_NEEDED: Final = frozenset({"remote", "path", "address", "site", "project"})
_FORMS: Final = ("indented", "code", "bash", "break")  # see clothes.py
_NOT_IN_FILES: Final = frozenset({"root", "jekyll"})
# With their defaults. Jekyll leaves a folder in peace whose name begins with `_`.
_FOLDERS: Final = {"content": "content", "output": "output", "templates": "templates", "freeze": "_freeze"}
_KEPT_FROM_OUTPUT: Final = (".git", ".fencepost")
# In a folder of Jekyll's all lies at the top, and a folder without `_` is published.
_JEKYLL_FOLDERS: Final = {**_FOLDERS, "content": ".", "templates": "_templates"}


class OptionError(ValueError):
    """A value that an option cannot have: a message, and a hint or ""."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def read_config(root: Path, overrides: Mapping[str, Any] | None = None) -> Config:
    """The checked configuration of the site in the folder `root`; defaults if it has no file.

    `overrides` are values of the command line, by the same names and rules; None means not given,
    and folders are relative to `root` as in the file. Raises SiteError with all problems at once.
    """
    root = root.resolve()
    if not root.is_dir():
        raise SiteError(Problem("error", str(root), 0, "config", f"no such folder: {root}"))
    file = _find_file(root)
    line = _File("command line", table={k: v for k, v in (overrides or {}).items() if v is not None})
    problems: list[Problem] = []
    theirs = None if "content" in {**file.table, **line.table} else jekyll.config_file(root)
    values = {
        **(_read_jekyll(root, theirs) if theirs else {}),
        **_read_table(Config, file, file.table, "", problems),
        **_read_table(Config, line, line.table, "", problems),
    }
    # An old blog shows what its author wrote: many of its outputs were random, and its prose quotes them.
    if theirs and "outputs" not in file.table.get("execute", {}):
        values["execute"] = dataclasses.replace(values["execute"], outputs="authored")
    for name, default in (_JEKYLL_FOLDERS if theirs else _FOLDERS).items():
        # normpath, so that "../x" and "./x" are shown as an author would say them.
        values[name] = Path(os.path.normpath(root / values.get(name, default)))
    config = Config(root=root, **values)
    problems += _folder_problems(config, file, line)
    problems += _target_problems(config, file)
    told = {problem.line for problem in problems}  # a bad value is left out, and then it is missing, too
    problems += (problem for problem in _service_problems(config, file) if problem.line not in told)
    if problems:
        raise SiteError(*problems)
    return config


def _read_jekyll(root: Path, file: Path) -> dict[str, Any]:
    """The options that a folder of Jekyll's gives; what is wrong with one is a warning, and it is left out."""
    settings = jekyll.read_settings(file)
    text = file.read_text(encoding="utf-8-sig")
    types_ = option_types(Config)
    values: dict[str, Any] = {"execute": ExecuteConfig()}
    problems = []
    for name, value in jekyll.options(settings).items():
        try:
            values[name] = check_option(name, types_[name], value)
        except OptionError as error:
            line = next((n for n, row in enumerate(text.split("\n"), 1) if row.startswith(f"{name}:")), 0)
            problems.append(Problem("warning", file.name, line, "config", error.message, error.hint))
    return {
        **values,
        "navigation": tuple(jekyll.navigation(root)),
        "profile": jekyll.profile(settings),
        "jekyll": jekyll.jekyll_of(settings, problems),
    }


def digest(config: Config) -> str:
    """A short name for all options that pages depend on."""
    return hashlib.sha256(repr(config).encode("utf-8", "surrogatepass")).hexdigest()[:16]


# --- options, for front matter and cells too -------------------------------------------------


@functools.cache
def option_types(cls: type) -> Mapping[str, Any]:
    """Name -> type of the fields of an option dataclass; `X | None` counts as `X`."""
    return {name: _without_none(hint) for name, hint in typing.get_type_hints(cls).items()}


def check_option(name: str, kind: Any, value: Any) -> Any:
    """`value` as the option `name` of type `kind` has it. Raises OptionError."""
    try:
        typed = _typed(kind, value)
        return _READERS[name](typed) if name in _READERS else typed
    except OptionError as error:
        raise OptionError(f"`{name}` {error.message}", error.hint) from None


def option_from_text(name: str, kind: Any, text: str) -> Any:
    """The same for a value that is written as plain text. Raises OptionError."""
    value: Any = text
    if kind is bool and text.lower() in _FLAGS:
        value = _FLAGS[text.lower()]
    elif kind in (int, float):
        with contextlib.suppress(ValueError):  # check_option says what is wrong with the text
            value = kind(text)
    return check_option(name, kind, value)


def nearest(word: str, names: Iterable[str], cutoff: float = 0.6) -> str:
    """The name that `word` may be a slip of, or ""."""
    import difflib  # not at the top: a slip is rare

    # Sorted, so that of two names equally near it is always the same one.
    near = difflib.get_close_matches(word.lower(), sorted(names), 1, cutoff)
    return near[0] if near else ""


def did_you_mean(word: str, names: Iterable[str], cutoff: float = 0.6) -> str:
    """The same as a hint."""
    near = nearest(word, names, cutoff)
    return f"did you mean `{near}`?" if near else ""


_FLAGS: Final = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}

_KIND_NAMES: Final[Mapping[Any, str]] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    Path: "the name of a folder",
    tuple[str, ...]: "a list of texts",
    ExecuteConfig: "a table",
    Mapping[str, Mapping[str, Any]]: "a table of tables",
    tuple[Unproven, ...]: "a list of tables",
    tuple[Link, ...]: "a list of tables",
    Profile: "a table",
    Comments: "a table",
    Analytics: "a table",
    Mapping[str, tuple[str, ...]]: "a table",
    Mapping[str, str]: "a table",
    Mapping[str, Any]: "a table",
    Mapping[str, Destination]: "a table of tables",
}


def _without_none(hint: Any) -> Any:
    if isinstance(hint, types.UnionType):
        return next(kind for kind in typing.get_args(hint) if kind is not type(None))
    return hint


def _typed(kind: Any, value: Any) -> Any:
    """`value` if it is a `kind`. A boolean is no number, and a whole number is a number."""
    if kind is Path and isinstance(value, str | Path) and str(value):
        return Path(value)
    if kind is float and type(value) in (int, float) and math.isfinite(value):
        return float(value)
    if kind == tuple[str, ...] and isinstance(value, list | tuple) and all(isinstance(v, str) for v in value):
        return tuple(value)
    if kind == tuple[Unproven, ...] and isinstance(value, list | tuple) and _are_tables(value):
        return tuple(map(_unproven, value))
    if kind == tuple[Link, ...] and isinstance(value, list | tuple) and _are_tables(value):
        return tuple(map(_link, value))
    if (
        kind == Mapping[str, str]
        and isinstance(value, dict)
        and all(isinstance(v, str) for v in value.values())
    ):
        return dict(value)
    if isinstance(kind, type) and type(value) is kind and kind is not float:
        return value
    if kind == Mapping[str, Any] and isinstance(value, dict):
        return value
    raise OptionError(f"must be {_KIND_NAMES[kind]}, not {shown(value)}")


def _are_tables(values: Iterable[Any]) -> bool:
    return all(isinstance(value, dict) for value in values)


def shown(value: Any) -> str:
    """`value` for a message: on one line, short, texts in double quotes."""
    import json  # not at the top: only messages have it

    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


def _at_least(least: float) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if value < least:
            raise OptionError(f"must be {least} or more, not {value}")
        return value

    return read


def _above_zero(value: float) -> float:
    if value <= 0:
        raise OptionError(f"must be more than 0 seconds, not {value:g}")
    return value


def _seed(value: int) -> int:
    if not 0 <= value < 2**32:  # what NumPy takes
        raise OptionError(f"must be between 0 and {2**32 - 1}, not {value}")
    return value


def _one_of(*names: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value not in names:
            raise OptionError(
                f"must be {' or '.join(map(shown, names))}, not {shown(value)}", did_you_mean(value, names)
            )
        return value

    return read


def _url(value: str) -> str:
    """Scheme and host; "" for a site that does not know where it will be."""
    if not value:
        return ""
    try:
        parts = urlsplit(value)
        port_is_valid = parts.port is None or parts.port > 0
    except ValueError:
        parts, port_is_valid = urlsplit(""), False
    spaced = any(character.isspace() or not character.isprintable() for character in value)
    further = parts.username is not None or parts.query or parts.fragment
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_valid or spaced or further:
        raise OptionError(f"must be like https://example.org, not {shown(value)}")
    if path := parts.path.rstrip("/"):
        raise OptionError(
            f"must have no path, not {shown(value)}", f'write `baseurl = "{path}"` for the path'
        )
    return value.rstrip("/")


def _baseurl(value: str) -> str:
    if urlsplit(value).scheme or value.startswith("//") or set("?#") & set(value):
        raise OptionError(f"must be a path like /project, not {shown(value)}", "the host goes into `url`")
    try:
        return urls.clean_path(value).rstrip("/")
    except ValueError as error:
        raise OptionError(f"must be a path like /project: {error}") from None


def _timezone(value: str) -> str:
    try:
        zoneinfo.ZoneInfo(value)
    # ValueError: no name of a zone at all ("../x"); OSError: a folder of zones ("Asia").
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        zones = {zone.lower(): zone for zone in zoneinfo.available_timezones()}
        near = nearest(value, zones)
        hint = f"did you mean `{zones[near]}`?" if near else "write one like Asia/Seoul or UTC"
        raise OptionError(f"must be a time zone, not {shown(value)}", hint) from None
    return value


def _permalink(value: str) -> str:
    try:
        urls.check_pattern(value)
    except ValueError as error:
        raise OptionError(f"is no pattern for URLs: {error}", "write one like /:categories/:title/") from None
    return value


def _size(least: int, *, none: bool = False) -> Callable[[str], str]:
    """A reader of sizes; with `none`, "0" is allowed too and means no limit."""

    def read(value: str) -> str:
        try:
            size = parse_size(value)
        except ValueError:
            raise OptionError(f"must be a size, not {shown(value)}", 'write one like "4 GiB"') from None
        if size < least and not (none and size == 0):
            raise OptionError(f"must be {size_text(least)} or more, not {shown(value)}")
        return value

    return read


def _address(value: str) -> str:
    if value and not urls.is_address(value):
        hint = "write one like /about/, https://example.org or mailto:me@example.org"
        raise OptionError(f"must be an address, not {shown(value)}", hint)
    return value


def _link(entry: Mapping[str, Any]) -> Link:
    """One entry of a menu or of a list of links."""
    title, url = entry.get("title"), entry.get("url")
    if not isinstance(title, str) or not title.strip() or not isinstance(url, str) or not url:
        raise OptionError('must have tables like {title = "About", url = "/about/"}')
    return Link(title.strip(), _address(url))


def _repository(value: str) -> str:
    if value and not re.fullmatch(r"[\w.-]+/[\w.-]+", value, re.ASCII):
        raise OptionError(f"must be like owner/name, not {shown(value)}")
    return value


def _branch(value: str) -> str:
    if not re.fullmatch(r"[\w./-]+", value, re.ASCII):
        raise OptionError(f"must be the name of a branch, not {shown(value)}")
    return value


def _some_of(*names: str) -> Callable[[tuple[str, ...]], tuple[str, ...]]:
    def check(value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if name not in names:
                known = ", ".join(map(shown, names))
                raise OptionError(f"knows {known}, not {shown(name)}", did_you_mean(name, names))
        return value

    return check


def _macros(value: Mapping[str, str]) -> Mapping[str, str]:
    if value:
        from math_core import LatexError, LatexToMathML  # here, since hardly a site has any

        try:
            LatexToMathML(macros=dict(value), fancy_error=False)
        except LatexError as error:
            hint = r"write one like R = '\mathbb{R}'"
            raise OptionError(
                f"has one that is no TeX: {str(error).partition(':')[2].strip()}", hint
            ) from None
    return value


def _no_flag(value: str) -> str:
    if value.startswith("-"):  # git and rsync would take it for an option
        raise OptionError(f"must be an address, not {shown(value)}")
    return value


_READERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "url": _url,
    "baseurl": _baseurl,
    "timezone": _timezone,
    "permalink": _permalink,
    "feed_limit": _at_least(0),
    "paginate": _at_least(0),
    "seed": _seed,
    "threads": _at_least(1),
    "timeout": _above_zero,
    "post_timeout": _above_zero,
    "memory": _size(2**30, none=True),  # torch alone takes more than half of that
    "processes": _at_least(1),
    "output_lines": _at_least(1),
    "output_size": _size(1024),
    "output_limit": _size(1024),
    "device": _one_of("", "cpu", "cuda"),
    "start": _one_of("fork", "spawn"),
    "outputs": _one_of("real", "authored"),
    "rtol": _at_least(0),
    "atol": _at_least(0),
    "output_forms": _some_of(*_FORMS),
    "dialect": _one_of("commonmark", "kramdown"),
    "figure_format": _one_of("svg", "png"),
    "avatar": _address,
    "math": _one_of("mathml", "tex"),
    "macros": _macros,
    "images": _some_of("avif", "webp"),
    "downloads": _some_of("markdown", "notebook", "script"),
    "repository": _repository,
    "branch": _branch,
    "remote": _no_flag,
    "address": _no_flag,
    "copies": _some_of("gzip", "brotli"),
    "mapping": _one_of("pathname", "url", "title", "og:title"),
}


# --- the file --------------------------------------------------------------------------------


@frozen
class _File:
    """Where options come from; `header` is the table of the TOML text that holds them."""

    name: str = "."
    text: str = ""
    header: str = ""
    table: Mapping[str, Any] = field(default_factory=dict)

    def problem(self, key: str, message: str, hint: str = "") -> Problem:
        return Problem("error", self.name, _line_of(self.text, self.header, key), "config", message, hint)


def _find_file(root: Path) -> _File:
    """The file of `root` that holds our options. Raises SiteError if there are two, or for a bad one."""
    ours = _read_toml(root, "fencepost.toml", "")
    theirs = _read_toml(root, "pyproject.toml", "tool.fencepost")
    if ours and theirs:
        message = "both fencepost.toml and [tool.fencepost] in pyproject.toml configure this site"
        raise SiteError(ours.problem("", message, "keep one of them"))
    return ours or theirs or _File()


def _read_toml(root: Path, name: str, header: str) -> _File | None:
    """The options in one TOML file; None if there is no such file, or no table of ours in it."""
    path = root / name
    try:
        # A BOM is no TOML, but some editors write one.
        text = path.read_bytes().decode("utf-8-sig")
        table: Any = tomllib.loads(text)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SiteError(_toml_problem(name, 0, f"cannot be read: {error.strerror}")) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise SiteError(_toml_problem(name, line, f"is not UTF-8 (byte {error.start})")) from None
    except RecursionError:
        raise SiteError(_toml_problem(name, 0, "is nested too deeply")) from None
    except tomllib.TOMLDecodeError as error:
        if header and "fencepost" not in text:
            return None  # a broken pyproject.toml that has nothing for us is not our business
        raise SiteError(_toml_problem(name, _toml_error_line(text, error), f"is no TOML: {error}")) from None
    for key in header.split(".") if header else ():
        table = table.get(key) if isinstance(table, dict) else None
    if table is None:
        return None
    file = _File(name, text, header, table if isinstance(table, dict) else {})
    if not isinstance(table, dict):
        raise SiteError(file.problem("", f"`{header}` must be a table"))
    return file


def _toml_problem(name: str, line: int, message: str) -> Problem:
    return Problem("error", name, line, "config", f"{name} {message}")


def _toml_error_line(text: str, error: tomllib.TOMLDecodeError) -> int:
    match = re.search(r"\(at line (\d+)", str(error))
    return int(match[1]) if match else text.count("\n") + (not text.endswith("\n"))


_HEADER_LINE = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]")
_KEY_LINE = re.compile(r"""\s*([\w.\-"' \t]+?)\s*=""")


def _line_of(text: str, header: str, key: str) -> int:
    """The line of the dotted `key` below the table `header`; 0 if it is written in a way not seen here."""
    wanted = ".".join(filter(None, (header, key)))
    table = ""
    for number, line in enumerate(text.split("\n"), start=1):
        if match := _HEADER_LINE.match(line):
            found = table = re.sub(r"""["'\s]""", "", match[1])
        elif match := _KEY_LINE.match(line):
            found = ".".join(filter(None, (table, re.sub(r"""["'\s]""", "", match[1]))))
        else:
            continue
        if found == wanted:
            return number
    return 0


def _read_table(
    cls: type, file: _File, table: Mapping[str, Any], prefix: str, problems: list[Problem]
) -> dict[str, Any]:
    """The good values of one table by field name; every bad one is a problem."""
    known = {name: kind for name, kind in option_types(cls).items() if name not in _NOT_IN_FILES}
    values: dict[str, Any] = {}
    for name, value in table.items():
        key = prefix + name
        if name not in known:
            problems.append(
                file.problem(key, f"no option is called `{key}`", _nearest_key(name, known, prefix))
            )
        elif known[name] in _TABLES and isinstance(value, dict):
            inner = _read_table(known[name], file, value, f"{key}.", problems)
            values[name] = known[name](**inner)
        elif name == "style" and isinstance(value, dict):
            values[name] = dict(_style(file, value, problems))
        elif name == "policy" and isinstance(value, dict):
            values[name] = dict(_policy(file, value, problems))
        elif name == "publish" and isinstance(value, dict):
            values[name] = dict(_destinations(file, value, problems))
        elif name == "folders" and isinstance(value, dict):
            values[name] = {
                folder.strip("/"): _read_table(ExecuteConfig, file, options, f"{key}.{folder}.", problems)
                for folder, options in value.items()
                if isinstance(options, dict)
            }
        else:
            try:
                values[name] = check_option(name, known[name], value)
            except OptionError as error:
                problems.append(file.problem(key, error.message, error.hint))
    return values


def _style(file: _File, table: Mapping[str, Any], problems: list[Problem]) -> Iterator[tuple[str, str]]:
    """The good variables of `[style]` with their CSS; every bad one is a problem."""
    for name, value in table.items():
        key = f"style.{name}"
        if name not in style.VARIABLES:
            hint = did_you_mean(name, style.VARIABLES)
            problems.append(file.problem(key, f"no variable of the style is called `{name}`", hint))
            continue
        try:
            yield name, style.css_value(name, value)
        except ValueError as error:
            problems.append(file.problem(key, f"`{key}` {error}"))


def _policy(
    file: _File, table: Mapping[str, Any], problems: list[Problem]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The good directives of `[policy]`; every bad one is a problem."""
    for name, value in table.items():
        key = f"policy.{name}"
        if name not in policy.DIRECTIVES:
            hint = did_you_mean(name, policy.DIRECTIVES)
            problems.append(file.problem(key, f"no directive of the policy is called `{name}`", hint))
        elif not isinstance(value, list) or not all(map(policy.is_source, value)):
            hint = 'write it like ["https://example.org"]'
            problems.append(file.problem(key, f"`{key}` must be a list of sources, not {shown(value)}", hint))
        else:
            yield name, tuple(value)


def _destinations(
    file: _File, table: Mapping[str, Any], problems: list[Problem]
) -> Iterator[tuple[str, Destination]]:
    """The good tables `[publish.NAME]`; what is wrong in one is a problem."""
    for name, options in table.items():
        key = f"publish.{name}"
        kind = options.get("kind") if isinstance(options, dict) else None
        if not re.fullmatch(r"[\w-]+", name):
            problems.append(file.problem(key, "the name of a target has letters, digits, `-` and `_` only"))
        elif not isinstance(kind, str) or kind not in _DESTINATIONS:
            known = ", ".join(map(shown, _DESTINATIONS))
            message = f"`{key}.kind` must be one of {known}, not {shown(kind)}"
            hint = did_you_mean(kind, _DESTINATIONS) if isinstance(kind, str) else ""
            problems.append(file.problem(f"{key}.kind" if kind else key, message, hint))
        else:
            cls = _DESTINATIONS[kind]
            given = {option: value for option, value in options.items() if option != "kind"}
            destination = cls(**_read_table(cls, file, given, f"{key}.", problems))
            missing = [
                option for option in _NEEDED & option_types(cls).keys() if not getattr(destination, option)
            ]
            if missing:
                problems.append(file.problem(key, f"`{key}` must say its `{missing[0]}`"))
            yield name, destination


def _service_problems(config: Config, file: _File) -> Iterator[Problem]:
    """What `[comments]` and `[analytics]` lack for what they are to do."""
    for table, options in (("comments", config.comments), ("analytics", config.analytics)):
        needed = services.NEEDED[table]
        if options.provider not in needed:
            message = (
                f"`{table}.provider` knows {', '.join(filter(None, needed))}, not {shown(options.provider)}"
            )
            yield file.problem(f"{table}.provider", message, did_you_mean(options.provider, needed))
            continue
        for name, form in needed[options.provider].items():
            value = getattr(options, name)
            if not re.fullmatch(form.pattern, value):
                message = (
                    f"`{table}.{name}` must be {form.example} for {options.provider}, not {shown(value)}"
                )
                yield file.problem(f"{table}.{name}", message)


def _unproven(entry: Mapping[str, Any]) -> Unproven:
    """One entry that `adopt` has written."""
    cells = tuple(number for number in entry.get("cells", ()) if isinstance(number, int))
    code = tuple(str(digest) for digest in entry.get("code", ()))
    reason, run = str(entry.get("reason", "")), entry.get("run") is not False
    return Unproven(str(entry.get("post", "")), cells, reason, code, run)


def _nearest_key(name: str, known: Iterable[str], prefix: str) -> str:
    """A hint with the nearest key of this table, else of the other one."""
    here = {other: prefix + other for other in known}
    execute = {other: f"execute.{other}" for other in option_types(ExecuteConfig)}
    top = {other: other for other in option_types(Config) if other not in _NOT_IN_FILES}
    for keys in (here, execute, top):
        if near := nearest(name, keys):
            return f"did you mean `{keys[near]}`?"
    return ""


# --- folders ---------------------------------------------------------------------------------


def _folder_problems(config: Config, file: _File, line: _File) -> Iterator[Problem]:
    """What is wrong with the folders: missing, outside the site, or the output among the sources."""

    def problem(name: str, message: str, hint: str = "") -> Problem:
        return (line if name in line.table else file).problem(name, message, hint)

    root, content, output = config.root, config.content, config.output
    if not content.is_dir():
        yield problem("content", f"no content folder: {content}", "make it, or set `content`")
    elif not _lies_in(content, root):
        yield problem("content", f"the content folder is outside of the site: {content}")
    given = "templates" in file.table or "templates" in line.table
    if given and not config.templates.is_dir():
        yield problem(
            "templates", f"no templates folder: {config.templates}", "make it, or leave `templates` out"
        )

    if config.card_font and not (config.templates / config.card_font).is_file():
        yield problem("card_font", f"no such font file: {config.templates / config.card_font}")

    if output.exists() and not output.is_dir():
        yield problem("output", f"the output folder is a file: {output}")
    elif _lies_in(root, output):
        yield problem("output", f"the output folder is, or holds, the site's own folder: {output}")
    else:
        kept = (".git", ".fencepost", "_posts") if config.jekyll else _KEPT_FROM_OUTPUT
        sources = (config.templates, config.freeze, *(root / name for name in kept))
        if content != root:
            sources = (content, *sources)
        for source in sources:
            if _lies_in(output, source) or _lies_in(source, output):
                yield problem("output", f"the output folder must lie apart from {source}: {output}")
                return


def _target_problems(config: Config, file: _File) -> Iterator[Problem]:
    """Folders to publish to that lie among the sources, or in the output folder."""
    sources = {config.output, config.templates, config.content} - {config.root}
    for name, destination in config.publish.items():
        if isinstance(destination, FolderCopy):
            place = config.root / destination.path
            near = [folder for folder in sources if _lies_in(place, folder) or _lies_in(folder, place)]
            if near:
                message = f"the folder of a target must lie apart from {min(near)}: {place}"
                yield file.problem(f"publish.{name}.path", message)


def _lies_in(path: Path, folder: Path) -> bool:
    """Is `path` the folder itself, or below it, when all links are followed?"""
    return path.resolve().is_relative_to(folder.resolve())
