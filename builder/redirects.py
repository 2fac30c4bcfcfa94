"""Old addresses of articles, by `redirect_from` or `aliases` in their front matter, and where they lead now."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from builder.model import Article, Problem
from builder.site import Claim, Site, fold
from builder.urls import clean_path, output_path

KEYS = ("redirect_from", "aliases")


def old_addresses(front_matter: Mapping[str, Any]) -> Iterator[str]:
    """The old addresses that the front matter names; what is no address is left out."""
    for key in KEYS:
        value = front_matter.get(key)
        for old in value if isinstance(value, list) else [value]:
            if isinstance(old, str) and old.strip("/ "):
                with contextlib.suppress(ValueError):
                    yield clean_path(unquote(old.strip()))


def redirects(site: Site) -> Iterator[tuple[str, Article]]:
    """Each old address where no article is now, with the article that it leads to; the first one has it."""
    moved = _moved(site)
    taken = {fold(output_path(article.url)) for article in (*site.articles, *site.pages)} if moved else set()
    for old, article in moved:
        path = fold(output_path(old))
        if path not in taken:
            taken.add(path)
            yield old, article


def redirect_problems(site: Site, claims: Iterable[Claim]) -> Iterator[Problem]:
    """A warning for each old address at which something else is, or that two articles name."""
    moved = _moved(site)
    owners = {fold(claim.output): claim for claim in claims} if moved else {}
    leading = {fold(output_path(old)): article for old, article in redirects(site)}
    for old, article in moved:
        path = fold(output_path(old))
        other = leading.get(path, article)
        rival = owners[path].name if path in owners else f"an old address of {other.path}"
        if path in owners or other is not article:
            message = f"its old address {old} leads nowhere: {rival} is there"
            yield Problem("warning", article.path, 0, "url", message, "leave it out of the front matter")


def _moved(site: Site) -> list[tuple[str, Article]]:
    """The old addresses of all articles: most have none."""
    return [
        (old, article)
        for article in (*site.articles, *site.pages)
        if article.extra and not article.extra.keys().isdisjoint(KEYS)
        for old in old_addresses(article.extra)
    ]
