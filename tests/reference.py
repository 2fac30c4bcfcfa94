"""The page docs/reference.md, made of the program: of its arguments, its options, and README's words for them.

python -m tests.reference    writes the page (`make reference`); tests/test_docs.py says when it is stale.
"""

from __future__ import annotations

import argparse
import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any

from builder.arguments import parser
from builder.config import _DESTINATIONS, _KIND_NAMES, _TABLES, option_types
from builder.model import CellOptions, Config, ExecuteConfig

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reference.md"

HEAD = """\
---
page: true
description: Every command, configuration key, front matter name and cell option.
---
# Reference

This page is made of the program itself, by `make reference`.
"""


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """The page as it should be."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    parts = (HEAD, *commands(), *configuration(readme), *front_matter(readme), *cell_options(readme))
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def commands() -> Iterator[str]:
    """The commands, each with its arguments."""
    yield "## Commands"
    yield "`fencepost --version` says which one it is, `fencepost COMMAND --help` what a command takes."
    (subparsers,) = (action for action in parser()._actions if isinstance(action, argparse._SubParsersAction))
    helps = {choice.dest: choice.help or "" for choice in subparsers._choices_actions}
    for name, command in subparsers.choices.items():
        yield f"### fencepost {name}"
        yield sentence(helps[name])
        rows = [(argument(action), action.help or "") for action in command._actions if action.dest != "help"]
        if rows:
            yield table(("argument", "what"), rows)


def argument(action: argparse.Action) -> str:
    """How an argument is written: `--jobs N`, `SITE`."""
    if not action.option_strings:
        choices = "|".join(map(str, action.choices or ()))
        return f"`{choices or action.metavar or action.dest}`"
    value = f" {action.metavar}" if action.nargs != 0 and action.metavar else ""
    return ", ".join(f"`{flag}{value}`" for flag in action.option_strings)


def configuration(readme: str) -> Iterator[str]:
    """The keys of the configuration, those of `execute` in a table of their own."""
    yield "## Configuration"
    yield "In `fencepost.toml`, or below `[tool.fencepost]` in `pyproject.toml`."
    rows = [row for row in rows_of(section(readme, "## A site")) if len(row) == 3]
    kinds = {**option_types(Config), **{f"execute.{k}": v for k, v in option_types(ExecuteConfig).items()}}
    for title, inside in (("### The site", False), ("### Running cells", True)):
        yield title
        chosen = [row for row in rows if row[0].startswith("`execute.") == inside]
        yield table(
            ("key", "is", "default", "what"),
            [(keys, kind_of(keys, kinds), default, what) for keys, default, what in chosen],
        )
    yield from tables()


def tables() -> Iterator[str]:
    """The keys of the tables that are not `execute`: those of `model.py`, with what it says of them there."""
    shown = {f"`{name}`": cls for name, cls in option_types(Config).items() if cls in _TABLES[1:]}
    shown |= {f'`publish.NAME`, `kind = "{kind}"`': cls for kind, cls in _DESTINATIONS.items()}
    yield "### Tables of the site"
    yield table(
        ("in", "key", "default", "what"),
        [
            (place, f"`{field.name}`", default_of(field), comment_of(cls, field.name))
            for place, cls in shown.items()
            for field in fields(cls)
        ],
    )


def default_of(field: Field[Any]) -> str:
    """The default of a field as TOML shows it; nothing for what is empty."""
    return f"`{field.default}`" if field.default not in (MISSING, "", ()) else ""


def comment_of(cls: type, name: str) -> str:
    """What stands behind a field of a dataclass."""
    found = re.search(rf"^    {name}: .*?  # (.*)$", inspect.getsource(cls), re.MULTILINE)
    return found[1].replace('""', "empty").replace('"', "`") if found else ""


def kind_of(keys: str, kinds: Mapping[str, Any]) -> str:
    """What kind of value the keys of a row take."""
    found = [_KIND_NAMES.get(kinds[key], "") for key in re.findall(r"`([^`]+)`", keys) if key in kinds]
    return ", ".join(dict.fromkeys(found)).removeprefix("a ") if found else "table"


def front_matter(readme: str) -> Iterator[str]:
    """The names of the front matter, and which options of cells it takes."""
    text = section(readme, "### Front matter")
    yield "## Front matter"
    yield table(("name", "what"), rows_of(text))
    yield "\n".join(line for line in text.split("\n") if "`execute:` takes" in line)


def cell_options(readme: str) -> Iterator[str]:
    """The options of a cell."""
    yield "## Options of a cell"
    yield "Behind the language (`` ```python {echo=false} ``), or at the top of the cell (`#| echo: false`)."
    kinds = {name.replace("_", "-"): kind for name, kind in option_types(CellOptions).items()}
    rows = rows_of(section(readme, "### Options of a cell"))
    yield table(("option", "is", "what"), [(name, kind_of(name, kinds), what) for name, what in rows])


def section(readme: str, heading: str) -> str:
    """What stands below a heading of README.md, down to the next one."""
    return re.split(r"^#{2,3} ", readme.split(f"\n{heading}\n")[1], maxsplit=1, flags=re.MULTILINE)[0]


def rows_of(text: str) -> list[tuple[str, ...]]:
    """The rows of the tables in a text whose first cell is code; links lead from docs/ where they led from README."""
    lines = (line.replace("](docs/", "](") for line in text.split("\n") if line.startswith("| `"))
    return [tuple(cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]) for line in lines]


def table(names: tuple[str, ...], rows: list[Any]) -> str:
    """A table of Markdown."""
    lines = [names, ("---",) * len(names), *rows]
    return "\n".join(re.sub(r"\|  (?=\|)", "| ", f"| {' | '.join(line)} |") for line in lines)


def sentence(text: str) -> str:
    """`text` with a capital letter and a full stop."""
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


if __name__ == "__main__":
    main()
