"""The shape of the house: dependencies point one way, and what must start at once imports nothing heavy."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

BUILDER = Path(__file__).resolve().parents[1] / "builder"
MODULES = {
    ".".join(path.relative_to(BUILDER.parent).with_suffix("").parts): path for path in BUILDER.rglob("*.py")
}
# What a worker process may import of ours: all else in it belongs to the post.
WORKER = ("builder.execute.session", "builder.execute.server")


def imports(module: str) -> set[str]:
    """The modules of ours that a module imports anywhere in it, also under TYPE_CHECKING."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return (found & MODULES.keys()) - {"builder"}


def test_no_import_cycles() -> None:
    TopologicalSorter({module: imports(module) for module in MODULES}).prepare()


def test_the_nouns_import_nothing_of_ours() -> None:
    assert imports("builder.model") == {"builder.frozen"}


def test_only_the_command_prints_or_exits() -> None:
    for module, path in MODULES.items():
        if module in ("builder.cli", "builder.progress", "builder.__main__") or module in WORKER:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert called not in ("print", "exit", "sys.exit"), f"{module} calls {called}"


def loaded_by(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_command_starts_at_once() -> None:
    heavy = {"torch", "jinja2", "markdown_it", "yaml", "pygments", "IPython", "numpy", "asyncio"}
    assert not loaded_by("import builder.cli, builder.config, builder.lock") & heavy
    ours = {name for name in loaded_by("import builder.__main__") if name.startswith("builder.")}
    assert ours == {"builder.__main__", "builder.kept", "builder.state"}


@pytest.mark.parametrize("module", WORKER)
def test_a_worker_imports_the_standard_library_and_ipython_only(module: str) -> None:
    ours = {name for name in loaded_by(f"import {module}") if name.startswith("builder")}
    assert ours <= {
        "builder",
        "builder.model",
        "builder.execute",
        *(m for m in MODULES if m.startswith("builder.execute")),
    }
    theirs = {name.split(".")[0] for name in loaded_by(f"import {module}")}
    assert not theirs & {"torch", "numpy", "matplotlib", "pandas", "jinja2", "markdown_it", "yaml"}


def test_the_picture_of_the_rooms_is_true() -> None:
    """CONTRIBUTING.md names every module, and no other."""
    text = (BUILDER.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for path in MODULES.values():
        if path.name != "__init__.py":
            assert f"{path.name} " in text, f"CONTRIBUTING.md does not name {path.name}"
