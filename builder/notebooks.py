"""A post as a notebook that runs in Jupyter, and as a script.

    /x/y/y.ipynb     notebook format 4.5, with what the cells really showed
    /x/y/y.py        the same cells, the prose between them as comments: `# %%`, as editors and Jupytext read it

The notebook is written by the schema of its format, in the very bytes that nbformat writes; the tests compare. To
import and to use that here would cost half a second, and 28 ms for each post.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from json.encoder import encode_basestring
from typing import Any, TypeAlias

from builder.copies import Prose, Step, fenced
from builder.fences import runnable, without_options
from builder.model import CellOptions, Figure, Markup, Part, Text

Blob: TypeAlias = Callable[[str], bytes | None]  # the bytes of a figure by its name

_SHELL = re.compile(r"\s*[!%]")


def notebook(
    title: str, pieces: Sequence[Prose | Step], python: str, may_raise: frozenset[int], blob: Blob
) -> str:
    """The notebook of a post.

    python      the version that the cells ran with, or ""
    may_raise   the numbers of the cells whose exceptions the author wants to show
    """
    count = 0
    cells = [_markdown("title", f"# {' '.join(title.split())}")]
    for number, piece in enumerate(pieces, start=1):
        if isinstance(piece, Prose):
            cells.append(_markdown(f"text-{number}", piece.text))
        elif _is_shown_only(piece):
            cells.append(_markdown(f"text-{number}", "\n".join(fenced(_code(piece), "python"))))
        else:
            count += 1
            tags = [
                *(["raises-exception"] if piece.cell.number in may_raise else []),
                *_hidden(piece.cell.options),
            ]
            cells.append(
                {
                    "cell_type": "code",
                    "execution_count": count if piece.parts else None,
                    "id": f"cell-{piece.cell.number}",
                    "metadata": {"tags": tags} if tags else {},
                    "outputs": list(_outputs(piece.parts, count, blob)),
                    "source": _lines(_code(piece).rstrip("\n")),
                }
            )
    language = {"name": "python", **({"version": python} if python else {})}
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": language}
    document = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return f"{_json(document)}\n"


def script(title: str, pieces: Iterable[Prose | Step]) -> str:
    """The script of a post. A line for the shell, and a cell that is not to run, are comments in it."""
    blocks = [f"# {' '.join(title.split())}"]
    for piece in pieces:
        if isinstance(piece, Prose):
            blocks.append("# %% [markdown]\n" + _comment(piece.text))
        else:
            code = _code(piece).rstrip("\n")
            lines = code.split("\n")
            is_off = _is_shown_only(piece) or lines[0].lstrip().startswith("%%")
            code = (
                _comment(code)
                if is_off
                else "\n".join(f"# {line}" if _SHELL.match(line) else line for line in lines)
            )
            blocks.append(f"# %%\n{code}")
    return "\n\n".join(blocks) + "\n"


def _hidden(options: CellOptions) -> list[str]:
    """The tags by which other tools hide what the page does not show."""
    if not options.include:
        return ["remove-cell"]
    return [] if options.echo else ["remove-input"]


def _is_shown_only(step: Step) -> bool:
    """Is this cell there to be read, not to be run?"""
    return step.cell.options.eval is False


def _code(step: Step) -> str:
    """What runs, without the `#|` lines and the prompts."""
    body = step.cell.code.body
    if ">>>" in body:
        body = "\n".join(line for line in runnable(body)[0].split("\n") if line)
    return without_options(body)


def _markdown(name: str, text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": name, "metadata": {}, "source": _lines(text)}


def _outputs(parts: Sequence[Part], count: int, blob: Blob) -> Iterable[Mapping[str, Any]]:
    printed: list[str] = []

    def stream() -> Iterable[Mapping[str, Any]]:
        if printed:
            yield {"name": "stdout", "output_type": "stream", "text": _lines("".join(printed))}
            printed.clear()

    valued = False  # a cell has one result
    for part in parts:
        if isinstance(part, Text) and (not part.value or valued):
            printed.append(part.text if part.text.endswith("\n") else f"{part.text}\n")
            continue
        data = _data(part, blob)
        if not data:
            continue
        yield from stream()
        is_value = isinstance(part, Text)
        valued = valued or is_value
        kind = (
            {"output_type": "execute_result", "execution_count": count}
            if is_value
            else {"output_type": "display_data"}
        )
        yield {**kind, "data": data, "metadata": {}}
    yield from stream()


def _data(part: Part, blob: Blob) -> dict[str, Any]:
    """What a cell displayed, by its media types."""
    match part:
        case Text():
            return {"text/plain": _lines(part.text.removesuffix("\n"))}
        case Markup():
            kind = {"html": "text/html", "markdown": "text/markdown", "latex": "text/latex"}[part.kind]
            return {kind: _lines(part.html), "text/plain": _lines(part.text)}
        case Figure():
            content = blob(part.blob)
            if content is None:
                return {}
            if part.blob.endswith(".svg"):
                return {"image/svg+xml": _lines(content.decode("utf-8", "replace"))}
            return {"image/png": base64.b64encode(content).decode() + "\n"}


def _lines(text: str) -> list[str]:
    """A text as notebooks hold it: by lines, each with its end."""
    return text.splitlines(keepends=True)


def _json(value: Any, margin: str = "\n") -> str:
    """`json.dumps` with `indent=1` and `sort_keys=True`, for which `json` leaves its quick way."""
    if isinstance(value, str):
        return encode_basestring(value)
    if not isinstance(value, dict | list) or not value:
        return json.dumps(value)
    inner = f"{margin} "
    if isinstance(value, dict):
        items = [f"{encode_basestring(key)}: {_json(value[key], inner)}" for key in sorted(value)]
        return f"{{{inner}{f',{inner}'.join(items)}{margin}}}"
    items = [encode_basestring(item) if type(item) is str else _json(item, inner) for item in value]
    return f"[{inner}{f',{inner}'.join(items)}{margin}]"


def _comment(text: str) -> str:
    return "\n".join(f"# {line}".rstrip() for line in text.split("\n"))
