from __future__ import annotations

from datetime import date

import pytest

from builder.words import words_for


@pytest.mark.parametrize(
    ("language", "contents", "day", "posts"),
    [
        ("ko", "목차", "2023년 3월 6일", ["글 1개", "글 2개"]),
        ("ko-KR", "목차", "2023년 3월 6일", ["글 1개", "글 2개"]),
        ("en", "Contents", "6 March 2023", ["1 post", "2 posts"]),
        ("fr", "Contents", "6 March 2023", ["1 post", "2 posts"]),
    ],
)
def test_words(language: str, contents: str, day: str, posts: list[str]) -> None:
    words = words_for(language)
    assert words.contents == contents
    assert words.date(date(2023, 3, 6)) == day
    assert [words.count(1), words.count(2)] == posts
