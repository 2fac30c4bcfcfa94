"""Comments and analytics: which options each provider needs, and what the pages that use it load.

What they load is said as in policy.py: texts like `script-src https://giscus.app`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from builder.frozen import frozen
from builder.model import Config

LoadsOf: TypeAlias = Callable[[Config], tuple[str, ...]]


@frozen
class Form:
    """What an option has to be, as a pattern and for people."""

    pattern: str
    example: str


_REPOSITORY = Form(r"[\w.-]+/[\w.-]+", "like owner/name")
_ID = Form(r"[\w=+/-]+", "the id that giscus.app shows")
_NAME = Form(r"[a-z0-9-]+", "a name in small letters")
# The options that each provider needs.
NEEDED: Final[Mapping[str, Mapping[str, Mapping[str, Form]]]] = {
    "comments": {
        "": {},
        "giscus": {"repository": _REPOSITORY, "repository_id": _ID, "category_id": _ID},
        "utterances": {"repository": _REPOSITORY},
        "disqus": {"shortname": _NAME},
    },
    "analytics": {
        "": {},
        "plausible": {
            "id": Form(r"[a-z0-9.-]+(?:/[\w./-]*)?", "a domain like example.org"),
            "host": Form(r"(?:https://[a-z0-9.-]+(?::\d+)?)?", "like https://plausible.example.org"),
        },
        "goatcounter": {"id": _NAME},
        "google": {"id": Form(r"[A-Z]{1,3}-[A-Z0-9]+", "like G-ABC123")},
    },
}


def comments_loads(config: Config) -> tuple[str, ...]:
    """What a page with comments loads for them."""
    return _COMMENTS[config.comments.provider](config)


def analytics_loads(config: Config) -> tuple[str, ...]:
    """What every page loads so that readers are counted."""
    return _ANALYTICS[config.analytics.provider](config)


_COMMENTS: Final[Mapping[str, LoadsOf]] = {
    "": lambda config: (),
    "giscus": lambda config: (
        "script-src https://giscus.app",
        "style-src https://giscus.app",
        "frame-src https://giscus.app",
    ),
    "utterances": lambda config: ("frame-src https://utteranc.es",),
    "disqus": lambda config: (
        f"script-src https://{config.comments.shortname}.disqus.com",
        "script-src https://c.disquscdn.com",
        "style-src https://c.disquscdn.com",
        "style-src 'unsafe-inline'",
        "frame-src https://disqus.com",
        "img-src https://c.disquscdn.com",
        "img-src https://referrer.disqus.com",
        "connect-src https://links.services.disqus.com",
    ),
}
_ANALYTICS: Final[Mapping[str, LoadsOf]] = {
    "": lambda config: (),
    "plausible": lambda config: (
        f"script-src {config.analytics.host or 'https://plausible.io'}",
        f"connect-src {config.analytics.host or 'https://plausible.io'}",
    ),
    "goatcounter": lambda config: (
        "script-src https://gc.zgo.at",
        f"connect-src https://{config.analytics.id}.goatcounter.com",
        f"img-src https://{config.analytics.id}.goatcounter.com",
    ),
    "google": lambda config: (
        "script-src https://*.googletagmanager.com",
        *(
            f"{directive} https://*.{host}"
            for directive in ("connect-src", "img-src")
            for host in ("google-analytics.com", "analytics.google.com", "googletagmanager.com")
        ),
    ),
}
