"""Fences of Mermaid: drawn when the site is built, or shown as they are; never a script, never another host."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from builder.markdown import diagrams, media
from builder.markdown.diagrams import THEMES, title_of
from builder.policy import loads
from tests.conftest import MakeSite

SVG = '<svg viewBox="-8 0 120.4 60" xmlns="http://www.w3.org/2000/svg"><text>{}</text></svg>'
POST = (
    "text\n\n```mermaid\nflowchart LR\n  A[입력] --> B\n```\n\n```mermaid\n{}\n```\n\n```text\nmermaid\n```\n"
)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is drawn, by a stand-in for Mermaid that takes no text with `wrong` in it."""
    asked: list[str] = []

    def draw(sources: Sequence[str]) -> list[dict[str, str]]:
        asked.extend(sources)
        return [_draw(source) for source in sources]

    monkeypatch.setattr(diagrams, "_draw", draw)
    monkeypatch.setattr(diagrams, "_version", lambda: "1")
    monkeypatch.setattr(media, "is_available", lambda: True)
    return asked


def _draw(source: str) -> dict[str, str]:
    if "wrong" in source:
        return {"error": "Parse error on line 2:\nwrong\n^"}
    if "slow" in source:
        return {"error": "TimeoutExpired", "again": "yes"}
    return {scheme: SVG.format(scheme) for scheme in THEMES}


def test_a_page_shows_pictures_and_their_source(make_site: MakeSite, drawn: list[str]) -> None:
    site = make_site({"content/a.md": POST.format("pie title Kinds & <more>\n  'a': 1")})
    assert site.problems() == []
    page = site.html("a")
    found = re.findall(
        r'<img class="diagram-(\w+)" src="/(figures/\w+\.svg)" alt="([^"]*)" width="120" height="60"', page
    )
    assert [(scheme, alt) for scheme, _, alt in found] == [
        ("light", "Diagram"),
        ("dark", "Diagram"),
        ("light", "Diagram: Kinds &amp; &lt;more&gt;"),
        ("dark", "Diagram: Kinds &amp; &lt;more&gt;"),
    ]
    assert f">{found[0][0]}<" in site.html(found[0][1])
    assert '<code class="language-mermaid">flowchart LR\n  A[입력] --&gt; B\n</code>' in page
    assert not [load for load in loads(page) if "script" in load or "://" in load]


def test_a_diagram_is_drawn_once(make_site: MakeSite, drawn: list[str]) -> None:
    site = make_site({"content/a.md": POST.format("pie")})
    site.build()
    site.write({"content/a.md": "more " + POST.format("pie"), "content/b.md": POST.format("gantt")})
    site.build()
    assert len(drawn) == 3


def test_one_that_is_wrong_is_shown_as_it_is_and_said(make_site: MakeSite, drawn: list[str]) -> None:
    site = make_site({"content/a.md": POST.format("wrong")})
    for _ in range(2):
        [problem] = site.problems()
        assert (problem.line, problem.kind) == (8, "diagram")
        assert problem.message == "a diagram is shown as its source: Parse error on line 2:"
        assert problem.detail == "wrong\n^"
        site.write({"content/b.md": "other\n"})
    assert '<code class="language-mermaid">wrong' in site.html("a")
    assert drawn.count("wrong\n") == 1


def test_one_that_took_too_long_is_tried_again(make_site: MakeSite, drawn: list[str]) -> None:
    site = make_site({"content/a.md": POST.format("slow")})
    site.build()
    site.build()
    assert drawn.count("slow\n") == 2


def test_without_the_renderer_the_source_is_shown(
    make_site: MakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "is_available", lambda: False)
    site = make_site({"content/a.md": POST.format("pie")})
    [problem] = site.problems()
    assert (problem.line, problem.hint) == (3, "pip install 'fencepost[diagrams]'")
    assert site.html("a").count('<code class="language-mermaid">') == 2


def test_a_process_that_dies_is_no_end_of_the_build(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert diagrams._draw(["pie"]) == [{"error": "FileNotFoundError", "again": "yes"}]


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("pie title A b\n", "A b"),
        ("gantt\n  title: x", ""),
        ("flowchart LR\n  accTitle: What is it\n", "What is it"),
        ("flowchart LR\n  title --> b\n", ""),
        ("sequenceDiagram\n  title Talk\n", "Talk"),
    ],
)
def test_titles(source: str, wanted: str) -> None:
    assert title_of(source) == wanted


def test_mermaid_itself() -> None:
    """The one test that draws: Hangul, both schemes, and a text that is no diagram."""
    good, bad = diagrams._draw(["flowchart LR\n  A[입력] --> B{둘}\n", "flowchart LR\n  A[ -->\n"])
    assert good.keys() == THEMES.keys()
    assert good["light"] != good["dark"]
    for svg in good.values():
        assert svg.startswith("<svg ")
        assert "입력" in svg
        assert diagrams._BOX.search(svg)
        assert "foreignObject" not in svg
        assert "<script" not in svg
    assert "Parse error on line" in bad["error"]
