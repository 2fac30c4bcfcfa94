"""The words of the page furniture, one frozen `Words` per language: a language has all of them or none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any, Final

from builder.frozen import frozen

LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


@frozen
class Words:
    """What the theme says in one language. Templates see it as `words`."""

    language: str
    archives: str
    author: str
    breadcrumbs: str
    caution: str
    categories: str
    code_lines: str  # how many lines of code are folded away: "{} lines"
    colab: str
    copied: str
    copy: str
    comments: str
    comments_need_scripts: str
    contents: str
    diagram: str
    draft: str
    feed: str
    home: str
    latest: str
    important: str
    newer: str
    no_posts: str
    note: str
    notebook: str
    of_year: str
    not_found: str
    not_found_text: str
    newer_posts: str
    older: str
    older_posts: str
    pagination: str
    play: str
    posts: str
    post_navigation: str
    parts: str
    permalink: str
    ran_with: str
    related: str
    scheme: str
    scheme_auto: str
    scheme_dark: str
    scheme_light: str
    script: str
    search: str
    search_needs_script: str
    seed: str
    series: str
    show_all: str  # of a long text, of which a part is to be seen: "Show all {} lines"
    show_less: str
    verified: str
    site_navigation: str
    skip: str
    source: str  # of a diagram
    tags: str
    tip: str
    undated: str
    updated: str
    warning: str

    def part(self, number: int, total: int) -> str:
        """Where a post stands in its series: `5부 가운데 2부`, `Part 2 of 5`."""
        return f"{total}편 가운데 {number}편" if self.language == "ko" else f"Part {number} of {total}"

    def count(self, number: int) -> str:
        """So many posts: `글 3개`, `3 posts`."""
        if self.language == "ko":
            return f"글 {number}개"
        return "1 post" if number == 1 else f"{number} posts"

    def reading(self, minutes: int) -> str:
        """How long it takes to read: `3분`, `3 min read`."""
        return f"{minutes}분" if self.language == "ko" else f"{minutes} min read"

    def day(self, day: date) -> str:
        """A day of a year that is known: `3월 6일`, `6 March`."""
        return self.date(day).split(" ", 1)[1] if self.language == "ko" else self.date(day).rsplit(" ", 1)[0]

    def date(self, day: date) -> str:
        """A day as people write it: `2023년 3월 6일`, `6 March 2023`."""
        if self.language == "ko":
            return f"{day.year}년 {day.month}월 {day.day}일"
        return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


_KOREAN = Words(
    language="ko",
    caution="조심",
    diagram="다이어그램",
    important="중요",
    note="참고",
    play="재생",
    source="원문",
    tip="팁",
    warning="주의",
    archives="글 모음",
    author="글쓴이",
    breadcrumbs="현재 위치",
    categories="카테고리",
    code_lines="코드 {}줄",
    colab="Colab에서 열기",
    copied="복사했습니다",
    copy="코드 복사",
    comments="댓글",
    comments_need_scripts="댓글을 보려면 스크립트를 켜야 합니다.",
    contents="목차",
    draft="초안",
    feed="피드",
    home="처음으로",
    latest="최근 글",
    newer="다음 글",
    no_posts="아직 글이 없습니다.",
    notebook="노트북",
    of_year="{}년",
    not_found="페이지를 찾을 수 없습니다",
    not_found_text="주소가 바뀌었거나 없는 페이지입니다.",
    newer_posts="더 새로운 글",
    older="이전 글",
    older_posts="더 오래된 글",
    pagination="목록 쪽 이동",
    posts="글",
    post_navigation="이전 글과 다음 글",
    parts="이 시리즈의 글",
    permalink="이 절의 주소",
    ran_with="실행 환경",
    related="함께 읽을 글",
    scheme="화면 색",
    scheme_auto="자동",
    scheme_dark="어둡게",
    scheme_light="밝게",
    script="스크립트",
    search="검색",
    search_needs_script="검색에는 자바스크립트가 필요합니다. 아래 태그에서 글을 찾을 수 있습니다.",
    seed="시드",
    series="시리즈",
    show_all="{}줄 모두 보기",
    show_less="접기",
    verified="검증됨",
    site_navigation="사이트 메뉴",
    skip="본문으로 건너뛰기",
    tags="태그",
    undated="날짜 없음",
    updated="수정",
)

_ENGLISH = Words(
    language="en",
    caution="Caution",
    diagram="Diagram",
    important="Important",
    note="Note",
    play="Play",
    source="Source",
    tip="Tip",
    warning="Warning",
    archives="Archive",
    author="Author",
    breadcrumbs="Breadcrumbs",
    categories="Categories",
    code_lines="{} lines of code",
    colab="Open in Colab",
    copied="Copied",
    copy="Copy code",
    comments="Comments",
    comments_need_scripts="Comments need scripts to be turned on.",
    contents="Contents",
    draft="Draft",
    feed="Feed",
    home="Home",
    latest="Latest posts",
    newer="Newer",
    no_posts="There are no posts yet.",
    notebook="Notebook",
    of_year="{}",
    not_found="Page not found",
    not_found_text="The page has moved, or it never was here.",
    newer_posts="Newer posts",
    older="Older",
    older_posts="Older posts",
    pagination="Pages of this list",
    posts="Posts",
    post_navigation="Older and newer posts",
    parts="Posts of this series",
    permalink="Link to this section",
    ran_with="Ran with",
    related="Related posts",
    scheme="Colour scheme",
    scheme_auto="automatic",
    scheme_dark="dark",
    scheme_light="light",
    script="Script",
    search="Search",
    search_needs_script="The search needs JavaScript. The tags below lead to the posts, too.",
    seed="seed",
    series="Series",
    show_all="Show all {} lines",
    show_less="Show less",
    verified="verified",
    site_navigation="Site",
    skip="Skip to content",
    tags="Tags",
    undated="Undated",
    updated="updated",
)


def language_of(front_matter: Mapping[str, Any], default: str) -> str:
    """The language of a post: what `lang:` says in its front matter, or the site's."""
    value = front_matter.get("lang")
    return value if isinstance(value, str) and LANGUAGE.fullmatch(value) else default


@cache
def words_for(language: str) -> Words:
    """The words for a language tag such as `ko` or `ko-KR`; English for a language without its own."""
    return _KOREAN if language.casefold().partition("-")[0] == "ko" else _ENGLISH
