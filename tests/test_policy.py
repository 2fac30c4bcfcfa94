from __future__ import annotations

import base64
import hashlib
from dataclasses import replace

import pytest

from builder.config import read_config
from builder.model import Analytics, Comments, Profile, SiteError
from builder.policy import PLACE, loads, origin, own_code, policy, with_policy
from tests.conftest import MakeSite
from tests.samples import CONFIG

STRICT = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "media-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'"
)


def sha(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def directives(text: str) -> dict[str, set[str]]:
    found = {}
    for directive in text.split("; "):
        name, *sources = directive.split(" ")
        assert name not in found, "the second of two directives would be ignored"
        found[name] = set(sources)
    return found


def test_nothing_but_the_sites_own_files_by_default() -> None:
    assert policy(CONFIG) == STRICT


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ('<img src="https://a.example/x.png">', ["img-src https://a.example"]),
        ("<IMG SRC='http://a.example:8080/x'>", ["img-src http://a.example:8080"]),
        ("<img src=//a.example/x.png>", ["img-src a.example"]),
        ('<img src="/x.png" srcset="https://b.example/1,x.png 1x, //c.example/2.png 2x">', ["img-src c.example", "img-src https://b.example"]),
        ('<img alt=">" src="https://a.example/&amp;x">', ["img-src https://a.example"]),
        ('<picture><source srcset="https://a.example/x.avif"></picture>', ["img-src https://a.example"]),
        ('<video poster="https://p.example/x.jpg"><source src="https://v.example/x.mp4"></video>', ["img-src https://p.example", "media-src https://v.example"]),
        ('<audio src="https://a.example/x.mp3"></audio>', ["media-src https://a.example"]),
        ('<iframe src="https://www.youtube.com/embed/x"></iframe>', ["frame-src https://www.youtube.com"]),
        ('<button data-frame="https://player.example/x">Play</button>', ["frame-src https://player.example"]),
        ('<object data="https://o.example/x"></object>', ["object-src https://o.example"]),
        ('<form action="https://f.example/send"></form>', ["form-action https://f.example"]),
        ('<link rel="stylesheet" href="https://s.example/x.css">', ["style-src https://s.example"]),
        ('<link rel="canonical" href="https://s.example/">', []),
        ('<script src="https://s.example/x.js"></script>', ["script-src https://s.example"]),
        ("<script>a < b</script>", [f"script-src {sha('a < b')}"]),
        ('<script type="application/json">{}</script>', []),
        ("<style>p { background: url(https://i.example/x.png) }</style>", ["img-src https://i.example", f"style-src {sha('p { background: url(https://i.example/x.png) }')}"]),
        ('<p style="color: &quot;red&quot;">', ["style-src-attr 'unsafe-hashes'", "style-src-attr " + sha('color: "red"')]),
        ('<b title="a > b" onclick="go()">', ["script-src-attr 'unsafe-hashes'", f"script-src-attr {sha('go()')}"]),
        ("<svg/onload=go()>", ["script-src-attr 'unsafe-hashes'", f"script-src-attr {sha('go()')}"]),
        ('<a href="https://a.example/">x</a>', []),
        ('<img src="x.png"><img src="data:image/png;base64,AA==">', []),
        ('<!-- <img src="https://a.example/x"> -->', []),
        ("&lt;img src=https://a.example/x&gt; style= onclick=", []),
        ('<img src="https://한글.example/x">', ["img-src https://xn--bj0bj06e.example"]),
        ('<img src="https://a.example;script-src *">', []),
        ("<img src=\"https://a b'/x\">", []),
        ('<img src="//[">', []),
        ('<script>unclosed', [f"script-src {sha('unclosed')}"]),
        ("<img " * 2000, []),
        ("<script>" * 2000, [f"script-src {sha('<script>' * 1999)}"]),
        ("<!--" * 5000, []),
        ("<p style=" * 3000, []),
    ],
)  # fmt: skip
def test_what_html_loads(html: str, expected: list[str]) -> None:
    assert list(loads(html)) == sorted(expected)


def test_what_a_page_shows_opens_its_policy_and_nothing_else() -> None:
    found = directives(policy(CONFIG, ["img-src https://b.example", "frame-src https://a.example"] * 2))
    expected = directives(STRICT)
    expected["img-src"].add("https://b.example")
    expected["frame-src"] = {"https://a.example"}
    assert found == expected


@pytest.mark.parametrize(
    ("comments", "scripts", "frames"),
    [
        (Comments("giscus"), {"https://giscus.app"}, {"https://giscus.app"}),
        (Comments("utterances"), set(), {"https://utteranc.es"}),
        (Comments("disqus", shortname="notes"), {"https://notes.disqus.com", "https://c.disquscdn.com"}, {"https://disqus.com"}),
    ],
)  # fmt: skip
def test_comments_open_just_their_hosts_and_only_where_they_are(
    comments: Comments, scripts: set[str], frames: set[str]
) -> None:
    config = replace(CONFIG, comments=comments)
    assert policy(config) == STRICT
    found = directives(policy(config, comments=True))
    assert found["script-src"] == {"'self'", *scripts}
    assert found["frame-src"] == frames
    assert with_policy(f"{PLACE} <p>", config, []) == f"{STRICT} <p>"
    assert "frame-src" in with_policy(f'{PLACE} <div class="comments-place">', config, [])


@pytest.mark.parametrize(
    ("analytics", "opened"),
    [
        (Analytics("plausible", "example.org"), {"script-src": {"https://plausible.io"}, "connect-src": {"https://plausible.io"}}),
        (Analytics("plausible", "example.org", "https://stats.example.org"), {"script-src": {"https://stats.example.org"}, "connect-src": {"https://stats.example.org"}}),
        (Analytics("goatcounter", "notes"), {"script-src": {"https://gc.zgo.at"}, "connect-src": {"https://notes.goatcounter.com"}, "img-src": {"https://notes.goatcounter.com"}}),
    ],
)  # fmt: skip
def test_analytics_open_just_their_hosts(analytics: Analytics, opened: dict[str, set[str]]) -> None:
    found = directives(policy(replace(CONFIG, analytics=analytics)))
    expected = directives(STRICT)
    for directive, hosts in opened.items():
        expected[directive] |= hosts
    assert found == expected


def test_a_site_may_open_its_policy() -> None:
    config = replace(CONFIG, policy={"font-src": ("https://fonts.example",), "default-src": ("https:",)})
    found = directives(policy(config))
    assert found["font-src"] == {"'self'", "https://fonts.example"}
    assert found["default-src"] == {"https:"}, "'none' holds only where it stands alone"


def test_a_picture_of_the_author_elsewhere() -> None:
    config = replace(CONFIG, profile=Profile(avatar="https://avatars.example/u/1"))
    assert directives(policy(config))["img-src"] == {"'self'", "data:", "https://avatars.example"}
    assert policy(replace(CONFIG, profile=Profile(avatar="/me.png"))) == STRICT


def test_a_policy_stays_in_its_attribute() -> None:
    config = replace(CONFIG, policy={"img-src": ('x"><script>',)})
    assert '"' not in with_policy(PLACE, config, []) and "<" not in with_policy(PLACE, config, [])


@pytest.mark.parametrize("address", ["", "x.png", "/x", "#x", "mailto:a@b.c", "javascript:alert(1)", "data:,x", "https://", "https://a;b/", "ftp://a.example/"])  # fmt: skip
def test_what_has_no_origin(address: str) -> None:
    assert origin(address) == ""


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>\n<script>x</script>", [(1, "a script of its own", True)]),
        ('<p\nonclick="x">', [(0, "code in `onclick`", True)]),
        ('<a href="javascript:x">', [(0, "a `javascript:` address", False)]),
        ("<p>on click = javascript: script</p>", []),
    ],
)
def test_own_code(html: str, expected: list[tuple[int, str, bool]]) -> None:
    assert list(own_code(html)) == expected


def test_the_author_is_told_of_own_code_at_its_line(make_site: MakeSite) -> None:
    site = make_site(
        {
            "content/a.md": "---\ntitle: A\n---\ntext\n\n<div>\n<script>x</script>\n</div>\n\nand <a href='javascript:x'>y</a>\n"
        }
    )
    report = site.build()
    found = [(p.level, p.line) for p in (*report.notes, *report.problems) if p.kind == "policy"]
    assert sorted(found) == [("note", 7), ("warning", 10)]
    assert sha("x") in site.html("a")


BAD = """
[comments]
provider = "giscus"
repository = "a b"
repository_id = "R"
category_id = "<x>"
[analytics]
provider = "plausable"
[policy]
img-src = ["https://a.example; script-src *"]
imgsrc = []
"""


def test_what_the_configuration_cannot_say(make_site: MakeSite) -> None:
    site = make_site({"fencepost.toml": BAD, "content/a.md": "x"})
    with pytest.raises(SiteError) as caught:
        read_config(site.root)
    assert sorted((problem.line, problem.hint) for problem in caught.value.problems) == [
        (4, ""),
        (6, ""),
        (8, "did you mean `plausible`?"),
        (10, 'write it like ["https://example.org"]'),
        (11, "did you mean `img-src`?"),
    ]
