from __future__ import annotations

from typing import Any

import pytest

from builder.redirects import old_addresses, redirect_problems, redirects
from builder.site import Site
from tests.conftest import MakeSite
from tests.samples import CONFIG, article


@pytest.mark.parametrize(
    ("front_matter", "expected"),
    [
        ({}, []),
        ({"redirect_from": "/old/"}, ["/old/"]),
        ({"redirect_from": ["/a", "b.html"], "aliases": ["/c/"]}, ["/a", "/b.html", "/c/"]),
        ({"redirect_from": "/%EA%B8%80/"}, ["/글/"]),
        ({"redirect_from": [None, 3, "", "/", "/../x", "a\\b", "/\x00"]}, []),
        ({"redirect_from": {"a": "b"}}, []),
    ],
)
def test_old_addresses(front_matter: dict[str, Any], expected: list[str]) -> None:
    assert list(old_addresses(front_matter)) == expected


def test_an_old_address_leads_to_its_article_unless_something_is_there() -> None:
    one = article("one", 2, extra={"redirect_from": ["/old/", "/two/", "/OLD/"]})
    two = article("two", 1, extra={"redirect_from": ["/old/", "/tags/"]})
    site = Site.of(CONFIG, [one, two], str)
    assert [(old, target.path) for old, target in redirects(site)] == [
        ("/old/", one.path),
        ("/tags/", two.path),
    ]
    from builder.pages import theme_claims

    found = [(p.path, p.message) for p in redirect_problems(site, [*theme_claims(CONFIG), *site.claims()])]
    assert found == [
        (one.path, "its old address /two/ leads nowhere: content/posts/two.md is there"),
        (two.path, "its old address /old/ leads nowhere: an old address of content/posts/one.md is there"),
        (two.path, "its old address /tags/ leads nowhere: the theme's page /tags/ is there"),
    ]


SITE = {
    "fencepost.toml": 'url = "https://example.org"\nbaseurl = "/n"\n',
    "content/a.md": "---\ntitle: <A>\nredirect_from: [/old/, /tags/, /robots.txt]\naliases: /older.html\n---\nText\n",
    "content/b.md": "---\ntitle: B\nredirect_to: https://example.com/b?x=1&y=2\n---\n",
    "content/c.md": "---\ntitle: C\nredirect_to: /a/#x\n---\n",
    "content/d.md": "---\ntitle: D\nredirect_to: javascript:alert(1)\n---\n",
    "content/e.md": "---\ntitle: E\nredirect_to: //evil.example/\n---\n",
}


def test_pages_that_lead_on(make_site: MakeSite) -> None:
    site = make_site(SITE)
    report = site.build()
    assert [(p.level, p.kind, p.path) for p in report.problems] == [("warning", "url", "content/a.md")]
    for old in ("old", "older.html"):
        assert 'content="0; url=/n/a/"' in site.html(old)
        assert '<link rel="canonical" href="https://example.org/n/a/">' in site.html(old)
        assert "&lt;A&gt;" in site.html(old)
    assert "User-agent" in site.html("robots.txt")
    assert "refresh" not in site.html("tags")
    assert 'url=https://example.com/b?x=1&amp;y=2"' in site.html("b")
    assert 'href="/n/a/#x"' in site.html("c")
    assert 'href="/n/javascript:alert(1)"' in site.html("d")
    assert 'href="/n/evil.example/"' in site.html("e")


def test_a_redirect_comes_and_goes_with_what_it_says(make_site: MakeSite) -> None:
    site = make_site(SITE)
    site.build()
    site.write({"content/a.md": "---\ntitle: A\nredirect_from: /new/\n---\nText\n"})
    site.build()
    warm = site.output()
    assert "new/index.html" in warm and "old/index.html" not in warm
    site.command("clean")
    site.build()
    assert site.output() == warm
