"""Keys: what do the outputs of a post depend on?

    cell key   a digest of the options that matter, the folder that the cells run in, and of this and all earlier
               cells (a chain)
    code key   the key of the last cell: all of the post's code
    input      what a run was seen to use besides: ("python", ""), ("import", "torch"), ("file", "data.csv"),
               ("variable", "NAME"); its present value is a short text

Prose, title and tags are in none of them, and neither is any time of change.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import json
import os
import re
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias

from builder.model import Post
from builder.splice import expected_error, may_raise

Input: TypeAlias = tuple[str, str]  # kind, name

# Part of every key: raise it when the same cells would give another record.
ENGINE = 1
# Distributions whose name is not that of their module, where asking for all of them can be spared.
DISTRIBUTIONS = {"sklearn": "scikit-learn", "PIL": "pillow", "cv2": "opencv-python", "yaml": "pyyaml"}


def cell_keys(post: Post) -> tuple[str, ...]:
    """Return the key of each cell of a post, in order."""
    keys = []
    folder = PurePosixPath(post.path).parent.as_posix()  # `open("data.csv")` is another file in another one
    key = digest([ENGINE, folder, options_of(post)])
    for cell in post.cells:
        raises = [may_raise(cell, post.execute), expected_error(cell)]
        refused = [cell.refusal] if cell.refusal else []
        key = digest([key, cell.source, effective_eval(post, cell.number), raises, *refused])
        keys.append(key)
    return tuple(keys)


def options_of(post: Post) -> dict[str, Any]:
    """Return the options of a post that its outputs depend on, by name."""
    options = post.execute
    names = ("seed", "threads", "shell", "figure_format", "device", "output_lines", "output_size", "memory")
    return {name: getattr(options, name) for name in names}


def effective_eval(post: Post, number: int) -> bool:
    """Is cell `number` of the post to be run at all?"""
    own = post.cells[number - 1].options.eval
    return post.execute.eval if own is None else own and post.execute.eval


def has_cells_to_run(post: Post) -> bool:
    """Has the post any cell that is to be evaluated?"""
    return any(effective_eval(post, cell.number) for cell in post.cells)


def inputs_of(post: Post, files: Iterable[str], root: Path) -> tuple[Input, ...]:
    """Return what a run used: its Python, the packages it imports, `files` it read, variables it may see.

    A file below the site's root is named from there. Packages are read from the text of the cells and of
    the local modules, so that it does not matter what else was in the process.
    """
    names = imports(post)
    paths = []
    for file in files:
        path = Path(file)
        inside = path.is_relative_to(root)
        paths.append(path.relative_to(root).as_posix() if inside else file)
        if path.suffix == ".py":
            names |= _imports_of_file(path)
    local = {Path(path).stem for path in paths if path.endswith(".py")} | {
        Path(path).parent.name for path in paths if path.endswith("__init__.py")
    }
    return (
        ("python", ""),
        *(("import", name) for name in sorted(names - local)),
        *(("file", path) for path in sorted(set(paths))),
        *(("variable", name) for name in sorted(post.execute.environment)),
    )


class Values:
    """The present values of inputs. Each file is hashed once, and not again until its times change."""

    def __init__(self, root: Path, memory: Path) -> None:
        self.root = root
        self._memory = memory
        self._known: dict[str, list[Any]] = {}
        self._used: dict[str, list[Any]] = {}
        with contextlib.suppress(OSError, ValueError):
            self._known = json.loads(memory.read_text(encoding="utf-8"))

    def of(self, kind: str, name: str) -> str:
        """Return the value of one input: a version, a digest, or "" where there is no such thing."""
        if kind == "file":
            return self._file(name)
        if kind == "picture":
            return self._stamp(name)
        if kind == "import":
            return _version(name) or ("local" if self._is_local(name) else "")
        if kind == "variable":
            return digest(os.environ.get(name, ""))[:16]
        import platform  # not at the top: what does no more than edit prose asks for no version

        return platform.python_version()

    def all(self, inputs: Iterable[Input]) -> list[list[str]]:
        """Return [kind, name, value] of each input."""
        return [[kind, name, self.of(kind, name)] for kind, name in inputs]

    def files(self) -> list[Path]:
        """Return every file whose value was asked for, whether it is there or not."""
        return [self.root / name for name in self._used]

    def save(self) -> None:
        """Keep the digests of the files that were asked for."""
        if self._used != self._known and self._memory.parent.is_dir():
            with contextlib.suppress(OSError):  # it only saves time
                self._memory.write_text(json.dumps(self._used), encoding="utf-8")

    def _is_local(self, name: str) -> bool:
        return (self.root / f"{name}.py").exists() or (self.root / name).is_dir()

    def _stamp(self, name: str) -> str:
        """Return what is another where an image file may be: it is not read for this."""
        try:
            stat = (self.root / name).stat()
        except OSError:
            return ""
        return f"{stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns} {stat.st_ino}"

    def _file(self, name: str) -> str:
        path = self.root / name
        try:
            stat = path.stat()
        except OSError:
            self._used[name] = []
            return ""
        times = [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]
        known = self._used.get(name) or self._known.get(name)
        if known and known[:4] == times:
            self._used[name] = known
            return str(known[4])
        try:
            with path.open("rb") as file:
                value = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            return ""
        self._used[name] = [*times, value]
        return value


def imports(post: Post) -> set[str]:
    """Return the top-level names of the modules that the cells of a post import, by their text."""
    return {name.split(".")[0] for name in imported_modules(post)[0]} - sys.stdlib_module_names


def imported_modules(post: Post) -> tuple[set[str], set[str]]:
    """Return the modules that the cells import, dotted, and every attribute name that they use."""
    modules: set[str] = set()
    attributes: set[str] = set()
    for cell in post.cells:
        if effective_eval(post, cell.number):
            found = _modules_of(cell.source)
            modules |= found[0]
            attributes |= found[1]
    return modules, attributes


def digest(value: object) -> str:
    """Return the SHA-256 of a value that JSON can hold."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Say what differs between two dictionaries of options, old and new value."""
    return [
        f"option `{name}`: {old.get(name)!r} -> {new.get(name)!r}"
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    ]


def _modules_of(source: str) -> tuple[set[str], set[str]]:
    modules: set[str] = set()
    attributes: set[str] = set()
    try:
        tree = ast.parse(re.sub(r"(?m)^\s*[%!].*$", "", source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return modules, attributes
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            modules.add(node.module)
            modules |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Attribute):
            attributes.add(node.attr)
    return modules, attributes


def _imports_of_file(path: Path) -> set[str]:
    try:
        modules, _ = _modules_of(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return set()
    return {name.split(".")[0] for name in modules} - sys.stdlib_module_names


@cache
def _version(module: str) -> str:
    """Return the version of the installed distribution that holds a module; "there" if it has none."""
    from importlib import metadata
    from importlib.util import find_spec

    for name in (DISTRIBUTIONS.get(module, module), module):
        try:
            return metadata.version(name)
        except (metadata.PackageNotFoundError, ValueError):
            continue
    try:
        if find_spec(module) is None:
            return ""
    except (ImportError, ValueError):
        return ""
    holders = metadata.packages_distributions().get(module, [])
    return ", ".join(f"{name} {metadata.version(name)}" for name in sorted(set(holders))) or "there"
