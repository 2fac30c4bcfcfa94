"""What went wrong in the cells of a post, as Problems that name the true lines of its Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator

from builder.execute.outcome import NOT_RUN
from builder.model import Cell, Failure, Post, Problem, Run, Text
from builder.splice import expected_error, expects, may_raise

DEPENDENT = {"skipped", "unrun", "unavailable"}


def cell_problems(post: Post, run: Run) -> Iterator[Problem]:
    """Yield one Problem per root cause; the cells that were not run because of it are in its detail."""
    for number, problem in failed_cells(post, run):
        if not post.cells[number - 1].unproven:
            yield problem
    if unproven := _unproven(post, run):
        yield unproven
    for warning in run.warnings:
        yield Problem("warning", post.path, post.cells[0].code.start, "cell", warning)


def _unproven(post: Post, run: Run) -> Problem | None:
    """One note for the cells that fail as the configuration says."""
    known = [post.cells[number - 1] for number, _ in failed_cells(post, run)]
    known = [cell for cell in known if cell.unproven]
    if not known:
        return None
    reasons = "; ".join(dict.fromkeys(cell.unproven for cell in known))
    numbers = ", ".join(str(cell.number) for cell in known)
    what = f"not proven: cell{'s' if len(known) > 1 else ''} {numbers}: {reasons}"
    return Problem("note", post.path, known[0].code.start, "unproven", what)


def failed_cells(post: Post, run: Run) -> Iterator[tuple[int, Problem]]:
    """Yield the number of each cell at the root of a failure, and its Problem."""
    for cell, output in zip(post.cells, run.outputs, strict=True):
        failure = output.failure
        if failure is None:
            name = expected_error(cell)
            printed = "".join(part.text for part in output.parts if isinstance(part, Text))
            if name and name not in printed:
                yield cell.number, _broken_promise(post, cell, name)
        elif failure.kind in DEPENDENT or (
            failure.kind == "raised" and (may_raise(cell, post.execute) or expects(cell, failure))
        ):
            continue
        else:
            yield cell.number, _problem(post, cell, failure, run)


def cell_notes(post: Post, run: Run) -> Iterator[Problem]:
    """Yield what is not on the page: why the cells were not run, what they wrote to standard error."""
    why = run.facts.get(NOT_RUN)
    if why:
        shown = "their last outputs are shown" if run.outputs[0].failure is None else "all is as written"
        line = post.front_matter.lines.get("execute", 0)
        kind = "device" if run.outputs[0].failure is None else "not-run"
        yield Problem("note", post.path, line, kind, f"its cells were not run: {why}; {shown}")
    for cell, output in zip(post.cells, run.outputs, strict=True):
        if output.stderr:
            text = _with_true_lines(post, output.stderr).rstrip("\n")
            where = f"cell {cell.number} wrote to standard error"
            yield Problem("note", post.path, cell.code.start, "stderr", where, detail=text)


def _broken_promise(post: Post, cell: Cell, name: str) -> Problem:
    message = f"cell {cell.number} was to raise {name}, as its output says, and did not"
    line = cell.authored.start if cell.authored else cell.code.start
    return Problem("error", post.path, line, "cell", message)


def _problem(post: Post, cell: Cell, failure: Failure, run: Run) -> Problem:
    level, line = "error", _line(cell, failure)
    hint = failure.hint
    number = cell.number
    match failure.kind:
        case "raised":
            message = f"cell {number} raised {failure.message}"
        case "syntax":
            message = f"cell {number} does not parse: {failure.message}"
        case "exit":
            message = f"cell {number} called for its own end: {failure.message}"
            hint = "a cell that exits ends its post"
        case "refused":
            level = "warning"
            if cell.refusal:
                message, hint = f"cell {number} was not run: {failure.message}", "mark the cell {eval=false}"
            else:
                message = f"cell {number} was not run: it has the line `{failure.message}`"
                hint = "set `shell = true` under [execute] to allow such lines, or mark the cell {eval=false}"
        case _:
            message = f"cell {number} {failure.message}"
    inner = failure.frames[-1] if failure.frames else None
    if inner is not None and inner.cell != number:
        message += f" (in `{inner.name}`, line {post.cells[inner.cell - 1].code.start + inner.line})"
    detail = "\n".join(_detail(post, cell, failure, run))
    kind = "not-run" if failure.kind == "refused" else "cell"
    return Problem("error" if level == "error" else "warning", post.path, line, kind, message, hint, detail)


def _line(cell: Cell, failure: Failure) -> int:
    """The true line of a failure; the first line of the cell's code where no statement is known."""
    return cell.code.start + max(failure.line, 1)


def _detail(post: Post, cell: Cell, failure: Failure, run: Run) -> Iterator[str]:
    """The frames inside the post, what the cell had printed, and who was not run because of it."""
    if len(failure.frames) > 1:
        for frame in failure.frames:
            line = post.cells[frame.cell - 1].code.start + frame.line
            yield f"{post.path}:{line}: in {frame.name}"
            if frame.source:
                yield f"    {frame.source}"
    printed = "".join(part.text for part in run.outputs[cell.number - 1].parts if isinstance(part, Text))
    if printed:
        yield "printed before:"
        lines = printed.rstrip("\n").split("\n")
        if len(lines) > 20:
            yield f"    … ({len(lines) - 20} more lines)"
        yield from (f"    {line}" for line in lines[-20:])
    yield from _dependents(cell.number, failure, run)


def _dependents(number: int, cause: Failure, run: Run) -> Iterator[str]:
    unrun = []
    for other, output in enumerate(run.outputs, 1):
        failure = output.failure
        if failure is None or failure.kind not in DEPENDENT or number not in failure.causes:
            continue
        if failure.kind == "unrun":
            unrun.append(other)
        else:
            names = ", ".join(f"`{name}`" for name in failure.names)
            yield f"cell {other} was not run: it uses {names}"
    if unrun:
        one = len(unrun) == 1
        cells = f"cell {unrun[0]}" if one else f"cells {unrun[0]} to {unrun[-1]}"
        if cause.kind == "unfrozen":
            yield f"{cells} behind it {'is' if one else 'are'} not frozen either"
        else:
            yield f"{cells} {'was' if one else 'were'} not run: the process of the post had ended"


def _with_true_lines(post: Post, text: str) -> str:
    """Replace `<cell 4>:5` and `File "<cell 4>", line 5` by the post's path and its own line."""
    for cell in post.cells:
        name = f"<cell {cell.number}>"
        if name in text:
            text = _replace_lines(text, name, post.path, cell.code.start)
    return text


def _replace_lines(text: str, name: str, path: str, start: int) -> str:
    def short(found: re.Match[str]) -> str:
        return f"{path}:{start + int(found[1])}"

    def long(found: re.Match[str]) -> str:
        return f'File "{path}", line {start + int(found[1])}'

    text = re.sub(re.escape(name) + r":(\d+)", short, text)
    return re.sub(f'File "{re.escape(name)}", line ' + r"(\d+)", long, text)
