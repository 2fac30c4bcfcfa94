"""Ready-made nouns for the tests of the later stages."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from builder.model import Article, Config

CONFIG = Config(
    root=Path("/site"),
    content=Path("/site/content"),
    output=Path("/site/output"),
    templates=Path("/site/templates"),
    freeze=Path("/site/_freeze"),
    title="Notes",
    author="Haneul",
)
_ARTICLE = Article(
    path="content/posts/a.md",
    url="/a/",
    title="A",
    body="<p>Text.</p>",
    toc=(),
    summary="Text.",
    date=datetime(2023, 3, 6, tzinfo=UTC),
    dated=True,
    last_modified=None,
    categories=(),
    tags=(),
    page=False,
    draft=False,
    show_toc=True,
    minutes=3,
    description="",
    facts={},
    extra={},
)


def article(name: str = "a", day: int = 6, **changes: Any) -> Article:
    """The article `name` of that day of March 2023."""
    return replace(
        _ARTICLE,
        **{
            "path": f"content/posts/{name}.md",
            "url": f"/{name}/",
            "title": name.upper(),
            "date": datetime(2023, 3, day, tzinfo=UTC),
            **changes,
        },
    )
