"""links: every link of the built site, told where its author wrote it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from builder.links import Checked, Link, check_links, read_html, read_xml
from builder.outside import ask_all
from tests.conftest import MakeSite, TestSite
from tests.publishing import lay_out


def told(checked: Checked) -> list[str]:
    return [f"{problem.path}:{problem.line}: {problem.message}" for problem in checked.problems]


def test_a_healthy_site_has_no_broken_link(make_site: MakeSite) -> None:
    site = make_site(
        {
            "content/posts/2024-01-01-a.md": "---\ntitle: A\ntags: [x, 한글]\n---\n## One\n\n## Two\n\n[b](2024-01-02-b.md#three), [here](#two)\n\n![p](p.png)\n",
            "content/posts/2024-01-02-b.md": "---\ntitle: B\ntags: [x]\n---\n## Three\n\n```python\n1\n```\n",
            "content/posts/p.png": b"\x89PNG\r\n\x1a\n",
            "content/pages/about.md": "---\ntitle: About\n---\n[home](/)\n",
            "fencepost.toml": 'url = "https://example.org"\nbaseurl = "/blog"\nimages = []\n',
        }
    )
    site.build()
    checked = check_links(site.config())
    assert told(checked) == []
    assert checked.links > 50


def test_a_broken_link_is_told_at_the_line_of_its_source(make_site: MakeSite) -> None:
    text = "---\ntitle: A\n---\n\n[gone](b.md)\n\n[place](a.md#nowhere)\n\n[here](#nothing)\n\n![no](no.png)\n\n[twice](b.md)\n"
    site = make_site({"content/a.md": text})
    site.build()
    assert told(check_links(site.config())) == [
        "content/a.md:5: leads to nothing: `b.md`",
        "content/a.md:7: leads to no place in its page: `/a/#nowhere`",
        "content/a.md:9: leads to no place in its page: `#nothing`",
        "content/a.md:11: shows no picture: `no.png`",
    ]
    done = site.command("links")
    assert (done.status, "content/a.md:5: leads to nothing: `b.md`" in done.err) == (1, True)
    plain = site.command("links", "--json")
    assert [problem["line"] for problem in plain.json["problems"]] == [5, 7, 9, 11]


def page(body: str) -> bytes:
    return f"<!DOCTYPE html>\n<title>t</title>\n{body}\n".encode()


@pytest.mark.parametrize(
    ("address", "complaint"),
    [
        ("/a/", ""),
        ("/a", ""),
        ("a/", ""),
        ("/a/index.html", ""),
        ("/plain.html", ""),
        ("/plain", ""),
        ("/%ED%95%9C/", ""),
        ("/한/", ""),
        ("?q=1", ""),
        ("", ""),
        ("#", ""),
        ("#top", ""),
        ("/a/#x", ""),
        ("/a/#%ED%95%9C", ""),
        ("/a/#:~:text=words", ""),
        ("/a/file.pdf#page=2", ""),
        ("https://example.org/a/", ""),
        ("mailto:me@example.org", ""),
        ("data:image/png;base64,AA", ""),
        ("/b/", "leads to nothing: `/b/`"),
        ("/A/", "leads to nothing: `/A/`"),
        ("../../a/../b", "leads to nothing: `../../a/../b`"),
        ("https://example.org/b/", "leads to nothing: `https://example.org/b/`"),
        ("/a/#y", "leads to no place in its page: `/a/#y`"),
        ("http://[broken/", "is no address: `http://[broken/`"),
    ],
)
def test_where_a_link_leads(make_site: MakeSite, address: str, complaint: str) -> None:
    site = make_site({"fencepost.toml": 'url = "https://example.org"\n'})
    lay_out(
        site,
        {
            "index.html": page(f'<a href="{address}">x</a>'),
            "a/index.html": page('<p id="x">x</p><a name="한">y</a>'),
            "a/file.pdf": b"%PDF",
            "plain.html": page(""),
            "한/index.html": page(""),
        },
    )
    assert told(check_links(site.config())) == ([f"output/index.html:3: {complaint}"] if complaint else [])


def test_a_link_of_a_template_is_told_once(make_site: MakeSite) -> None:
    site = make_site({})
    lay_out(site, {f"{name}/index.html": page('<nav><a href="/gone/">x</a></nav>') for name in "abc"})
    assert told(check_links(site.config())) == [
        "output/a/index.html:3: leads to nothing: `/gone/` (on 3 pages)"
    ]


def test_pictures_scripts_and_feeds_are_looked_at(make_site: MakeSite) -> None:
    site = make_site({})
    lay_out(
        site,
        {
            "index.html": page(
                '<img src="/a.png" srcset="/b.png 1x, /c.png 2x"><script src="/d.js"></script><link rel="icon" href="/e.svg">'
            ),
            "feed.xml": b'<feed xmlns="http://www.w3.org/2005/Atom"><link href="/f/"/><entry><content type="html">&lt;a href="/g/"&gt;</content></entry></feed>',
            "sitemap.xml": b'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url><loc>/h/</loc></url></urlset>',
            "broken.xml": b"<feed>",
        },
    )
    found = "\n".join(told(check_links(site.config())))
    for name in ("a.png", "b.png", "c.png", "d.js", "e.svg", "f/", "g/", "h/"):
        assert f"`/{name}`" in found
    assert "output/broken.xml:0: is no XML" in found


def test_reading_leaves_out_what_is_no_link() -> None:
    assert read_html(
        "a", '<a id="x">1</a><a href="y">2</a><!-- <a href="z"> --><link rel="preconnect" href="w">'
    ).links == (Link("y", 1),)
    assert read_xml("a.xml", "<other><link href='x'/></other>").links == ()


# --- other sites ------------------------------------------------------------------------------


class Server(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_HEAD(self) -> None:
        self.server.asked.append(f"{self.command} {self.path}")
        times = self.server.asked.count(f"{self.command} {self.path}")
        status = {"/gone": 404, "/no-head": 405 if self.command == "HEAD" else 200, "/busy": 503}.get(
            self.path, 200
        )
        if self.path == "/sometimes":
            status = 429 if times == 1 else 200
        said = "\x1b[2JNot\x9b Found" if status == 404 else None
        self.send_response(302 if self.path == "/moved" else status, said)
        if self.path == "/moved":
            self.send_header("Location", "/ok")
        if self.path == "/busy":
            self.send_header("Retry-After", "\u00b2")  # a digit, and no number
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_HEAD

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield running
    running.shutdown()
    running.server_close()


def test_other_sites_are_asked_politely_and_remembered(server: Server, tmp_path: Path) -> None:
    paths = ("/ok", "/gone", "/no-head", "/busy", "/sometimes", "/moved", "/한글?q=é")
    addresses = [server.address + path for path in paths]
    answers = ask_all(addresses, tmp_path / "links.json", pause=0)
    bad = {
        address.removeprefix(server.address): answer
        for address, answer in answers.items()
        if answer.complaint
    }
    assert bad.keys() == {"/gone", "/busy"}
    assert (bad["/gone"].gone, bad["/busy"].gone) == (True, False)
    assert bad["/gone"].complaint == "404 [2JNot Found"
    assert "GET /no-head" in server.asked
    assert server.asked.count("HEAD /sometimes") == 2
    assert "HEAD /ok" in server.asked
    server.asked.clear()
    ask_all(addresses, tmp_path / "links.json", pause=0)
    assert {line.split()[1] for line in server.asked} == {"/gone", "/busy"}
    (tmp_path / "links.json").write_text("[damaged")
    assert (
        ask_all([server.address + "/ok"], tmp_path / "links.json", pause=0)[server.address + "/ok"].complaint
        == ""
    )


def test_external_links_are_asked_for_on_request_only(make_site: MakeSite, server: Server) -> None:
    site = make_site({"content/a.md": f"---\ntitle: A\n---\n\n[x]({server.address}/gone)\n"})
    site.build()
    assert told(check_links(site.config())) == []
    assert server.asked == []
    (problem,) = check_links(site.config(), external=True).problems
    assert (problem.path, problem.line, problem.level) == ("content/a.md", 5, "error")
    assert problem.message.endswith("/gone`: 404 [2JNot Found")
    assert json.loads((site.root / ".fencepost" / "links.json").read_text()) == {}


def test_nobody_answers(tmp_path: Path) -> None:
    answer = ask_all(["http://127.0.0.1:1/"], tmp_path / "links.json", pause=0)["http://127.0.0.1:1/"]
    assert (bool(answer.complaint), answer.gone) == (True, False)


def test_a_site_that_was_never_built(make_site: MakeSite) -> None:
    site: TestSite = make_site({})
    done = site.command("links")
    assert (done.status, "there is no built site  (run `fencepost build` first)" in done.err) == (1, True)
