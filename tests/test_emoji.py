"""`:tada:`, and what is no emoji."""

from __future__ import annotations

import pytest

from builder.markdown.dialect import parse, to_html
from builder.markdown.media import has_jemoji
from tests.conftest import MakeSite
from tests.test_markdown import rendered


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (":tada:", "🎉"),
        ("한글:tada:한글", "한글🎉한글"),
        (":+1::heart:", "👍❤️"),
        (":TADA:", "🎉"),
        ("**:tada:** [:tada:](/u)", '<strong>🎉</strong> <a href="/u">🎉</a>'),
        ("12:30:45", "12:30:45"),
        ("a:100:b", "a:100:b"),
        (":no-such-thing:", ":no-such-thing:"),
        ("`:tada:`", "<code>:tada:</code>"),
        ("\\:tada:", ":tada:"),
        ("x <b title=':tada:'>", "x <b title=':tada:'>"),
        ("$x:tada:y$", None),
        ("<https://a.b/:tada:>", '<a href="https://a.b/:tada:">https://a.b/:tada:</a>'),
    ],
)
def test_names(text: str, wanted: str | None) -> None:
    shown = to_html(parse(text, {"emoji": True}))
    assert shown == f"<p>{wanted}</p>\n" if wanted else "🎉" not in shown


def test_ids_of_headings_are_those_of_github() -> None:
    result = rendered("## :rocket: Launch\n\n:tada: text\n\n![:tada:](/a.png)\n")
    assert result.toc[0].id == "rocket-launch"
    assert result.toc[0].html == "🚀 Launch"
    assert result.summary == "🎉 text"
    assert 'alt="🎉"' in result.html


@pytest.mark.parametrize(("plugins", "shown"), [("[]", ":tada:"), ("[jemoji]", "🎉")])
def test_a_site_of_jekyll_has_them_with_jemoji(make_site: MakeSite, plugins: str, shown: str) -> None:
    post = {
        "_config.yml": f"title: T\nplugins: {plugins}\n",
        "_posts/2024-01-01-a.md": "---\ntitle: a\n---\n:tada:\n",
    }
    site = make_site(post)
    config = site.config()
    assert has_jemoji(config) == (shown == "🎉")
    site.build()
    assert f"<p>{shown}</p>" in (
        site.root / "_site" if (site.root / "_site").exists() else site.root / "output"
    ).joinpath("2024/01/01/a.html").read_text(encoding="utf-8")
