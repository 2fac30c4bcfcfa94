"""Templates are compiled once, and show what Jinja2 would show."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import jinja2
import markupsafe
import pytest

from builder import compiled
from builder.compiled import Environment
from builder.model import Config
from builder.pages import environment
from tests.samples import CONFIG

PAGE = '{{ "/" | href }} {{ "/x/" | absolute }} {{ config.title }}\n'


@pytest.fixture
def own(tmp_path: Path) -> Config:
    """A site that has been built, with a template of its own."""
    templates = tmp_path / "templates"
    templates.mkdir()
    (tmp_path / ".fencepost").mkdir()
    (templates / "own.html").write_text(PAGE)
    return replace(CONFIG, root=tmp_path, templates=templates)


@pytest.fixture(params=[True, False], ids=["with the program", "in the site"])
def modules(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the templates of the theme are kept: where Python keeps modules, if it may."""
    folder = tmp_path / "modules"
    folder.mkdir()
    monkeypatch.setattr(compiled, "cache_from_source", lambda _: str(folder / "compiled.pyc"))
    monkeypatch.setattr(sys, "dont_write_bytecode", not request.param)
    return folder if request.param else tmp_path / ".fencepost/templates"


def kept(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("*.template")}


def show(config: Config) -> str:
    templates = environment(config)
    templates.get_template("redirect.html")
    return templates.get_template("own.html").render()


def test_compiled_templates_serve_every_configuration(own: Config, modules: Path) -> None:
    assert show(own) == f"/ /x/ {own.title}\n"
    before = kept(modules)
    assert len(before) == (1 if modules.name == "modules" else 2)
    assert len(kept(own.root / ".fencepost/templates")) == (1 if modules.name == "modules" else 2)
    other = replace(own, url="https://example.org", baseurl="/notes", title="Other")
    assert show(other) == "/notes/ https://example.org/notes/x/ Other\n"
    assert kept(modules) == before


def test_another_template_is_compiled_anew(own: Config, modules: Path) -> None:
    show(own)
    (own.templates / "own.html").write_text("new")
    assert show(own) == "new"


def test_damaged_files_are_not_used(own: Config, modules: Path) -> None:
    expected = show(own)
    for path in own.root.glob("**/*.template"):
        path.write_bytes(path.read_bytes()[:-20])
    assert show(own) == expected


def test_a_site_without_a_home_keeps_nothing(own: Config, modules: Path) -> None:
    (own.root / ".fencepost").rmdir()
    show(own)
    assert not (own.root / ".fencepost").exists()


class Html:
    def __html__(self) -> str:
        return "<i>"


@pytest.mark.parametrize(
    "value",
    ["a", "&<>\"' &amp; 기울기", 7, None, 1.5, markupsafe.Markup("<b>&"), Html(), ["<", "'"], b"<"],
    ids=lambda value: type(value).__name__,
)
def test_values_are_shown_as_jinja2_shows_them(value: object) -> None:
    assert Environment.escaped(value) == markupsafe.escape(value)


@pytest.mark.parametrize(
    "source",
    [
        "{{ x }}{{ x | safe }}{{ x ~ '<' }}{{ '<' ~ x | safe }}{{ x | e }}{{ x | e | e }}{{ [x, '&'] | join('<') }}",
        "{% set y %}{{ x }}<{% endset %}{{ y }}{% macro m(z) %}<{{ z }}{{ caller() }}{% endmacro %}"
        "{% call m(x) %}<p>{{ x }}{% endcall %}{{ m is defined }}",
        "{% autoescape false %}{{ x }}{% endautoescape %}{{ x | upper }}{{ x | replace('<', '>') }}",
        "{% filter upper %}<{{ x }}{% endfilter %}{% for c in x %}{{ loop.index }}{{ c }}{% endfor %}",
        "{% block b %}{{ x }}{% endblock %}{{ self.b() }}",
    ],
)
def test_templates_escape_as_jinja2_does(source: str) -> None:
    for value in ("<&'\">", markupsafe.Markup("<b>")):
        shown = [
            kind(autoescape=True).from_string(source).render(x=value)
            for kind in (Environment, jinja2.Environment)
        ]
        assert shown[0] == shown[1]
