"""publish as a command: why a site is refused, and how each reason is allowed by its name."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from builder.translation import hint_in_korean, message_in_korean
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


def test_it_speaks_korean(make_site: MakeSite) -> None:
    site = built(make_site)
    first = site.command("publish", LC_ALL="ko_KR.UTF-8")
    assert re.search(r"자산 \d+개와 페이지 \d+개 보냄, 0개 그대로\n$", first.out)
    again = site.command("publish", LC_ALL="ko_KR.UTF-8")
    assert again.out.endswith(f": 보낸 것 없음, {len(site.output())}개 그대로\n")
    site.write({"content/a.md": POST.replace("6 * 7", "1 / 0")})
    site.command("build")
    problem = site.command("publish", LC_ALL="ko_KR.UTF-8")
    assert "게시하지 않음: 지난 빌드에 문제가 1개 있습니다  (--allow problems)\n" in problem.err
    site.write({"content/a.md": POST})
    stale = site.command("publish", LC_ALL="ko_KR.UTF-8")
    assert (
        "사이트를 만든 뒤에 원본이 바뀌었습니다  (`fencepost build`를 실행하세요. 아니면 --allow stale)"
        in stale.err
    )


REFUSALS = (
    *("2 files would be written over that no publish of ours put there", "is this the right target?"),
    *("3 of the 4 pages that are there would be removed", "nothing is known of the build that made the site"),
    "the site was built with other options than those of the configuration",
    *("pages show outputs that no run has proven", "posts/a.html:3: the shape of a GitHub token"),
    *("a.html:3: the value of MY_TOKEN", "git knows no remote `origin` here", "run `fencepost build`"),
)


@pytest.mark.parametrize("text", REFUSALS)
def test_each_reason_has_its_korean(text: str) -> None:
    korean = message_in_korean(hint_in_korean(text))
    assert re.search("[가-힣]", korean)
    assert all(number in korean for number in re.findall(r"\d", text))


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
