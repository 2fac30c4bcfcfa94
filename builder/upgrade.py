"""What would change under another interpreter? The cells of a site run there, and nothing is written."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from builder.check import Checked, check_post, chosen_posts
from builder.execute.cache import Cache, site_cache
from builder.execute.freeze import Freeze
from builder.execute.keys import has_cells_to_run
from builder.execute.run import Observer, Runs, execute, run_posts
from builder.execute.supervisor import OURS, Interpreter
from builder.fences import insert_outputs, replace_outputs
from builder.model import Config, Post, Problem, Run, SiteError
from builder.posts import parse_post
from builder.splice import joined_text, printed_parts


def check_upgrade(
    config: Config, names: Sequence[Path], python: str, jobs: int, observe: Observer | None = None
) -> Checked:
    """Run the posts `names` under the interpreter `python`, and compare with their outputs here.

    Each finding says how an output would change: the authored side is what the cell shows today. Raises
    SiteError if there is no such interpreter.
    """
    program = shutil.which(python)
    if program is None:
        raise SiteError(Problem("error", python, 0, "config", "no such interpreter"))
    if subprocess.run([program, "-c", "import IPython"], capture_output=True).returncode:
        hint = f"{python} -m pip install ipython"
        raise SiteError(Problem("error", python, 0, "config", "this interpreter has no IPython", hint))
    posts, problems = chosen_posts(config, names)
    posts = tuple(post for post in posts if has_cells_to_run(post))
    today = run_posts(posts, config, site_cache(config), Freeze(config), jobs, observe)
    with tempfile.TemporaryDirectory() as folder:
        other_cache = Cache(Path(folder), config.root)
        # The other interpreter is to find our package, and none of the packages around it.
        (Path(folder) / "builder").symlink_to(OURS.root / "builder")
        there = Interpreter(program, Path(folder))
        runs = {
            post.path: run
            for post, run, _ in execute(posts, config, other_cache, jobs, observe, python=there)
        }
    findings = []
    for post in posts:
        as_today = _with_outputs(post, today.of[post.path], config)
        for finding in check_post(as_today, runs[post.path]):
            cell = post.cells[finding.cell - 1]
            line = cell.authored.start if cell.authored else cell.code.start
            findings.append(replace(finding, line=line))
    ran = tuple((post, runs[post.path]) for post in posts)
    cells = sum(len(run.outputs) for run in runs.values())
    return Checked(posts, Runs(runs, ran, cells, 0), tuple(findings), problems)


def _with_outputs(post: Post, run: Run, config: Config) -> Post:
    """The post as it would be if its author had pasted just what its cells show today."""
    shown = {}
    for cell, output in zip(post.cells, run.outputs, strict=True):
        parts = printed_parts(cell, output, post.execute)
        if parts:
            shown[cell.number] = joined_text(parts)
    replaced = {
        cell.number: shown[cell.number] for cell in post.cells if cell.authored and shown.get(cell.number)
    }
    text = replace_outputs(post.text, post.cells, replaced)
    cells = parse_post(text, post.path, config, post.page)[0].cells
    added = {
        cell.number: shown[cell.number] for cell in cells if not cell.authored and shown.get(cell.number)
    }
    return parse_post(insert_outputs(text, cells, added), post.path, config, post.page)[0]
