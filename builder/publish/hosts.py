"""Netlify and Cloudflare Pages as targets, through their own command-line tools.

They take a whole folder, send what their host does not have, and put it in place at once. What was sent is known
from a record on this machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from builder.publish.files import File, staged
from builder.publish.headers import headers_file
from builder.publish.plan import Plan, There
from builder.publish.programs import run
from builder.publish.record import NAME, parse_record, record_text


class Host:
    """A host whose tool takes a folder."""

    def __init__(self, where: str, home: Path, command: Sequence[str], package: str) -> None:
        self.where = where
        self._stage = home / "stage"
        self._record = home / NAME
        self._command = command  # with {} for the folder
        self._package = package

    def extras(self) -> Mapping[str, bytes]:
        return {}

    def look(self, files: Mapping[str, File]) -> There:
        known = parse_record(self._record.read_bytes() if self._record.exists() else None)
        same = {path for path, file in files.items() if known.get(path) == file.digest}
        return There(frozenset(same), known)

    def send(self, plan: Plan) -> None:
        folder = staged(plan.files.values(), self._stage)
        if not (folder / "_headers").exists():
            (folder / "_headers").write_bytes(headers_file(plan.files.values()))
        command = [word.replace("{}", str(folder)) for word in self._command]
        run(command, folder=folder.parent, hint=f"npm install --global {self._package}")
        self._record.write_bytes(record_text(plan.record))


def netlify(home: Path, site: str) -> Host:
    """A site at Netlify, by its id or name."""
    command = ["netlify", "deploy", "--prod", "--no-build", "--dir", "{}", "--site", site]
    return Host(f"Netlify, site {site}", home, command, "netlify-cli")


def cloudflare(home: Path, project: str, branch: str) -> Host:
    """A project of Cloudflare Pages."""
    command = ["wrangler", "pages", "deploy", "{}", "--project-name", project, "--branch", branch]
    return Host(f"Cloudflare Pages, project {project}", home, [*command, "--commit-dirty=true"], "wrangler")
