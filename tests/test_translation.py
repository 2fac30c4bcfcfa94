"""What the command says where the locale is Korean."""

from __future__ import annotations

import re

import pytest

from builder.messages import message
from builder.model import Problem
from builder.translation import _HINTS, _MESSAGES, _SAID, message_in_korean, speaks_korean

from .conftest import MakeSite


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, False),
        ({"LANG": "ko_KR.UTF-8"}, True),
        ({"LANG": "ko_KR.UTF-8", "LC_ALL": "C"}, False),
        ({"LC_MESSAGES": "ko", "LANG": "en_US"}, True),
    ],
)
def test_the_locale(environment: dict[str, str], wanted: bool) -> None:
    assert speaks_korean(environment) is wanted


@pytest.mark.parametrize(("pattern", "korean"), [*_MESSAGES, *_HINTS, *_SAID])
def test_every_group_of_a_pattern_is_one_of_its_korean_or_is_dropped_on_purpose(
    pattern: str, korean: str
) -> None:
    groups = re.compile(pattern).groups
    assert all(int(number) <= groups for number in re.findall(r"\\\\(\d)", korean))


def test_what_is_not_known_stays() -> None:
    assert message_in_korean("something new") == "something new"


def test_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = Problem("warning", "a.md", 3, "link", "links to nothing: `/x`", "did you mean `/y`?")
    monkeypatch.setenv("LC_ALL", "ko_KR.UTF-8")
    assert message(problem) == "a.md:3: 경고: 링크가 가리키는 곳이 없습니다: `/x`  (혹시 `/y`?)"
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert message(problem) == "a.md:3: warning: links to nothing: `/x`  (did you mean `/y`?)"


def test_the_command(make_site: MakeSite) -> None:
    site = make_site({"content/a.md": "```python\n1/0\n```\n"})
    ran = site.command("build", LC_ALL="ko_KR.UTF-8")
    assert "1번 셀에서 예외가 났습니다: ZeroDivisionError" in ran.err
    assert re.search(r"글 1개, 셀 1개 \(실행 1\), 페이지 \d+개 .*, 문제 1개", ran.out)
    assert "사이트는 output에 있습니다: output/index.html을(를) 여세요\n" in ran.out
    site.write({"content/a.md": "```python\nprint(1)\n```\n```\n2\n```\n"})
    assert site.command("check", LC_ALL="ko_KR.UTF-8").out.endswith("\n글 1개, 셀 1개 검사: 1 numbers\n")
    accepted = site.command("accept", "--yes", LC_ALL="ko_KR.UTF-8").out
    assert "파일 1개에 출력 1개를 썼습니다. `fencepost accept --undo`로 되돌립니다\n" in accepted
    assert site.command("accept", "--undo", LC_ALL="ko_KR.UTF-8").out == "content/a.md: 되돌렸습니다\n"
