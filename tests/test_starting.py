"""init and new: a site and a post that build at once; nothing that is there is written over."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from dataclasses import fields, replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from builder.config import read_config
from builder.model import Config, ExecuteConfig, SiteError
from builder.posts import read_posts
from builder.starting import begin, configuration, documented_keys, local_zone, new_post
from tests.conftest import TestSite

REPOSITORY = Path(__file__).resolve().parents[1]


def begun(folder: Path, ci: str | None = None) -> dict[str, bool]:
    return dict(begin(folder, ci))


@pytest.mark.parametrize("locale", ["C.UTF-8", "ko_KR.UTF-8"])
def test_a_new_site_builds_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, locale: str) -> None:
    monkeypatch.setenv("LC_ALL", locale)
    if locale.startswith("ko"):
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)  # without torch, too
    written = begun(tmp_path / "blog")
    assert all(written.values())
    site = TestSite(tmp_path / "blog")
    report = site.build()
    assert report.problems == ()
    assert report.run == report.cells > 0
    post = next((site.root / "content" / "posts").glob("*.md"))
    page = site.html(re.sub(r"^\d{4}-\d\d-\d\d-", "", post.stem))
    assert "x = 2.9693" in page
    assert ">True" in page
    assert (site.root / ".gitignore").read_text().split() == ["output/", ".fencepost/"]
    assert ("첫 글" in page) == locale.startswith("ko")
    assert ("import torch" in post.read_text(encoding="utf-8")) != locale.startswith("ko")


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("mine\n")
    assert begun(tmp_path)[".gitignore"] is False
    assert (tmp_path / ".gitignore").read_text() == "mine\n"
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(SiteError, match="there is a site in"):
        begun(tmp_path)
    assert begun(tmp_path, "github") == {
        ".github/workflows/site.yml": True,
        ".github/workflows/cells.yml": True,
    }
    assert begun(tmp_path, "github") == {
        ".github/workflows/site.yml": False,
        ".github/workflows/cells.yml": False,
    }
    assert all(path.read_bytes() == content for path, content in before.items())


def test_the_configuration_has_every_key_with_its_default(tmp_path: Path) -> None:
    (tmp_path / "content").mkdir()
    text = configuration({"title": "나의 블로그"}, 'kind = "git"\n')
    (tmp_path / "fencepost.toml").write_text(text, encoding="utf-8")
    given = read_config(tmp_path)
    (tmp_path / "templates").mkdir()
    (tmp_path / "fencepost.toml").write_text(re.sub(r"(?m)^# (?=[a-z_.\"/]+ = )", "", text), encoding="utf-8")
    with_defaults = read_config(tmp_path)
    assert given == replace(with_defaults, folders={})
    assert given.title == "나의 블로그"
    keys = {key for names, _ in documented_keys() for key in names}
    assert {f"execute.{field.name}" for field in fields(ExecuteConfig)} <= keys
    assert {field.name for field in fields(Config)} - {
        "root",
        "jekyll",
        "execute",
        "publish",
        "folders",
    } <= keys
    for names, what in documented_keys():
        assert what or len(names) == 1
        assert f"# {what}" in text
    tomllib.loads(text)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Hello, World!", "hello-world"),
        ("파이토치 첫걸음: 1강", "파이토치-첫걸음-1강"),
        ("  a\tb \n c ", "a-b-c"),
        ('C# "notes" #1: \\d', "c-notes-1-d"),
        ("!!!", "post"),
        ("../../etc/passwd", "etc-passwd"),
        ("가" * 60, "가" * 33),
        ("long " * 60, "-".join(["long"] * 20)),
        ("\u1112\u1161\u11ab\u1100\u1173\u11af", "한글"),
    ],
)
def test_a_post_is_named_by_its_title(tmp_path: Path, title: str, name: str) -> None:
    (tmp_path / "content").mkdir()
    (tmp_path / "fencepost.toml").write_text('timezone = "Asia/Seoul"\n')
    config = read_config(tmp_path)
    file = new_post(config, title)
    now = datetime.now(ZoneInfo("Asia/Seoul"))
    assert file.relative_to(tmp_path).as_posix() == f"content/posts/{now:%Y-%m-%d}-{name}.md"
    (post,), _, problems = read_posts(config)
    assert problems == ()
    assert abs((now - (post.front_matter.date or now)).total_seconds()) < 60
    assert post.front_matter.date is not None
    again = new_post(config, title)
    assert again.name.endswith(f"{name}-2.md")


@pytest.mark.parametrize("title", ["", "  \n ", "a\x00b", "a\x1b[0m"])
def test_a_title_without_words_is_refused(tmp_path: Path, title: str) -> None:
    (tmp_path / "content").mkdir()
    with pytest.raises(SiteError, match="needs a title"):
        new_post(read_config(tmp_path), title)


def test_a_title_is_kept_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "content").mkdir()
    for title in ('say "hi" \\ #1: [x]', "no", "2023", "한글 제목"):
        new_post(read_config(tmp_path), title)
    titles = {post.front_matter.title for post in read_posts(read_config(tmp_path))[0]}
    assert titles == {'say "hi" \\ #1: [x]', "no", "2023", "한글 제목"}


@pytest.mark.parametrize(
    ("zone", "found"), [("Asia/Seoul", "Asia/Seoul"), (":Europe/Paris", "Europe/Paris"), ("No/Where", None)]
)
def test_the_zone_of_this_machine(monkeypatch: pytest.MonkeyPatch, zone: str, found: str | None) -> None:
    monkeypatch.setenv("TZ", zone)
    assert local_zone() == (found or local_zone())
    ZoneInfo(local_zone())


# --- workflows --------------------------------------------------------------------------------

SCHEMAS = [
    ("github", ".github/workflows/site.yml", "vendor.github-workflows"),
    ("github", ".github/workflows/cells.yml", "vendor.github-workflows"),
    ("gitlab", ".gitlab-ci.yml", "vendor.gitlab-ci"),
]


@pytest.mark.parametrize(("ci", "path", "schema"), SCHEMAS)
def test_a_workflow_follows_its_schema(tmp_path: Path, ci: str, path: str, schema: str) -> None:
    begun(tmp_path, ci)
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(tmp_path / path)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_change_from_a_fork_runs_no_cell_and_sees_no_secret(tmp_path: Path) -> None:
    begun(tmp_path, "github")
    site = yaml.safe_load((tmp_path / ".github/workflows/site.yml").read_text())
    cells = yaml.safe_load((tmp_path / ".github/workflows/cells.yml").read_text())
    fork = "github.event.pull_request.head.repo.full_name == github.repository"
    assert cells["jobs"]["check"]["if"].endswith(fork)
    for workflow in (site, cells):
        assert workflow["permissions"] == {"contents": "read"}
        assert "pull_request_target" not in json.dumps(workflow)
        for job in workflow["jobs"].values():
            (checkout,) = (step for step in job["steps"] if "checkout" in step.get("uses", ""))
            assert checkout["with"]["persist-credentials"] is False
    builds = [
        step["run"]
        for job in site["jobs"].values()
        for step in job["steps"]
        if "build" in step.get("run", "")
    ]
    assert builds == ["fencepost build --frozen"] * 2
    for job in site["jobs"].values():
        with_secrets = [step["name"] for step in job["steps"] if "env" in step]
        assert with_secrets == (["fencepost publish"] if job is site["jobs"]["publish"] else [])
        assert not any("torch" in step.get("run", "") for step in job["steps"])


def test_gitlab_publishes_the_folder_that_it_shows(tmp_path: Path) -> None:
    begun(tmp_path, "gitlab")
    config = read_config(tmp_path)
    workflow = yaml.safe_load((tmp_path / ".gitlab-ci.yml").read_text())
    assert [config.publish["pages"].path] == workflow["pages"]["artifacts"]["paths"]  # type: ignore[union-attr]
    first = workflow["cells"]["rules"][0]
    assert (first["when"], "$CI_MERGE_REQUEST_SOURCE_PROJECT_ID != $CI_PROJECT_ID" in first["if"]) == (
        "never",
        True,
    )
