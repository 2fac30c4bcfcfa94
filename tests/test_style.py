"""`[style]`: good values become CSS, bad ones are problems at their line, and the documentation tells the truth."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from builder.assets import theme_folder
from builder.model import SiteError
from builder.style import VARIABLES, css_value, stylesheet
from tests.conftest import MakeSite

DOCS = (Path(__file__).resolve().parents[1] / "docs" / "themes.md").read_text(encoding="utf-8")
CSS = (theme_folder() / "assets" / "style.css").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "value", "css"),
    [
        ("accent", "#a3312c", "#a3312c"),
        ("accent", ["#A3312C"], "#A3312C"),
        ("ground", ["#fff", "#16130f"], "light-dark(#fff, #16130f)"),
        ("ink", "oklch(60% 0.1 180)", "oklch(60% 0.1 180)"),
        ("line", "rgb(10 20 30 / 50%)", "rgb(10 20 30 / 50%)"),
        ("font-text", "Noto Serif KR", '"Noto Serif KR"'),
        ("font-code", ["D2Coding", "monospace"], '"D2Coding", monospace'),
        ("font-title", ["나눔명조"], '"나눔명조"'),
        ("measure", "40rem", "40rem"),
        ("font-size", "112.5%", "112.5%"),
        ("radius", "0px", "0px"),
    ],
)
def test_good_values(name: str, value: object, css: str) -> None:
    assert css_value(name, value) == css


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("accent", "red; } body { display: none"),
        ("accent", "url(https://evil.example/x)"),
        ("accent", "#12"),
        ("accent", "#12345"),
        ("accent", ["#fff", "#000", "#fff"]),
        ("accent", []),
        ("accent", 3),
        ("accent", "rgb(var(--x))"),
        ("font-text", 'a", url(x), "'),
        ("font-text", "a}"),
        ("font-text", ""),
        ("font-text", []),
        ("font-text", [1]),
        ("measure", "40"),
        ("measure", 40),
        ("measure", "calc(1px)"),
        ("measure", "-1rem"),
        ("measure", "40rem;"),
        ("measure", "40rem\n"),
    ],
)
def test_bad_values(name: str, value: object) -> None:
    with pytest.raises(ValueError, match="must be"):
        css_value(name, value)


def test_fonts_of_the_theme_stand_behind_those_of_a_site() -> None:
    assert stylesheet({}) == ""
    css = stylesheet({"font-code": '"D2Coding"', "measure": "40rem"})
    assert '--font-code: "D2Coding", var(--theme-font-code);' in css
    assert "--measure: 40rem;" in css


@pytest.mark.parametrize("name", VARIABLES)
def test_every_variable_is_one_of_the_theme(name: str) -> None:
    """A variable that the stylesheet does not read would be an option without effect."""
    assert f"--{name}: " in CSS
    assert CSS.count(f"var(--{name})") > 0


def test_the_table_of_the_documentation_is_true() -> None:
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| (.*?) \| .*? \|$", DOCS, re.MULTILINE))
    rows = {name: default for name, default in rows.items() if name in VARIABLES}
    assert list(rows) == list(VARIABLES)
    for name, default in rows.items():
        values = re.findall(r"`([^`]+)`", default)
        css = f"light-dark({values[0]}, {values[1]})" if len(values) == 2 else values[0] if values else None
        if css and css != "font-text":
            assert f"--{name}: {css};" in CSS


def test_every_template_of_the_theme_is_documented() -> None:
    named = set(re.findall(r"`([\w/-]+\.(?:html|css|js|svg))`", DOCS))
    ours = {file.name for file in theme_folder().glob("*.html")}
    assert {name for name in named if name.endswith(".html")} == ours
    files = {name.removeprefix("assets/") for name in named if name.startswith("assets/")}
    assert files <= {file.name for file in (theme_folder() / "assets").iterdir()}


def test_a_site_with_a_style(make_site: MakeSite) -> None:
    site = make_site(
        {
            "content/a.md": "A",
            "fencepost.toml": '[style]\naccent = ["#123456", "#abcdef"]\nfont-text = ["Noto Serif KR"]\n',
        }
    )
    site.build()
    [sheet] = (site.root / "output/assets").glob("style.*.css")
    css = sheet.read_text(encoding="utf-8")
    assert re.search(r"--accent:\s*light-dark\(#123456,\s*#abcdef\)", css)
    assert "Noto Serif KR" in css
    assert sheet.name in site.html("a")
    site.write({"fencepost.toml": '[style]\naccent = "#654321"\n'})
    site.build()
    [other] = (site.root / "output/assets").glob("style.*.css")
    assert other.name != sheet.name
    assert other.name in site.html("a")


def test_what_is_wrong_is_told_at_its_line(make_site: MakeSite) -> None:
    text = 'title = "x"\n[style]\nacent = "#fff"\nground = "white; }"\n'
    site = make_site({"content/a.md": "A", "fencepost.toml": text})
    with pytest.raises(SiteError) as caught:
        site.config()
    assert [(p.path, p.line, p.hint) for p in caught.value.problems] == [
        ("fencepost.toml", 3, "did you mean `accent`?"),
        ("fencepost.toml", 4, ""),
    ]
    assert "`style.ground` must be a colour" in caught.value.problems[1].message
