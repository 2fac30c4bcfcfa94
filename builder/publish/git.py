"""A branch of a git remote as a target: GitHub Pages, and every host that serves a branch.

Each publish is one commit on top of what the branch holds. It is made from blobs and an index of its own: the
author's index, work tree and branches are not touched. What others keep on the branch stays.
"""

from __future__ import annotations

import tempfile
from collections.abc import Container, Mapping
from pathlib import Path

from builder.publish.files import File
from builder.publish.plan import Plan, PublishError, There, shown
from builder.publish.programs import ANY_CODE, run
from builder.publish.record import NAME, parse_record, record_text

_HINT = "does `git push` to this remote work by hand?"
_NOBODY = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Fencepost"), ("EMAIL", "fencepost@localhost"))
}


class Branch:
    """One branch of a remote, which is named as git does, or is an address or a folder."""

    def __init__(self, root: Path, home: Path, remote: str, branch: str, domain: str) -> None:
        self.where = f"branch {branch} of {shown(remote)}"
        self._root = root
        self._home = home
        self._remote = remote
        self._branch = branch
        self._address = remote
        self._domain = domain
        self._repository: Path | None = None  # where the objects are made
        self._tip = ""

    def extras(self) -> Mapping[str, bytes]:
        # Without `.nojekyll`, GitHub Pages would give the site to Jekyll, which drops names that begin with `_`.
        domain = {"CNAME": f"{self._domain}\n".encode()} if self._domain else {}
        return {".nojekyll": b"", **domain}

    def look(self, files: Mapping[str, File]) -> There:
        self._open()
        self._tip = self._fetch()
        if not self._tip:
            return There(frozenset(), {})
        held = self._tree()
        known = parse_record(self._git("cat-file", "blob", f"{self._tip}:{NAME}", may_fail=ANY_CODE))
        names = self._blobs(files, write=False)
        same = {path for path, blob in names.items() if held.get(path) == blob}
        foreign = {path for path in files if path in held and path not in known and path not in same}
        return There(frozenset(same), known, frozenset(foreign))

    def send(self, plan: Plan) -> None:
        sent = {file.path: file for file in plan.sends}
        with tempfile.TemporaryDirectory(prefix="fencepost-") as folder:
            record = Path(folder) / NAME
            record.write_bytes(record_text(plan.record))
            sent[NAME] = File(NAME, record, "", 0)
            blobs = self._blobs(sent, write=True)
            nothing = "0" * len(blobs[NAME])
            lines = [f"0 {nothing}\t{path}" for path in plan.removed]
            lines += [f"100644 {blob}\t{path}" for path, blob in blobs.items()]
            index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            if self._tip:
                self._git("read-tree", self._tip, environment=index)
            self._git(
                "update-index",
                "-z",
                "--add",
                "--index-info",
                given="".join(f"{line}\0" for line in lines).encode(),
                environment=index,
            )
            tree = self._text("write-tree", environment=index)
        commit = self._commit(tree, plan)
        self._git(
            "push", "--no-verify", "--quiet", self._address, f"{commit}:refs/heads/{self._branch}", hint=_HINT
        )

    def _open(self) -> None:
        """Find the repository whose remote is meant, with all that it knows of how to reach it, or make one."""
        names = self._git("remote", repository=self._root, may_fail=ANY_CODE) or b""
        self._address = self._remote
        if self._remote in names.decode().split():
            self._repository = self._root
            return
        folder = self._root / self._remote
        if folder.exists():
            self._address = str(folder.resolve())
        elif ":" not in self._remote and "/" not in self._remote:
            hint = f"git remote add {self._remote} ADDRESS, or set `remote` to an address"
            raise PublishError(f"git knows no remote `{self._remote}` here", hint)
        self._repository = self._home
        if not (self._home / "HEAD").exists():
            self._home.mkdir(parents=True, exist_ok=True)
            self._git("init", "--quiet", "--bare", ".")

    def _fetch(self) -> str:
        """Fetch the branch; return its commit, or "" if there is no such branch yet."""
        reference = f"refs/heads/{self._branch}"
        if not self._git("ls-remote", self._address, reference, hint=_HINT):
            return ""
        shallow = (
            self._repository == self._home or self._text("rev-parse", "--is-shallow-repository") == "true"
        )
        depth = ["--depth=1"] if shallow else []
        kept = f"refs/fencepost/{self._branch}"
        self._git("fetch", "--quiet", "--no-tags", *depth, self._address, f"+{reference}:{kept}", hint=_HINT)
        return self._text("rev-parse", kept)

    def _tree(self) -> dict[str, str]:
        """{path: blob} of the branch."""
        listing = (self._git("ls-tree", "-r", "-z", self._tip) or b"").decode("utf-8", "surrogateescape")
        entries = (entry.split("\t", 1) for entry in listing.split("\0") if entry)
        return {path: description.split()[2] for description, path in entries}

    def _blobs(self, files: Mapping[str, File], *, write: bool) -> dict[str, str]:
        """{path: blob} of files of this machine; with `write`, the blobs are made."""
        options = ["-w"] if write else []
        paths = "".join(f"{file.source}\n" for file in files.values()).encode()
        names = self._git("hash-object", *options, "--no-filters", "--stdin-paths", given=paths) or b""
        return dict(zip(files, names.decode().split(), strict=True))

    def _commit(self, tree: str, plan: Plan) -> str:
        known = self._git("var", "GIT_COMMITTER_IDENT", may_fail=ANY_CODE) is not None
        source = self._git("rev-parse", "--short", "HEAD", repository=self._root, may_fail=ANY_CODE) or b""
        what = source.decode().strip() or "the site"
        message = f"Publish {what}: {len(plan.sends)} sent, {len(plan.removed)} removed"
        parent = ["-p", self._tip] if self._tip else []
        environment = {} if known else _NOBODY
        return self._text("commit-tree", tree, *parent, "-m", message, environment=environment)

    def _text(self, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
        return (self._git(*arguments, environment=environment) or b"").decode().strip()

    def _git(
        self,
        *arguments: str,
        repository: Path | None = None,
        given: bytes = b"",
        environment: Mapping[str, str] | None = None,
        may_fail: Container[int] = (),
        hint: str = "",
    ) -> bytes | None:
        return run(
            ("git", *arguments),
            folder=repository or self._repository or self._root,
            given=given,
            environment=environment,
            may_fail=may_fail,
            hint=hint,
        )
