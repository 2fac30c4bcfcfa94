"""publish: what is sent, in which order, what is kept, and what an interrupted publish leaves."""

from __future__ import annotations

import contextlib
import gzip
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import brotli
import fsspec
import pytest

from builder.manifest import clean_output
from builder.model import SiteError
from builder.publish.files import File
from builder.publish.folder import Folder
from builder.publish.git import Branch
from builder.publish.headers import FOR_EVER, SHORT, cache_control, content_type, headers_file
from builder.publish.plan import PublishError, There, plan
from builder.publish.record import parse_record, record_text
from builder.publish.rsync import Rsync
from builder.publish.store import Store
from tests.conftest import MakeSite, TestSite
from tests.publishing import NEW, NEW_STYLE, OLD, STYLE, Place, files_of, git, lay_out, prepared, publish

HAS_RSYNC = shutil.which("rsync") is not None


class Killed(BaseException):
    """In place of the end of the process."""


KINDS = [
    "folder",
    "git",
    "store",
    pytest.param("rsync", marks=pytest.mark.skipif(not HAS_RSYNC, reason="rsync is not installed")),
]


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    yield Place(request.param, tmp_path / "host" / "site")
    fsspec.filesystem("memory").store.clear()


@pytest.fixture
def site(place: Place, make_site: MakeSite) -> TestSite:
    made = make_site({"fencepost.toml": f"[publish.host]\n{place.config}\n"})
    lay_out(made, OLD)
    return made


# --- every kind of target ---------------------------------------------------------------------


def test_what_is_published_is_what_was_built_and_is_not_sent_twice(site: TestSite, place: Place) -> None:
    first = publish(site)
    assert place.read() == OLD
    assert {file.path for file in first.plan.sends} >= OLD.keys()
    again = publish(site)
    assert again.plan.empty
    assert again.plan.sends == ()
    for path in (site.root / "output").rglob("*"):
        os.utime(path, (1, 1))  # hashes count, not times
    assert publish(site).plan.empty


def test_a_change_sends_what_it_changes_and_keeps_what_is_not_ours(site: TestSite, place: Place) -> None:
    publish(site)
    place.add("google123.html", b"theirs")
    place.add("d/theirs.txt", b"theirs, too")
    lay_out(site, NEW)
    changed = publish(site)
    assert place.read() == {**NEW, "google123.html": b"theirs", "d/theirs.txt": b"theirs, too"}
    assert [file.path for file in changed.plan.assets] == [NEW_STYLE]
    assert [file.path for file in changed.plan.new] == ["e/index.html"]
    assert [file.path for file in changed.plan.changed] == ["a/index.html", "index.html", "feed.xml"]
    assert changed.plan.removed == (STYLE, "d/index.html")
    assert publish(site).plan.empty


def test_a_page_that_was_changed_there_is_mended(site: TestSite, place: Place) -> None:
    publish(site)
    place.add("b/index.html", b"defaced, and longer")
    assert [file.path for file in publish(site).plan.sends] == ["b/index.html"]
    assert place.read() == OLD


def test_what_somebody_else_put_there_is_not_written_over(site: TestSite, place: Place) -> None:
    place.add("index.html", b"another site")
    (refusal,) = prepared(site).refusals
    assert (refusal.name, refusal.details) == ("foreign", ("index.html",))
    assert place.read() == {"index.html": b"another site"}
    publish(site, "", "foreign")
    assert place.read() == OLD


def test_a_site_that_shrank_by_half_is_refused(site: TestSite, place: Place) -> None:
    publish(site)
    lay_out(site, {path: content for path, content in OLD.items() if path[0] not in "bcd"})
    refused = prepared(site)
    (refusal,) = refused.refusals
    assert (refusal.name, refused.plan.pages_lost) == ("shrink", (3, 6))
    assert place.read() == OLD
    publish(site, "", "shrink")
    assert len(place.read()) == len(OLD) - 3


def test_a_name_may_become_a_folder_and_a_folder_a_name(site: TestSite, place: Place) -> None:
    one, other = (
        {"index.html": b"x", "a": b"file", "b/c/d": b"file"},
        {"index.html": b"x", "a/b": b"file", "b/c": b"file"},
    )
    for files in (one, other, one):
        clean_output(site.config())
        lay_out(site, files)
        publish(site, "", "shrink")
        assert place.read() == files


STEPS: dict[str, list[tuple[type, str]]] = {
    "folder": [(Folder, "_write"), (Folder, "_remove")],
    "git": [(Branch, "_git")],
    "rsync": [(Rsync, "_rsync")],
    "store": [(Store, "_put_record"), (Store, "_put"), (Store, "_remove")],
}


def killed_at(monkeypatch: pytest.MonkeyPatch, kind: str, step: int) -> Callable[[], int]:
    """End the publish before its n-th step; return a counter of steps."""
    steps = 0

    def wrap(real: Callable[..., Any]) -> Callable[..., Any]:
        def stepping(*arguments: Any, **options: Any) -> Any:
            nonlocal steps
            steps += 1
            if steps == step:
                raise Killed
            return real(*arguments, **options)

        return stepping

    for owner, name in STEPS[kind]:
        monkeypatch.setattr(owner, name, wrap(getattr(owner, name)))
    return lambda: steps


def test_killed_at_any_step_the_host_is_whole_and_the_next_publish_mends_it(
    site: TestSite, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(site)
    lay_out(site, NEW)
    step = 0
    while True:
        step += 1
        with monkeypatch.context() as patched:
            counted = killed_at(patched, place.kind, step)
            with contextlib.suppress(Killed):
                publish(site)
        there = place.read()
        for path in OLD.keys() | NEW.keys():
            assert there.get(path) in {OLD.get(path), NEW.get(path)}, path
        if there["index.html"] == NEW["index.html"]:  # what it leads to is there before it
            assert {NEW_STYLE, "e/index.html"} <= there.keys()
        if STYLE not in there or "d/index.html" not in there:  # and what has led to these is gone
            assert there["index.html"] == NEW["index.html"]
        if counted() < step:
            break
        if there == OLD:
            continue
        publish(site)
        assert place.read() == NEW
        lay_out(site, OLD)
        publish(site)
        assert place.read() == OLD
        lay_out(site, NEW)
    assert step > 4
    assert place.read() == NEW


def test_a_first_publish_that_was_interrupted_leaves_nothing_foreign(
    site: TestSite, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        killed_at(patched, place.kind, 4)
        with pytest.raises(Killed):
            publish(site)
    lay_out(site, NEW)
    publish(site)
    assert place.read() == NEW


# --- single kinds -----------------------------------------------------------------------------


def with_target(make_site: MakeSite, table: str, files: dict[str, bytes] | None = None) -> TestSite:
    site = make_site({"fencepost.toml": f"[publish.host]\n{table}\n"})
    lay_out(site, OLD if files is None else files)
    return site


def test_a_branch_has_a_linear_history_and_the_author_s_index_is_not_touched(
    make_site: MakeSite, tmp_path: Path
) -> None:
    host = tmp_path / "host.git"
    git(tmp_path, "init", "--quiet", "--bare", str(host))
    site = with_target(make_site, 'kind = "git"\ndomain = "blog.example.org"')
    git(site.root, "init", "--quiet")
    git(site.root, "remote", "add", "origin", str(host))
    (site.root / "staged.txt").write_text("x")
    git(site.root, "add", "staged.txt")
    before = git(site.root, "status", "--porcelain", "--branch"), (site.root / ".git" / "index").read_bytes()
    for files in (OLD, NEW, OLD):
        lay_out(site, files)
        publish(site)
    assert (
        git(site.root, "status", "--porcelain", "--branch"),
        (site.root / ".git" / "index").read_bytes(),
    ) == before
    assert git(site.root, "branch", "--list") == ""
    parents = git(host, "log", "--format=%P", "gh-pages").split("\n")
    assert [len(line.split()) for line in parents[:3]] == [1, 1, 0]
    assert git(host, "show", "gh-pages:CNAME") == "blog.example.org\n"
    assert git(host, "show", "gh-pages:.nojekyll") == ""
    assert git(host, "diff", "--name-only", "gh-pages~1", "gh-pages~2").split() == sorted(
        [
            ".fencepost.json",
            "a/index.html",
            STYLE,
            NEW_STYLE,
            "d/index.html",
            "e/index.html",
            "feed.xml",
            "index.html",
        ]
    )


def test_a_branch_that_moved_meanwhile_is_not_forced(make_site: MakeSite, tmp_path: Path) -> None:
    place = Place("git", tmp_path / "host" / "site")
    site = with_target(make_site, place.config)
    publish(site)
    lay_out(site, NEW)
    late = prepared(site)
    place.add("theirs.txt", b"meanwhile")
    with pytest.raises(PublishError):
        late.carry_out()
    publish(site)
    assert place.read() == {**NEW, "theirs.txt": b"meanwhile"}


@pytest.mark.parametrize("remote", ["origin", "/nowhere/at/all.git"])
def test_a_remote_that_is_not_there_is_told(make_site: MakeSite, remote: str) -> None:
    site = with_target(make_site, f'kind = "git"\nremote = "{remote}"')
    with pytest.raises(PublishError) as error:
        publish(site)
    assert error.value.hint


def test_packed_copies_stand_beside_the_files(make_site: MakeSite, tmp_path: Path) -> None:
    site = with_target(make_site, f'kind = "folder"\npath = "{tmp_path}/www"\ncopies = ["gzip", "brotli"]')
    publish(site)
    there = files_of(tmp_path / "www")
    assert gzip.decompress(there["a/index.html.gz"]) == OLD["a/index.html"]
    assert brotli.decompress(there["a/index.html.br"]) == OLD["a/index.html"]
    assert there.keys() - OLD.keys() == {"a/index.html.gz", "a/index.html.br"}  # the others are too small
    assert publish(site).plan.empty
    lay_out(site, NEW)
    publish(site)
    assert gzip.decompress(files_of(tmp_path / "www")["a/index.html.gz"]) == NEW["a/index.html"]


@pytest.mark.parametrize(
    ("kind", "program", "options"),
    [
        ('"netlify"\nsite = "my-site"', "netlify", "deploy --prod --no-build --dir {} --site my-site"),
        (
            '"cloudflare"\nproject = "blog"',
            "wrangler",
            "pages deploy {} --project-name blog --branch main --commit-dirty=true",
        ),
    ],
)
def test_a_host_with_a_tool_of_its_own(
    make_site: MakeSite,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    program: str,
    options: str,
) -> None:
    site = with_target(make_site, f"kind = {kind}")
    git_only = tmp_path / "bin"
    git_only.mkdir()
    monkeypatch.setenv("PATH", str(git_only))
    with pytest.raises(PublishError) as error:
        publish(site)
    assert f"`{program}` is not installed" in str(error.value)
    assert error.value.hint.startswith("npm install")
    tool = git_only / program
    tool.write_text(
        f'#!/bin/sh\n/bin/echo "$@" >> {tmp_path}/called\n/bin/cp -a .fencepost/publish/host/stage/. {tmp_path}/taken 2>/dev/null || /bin/cp -a stage/. {tmp_path}/taken\n'
    )
    tool.chmod(0o755)
    publish(site)
    stage = site.root / ".fencepost" / "publish" / "host" / "stage"
    assert (tmp_path / "called").read_text() == options.format(stage) + "\n"
    taken = files_of(tmp_path / "taken")
    assert f"/assets/*\n  Cache-Control: {FOR_EVER}".encode() in taken.pop("_headers")
    assert taken == OLD
    assert publish(site).plan.empty
    tool.write_text("#!/bin/sh\n/bin/echo 'not logged in' >&2\nexit 1\n")
    lay_out(site, NEW)
    with pytest.raises(PublishError) as error:
        publish(site)
    assert error.value.detail == "not logged in"


# --- the pieces -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"[]",
        record_text({"a": "1"})[:-9],
        record_text({"a": "1"}).replace(b'"1"', b'"2"'),
        record_text({"../a": "1"}),
        record_text({"/a": "1"}),
        record_text({"a\0../b": "1"}),  # two paths to git and rsync
    ],
)
def test_a_damaged_record_says_that_nothing_is_ours(damage: bytes) -> None:
    assert parse_record(damage) == {}
    assert parse_record(record_text({"한/a.html": "1"})) == {"한/a.html": "1"}


@pytest.mark.parametrize(
    ("path", "kind", "keep"),
    [
        ("index.html", "text/html; charset=utf-8", SHORT),
        ("feed.xml", "application/xml; charset=utf-8", SHORT),
        ("assets/style.0123456789.css", "text/css; charset=utf-8", FOR_EVER),
        ("assets/x.0123456789.js", "text/javascript; charset=utf-8", FOR_EVER),
        (f"figures/{'0' * 64}.svg", "image/svg+xml", FOR_EVER),
        ("assets/logo.png", "image/png", "public, max-age=86400"),
        ("posts/a/b.webp", "image/webp", "public, max-age=86400"),
        ("x.woff2", "font/woff2", "public, max-age=86400"),
        ("LICENSE", "application/octet-stream", "public, max-age=86400"),
    ],
)
def test_types_and_times(path: str, kind: str, keep: str) -> None:
    assert content_type(path) == kind
    assert cache_control(File(path, Path(), "", 0)) == keep


def test_no_password_of_an_address_is_shown_or_published(make_site: MakeSite) -> None:
    word = "Wh0-kn0ws-it"
    site = with_target(
        make_site,
        f'kind = "store"\naddress = "memory://me:{word}@host/blog"',
        {**OLD, "b/index.html": word.encode()},
    )
    found = prepared(site)
    assert found.target.where == "memory://host/blog"
    assert [refusal.message for refusal in found.refusals] == ["b/index.html:1: the password in its address"]


def test_a_picture_among_the_assets_is_not_kept_for_ever() -> None:
    def said(*paths: str) -> str:
        return headers_file(File(path, Path(), "", 0) for path in paths).decode()

    style = "assets/style.0123456789.css"
    assert f"/assets/*\n  Cache-Control: {FOR_EVER}" in said("index.html", style)
    mixed = said("index.html", style, "assets/logo.png")
    assert f"/{style}\n  Cache-Control: {FOR_EVER}" in mixed
    assert "/assets/*" not in mixed


def test_a_plan_leads_to_nothing_that_is_not_there() -> None:
    files = {path: File(path, Path(), path, 1) for path in NEW}
    made = plan(files, There(frozenset(), dict.fromkeys(OLD, "")))
    steps = [file.path for file in made.sends]
    assert (
        steps.index(NEW_STYLE)
        < steps.index("e/index.html")
        < steps.index("a/index.html")
        < steps.index("index.html")
    )
    assert not {"d/index.html", STYLE} & set(steps)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ('[publish.x]\nkind = "gitt"', "fencepost.toml:2: `publish.x.kind` must be one of"),
        ("[publish.x]\npath = 'a'", "fencepost.toml:1: `publish.x.kind` must be one of"),
        (
            '[publish.x]\nkind = "git"\nbrnch = "a"',
            "fencepost.toml:3: no option is called `publish.x.brnch`  (did you mean `publish.x.branch`?)",
        ),
        ('[publish.x]\nkind = "folder"', "fencepost.toml:1: `publish.x` must say its `path`"),
        ('[publish.x]\nkind = "rsync"\naddress = "-e sh"', "fencepost.toml:3: `address` must be an address"),
        (
            '[publish.x]\nkind = "folder"\npath = "a"\ncopies = ["zip"]',
            'fencepost.toml:4: `copies` knows "gzip", "brotli"',
        ),
        (
            '[publish.x]\nkind = "folder"\npath = "output/x"',
            "fencepost.toml:3: the folder of a target must lie apart from",
        ),
        (
            '[publish.x]\nkind = "folder"\npath = "."',
            "fencepost.toml:3: the folder of a target must lie apart from",
        ),
        ("[publish]\nx = 1", "fencepost.toml:2: `publish.x.kind` must be one of"),
        ('[publish."a/b"]\nkind = "git"', "the name of a target has letters"),
    ],
)
def test_a_wrong_target_is_a_problem_at_its_line(make_site: MakeSite, config: str, said: str) -> None:
    from builder.messages import message

    site = make_site({"fencepost.toml": config + "\n"})
    with pytest.raises(SiteError) as error:
        site.config()
    assert said in "\n".join(map(message, error.value.problems))


@pytest.mark.parametrize(
    ("config", "name", "said"),
    [
        ("", "", "no target is configured"),
        ('[publish.x]\nkind = "folder"\npath = "w"', "y", "no target is called `y`"),
        (
            '[publish.x]\nkind = "folder"\npath = "w"\n[publish.y]\nkind = "folder"\npath = "v"',
            "",
            "which target?",
        ),
        ('[publish.x]\nkind = "folder"\npath = "w"', "x", "there is no site to publish"),
    ],
)
def test_a_target_has_to_be_named(make_site: MakeSite, config: str, name: str, said: str) -> None:
    site = make_site({"fencepost.toml": config + "\n"})
    with pytest.raises(SiteError, match=said.replace("?", r"\?")):
        prepared(site, name)


def test_copies_without_brotli_are_told(
    make_site: MakeSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "brotli", None)
    site = with_target(make_site, f'kind = "folder"\npath = "{tmp_path}/www"\ncopies = ["brotli"]')
    with pytest.raises(SiteError, match="brotli is not installed"):
        publish(site)


def test_a_store_without_its_package_is_told(make_site: MakeSite, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "gcsfs", None)
    site = with_target(make_site, 'kind = "store"\naddress = "gs://bucket/blog"')
    with pytest.raises(PublishError) as error:
        publish(site)
    assert error.value.hint == "pip install 'fencepost[gcs]'"


def test_nothing_of_a_target_is_imported_before_it_is_needed() -> None:
    code = "import builder.publish.publish, sys; print(*sys.modules)"
    done = subprocess.run([os.sys.executable, "-c", code], capture_output=True, text=True, check=True)  # type: ignore[attr-defined]
    assert not {"fsspec", "paramiko", "brotli", "jinja2", "markdown_it", "torch", "IPython"} & set(
        done.stdout.split()
    )
