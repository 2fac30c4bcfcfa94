"""Every command and every option stands in README.md, and nothing there is made up."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from builder.arguments import parser
from builder.front_matter import _EXECUTE, _KNOWN
from builder.model import GRAVE, KINDS, CellOptions, Config, ExecuteConfig

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ROWS = [line.split("|")[1:4] for line in README.split("\n") if line.startswith("| `")]


def names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_every_option_of_the_configuration_is_documented() -> None:
    documented = {name for row in ROWS for name in names(row[0])}
    inside = {f"execute.{f.name}" for f in fields(ExecuteConfig)}
    top = {f.name for f in fields(Config)} - {"root", "execute", "folders", "jekyll"}
    assert inside <= documented
    assert top <= documented
    known = (
        inside
        | top
        | front_matter()
        | {'folders."posts/old"'}
        | {f.name.replace("_", "-") for f in fields(CellOptions)}
    )
    assert {name for name in documented if not name.startswith("fencepost ")} <= known


def test_defaults_are_those_of_the_program() -> None:
    for row in (row for row in ROWS if row[2].strip()):  # of the tables with a column for them
        keys, values = names(row[0]), names(row[1])
        for key, value in zip(keys, values, strict=False):
            name = key.removeprefix("execute.")
            owner = ExecuteConfig if key.startswith("execute.") else Config
            default = {f.name: f.default for f in fields(owner)}.get(name)
            if isinstance(default, bool):
                assert value == str(default).lower(), key
            elif isinstance(default, int | float):
                assert float(value) == default, key
            elif isinstance(default, str) and default:
                assert value == default, key


def test_every_option_of_a_cell_and_of_a_post_is_documented() -> None:
    documented = {name for row in ROWS for name in names(row[0])}
    assert {f.name.replace("_", "-") for f in fields(CellOptions)} <= documented
    said = re.search(r"`execute:`\s+takes `([^`]+)`", README)
    assert said is not None
    assert set(said[1].split()) == {*_EXECUTE, "device"}


def front_matter() -> set[str]:
    """The names in the table of the front matter."""
    section = README.split("### Front matter")[1].split("###")[0]
    rows = [line.split("|")[1] for line in section.split("\n") if line.startswith("| `")]
    return {name for row in rows for name in names(row)}


def test_every_name_of_the_front_matter_is_documented() -> None:
    documented = front_matter()
    assert set(_KNOWN) <= documented
    files = [*ROOT.glob("builder/*.py"), *ROOT.glob("templates/*.html")]
    program = "\n".join(file.read_text(encoding="utf-8") for file in files)
    assert {name for name in documented if f'"{name}"' not in program} == set()


def test_every_command_and_its_options_are_documented() -> None:
    actions = parser()._actions
    commands = next(a for a in actions if a.dest == "==SUPPRESS==" or (hasattr(a, "choices") and a.choices))
    rows = {row[0].split()[1].strip("`"): row[1] for row in ROWS if "`fencepost " in row[0]}
    assert isinstance(commands.choices, dict)
    assert set(rows) == set(commands.choices)
    for name, command in commands.choices.items():
        flags = {
            flag for action in command._actions for flag in action.option_strings if flag.startswith("--")
        }
        shown = set(re.findall(r"--[a-z-]+", rows[name]))
        assert shown == flags - {"--help", "--site"}, name


def test_every_kind_is_explained() -> None:
    section = README.split("### Checking")[1].split("###")[0]
    assert set(KINDS) <= set(names(section))
    assert f"`{' '.join(kind for kind in KINDS if kind in GRAVE)}`" in section
