"""Who gets an address in a folder of Jekyll's, where two may want one and Jekyll says nothing.

Jekyll writes pages, then files, then posts from the oldest to the newest, and the last one stays. So it is
here, with a word about it, and nothing is lost: an older post goes to an address of its own beside it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from builder.llms import llms_entry
from builder.model import Config, Page, Problem
from builder.prepare import Prepared
from builder.site import Claim
from builder.urls import output_path


def settle(
    prepared: Sequence[Prepared], copies: Mapping[str, Page], theme: Iterable[Claim], config: Config
) -> tuple[list[Prepared], dict[str, Page], list[Problem]]:
    """`prepared` and `copies` with one owner for each file of the output folder, and what had to yield."""
    owners = {claim.output: claim.name for claim in theme}
    problems: list[Problem] = []
    result = {known.path: known for known in prepared}
    articles = [known.article for known in prepared if known.article]
    for article in sorted(articles, key=lambda a: (not a.page, a.date, a.path), reverse=True):
        known = result[article.path]
        path = output_path(article.url)
        if path not in owners:
            owners[path] = article.path
            continue
        rival = owners[path]
        if article.page:
            result[article.path] = dataclasses.replace(known, article=None)
            level = "warning" if article.summary else "note"
            problems.append(_lost(article.path, article.url, rival, level == "note"))
            continue
        url = beside(article.url, article.date, lambda other: output_path(other) in owners)
        owners[output_path(url)] = article.path
        entry = llms_entry(config, url, article.title, article.summary, markdown=bool(article.markdown))
        placed = dataclasses.replace(article, url=url, entry=entry)
        result[article.path] = dataclasses.replace(known, article=placed)
        message = f"{rival} is at {article.url}, too: this post is at {url}"
        hint = "give one of them another name or permalink"
        problems.append(Problem("warning", article.path, 0, "url", message, hint))
    kept = {}
    for source, page in copies.items():
        if page.path in owners:
            problems.append(_lost(source, f"/{page.path}", owners[page.path], False))
        else:
            owners[page.path] = source
            kept[source] = page
    return list(result.values()), kept, problems


def _lost(path: str, url: str, rival: str, empty: bool) -> Problem:
    message = f"{rival} is at {url}, too: this file is left out"
    return Problem("note" if empty else "warning", path, 0, "url", message)


def beside(url: str, date: datetime, is_taken: Callable[[str], bool]) -> str:
    """A free address next to `url`, with a date."""
    stem, end = url.rstrip("/"), "/" if url.endswith("/") else ""
    if stem.endswith(".html"):
        stem, end = stem.removesuffix(".html"), ".html"
    free = f"{stem}-{date:%Y-%m-%d}{end}"
    number = 2
    while is_taken(free):
        free = f"{stem}-{date:%Y-%m-%d}-{number}{end}"
        number += 1
    return free
