"""What the command says, in Korean where the locale is Korean.

Messages are made in English, where what they are about is known; here the ones that authors meet most are put
into Korean when they are printed. What has no line here stays English, and `--json` always is.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Mapping
from typing import Final

LEVELS: Final = {"warning": "경고", "note": "알림"}

# A pattern that has to match the whole message, and its Korean with the same groups.
_MESSAGES: Final = (
    (r"cell (\d+) raised (.*)", r"\1번 셀에서 예외가 났습니다: \2"),
    (r"cell (\d+) does not parse: (.*)", r"\1번 셀은 파이썬 문법에 맞지 않습니다: \2"),
    (r"cell (\d+) was not run: it has the line (.*)", r"\1번 셀은 실행하지 않았습니다: \2 줄이 있습니다"),
    (
        r"cell (\d+) was not run: it installs something: (.*)",
        r"\1번 셀은 실행하지 않았습니다: 설치합니다: \2",
    ),
    (r"cell (\d+) was not run: it downloads: (.*)", r"\1번 셀은 실행하지 않았습니다: 내려받습니다: \2"),
    (
        r"cell (\d+) was not run: it waits for a keyboard: (.*)",
        r"\1번 셀은 실행하지 않았습니다: 키보드 입력을 기다립니다: \2",
    ),
    (r"cell (\d+) wrote to standard error", r"\1번 셀이 표준 오류에 쓴 내용"),
    (r"not proven: cells? ([\d, ]+): (.*)", r"검증되지 않음: \1번 셀: \2"),
    (
        r"the page runs (.*): its policy allows just this",
        r"페이지가 \1을(를) 실행합니다: 정책이 이것만 허용합니다",
    ),
    (r"the page cannot run (.*)", r"페이지가 \1을(를) 실행할 수 없습니다"),
    (
        r"its old address (.*) leads nowhere: (.*) is there",
        r"옛 주소 \1은(는) 쓸 수 없습니다: \2이(가) 거기 있습니다",
    ),
    (r"leads to nothing: (.*)", r"링크가 가리키는 곳이 없습니다: \1"),
    (r"leads to no place in its page: (.*)", r"페이지 안에 그런 자리가 없습니다: \1"),
    (r"shows no picture: (.*)", r"그림이 없습니다: \1"),
    (r"there is no site to publish", r"게시할 사이트가 없습니다"),
    (r"links to nothing: (.*)", r"링크가 가리키는 곳이 없습니다: \1"),
    (r"a formula is shown as TeX: (.*)", r"수식을 TeX 그대로 보여 줍니다: \1"),
    (r"a diagram is shown as its source: (.*)", r"다이어그램을 원문 그대로 보여 줍니다: \1"),
    (r"a diagram is shown as its source", r"다이어그램을 원문 그대로 보여 줍니다"),
    (r"the picture (.*) is damaged: (.*)", r"그림 \1이(가) 손상되었습니다: \2"),
    (
        r"the picture (.*) says where it was taken, and is published as it is",
        r"그림 \1에 촬영 위치가 들어 있고, 그대로 게시됩니다",
    ),
    (r"this `:::` is never closed, and is shown as text", r"이 `:::`는 닫히지 않아 글자로 보여 줍니다"),
    (r"left out: a draft \(show it with --drafts\)", r"제외: 초안입니다 (--drafts로 보임)"),
    (
        r"left out: (.*), is in the future \(show it with --future\)",
        r"제외: 날짜가 미래입니다 (--future로 보임)",
    ),
    (r"left out: (.*)", r"제외: \1"),
    (r"(.*) has no date in its name: left out", r"\1: 이름에 날짜가 없어 제외합니다"),
    (r"(\d+) files have no date in their names: left out", r"이름에 날짜가 없는 파일 \1개를 제외합니다"),
    (r"(\d+) files are templates of Jekyll's: left out", r"Jekyll 템플릿 파일 \1개를 제외합니다"),
    (r"(.*) is at (.*), too: this post is at (.*)", r"\1의 주소도 \2입니다: 이 글의 주소는 \3입니다"),
    (r"(.*) is at (.*), too: this file is left out", r"\1의 주소도 \2입니다: 이 파일은 제외합니다"),
    (r"(.*) and (.*) would both be at (.*)", r"\1와(과) \2의 주소가 모두 \3입니다"),
    (
        r"this Liquid is not known, and is shown as it is written: (.*)",
        r"모르는 Liquid라서 쓰인 그대로 보입니다: \1",
    ),
    (r"front matter: this is no YAML: (.*)", r"머리말: YAML이 아닙니다: \1"),
    (r"front matter: a tab stands where YAML wants spaces", r"머리말: 빈칸이 올 자리에 탭이 있습니다"),
    (r"front matter: `(\w+)` is not a date: (.*)", r"머리말: `\1`이(가) 날짜가 아닙니다: \2"),
    (
        r"front matter: `(\w+)` is given twice, in lines (\d+) and (\d+)",
        r"머리말: `\1`이(가) \2줄과 \3줄에 두 번 있습니다",
    ),
    (r"front matter: no field is called (.*)", r"머리말: \1라는 항목은 없습니다"),
    (r"the fence opened here is never closed(.*)", r"여기서 연 코드 블록이 닫히지 않았습니다"),
    (r"the file is empty", r"빈 파일입니다"),
    (r"no content folder: (.*)", r"content 폴더가 없습니다: \1"),
)
_HINTS: Final = (
    (r"write (.*)", r"\1처럼 쓰세요"),
    (r"did you mean (.*)\?", r"혹시 \1?"),
    (r"run `fencepost build` first", r"먼저 `fencepost build`를 실행하세요"),
    (r"remove one of them", r"하나를 지우세요"),
    (r"add a closing .*", r"닫는 줄을 넣으세요"),
    (r"give one of them another name or permalink", r"하나의 이름이나 permalink를 바꾸세요"),
    (r"mark the cell \{eval=false\}", r"셀에 {eval=false}를 붙이세요"),
    (r"put a value with .* into quotes", r"`:`, `#`, `[`나 따옴표가 든 값은 따옴표로 감싸세요"),
)


def speaks_korean(environment: Mapping[str, str] = os.environ) -> bool:
    """Is the locale Korean? The first of these variables that is set says so, as everywhere."""
    names = ("LC_ALL", "LC_MESSAGES", "LANG")
    locale = next((environment[name] for name in names if environment.get(name)), "")
    return locale.lower().startswith("ko")


def message_in_korean(text: str) -> str:
    """One message in Korean, or as it is."""
    return _translated(text, _MESSAGES)


def hint_in_korean(text: str) -> str:
    """One hint in Korean, or as it is."""
    return _translated(text, _HINTS)


def _translated(text: str, table: tuple[tuple[str, str], ...]) -> str:
    for pattern, korean in _compiled(table):
        if match := pattern.fullmatch(text):
            return match.expand(korean)
    return text


@functools.cache
def _compiled(table: tuple[tuple[str, str], ...]) -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(pattern, re.DOTALL), korean) for pattern, korean in table)
