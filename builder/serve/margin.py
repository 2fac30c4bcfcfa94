"""What a preview adds to a page: the states of cells, errors at their place, drift, troubles, its own script.

It is put into the finished HTML of a page, and is never a part of the site. All text in it is escaped.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import field, replace
from html import escape
from typing import Final

from builder.check import check_post
from builder.failures import failed_cells
from builder.frozen import frozen
from builder.messages import message
from builder.model import GRAVE, Finding, Post, Problem, Run
from builder.translation import spoken

STALE: Final = "stale"  # what is shown is of older code, and its cell is to be run
RUNNING: Final = "running"
QUIET: Final = {"exact", "missing"}  # kinds that say nothing against what the author wrote

_CELL: Final = re.compile(r'<div class="cell((?: [^"]*)?)" id="cell-(\d+)">')


@frozen
class Margin:
    """What stands beside the cells of a page, by their numbers, and whether the page is a draft."""

    states: Mapping[int, str] = field(default_factory=dict)
    notes: Mapping[int, str] = field(default_factory=dict)  # HTML
    draft: bool = False
    troubles: tuple[Problem, ...] = ()  # of the file that the page is made of


def margin_of(post: Post, run: Run, states: Mapping[int, str]) -> Margin:
    """Return what stands beside the cells of a post. Of those that have a state nothing is said yet."""
    failed = dict(failed_cells(post, run)) if run.outputs else {}
    notes = {number: _error(problem) for number, problem in failed.items()}
    for finding in check_post(post, run) if run.outputs else ():
        if finding.cell not in notes and not set(finding.kinds) <= QUIET:
            notes[finding.cell] = _drift(finding)
    notes = {number: note for number, note in notes.items() if number not in states}
    return Margin(states, notes, post.front_matter.draft)


def dress(html: str, margin: Margin, troubles: tuple[Problem, ...], script: str) -> str:
    """Return a page with its margin, the troubles of the site, and the element `script`."""

    def cell(found: re.Match[str]) -> str:
        number = int(found[2])
        state = margin.states.get(number, "")
        opening = f'<div class="cell{found[1]} {state}" id="cell-{number}" aria-busy="true">'
        stop = f'<button type="button" class="preview-stop" data-cell="{number}">{spoken("Stop")}</button>'
        return (
            (opening if state else found[0])
            + (stop if state == RUNNING else "")
            + margin.notes.get(number, "")
        )

    html = _CELL.sub(cell, html)
    head, body = "", ""
    if margin.draft:
        head += '<meta name="robots" content="noindex">\n'
        body += '<p class="preview-draft" role="note">' + spoken("Draft") + "</p>\n"
    if troubles := tuple(dict.fromkeys((*troubles, *margin.troubles))):
        body += _troubles(troubles)
    head += '<link rel="stylesheet" href="/.fencepost/live.css">\n'
    html = html.replace("</head>", f"{head}</head>", 1)
    before, closing, after = html.rpartition("</body>")
    return f"{before}{body}{script}\n{closing}{after}" if closing else html


def trouble_page(troubles: tuple[Problem, ...], script: str) -> str:
    """Return a page for a site of which there is no good state yet."""
    page = '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Fencepost</title>\n'
    return dress(f"{page}</head>\n<body>\n<main></main>\n</body>\n</html>\n", Margin(), troubles, script)


def _error(problem: Problem) -> str:
    problem = replace(problem, detail=_without_printed(problem.detail))
    return f'<aside class="preview-note preview-error" role="alert">{_told(problem)}</aside>\n'


def _without_printed(detail: str) -> str:
    """The detail of a problem without what its cell had printed, which stands above it on the page."""
    kept, printed = [], False
    for line in detail.split("\n"):
        printed = line == "printed before:" or (printed and line.startswith("    "))
        if not printed:
            kept.append(line)
    return "\n".join(kept)


def _troubles(troubles: tuple[Problem, ...]) -> str:
    told = "".join(f"<li>{_told(problem)}</li>\n" for problem in troubles)
    title = f'<h2 id="preview.troubles">{spoken("Not as saved yet")}</h2>'
    return (
        '<section class="preview-troubles" role="alert" aria-labelledby="preview.troubles">'
        f"{title}\n<ul>\n{told}</ul></section>\n"
    )


def _told(problem: Problem) -> str:
    first, detail = message(replace(problem, detail="")), problem.detail
    place = f"{problem.path}:{problem.line}" if problem.line else problem.path
    rest = first.removeprefix(place).removeprefix(":").lstrip()
    where = f"<strong>{escape(place)}</strong> " if place else ""
    return f"<p>{where}{escape(rest)}</p>" + (f"<pre>{escape(detail)}</pre>" if detail else "")


def _drift(finding: Finding) -> str:
    kinds = ", ".join(kind for kind in finding.kinds if kind not in QUIET)
    grave = " preview-grave" if GRAVE & set(finding.kinds) else ""
    random = " --random" if "random" in finding.kinds else ""
    command = f"fencepost accept{random} {shlex.quote(finding.path)}"
    diff = f"<pre>{_diff(finding.diff)}</pre>" if finding.diff else ""
    what = f"<p>{escape(finding.what)}</p>" if finding.what else ""
    accept = f"<p><code>{escape(command)}</code></p>" if diff else ""
    return (
        f'<aside class="preview-note preview-drift{grave}"><details><summary>{escape(kinds)}</summary>'
        f"{what}{diff}{accept}</details></aside>\n"
    )


def _diff(diff: str) -> str:
    marked = []
    for line in diff.split("\n")[2:]:
        tag = {"+": "ins", "-": "del"}.get(line[:1])
        marked.append(f"<{tag}>{escape(line)}</{tag}>" if tag else escape(line))
    return "\n".join(marked)
