"""publish as a command: why a site is refused, and how each reason is allowed by its name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.conftest import MakeSite, TestSite
from tests.publishing import files_of, git

TARGET = '[publish.host]\nkind = "folder"\npath = "www"\n'
POST = "---\ntitle: A\n---\n```python\nprint(6 * 7)\n```\n"


def built(make_site: MakeSite, files: dict[str, str] | None = None, *options: str) -> TestSite:
    site = make_site({"content/a.md": POST, "fencepost.toml": TARGET, **(files or {})})
    site.command("build", *options)
    return site


def refused(site: TestSite, *arguments: str) -> list[str]:
    """The names of the reasons for which a publish is refused."""
    done = site.command("publish", "--json", *arguments)
    names = [refusal["name"] for refusal in done.json["refusals"]]
    assert (done.status, done.json["sent"]) == ((1, False) if names else (0, True))
    assert (site.root / "www").exists() == (not names)
    return names


def test_a_site_is_published_and_a_dry_run_only_says_so(make_site: MakeSite) -> None:
    site = built(make_site)
    dry = site.command("publish", "--dry-run")
    assert dry.status == 0
    assert "send new page a/index.html\n" in dry.out
    assert dry.out.endswith(" would be sent, 0 unchanged\n")
    assert not (site.root / "www").exists()
    done = site.command("publish")
    assert (done.status, done.err) == (0, "")
    assert files_of(site.root / "www") == site.output()
    again = site.command("publish", "host")
    assert again.out == f"host ({site.root}/www): nothing sent, {len(site.output())} unchanged\n"


def test_what_is_not_what_its_sources_give_is_refused_until_it_is_built(make_site: MakeSite) -> None:
    site = built(make_site)
    index = (site.root / "output" / "index.html").read_bytes()
    (site.root / "output" / "index.html").write_text("by hand")
    assert refused(site) == ["stale"]
    (site.root / "output" / "index.html").write_bytes(index)
    site.write({"content/a.md": POST + "More.\n"})
    assert refused(site) == ["stale"]
    site.command("build", "--drafts")
    assert refused(site) == ["stale"]
    site.command("build")
    assert refused(site) == []
    site.write({"fencepost.toml": 'title = "New"\n' + TARGET})
    done = site.command("publish")
    assert (done.status, "with other options" in done.err) == (1, True)


@pytest.mark.parametrize(
    ("post", "reasons"),
    [
        (POST.replace("6 * 7", "1 / 0"), ["problems"]),
        (POST.replace("print(6 * 7)", "!ls") + "```\na.md\n```\n", ["unproven"]),
        (POST.replace("print(6 * 7)", "!ls").replace("```python", "```python {eval=false}"), []),
    ],
    ids=["fails", "not run", "acknowledged"],
)
def test_what_the_last_build_said_counts(make_site: MakeSite, post: str, reasons: list[str]) -> None:
    site = built(make_site, {"content/a.md": post})
    assert refused(site) == reasons
    if reasons:
        assert refused(site, "--allow", reasons[0]) == []


def test_a_reason_that_there_is_not_cannot_be_allowed(make_site: MakeSite) -> None:
    site = built(make_site)
    done = site.command("publish", "--allow", "everything")
    assert (done.status, "there is no reason `everything` to allow" in done.err) == (2, True)


def test_a_target_that_fails_is_told(make_site: MakeSite) -> None:
    site = built(make_site, {"fencepost.toml": '[publish.host]\nkind = "git"\nremote = "origin"\n'})
    done = site.command("publish")
    assert done.status == 1
    assert "git knows no remote `origin` here  (git remote add origin ADDRESS" in done.err


def test_a_frozen_build_without_torch_publishes_the_same_bytes(make_site: MakeSite, tmp_path: Path) -> None:
    post = POST.replace("print(6 * 7)", "import torch\ntorch.ones(2) * 2")
    targets = TARGET + '[publish.other]\nkind = "git"\nremote = "host.git"\n'
    site = make_site({"content/a.md": post, "fencepost.toml": targets})
    git(site.root, "init", "--quiet", "--bare", "host.git")
    assert site.command("freeze").status == 0
    assert site.command("build").status == 0
    assert site.command("publish", "host").status == 0
    site.command("clean")
    (tmp_path / "without").mkdir()
    (tmp_path / "without" / "torch.py").write_text("raise ImportError('there is no torch here')\n")
    path = os.pathsep.join([str(tmp_path / "without"), os.environ.get("PYTHONPATH", "")])
    assert site.command("build", "--frozen", PYTHONPATH=path).status == 0
    assert site.command("publish", "other", PYTHONPATH=path).status == 0
    git(site.root, "clone", "--quiet", "--branch", "gh-pages", "host.git", "clone")
    assert "tensor([2., 2.])" in site.html("a")
    ours = files_of(site.root / "clone")
    assert ours.pop(".nojekyll") == b""
    assert ours == files_of(site.root / "www")
