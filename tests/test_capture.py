"""Captured bytes as a reader sees them: pure cases first, then real programs in real cells."""

from __future__ import annotations

import re

import pytest

from builder.execute.capture import Addresses, clean, decode, displayed
from builder.execute.parts import cut
from builder.markdown.highlight import coloured
from builder.model import Markup, Text
from tests.conftest import MakeSite
from tests.faulty import faulty


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("", ""),
        ("a", "a\n"),
        ("a\n", "a\n"),
        ("a\r\nb\r\n", "a\nb\n"),
        ("10%\r100%\n", "100%\n"),
        ("100%\rdone\n", "done\n"),
        ("long line\rx\n", "xong line\n"),
        ("long line\r\x1b[Kx\n", "x\n"),
        ("abc\b\bX\n", "aXc\n"),
        ("one\ntwo\x1b[A\rONE\n", "ONE\ntwo\n"),
        ("one\ntwo\n\x1b[2A\x1b[Jnew\n", "new\n"),
        ("a\x1b[2Kb\n", " b\n"),
        ("ab\x1b[1Kc\n", "  c\n"),
        ("a\x1b[3Cb\x1b[Gc\n", "c   b\n"),
        ("abc\x1b[2DX\n", "aXc\n"),
        ("a\x1b[31mred\x1b[0m\n", "ared\n"),
        ("\x1b[?25l\x1b]0;title\x07text\x1b[?25h\n", "text\n"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\\n", "link\n"),
        ("a\x00\x07\x1b\x7f\x9bb\ufffe\n", "ab\n"),
        ("lone\x1b", "lone\n"),
        ("\ud800x\n", "x\n"),
        ("tab\there\n", "tab\there\n"),
        ("\x1b[99999A\x1b[9999Bx\n", "x\n"),
    ],
)
def test_what_a_terminal_would_show_in_the_end(raw: str, shown: str) -> None:
    assert clean(raw) == shown


def test_a_few_bytes_cannot_ask_for_many_blanks() -> None:
    text = clean("\x1b[9999B\x1b[9999Cx\n" * 2000)
    assert len(text) < 2000 * 260


@pytest.mark.parametrize(
    ("raw", "html"),
    [
        ("\x1b[31mred\x1b[0m", '<span class="ansi-red">red</span>\n'),
        ("\x1b[1;92mok\x1b[39m!\x1b[m", '<span class="ansi-bold ansi-bright-green">ok</span>'
         '<span class="ansi-bold">!</span>\n'),
        ("\x1b[38;5;196;48;2;0;0;255mx\x1b[0m", '<span class="ansi-bg-bright-blue ansi-bright-red">x</span>\n'),
        ("\x1b[31ma\nb\x1b[0mc", '<span class="ansi-red">a</span>\n<span class="ansi-red">b</span>c\n'),
        ("\x1b[31m<i>\x1b[0m&", '<span class="ansi-red">&lt;i&gt;</span>&amp;\n'),
        ("\x1b[31mlong\x1b[0m\r\x1b[32mX\x1b[0m",
         '<span class="ansi-green">X</span><span class="ansi-red">ong</span>\n'),
    ],
)  # fmt: skip
def test_colours_become_classes(raw: str, html: str) -> None:
    plain, styled = displayed(raw)
    found = coloured(styled)
    assert sorted(re.findall(r'[\w-]+(?=[ "])', found)) == sorted(re.findall(r'[\w-]+(?=[ "])', html))
    assert re.sub("<.*?>", "", found) == re.sub("<.*?>", "", html)
    assert "\x1b" not in plain + found


def test_text_without_colours_has_no_coloured_form() -> None:
    assert displayed("plain\r\x1b[2Kno colour\x1b[0m\n") == ("no colour\n", "")


def test_bytes_that_are_not_utf8_are_replaced_and_told_of() -> None:
    assert decode(b"a\xffb") == ("a\ufffdb", False)
    assert decode("가".encode()) == ("가", True)


def test_addresses_get_stable_numbers() -> None:
    addresses = Addresses()
    text = "<A at 0x7f3a12345678> <B at 0x7f3a12345680> <A at 0x7F3A12345678>"
    assert addresses.mask(text) == ("<A at 0x000000000001> <B at 0x000000000002> <A at 0x000000000001>")
    assert addresses.mask("0xdeadbeef stays") == "0xdeadbeef stays"


def test_the_cut_keeps_what_fits_and_says_what_does_not() -> None:
    table = Markup("<table>", "t")
    parts = (Text("1\n2\n"), table, Text("3\n4\n", value=True), Text("5\n"))
    assert cut(parts, 3, 1000) == (
        Text("1\n2\n"),
        table,
        Text("3\n", value=True),
        Text("… 2 more lines cut\n"),
    )
    assert cut(parts, 5, 1000) == parts
    assert cut(parts, 1000, 2) == (Text("1\n"), table, Text("… 4 more lines cut\n"))
    many = Text("a\nb\n", coloured="\x1b[31ma\x1b[0m\nb\n")
    assert cut((many,), 1, 99)[0] == Text("a\n", coloured="\x1b[31ma\x1b[0m\n")


SIX_WRITERS = """
import ctypes, logging, os, subprocess, sys
print('1 print')
ctypes.CDLL(None).printf(b'2 printf\\n')
os.write(1, b'3 write\\n')
subprocess.run(['echo', '4 child'])
logging.basicConfig(stream=sys.stdout, format='%(message)s')
logging.warning('5 logging')
print('6 print')
"""


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_row_08_six_writers_come_out_in_the_order_of_time(make_site: MakeSite, start: str) -> None:
    site = faulty(make_site, SIX_WRITERS, config=f'start = "{start}"')
    assert site.problems() == []
    assert "1 print\n2 printf\n3 write\n4 child\n5 logging\n6 print\n" in site.html("bad")


def test_row_05_real_progress_bars_come_to_their_last_state(make_site: MakeSite) -> None:
    site = faulty(
        make_site,
        "import sys, tqdm\nfor _ in tqdm.tqdm(range(300), file=sys.stdout, ascii=True):\n    pass",
        "from rich.console import Console\nfrom rich.progress import Progress\n"
        "console = Console(force_terminal=True, width=60, no_color=False, color_system='standard')\n"
        "with Progress(console=console) as bar:\n"
        "    task = bar.add_task('train', total=50)\n"
        "    for _ in range(50):\n        bar.update(task, advance=1)",
    )
    assert site.problems() == []
    first, second = site.html("bad").split('id="cell-2"')
    assert first.count("300/300") == 1
    assert "0/300" not in first.replace("300/300", "")
    assert re.sub("<.*?>", "", second).count("100%") == 1
    assert "ansi-" in second
    assert all(b"\x1b" not in content for content in site.output().values())


def test_what_libraries_display(make_site: MakeSite) -> None:
    site = faulty(
        make_site,
        "import pandas\npandas.DataFrame({'a': [1, 2]})",
        "from IPython.display import display, Latex, Markdown, HTML\ndisplay(Markdown('**bold** text'))",
        "display(Latex(r'$$\\int x$$'))",
        "from PIL import Image\nImage.new('RGB', (7, 5), 'red')",
        "display(HTML('<b>raw</b>'))",
    )
    assert site.problems() == []
    page = site.html("bad")
    assert "<table" in page and "<td>2</td>" in page
    assert "<strong>bold</strong> text" in page
    assert r'alttext="\int x"' in page and '<mo lspace="0">∫</mo>' in page
    assert 'width="7" height="5"' in page
    assert "<b>raw</b>" in page
    assert any(path.startswith("figures/") and path.endswith(".png") for path in site.output())


def test_row_06_colours_reach_the_page_as_classes_also_beside_marks(make_site: MakeSite) -> None:
    site = faulty(make_site, ("print('\\x1b[31mred\\x1b[0m')\nprint('plain')", "red\n-----\nplain"))
    site.build()
    assert '<span class="ansi-red">red</span>\n<span class="author-mark">-----</span>\nplain' in site.html(
        "bad"
    )


def test_row_49_odd_bytes_are_replaced_with_a_warning(make_site: MakeSite) -> None:
    site = faulty(
        make_site, "import os\nos.write(1, b'a\\xff\\x00\\x0cb\\n')\nfrom IPython.display import HTML\n"
        "display(HTML('x\\ud800\\x00y'))"
    )  # fmt: skip
    report = site.build()
    assert [(p.level, "not UTF-8" in p.message) for p in report.problems] == [("warning", True)]
    assert "a\ufffdb" in site.html("bad")
    assert "xy" in site.html("bad")
