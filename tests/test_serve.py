"""The preview: pages at once, cells behind them, errors and drift at their place; and nobody else's requests."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from websockets.exceptions import WebSocketException

from builder.execute.processes import children
from builder.serve.preview import LATER, Preview
from builder.serve.saves import BURST, PATIENCE, QUIET, Burst
from tests.conftest import MakeSite, TestSite
from tests.faulty import left_after, post
from tests.previewing import Served, previewing

PLAIN = "---\ntitle: A\n---\nOld words.\n"


# --- pages ---------------------------------------------------------------------------------------


@pytest.fixture
def plain(make_site: MakeSite) -> TestSite:
    return make_site(
        {"content/a.md": PLAIN, "content/b.md": "Other.\n\n[a](a.md)", "content/x/data.csv": "1,2"}
    )


def test_a_save_is_in_the_page(plain: TestSite, mark: str) -> None:
    with previewing(plain) as preview:
        assert "Old words." in preview.get("/a/").text
        plain.write({"content/a.md": PLAIN.replace("Old", "New")})
        page = preview.until("/a/", "New words.")
        assert "<p>Old words." not in page
        plain.write({"content/a.md": PLAIN.replace("title: A", "title: Another title")})
        preview.until("/a/", "<h1>Another title</h1>")
        preview.until("/", "Another title")
        plain.write({"content/new.md": "A new post."})
        preview.until("/new/", "A new post.")
        (plain.root / "content/new.md").unlink()
        while preview.get("/new/").status != 404:
            time.sleep(0.02)
    assert not (plain.root / "output").exists()  # a preview writes no site


def test_what_is_served_is_what_a_build_writes(plain: TestSite) -> None:
    """But for what the preview puts into pages."""
    plain.build()
    with previewing(plain) as preview:
        for path, content in plain.output().items():
            answer = preview.get("/" + path.removesuffix("index.html"))
            assert answer.status == 200
            if path.endswith(".html"):
                text = re.sub(r'<link rel="stylesheet" href="/.fencepost/.*\n', "", answer.text)
                text = re.sub(r'<script src="/.fencepost/.*\n', "", text)
                assert text.encode() == content, path
            else:
                assert answer.body == content, path


def test_addresses(plain: TestSite) -> None:
    plain.write({"fencepost.toml": 'baseurl = "/base"\n'})
    with previewing(plain) as preview:
        assert preview.get("/base/a/").status == 200
        assert preview.get("/base/a").headers["location"] == "/base/a/"
        assert preview.get("/").headers["location"] == "/base/"
        assert preview.get("/a/").headers["location"] == "/base/"
        assert preview.get("/base/nowhere/").status == 404
        tag = preview.get("/base/a/").headers["etag"]
        assert preview.get("/base/a/", If_None_Match=tag).status == 304
        assert preview.get("/base/a/", "HEAD").body == b""
        assert preview.get("/base/x/data.csv").body == b"1,2"
        assert preview.get("/.fencepost/live.js").headers["content-type"].startswith("text/javascript")


def test_drafts_are_shown_with_a_mark_and_kept_from_searching(make_site: MakeSite) -> None:
    site = make_site({"content/d.md": "---\ndraft: true\n---\nUnfinished."})
    with previewing(site, drafts=True) as preview:
        answer = preview.get("/d/")
        assert answer.headers["x-robots-tag"] == "noindex"
        assert 'class="preview-draft"' in answer.text
        assert '<meta name="robots" content="noindex">' in answer.text


def test_open_pages_are_told_of_what_is_another_now(plain: TestSite) -> None:
    with previewing(plain) as preview, preview.live("/a/") as a, preview.live("/b/") as b:
        first = json.loads(a.recv(60))["edition"]
        b.recv(60)
        plain.write({"content/a.md": PLAIN.replace("Old", "New")})
        assert json.loads(a.recv(60)) == {"edition": first + 1}  # its own text, at once
        assert json.loads(b.recv(60)) == {"edition": first + 2}  # then the whole site


def test_a_page_gets_one_edition_or_another_and_never_a_mixture(
    plain: TestSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand requests during fifty swaps."""
    monkeypatch.setattr("builder.serve.saves.BURST", 0.0)  # each save is taken in at once
    text = "\n\n".join(["Number 0."] * 40)
    plain.write({"content/a.md": text})
    with previewing(plain) as preview:
        end = threading.Event()

        def save() -> None:
            for number in range(1, 51):
                plain.write({"content/a.md": text.replace("0", str(number))})
                preview.until("/a/", f"Number {number}.")
            end.set()

        saving = threading.Thread(target=save)
        saving.start()
        requests, seen = 0, set()
        while requests < 1000 or not end.is_set():
            answer = preview.get("/a/")
            requests += 1
            numbers = set(re.findall(r"<p>Number (\d+)\.", answer.text))
            assert answer.status == 200
            assert len(numbers) <= 1  # an editor that empties a file first may be met in between
            seen |= numbers
        saving.join()
        assert len(seen) > 10


# --- saves ---------------------------------------------------------------------------------------


def test_a_hundred_saves_in_a_second_are_three_builds_at_most(plain: TestSite) -> None:
    with previewing(plain) as preview:
        before, started = preview.preview.builds, time.monotonic()
        for number in range(100):
            plain.write({"content/a.md": f"Save {number}."})
            time.sleep(0.01)
        seconds = math.ceil(time.monotonic() - started)  # more than one where the machine is loaded
        preview.until("/a/", "Save 99.")
        assert preview.preview.builds - before <= 3 * seconds


def test_what_is_saved_while_the_preview_starts_is_not_missed(
    plain: TestSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Preview.first

    def slowly(preview: Preview) -> None:
        first(preview)
        plain.write({"content/a.md": "Saved meanwhile.", "fencepost.toml": 'title = "Named meanwhile"'})

    monkeypatch.setattr(Preview, "first", slowly)
    with previewing(plain) as preview:
        preview.until("/a/", "Saved meanwhile.")
        preview.until("/a/", "Named meanwhile")


def test_without_a_save_there_is_no_build(plain: TestSite) -> None:
    """What it writes itself, what is read, and files that are nobody's, are no saves."""
    with previewing(plain) as preview:
        before = preview.preview.builds
        preview.get("/a/")
        (plain.root / "content/a.md").read_text()
        for name in (
            "content/.hidden.md",
            "content/a.md~",
            "content/.a.md.swp",
            ".fencepost/x",
            "output/y.html",
        ):
            plain.write({name: "x"})
        plain.write({"content/b.md": "The one save."})
        preview.until("/b/", "The one save.")
        assert preview.preview.builds <= before + 2  # its page, and the site


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_bursts() -> None:
    clock = Clock()
    burst = Burst(clock)
    burst.add({Path("a")})
    assert burst.due == 0.0  # a lone save: at once
    assert burst.take() == {Path("a")}
    clock.now = 0.2
    burst.add({Path("b")})
    assert burst.due == pytest.approx(0.2 + QUIET)
    for step in range(3, 30):
        clock.now = step / 10
        burst.add({Path("c")})
    assert burst.due == pytest.approx(0.2 + PATIENCE)  # not put off for ever
    assert burst.take() == {Path("b"), Path("c")}
    clock.now = 2.9 + BURST + 0.01
    burst.add({Path("d")})
    assert burst.due == clock.now


# --- cells ---------------------------------------------------------------------------------------

GATE = """
import os, time
print("{word}", flush=True)
while not os.path.exists("{gate}"):
    time.sleep(0.01)
print("through")
"""


def cell(page: str, number: int) -> str:
    return page.split(f'id="cell-{number}"')[1].split('id="cell-')[0].split("</article>")[0]


def has_state(page: str, number: int, state: str) -> bool:
    return re.search(rf'<div class="cell{state and " " + state}" id="cell-{number}"', page) is not None


def test_a_page_does_not_wait_for_its_cells(make_site: MakeSite, mark: str) -> None:
    gate = GATE.format(word="training", gate="gate")
    site = make_site({"content/p.md": post((gate, "as written"), ("print(6 * 7)", "41"))})
    with previewing(site) as preview:
        page = preview.until("/p/", "training\n")  # while it runs
        assert has_state(page, 1, "running")
        assert 'class="preview-stop" data-cell="1"' in page
        assert has_state(page, 2, "stale")
        assert "41" in cell(page, 2)
        site.write({"content/gate": ""})
        page = preview.until("/p/", "42\n")
        page = preview.until("/p/", '<div class="cell" id="cell-2"')
        assert has_state(page, 1, "")
        assert "through" in cell(page, 1)


def test_an_edit_runs_from_the_edited_cell_on(make_site: MakeSite, mark: str) -> None:
    counting = "import os\nopen(os.path.join('..', 'runs'), 'a').write('1')\nx = 5"
    site = make_site({"content/p.md": post(counting, "print('value', x)")})
    with previewing(site) as preview:
        preview.until("/p/", "value 5")
        preview.until("/p/", '<div class="cell" id="cell-2"')
        for number in range(3):
            site.write({"content/p.md": post(counting, f"print('value', x * {number})")})
            preview.until("/p/", f"value {5 * number}\n")
        assert (site.root / "runs").read_text() == "1"


def test_a_save_ends_a_run_that_it_makes_pointless(make_site: MakeSite, mark: str) -> None:
    gate = GATE.format(word="waiting", gate="never")
    site = make_site({"content/p.md": post("x = 3", gate, "print('behind')")})
    with previewing(site) as preview:
        preview.until("/p/", "waiting\n")
        site.write({"content/p.md": post("x = 3", "print('square', x * x)", "print('behind')")})
        preview.until("/p/", "square 9\n")
        page = preview.until("/p/", "behind\n")
        assert "waiting\n" not in page


def test_prose_does_not_end_a_run(make_site: MakeSite, mark: str) -> None:
    gate = GATE.format(word="waiting", gate="gate")
    text = post(f"open('runs', 'a').write('1')\n{gate}")
    site = make_site({"content/p.md": text})
    with previewing(site) as preview:
        preview.until("/p/", "waiting\n")
        site.write({"content/p.md": text + "\nMore prose.\n"})
        page = preview.until("/p/", "More prose.")
        assert "waiting" in page
        site.write({"content/gate": ""})
        page = preview.until("/p/", "through\n")
        assert "More prose." in page
        assert (site.root / "content/runs").read_text() == "1"


def test_a_cell_can_be_stopped_by_hand(make_site: MakeSite, mark: str) -> None:
    gate = GATE.format(word="waiting", gate="never")
    site = make_site({"content/p.md": post(gate, "print('behind')")})
    with previewing(site) as preview:
        preview.until("/p/", "waiting\n")
        assert preview.stop("/p/", 2).status == 204  # which is not running: nothing happens
        assert preview.stop("/p/", 1).status == 204
        page = preview.until("/p/", "was stopped by hand")
        page = preview.until("/p/", "behind\n")
        assert "preview-error" in cell(page, 1)


def test_where_checkpoints_cannot_be_the_terminal_says_so_once(make_site: MakeSite, mark: str) -> None:
    cells = ["x = 2", "print('value', x)"]
    site = make_site({"content/p.md": post(*cells), "fencepost.toml": '[execute]\nstart = "spawn"\n'})
    with previewing(site) as preview:
        for number in range(2):
            site.write({"content/p.md": post(cells[0], f"print('value', x + {number})")})
            preview.until("/p/", f"value {2 + number}\n")
    said = [line for line in preview.lines if "run as a whole" in line]
    assert said == ["posts are run as a whole after every save: `start` is `spawn`"]


def test_an_obstacle_is_told_once(make_site: MakeSite, mark: str) -> None:
    cells = ["import socket\npair = socket.socketpair()", "print('value')"]
    site = make_site({"content/p.md": post(*cells)})
    with previewing(site) as preview:
        preview.until("/p/", "value\n")
        site.write({"content/p.md": post(cells[0], "print('other')")})
        preview.until("/p/", "other\n")
    said = [line for line in preview.lines if "run again" in line]
    assert said == ["content/p.md: after a save all its cells are run again: it has a connection open"]


def test_a_dead_fork_server_fails_what_it_ran_and_nothing_after(make_site: MakeSite, mark: str) -> None:
    gate = GATE.format(word="waiting", gate="never")
    site = make_site({"content/p.md": post(gate)})
    with previewing(site) as preview:
        preview.until("/p/", "waiting\n")
        for pid in children(os.getpid()):
            if b"execute.server" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGKILL)
        preview.until("/p/", "no process could be started, or it was ended")
        site.write({"content/p.md": post("print('again', 6 * 7)")})
        preview.until("/p/", "again 42")


def test_a_fork_server_that_is_killed_while_nothing_runs_is_started_again(
    make_site: MakeSite, mark: str
) -> None:
    site = make_site({"content/p.md": post("x = 6", "print('first', x)")})
    with previewing(site) as preview:
        preview.until("/p/", "first 6\n")
        for number in (7, 8):
            engine = preview.preview._engine
            assert engine is not None
            while engine._under:  # a page shows what a cell has printed before its post has ended
                time.sleep(0.01)
            for pid in children(os.getpid()):
                if b"execute.server" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    os.kill(pid, signal.SIGKILL)
                    while pid in children(os.getpid()):
                        time.sleep(0.01)
            site.write({"content/p.md": post("x = 6", f"print('again', x * {number})")})
            preview.until("/p/", f"again {6 * number}\n")
    assert not any("as a whole after every save" in line for line in preview.lines)


# --- errors and drift -------------------------------------------------------------------------------


def test_an_exception_stands_in_its_cell_with_its_true_line(make_site: MakeSite, mark: str) -> None:
    site = make_site({"content/p.md": post("x = 1\ny = x / 0", "print('behind')")})
    with previewing(site) as preview:
        page = preview.until("/p/", "preview-error")
        assert "<strong>content/p.md:7</strong>" in cell(page, 1)
        assert "ZeroDivisionError" in cell(page, 1)
        assert "behind" in preview.until("/p/", "behind\n")
        preview.until_said("content/p.md:7: cell 1 raised")
        site.write({"content/p.md": post("x = 1\ny = x / 1\nprint('mended', y)")})
        assert "preview-error" not in preview.until("/p/", "mended 1.0\n")


TROUBLES = {
    "front matter": ("content/a.md", "---\ntitle: [\n---\nText.", "content/a.md:"),
    "template": ("templates/post.html", "{{ nothing.at.all }}", "templates/post.html:1"),
    "syntax of a template": ("templates/base.html", "\n{% if %}", "templates/base.html:2"),
    "configuration": ("fencepost.toml", "title = 3\n", "fencepost.toml"),
    "two at one address": ("content/c.md", "---\npermalink: /a/\n---\nText.", "content/c.md"),
}  # fmt: skip


@pytest.mark.parametrize("case", TROUBLES)
def test_the_last_good_page_stays_under_what_is_wrong_until_it_is_mended(
    plain: TestSite, case: str, mark: str
) -> None:
    path, text, place = TROUBLES[case]
    with previewing(plain) as preview, preview.live("/a/") as page_socket:
        page_socket.recv(60)
        assert "Old words." in preview.get("/a/").text
        before = (plain.root / path).read_bytes() if (plain.root / path).exists() else None
        plain.write({path: text})
        page = preview.until("/a/", 'class="preview-troubles"')
        assert place in page
        assert "Old words." in page
        if before is None:
            (plain.root / path).unlink()
        else:
            (plain.root / path).write_bytes(before)
        plain.write({"content/b.md": "Mended."})
        preview.until("/b/", "Mended.")
        page = preview.get("/a/").text
        assert "preview-troubles" not in page
        assert "Old words." in page
    assert any(place in line for line in preview.lines)


def test_a_site_that_cannot_be_built_at_first_is_shown_when_it_can(make_site: MakeSite, mark: str) -> None:
    site = make_site({"content/a.md": "Text.", "fencepost.toml": "title = 3\n"})
    with previewing(site) as preview:
        answer = preview.get("/a/")
        assert answer.status == 503
        assert "fencepost.toml" in answer.text
        site.write({"fencepost.toml": 'title = "T"\n'})
        preview.until("/a/", "Text.")


def test_what_is_told_of_an_error_is_escaped(make_site: MakeSite, mark: str) -> None:
    evil = "</pre><script>alert(1)</script><img src=x onerror=alert(1)>"
    site = make_site({"content/p.md": post(f"raise ValueError({evil!r})", (f"print({evil!r})", "other"))})
    with previewing(site) as preview:
        preview.until("/p/", "preview-error")
        page = preview.until("/p/", "preview-drift")
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "&lt;script&gt;" in cell(page, 1)


def test_drift_stands_beside_its_cell_with_the_diff_and_the_command(make_site: MakeSite, mark: str) -> None:
    site = make_site(
        {"content/p q.md": post(("print(1.5)", "2.5"), ("print('same')", "same"), "print('new')")}
    )
    with previewing(site) as preview:
        page = preview.until("/p%20q/", "preview-drift")
        assert "<summary>numbers</summary>" in cell(page, 1)
        assert "<del>-2.5</del>" in cell(page, 1)
        assert "<ins>+1.5</ins>" in cell(page, 1)
        assert "fencepost accept &#x27;content/p q.md&#x27;" in cell(page, 1)
        assert (
            page.count("preview-drift") == 1
        )  # what agrees, and what has nothing to agree with, has no note


# --- who may ask ---------------------------------------------------------------------------------

SECRET = "SECRET-WORDS-OF-THE-SITE"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    root = tmp_path_factory.mktemp("guarded")
    (root / "content").mkdir()
    site = TestSite(root)
    outside = root / "outside.txt"
    outside.write_text(SECRET)
    site.write(
        {
            "content/a.md": f"---\ntags: [t]\n---\n{SECRET}",
            "content/.hidden": SECRET,
            "content-2/a.md": SECRET,
            "fencepost.toml": f'title = "{SECRET}"\n',
            ".fencepost/cache/x": SECRET,
            ".git/config": SECRET,
        }
    )
    with previewing(site) as preview:
        yield preview


PATHS = [
    *("/../fencepost.toml", "/../../../../etc/passwd", "/a/../../fencepost.toml", "/./a/", "/a/./", "/a/../a/"),
    *("/%2e%2e/fencepost.toml", "/%2e%2e%2ffencepost.toml", "/..%2ffencepost.toml", "/%2e%2e%5cfencepost.toml"),
    *("/..\\fencepost.toml", "/\\..\\fencepost.toml", "/%5c..%5cfencepost.toml", "/%255c..%255cfencepost.toml"),
    *("/%252e%252e/fencepost.toml", "/%c0%ae%c0%ae/fencepost.toml", "/%e0%80%ae./fencepost.toml", "/..;/fencepost.toml"),
    *("/.git/config", "/.hidden", "/%2ehidden", "/.fencepost/cache/x", "/.fencepost/", "/.fencepost/../a/"),
    *("/.fencepost/live.js/../../a/", "/.fencepost/%2e%2e/a/", "/.fencepost/live.py", "/.fencepost/guard.py"),
    *("/content/a.md", "/content-2/a.md", "/../content-2/a.md", "/fencepost.toml", "/outside.txt"),
    *("//a/", "///a/", "/a//", "//localhost/a/", "/\\a/", "/a/index.html/", "/a/index.html%00", "/%00", "/a/%00.png"),
    *("/a::$DATA", "/a/index.html::$DATA", "/A/", "/a/index.htm", "/a?/../..//", "/a/index.html.", "/a/index.html%20"),
    *("/@fs/etc/passwd", "/a/?raw??", "/etc/passwd", "/proc/self/environ", "/file:///etc/passwd"),
]  # fmt: skip
# Where a query stands behind the path the page itself is meant, and no file.
PATHS = [path for path in PATHS if "?" not in path] + ["/" + "a/" * 3000, "/%", "/%zz", "/%ff%fe"]
HOSTS = [
    *("evil.example", "evil.example:{port}", "localhost", "localhost:1", "localhost:0{port}", "localhost:{port}0"),
    *("127.0.0.1", "127.0.0.2:{port}", "0.0.0.0:{port}", "[::]:{port}", "2130706433:{port}", "0x7f000001:{port}"),
    *("localhost.evil.example:{port}", "evil.localhost.example:{port}", "localhost:{port}@evil.example"),
    *("evil@localhost:{port}", "localhost.:{port}", ".localhost:{port}", "localhost:{port}/", "localhost:{port}#"),
    *("", " ", ":{port}", "localhost:", "localhost:-{port}", "127.1:{port}", "[::1%25lo]:{port}", "192.168.0.1:{port}"),
]  # fmt: skip
CROSS = [
    {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": dest}
    for site in ("cross-site", "same-site")
    for mode, dest in (("no-cors", "script"), ("no-cors", "image"), ("cors", "empty"), ("navigate", "iframe"))
]
METHODS = ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get"]
STOPS = [
    {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": ""}, {"Origin": "http://127.0.0.1:{port}"},
    {"Origin": "https://{host}"}, {"X-Fencepost-Token": ""}, {"X-Fencepost-Token": "x"}, {"Content-Length": "5000"},
]  # fmt: skip
SOCKETS: list[dict[str, str | None]] = [
    {"Origin": None}, {"Origin": "null"}, {"Origin": "http://evil.example"}, {"Origin": "http://127.0.0.1:{port}"},
    {"Origin": "http://192.168.0.1"}, {"Origin": "https://{host}"}, {"Origin": "http://localhost:1"}, {"token": ""},
    {"token": "x"}, {"Host": "evil.example:{port}", "Origin": "http://evil.example:{port}"},
]  # fmt: skip
MALFORMED = [
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.0\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: {host}\r\nHost: {host}\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: {host}\r\nHost: evil.example\r\n\r\n",
    b"GET / HTTP/9.9\r\nHost: {host}\r\n\r\n",
    b"GET /\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: {host}\r\nno colon\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost : {host}\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: {host}\r\nX: a\x00b\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: {host}\r\nContent-Length: -1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: {host}\r\nX: " + b"x" * 20_000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: {host}\r\n" + b"X: y\r\n" * 5_000 + b"\r\n",
    b"GET http://evil.example/ HTTP/1.1\r\nHost: {host}\r\n\r\n",
    b"GET http://{host}/a/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"* / HTTP/1.1\r\nHost: {host}\r\n\r\n",
]


def hostile(preview: Served) -> Iterator[tuple[str, bytes]]:
    """Every hostile request, with what it is."""
    port, host = preview.port, preview.host

    def filled(text: str) -> str:
        return text.replace("{port}", str(port)).replace("{host}", host)

    def request(method: str, path: str, headers: dict[str, str]) -> bytes:
        lines = [f"{method} {path} HTTP/1.1", *(f"{k}: {filled(v)}" for k, v in headers.items())]
        return ("\r\n".join([*lines, "Connection: close"]) + "\r\n\r\n").encode("latin-1")

    for path in PATHS:
        yield f"path {path[:60]}", request("GET", path, {"Host": host})
    for name in HOSTS:
        yield f"host {name}", request("GET", "/a/", {"Host": name})
    for headers in CROSS:
        yield f"from {headers}", request("GET", "/a/", {"Host": host, **headers})
    for method in METHODS:
        yield f"method {method}", request(method, "/a/", {"Host": host})
    stop = f"/.fencepost/stop?page=/a/&cell=1&token={preview.token}"
    ours = {"Host": host, "Origin": f"http://{host}", "X-Fencepost-Token": preview.token}
    for headers in STOPS:
        yield f"stop {headers}", request("POST", stop, {**ours, **headers})
    yield "stop by GET", request("GET", stop, ours)
    upgrade = {
        "Host": host, "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Origin": f"http://{host}",
    }  # fmt: skip
    for case in SOCKETS:
        token = case.get("token", preview.token) or ""
        given = {k: v for k, v in {**upgrade, **case}.items() if v is not None and k != "token"}
        yield (
            f"socket {case}",
            request("GET", f"/.fencepost/live?page=/a/&token={token}", given).replace(
                b"Connection: close\r\n", b""
            ),
        )
    for raw in MALFORMED:
        yield f"malformed {raw[:60]!r}", raw.replace(b"{host}", host.encode())


def test_hostile_requests_get_a_refusal_and_no_byte_of_the_site(guarded: Served) -> None:
    requests = list(hostile(guarded))
    assert len(requests) >= 120
    for what, request in requests:
        answer = guarded.raw(request)
        status = re.match(rb"HTTP/1\.1 (\d{3}) ", answer)
        assert status, f"{what}: {answer[:200]!r}"
        assert status[1].startswith(b"4"), f"{what}: {status[1]!r}"
        assert SECRET.encode() not in answer, what
        assert guarded.token.encode() not in answer, what
        assert b"access-control" not in answer.lower(), what
        assert b"location:" not in answer.lower(), what
    assert SECRET in guarded.get("/a/").text  # and it lives


def test_headers_that_never_end_are_not_waited_for(plain: TestSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builder.serve.preview.SECONDS_OF_HEADERS", 0.2)
    with previewing(plain) as preview:
        address = ("127.0.0.1", preview.port)
        for begun in (b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\n"):
            with socket.create_connection(address, timeout=240) as connection:
                connection.sendall(begun)
                assert connection.recv(100) == b""  # closed
        with socket.create_connection(address, timeout=240) as connection:
            connection.sendall(f"GET /a/ HTTP/1.1\r\nHost: {preview.host}\r\n\r\n".encode())
            assert connection.recv(12) == b"HTTP/1.1 200"
            connection.sendall(b"GET /a/ HT")  # a second request, which does not end
            while connection.recv(65536):
                pass


def test_headers_without_end_are_refused(guarded: Served) -> None:
    with socket.create_connection(("127.0.0.1", guarded.port), timeout=240) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n")
        with contextlib.suppress(OSError):
            for _ in range(5000):
                connection.sendall(b"X-Header: value\r\n")
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(12) in (b"HTTP/1.1 400", b"")


def test_no_more_connections_than_there_is_room_for(plain: TestSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builder.serve.preview.MOST_CONNECTIONS", 5)
    with previewing(plain) as preview, ExitStack() as kept:
        for _ in range(5):
            kept.enter_context(socket.create_connection(("127.0.0.1", preview.port), timeout=240))
        while preview.get("/a/").status != 503:
            time.sleep(0.01)
        kept.close()
        while preview.get("/a/").status != 200:
            time.sleep(0.01)


ALLOWED = [
    "localhost:{port}",
    "127.0.0.1:{port}",
    "[::1]:{port}",
    "LOCALHOST:{port}",
    "my.blog.localhost:{port}",
]


@pytest.mark.parametrize("name", ALLOWED)
def test_names_of_this_machine(guarded: Served, name: str) -> None:
    assert guarded.get("/a/", Host=name.replace("{port}", str(guarded.port))).status == 200


def test_headers_of_every_answer(guarded: Served) -> None:
    paths = ("/a/", "/a", "/nowhere/", "/.fencepost/live.js", "/.fencepost/x")
    for answer in (*map(guarded.get, paths), guarded.get("/", Host="evil"), guarded.get("/", "PUT")):
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["cache-control"] == "no-store"
        assert "server" not in answer.headers
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_a_link_on_another_site_may_lead_here(guarded: Served) -> None:
    come = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
    assert guarded.get("/a/", **come).status == 200
    assert guarded.get("/.fencepost/live.js", **come).status == 403


def test_only_this_machine_can_connect(guarded: Served) -> None:
    assert {each.getsockname()[0] for each in guarded.preview._sockets} <= {"127.0.0.1", "::1"}


def test_no_more_live_pages_than_a_hundred(guarded: Served) -> None:
    with ExitStack() as open_pages:
        for _ in range(100):
            open_pages.enter_context(guarded.live("/a/")).recv(60)
        with pytest.raises(WebSocketException), guarded.live("/a/"):
            pass


def test_a_link_out_of_the_content_is_not_followed(plain: TestSite) -> None:
    (plain.root / "outside.txt").write_text(SECRET)
    (plain.root / "content/link.txt").symlink_to(plain.root / "outside.txt")
    plain.build()
    with previewing(plain) as preview:
        served = preview.get("/link.txt")
        assert (served.status == 200) == ("link.txt" in plain.output())  # what is published is what is served


# --- the command ---------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_leaves_no_process(make_site: MakeSite, mark: str, number: signal.Signals) -> None:
    site = make_site({"content/p.md": post("import time\nprint('on', flush=True)\ntime.sleep(600)")})
    arguments = [sys.executable, "-m", "builder", "serve", str(site.root), "--port", "0"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env={**os.environ}) as command:
        assert command.stdout is not None
        line = command.stdout.readline()
        found = re.match(r"http://localhost:(\d+)/", line)
        assert found, line
        command.send_signal(number)
        assert command.wait(240) == 0
    assert left_after(mark, 10) == []


def test_it_ends_though_there_is_news_in_that_very_moment(plain: TestSite) -> None:
    preview = Preview(plain.root, {}, 1, 0, print)
    preview.first()

    async def ended() -> bool:
        ready = asyncio.Event()
        task = asyncio.ensure_future(preview.run(ready.set))
        await ready.wait()
        preview._later(set())  # from now on it waits for a time, or for news
        preview._work.set()
        await asyncio.sleep(LATER / 3)
        preview._work.set()
        task.cancel()
        return bool((await asyncio.wait([task], timeout=20))[0])

    with ThreadPoolExecutor(1) as pool:  # this thread may have a loop, of a browser
        assert pool.submit(lambda: asyncio.run(ended())).result()


def test_a_port_that_is_in_use(plain: TestSite) -> None:
    with previewing(plain) as preview:
        ran = plain.command("serve", "--port", str(preview.port))
    assert ran.status == 2
    assert f"port {preview.port} is in use" in ran.err
