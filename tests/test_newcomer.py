"""The way of a newcomer, as README.md shows it: its commands are run for real, and say what stands there."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from tests.conftest import TestSite
from tests.publishing import files_of, git

README = Path(__file__).resolve().parents[1] / "README.md"


def steps() -> list[tuple[str, str]]:
    """The commands of the section, and what each prints."""
    section = README.read_text(encoding="utf-8").split("## From an empty folder to a host")[1]
    block = section.split("```console\n")[1].split("```")[0]
    return [(part.split("\n", 1)[0], part.split("\n", 1)[1]) for part in block.split("$ ")[1:]]


def masked(text: str) -> str:
    """Numbers (of files, seconds, days, ports) are others on another day."""
    return re.sub(r"\d+(?:[.-]\d+)*", "N", text)


def served(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    """What the preview says before it is ended; it must answer by then."""
    preview = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)
    assert preview.stdout is not None
    try:
        return preview.stdout.readline()
    finally:
        preview.send_signal(signal.SIGINT)
        preview.stdout.read()
        preview.wait(240)


def test_from_an_empty_folder_to_a_host_in_six_commands(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--bare", "blog.git")
    shown = steps()
    assert len(shown) == 6
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    folder = tmp_path
    for command, output in shown:
        words = re.findall(r'"([^"]+)"|(\S+)', command)
        program, *arguments = [quoted or bare for quoted, bare in words]
        if program == "cd":
            folder = folder / arguments[0]
            continue
        full = [sys.executable, "-m", "builder", *arguments]
        if arguments == ["serve"]:
            assert masked(served(full, folder, environment)) == masked(output)
            # What is left to the newcomer: to say where the site goes, and to write.
            config = folder / "fencepost.toml"
            config.write_text(config.read_text().replace('remote = "origin"', 'remote = "../blog.git"'))
            continue
        done = subprocess.run(full, cwd=folder, env=environment, capture_output=True, text=True, timeout=240)
        assert (done.returncode, done.stderr) == (0, ""), command
        if arguments == ["build"]:  # how many of the cells the preview had run when it was ended is chance
            done.stdout, output = (
                re.sub(r"cells: .* cached|cells: .* run", "cells", t) for t in (done.stdout, output)
            )
        assert masked(done.stdout) == masked(output), command
    git(tmp_path, "clone", "--quiet", "--branch", "gh-pages", "blog.git", "clone")
    there = files_of(tmp_path / "clone")
    assert there.pop(".nojekyll") == b""
    assert there == TestSite(folder).output()
    assert b"x = 2.9693" in there["my-first-gradient/index.html"]
