"""A site whose output folder is laid out at once, without a build, and what stands at a target."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import fsspec

from builder.output import Tree
from builder.publish.publish import Publication, prepare
from tests.conftest import TestSite

STYLE = "assets/style.0123456789.css"
OLD = {
    "index.html": b"<h1>old home</h1>",
    "a/index.html": b"<h1>old a</h1>" + b"a" * 900,
    "b/index.html": b"<h1>b</h1>",
    "c/index.html": b"<h1>c</h1>",
    "d/index.html": b"<h1>d</h1>",
    "feed.xml": b"<feed/>",
    STYLE: b"body {}",
    "a/picture.png": b"\x89PNG old",
    "\ud55c\uae00/index.html": "<h1>한글</h1>".encode(),
}
NEW_STYLE = "assets/style.abcdef0123.css"
NEW = {
    **{path: content for path, content in OLD.items() if path not in (STYLE, "d/index.html")},
    NEW_STYLE: b"body { color: red }",
    "index.html": b"<h1>new home</h1>",
    "a/index.html": b"<h1>new a</h1>" + b"b" * 900,
    "e/index.html": b"<h1>e</h1>",
    "feed.xml": b"<feed>e</feed>",
}


def lay_out(site: TestSite, files: Mapping[str, bytes]) -> None:
    """Make the output folder hold `files`, as a build would."""
    tree = Tree(site.config())
    keep = {
        path for path in files if tree.has(path) and (site.root / "output" / path).read_bytes() == files[path]
    }
    tree.begin(keep)
    tree.finish({path: tree.put(path, content) for path, content in files.items()})


def prepared(site: TestSite, name: str = "", *allowed: str) -> Publication:
    """A publish of a site that no build of this test has made."""
    return prepare(site.config(), name, frozenset({"stale", *allowed}), 1)


def publish(site: TestSite, name: str = "", *allowed: str) -> Publication:
    publication = prepared(site, name, *allowed)
    assert publication.refusals == ()
    publication.carry_out()
    return publication


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file below a folder but the record of publishes."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".fencepost.json" and ".git" not in path.relative_to(folder).parts
    }


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", "-c", "user.name=T", "-c", "user.email=t@example.org", *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    ).stdout


class Place:
    """A target of every kind, seen from the host: `read` what is there, `add` what somebody else puts there."""

    def __init__(self, kind: str, folder: Path, endpoint: str = "") -> None:
        self.kind = kind
        self.folder = folder
        self.endpoint = endpoint
        self.config = {
            "folder": f'kind = "folder"\npath = "{folder}"',
            "git": f'kind = "git"\nremote = "{folder}"',
            "rsync": f'kind = "rsync"\naddress = "{folder}"',
            "store": f'kind = "store"\naddress = "memory://{folder}"',
            "s3": f'kind = "store"\naddress = "s3:/{folder}"\noptions = {{endpoint_url = "{endpoint}"}}',
        }[kind]
        if kind == "git":
            folder.mkdir(parents=True)
            git(folder, "init", "--quiet", "--bare")

    def read(self) -> dict[str, bytes]:
        if self.kind in ("store", "s3"):
            system = fsspec.filesystem("memory")
            if self.kind == "s3":
                options = {"endpoint_url": self.endpoint, "use_listings_cache": False}
                system = fsspec.filesystem("s3", **options)
            top = str(self.folder).lstrip("/" if self.kind == "s3" else "")
            found = {name.removeprefix(f"{top}/"): system.cat_file(name) for name in system.find(top)}
            return {path: content for path, content in found.items() if path != ".fencepost.json"}
        if self.kind == "git":
            if not git(self.folder, "branch", "--list", "gh-pages"):
                return {}
            clone = self.folder.parent / "clone"
            shutil.rmtree(clone, ignore_errors=True)
            git(self.folder.parent, "clone", "--quiet", "--branch", "gh-pages", str(self.folder), str(clone))
            return {path: content for path, content in files_of(clone).items() if path != ".nojekyll"}
        return files_of(self.folder)

    def add(self, path: str, content: bytes) -> None:
        if self.kind == "store":
            fsspec.filesystem("memory").pipe_file(f"{self.folder}/{path}", content)
        elif self.kind == "git":
            self.read()
            clone = self.folder.parent / "clone"
            if not clone.is_dir():
                git(self.folder.parent, "clone", "--quiet", str(self.folder), str(clone))
                git(clone, "checkout", "--quiet", "--orphan", "gh-pages")
            (clone / path).parent.mkdir(parents=True, exist_ok=True)
            (clone / path).write_bytes(content)
            git(clone, "add", "--force", path)
            git(clone, "commit", "--quiet", "--message", "by somebody else")
            git(clone, "push", "--quiet", "origin", "gh-pages")
        else:
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).write_bytes(content)
