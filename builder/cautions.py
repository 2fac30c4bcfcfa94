"""What a cell of an old blog is not run for, read from its text: it installs, downloads, or asks at a keyboard.

A post that is new is run as it is; this holds where pages show what their authors wrote.
"""

from __future__ import annotations

import ast
import re
import warnings
from typing import Final

_INSTALL = re.compile(r"^\s*[!%]?\s*(?:pip3?|conda|mamba|apt(?:-get)?|brew|npm)\s+\w", re.MULTILINE)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# The last names of what fetches something when it is called.
_CALLS: Final = _words(
    "urlretrieve urlopen from_pretrained load_dataset fetch_openml fetch_20newsgroups "
    "fetch_lfw_people fetch_california_housing load_state_dict_from_url download_url "
    "download_and_extract_archive snapshot_download hf_hub_download cached_download get_file"
)
_OWNERS: Final = {
    ("hub", "load"),
    ("wget", "download"),
    ("gdown", "download"),
    ("nltk", "download"),
    ("requests", "get"),
    ("requests", "post"),
    ("yf", "download"),
    ("sns", "load_dataset"),
    ("pipeline", "from_pretrained"),
}


def refusal(source: str) -> str:
    """Why a cell is not to be run, or ""."""
    if match := _INSTALL.search(source):
        return f"it installs something: `{_first_line(match, source)}`"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(re.sub(r"(?m)^\s*[%!].*$", "", source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    for node in _at_once(tree):
        if isinstance(node, ast.Call) and (why := _call(node)):
            return why
    return ""


def _at_once(tree: ast.Module) -> list[ast.AST]:
    """The nodes that run when the cell does: not the bodies of functions."""
    found: list[ast.AST] = []
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        found.append(node)
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)
    return sorted(found, key=lambda node: (getattr(node, "lineno", 0), getattr(node, "col_offset", 0)))


def _call(node: ast.Call) -> str:
    name, owner = _names(node.func)
    written = f"`{ast.unparse(node)[:60]}`"
    if name == "input" and not owner:
        return f"it waits for a keyboard: {written}"
    if (name == "open" and owner == "webbrowser") or (name in ("readline", "read") and owner == "stdin"):
        return f"it waits for somebody: {written}"
    truths = {
        word.arg
        for word in node.keywords
        if isinstance(word.value, ast.Constant) and word.value.value is True
    }
    if truths & {"download", "pretrained"} or name in _CALLS or (owner, name) in _OWNERS:
        return f"it downloads: {written}"
    if name in ("read_csv", "read_html", "read_json", "read_excel") and node.args:
        first = node.args[0]
        if isinstance(first, ast.Constant) and str(first.value).startswith(("http://", "https://")):
            return f"it downloads: {written}"
    return ""


def _names(function: ast.expr) -> tuple[str, str]:
    """The name of what is called, and the last name of what it belongs to."""
    if isinstance(function, ast.Name):
        return function.id, ""
    if isinstance(function, ast.Attribute):
        owner = function.value
        last = (
            owner.attr
            if isinstance(owner, ast.Attribute)
            else owner.id
            if isinstance(owner, ast.Name)
            else ""
        )
        return function.attr, last
    return "", ""


def _first_line(match: re.Match[str], source: str) -> str:
    return source[match.start() :].strip().split("\n")[0][:60]
