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
    (
        r"(\d+) files? would be written over that no publish of ours put there",
        r"우리가 보내지 않은 파일 \1개를 덮어쓰게 됩니다",
    ),
    (
        r"(\d+) of the (\d+) pages that are there would be removed",
        r"거기 있는 페이지 \2개 가운데 \1개가 사라집니다",
    ),
    (
        r"nothing is known of the build that made the site",
        r"사이트를 만든 빌드에 대해 알려진 것이 없습니다",
    ),
    (
        r"the site was built with other options than those of the configuration",
        r"사이트를 만들 때의 옵션이 설정과 다릅니다",
    ),
    (r"the site is not what its sources now give", r"사이트를 만든 뒤에 원본이 바뀌었습니다"),
    (r"the last build has (\d+) problems?", r"지난 빌드에 문제가 \1개 있습니다"),
    (
        r"pages show outputs that no run has proven",
        r"실행으로 검증되지 않은 출력을 보여 주는 페이지가 있습니다",
    ),
    (r"(\S+:\d+): the shape of a (.*)", r"\1: 비밀처럼 보입니다: \2"),
    (r"(\S+:\d+): the value of (\w+)", r"\1: \2의 값이 들어 있습니다"),
    (r"(\S+:\d+): the password in (\w+)", r"\1: \2의 암호가 들어 있습니다"),
    (r"which target\?", r"어느 대상에 게시할까요?"),
    (r"git knows no remote `(.*)` here", r"git이 원격 저장소 `\1`을(를) 모릅니다"),
    (r"the program `(.*)` is not installed", r"프로그램 `\1`이(가) 설치되어 있지 않습니다"),
    (r"`(.*)` failed with exit code (\d+)", r"`\1`이(가) 실패했습니다 (종료 코드 \2)"),
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
    (r"there is (`.*)", r"\1이(가) 있습니다"),
    (r"write (.*)", r"\1처럼 쓰세요"),
    (r"did you mean (.*)\?", r"혹시 \1?"),
    (r"run `fencepost build` first", r"먼저 `fencepost build`를 실행하세요"),
    (r"run `fencepost build`", r"`fencepost build`를 실행하세요"),
    (r"is this the right target\?", r"대상이 맞는지 확인하세요"),
    (
        r"run them, mark them \{eval=false\}, or let `fencepost adopt` write down why they cannot run",
        r"실행하거나, {eval=false}를 붙이거나, `fencepost adopt`로 실행할 수 없는 까닭을 적어 두세요",
    ),
    (
        r"take it out of the post, and make it void: somebody may have it",
        r"글에서 빼고, 쓸 수 없게 만드세요: 누가 이미 보았을지 모릅니다",
    ),
    (r"remove one of them", r"하나를 지우세요"),
    (r"add a closing .*", r"닫는 줄을 넣으세요"),
    (r"give one of them another name or permalink", r"하나의 이름이나 permalink를 바꾸세요"),
    (r"mark the cell \{eval=false\}", r"셀에 {eval=false}를 붙이세요"),
    (r"put a value with .* into quotes", r"`:`, `#`, `[`나 따옴표가 든 값은 따옴표로 감싸세요"),
)
# What the command and the preview say besides.
_SAID: Final = (
    (r"the site is in (.*): open (.*)", r"사이트는 \1에 있습니다: \2을(를) 여세요"),
    (
        r"(\d+) posts?, (\d+) cells? checked: nothing to compare",
        r"글 \1개, 셀 \2개 검사: 견줄 출력이 없습니다",
    ),
    (r"(\d+) posts?, (\d+) cells? checked: (.*)", r"글 \1개, 셀 \2개 검사: \3"),
    (r"nothing to accept", r"받아들일 것이 없습니다"),
    (r"nothing was written", r"아무것도 쓰지 않았습니다"),
    (r"write (\d+) files?\?", r"파일 \1개를 쓸까요?"),
    (
        r"(\d+) outputs? in (\d+) files? written; `fencepost accept --undo` puts them back",
        r"파일 \2개에 출력 \1개를 썼습니다. `fencepost accept --undo`로 되돌립니다",
    ),
    (r"(.*): put back", r"\1: 되돌렸습니다"),
    (r"(\d+) links? in (\d+) pages?", r"페이지 \2개, 링크 \1개"),
    (r"(.*)  \(Ctrl-C ends it\)", r"\1  (끝내려면 Ctrl-C)"),
    (r"(.*): is there, and stays as it is", r"\1: 이미 있어서 그대로 둡니다"),
    (r"Stop", r"멈춤"),
    (r"Draft", r"초안"),
    (r"Not as saved yet", r"저장한 내용이 아직 보이지 않습니다"),
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


def spoken(text: str) -> str:
    """What the command says of itself, in the language of the locale."""
    return _translated(text, _SAID) if speaks_korean() else text


def _translated(text: str, table: tuple[tuple[str, str], ...]) -> str:
    for pattern, korean in _compiled(table):
        if match := pattern.fullmatch(text):
            return match.expand(korean)
    return text


@functools.cache
def _compiled(table: tuple[tuple[str, str], ...]) -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(pattern, re.DOTALL), korean) for pattern, korean in table)
