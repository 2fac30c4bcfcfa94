"""The words of the page furniture, one frozen `Words` per language: a language has all of them or none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


@dataclass(frozen=True, slots=True)
class Words:
    """What the theme says in one language. Templates see it as `words`."""

    language: str
    categories: str
    contents: str
    draft: str
    feed: str
    home: str
    newer: str
    no_posts: str
    not_found: str
    not_found_text: str
    newer_posts: str
    older: str
    older_posts: str
    pagination: str
    posts: str
    post_navigation: str
    ran_with: str
    seed: str
    verified: str
    site_navigation: str
    skip: str
    tags: str
    updated: str

    def count(self, number: int) -> str:
        """So many posts: `글 3개`, `3 posts`."""
        if self.language == "ko":
            return f"글 {number}개"
        return "1 post" if number == 1 else f"{number} posts"

    def reading(self, minutes: int) -> str:
        """How long it takes to read: `3분`, `3 min read`."""
        return f"{minutes}분" if self.language == "ko" else f"{minutes} min read"

    def date(self, day: date) -> str:
        """A day as people write it: `2023년 3월 6일`, `6 March 2023`."""
        if self.language == "ko":
            return f"{day.year}년 {day.month}월 {day.day}일"
        return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


_KOREAN = Words(
    language="ko",
    categories="카테고리",
    contents="목차",
    draft="초안",
    feed="피드",
    home="처음으로",
    newer="다음 글",
    no_posts="아직 글이 없습니다.",
    not_found="페이지를 찾을 수 없습니다",
    not_found_text="주소가 바뀌었거나 없는 페이지입니다.",
    newer_posts="더 새로운 글",
    older="이전 글",
    older_posts="더 오래된 글",
    pagination="목록 쪽 이동",
    posts="글",
    post_navigation="이전 글과 다음 글",
    ran_with="실행 환경",
    seed="시드",
    verified="검증됨",
    site_navigation="사이트 메뉴",
    skip="본문으로 건너뛰기",
    tags="태그",
    updated="수정",
)

_ENGLISH = Words(
    language="en",
    categories="Categories",
    contents="Contents",
    draft="Draft",
    feed="Feed",
    home="Home",
    newer="Newer",
    no_posts="There are no posts yet.",
    not_found="Page not found",
    not_found_text="The page has moved, or it never was here.",
    newer_posts="Newer posts",
    older="Older",
    older_posts="Older posts",
    pagination="Pages of this list",
    posts="Posts",
    post_navigation="Older and newer posts",
    ran_with="Ran with",
    seed="seed",
    verified="verified",
    site_navigation="Site",
    skip="Skip to content",
    tags="Tags",
    updated="updated",
)


def words_for(language: str) -> Words:
    """The words for a language tag such as `ko` or `ko-KR`; English for a language without its own."""
    return _KOREAN if language.casefold().partition("-")[0] == "ko" else _ENGLISH
