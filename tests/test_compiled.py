"""Templates are compiled once, and show what Jinja2 would show."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import jinja2
import markupsafe
import pytest

from builder import assets
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
    monkeypatch.setattr(assets, "cache_from_source", lambda _: str(folder / "assets.pyc"))
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


TEMPLATES = {
    "base": "<{% block title %}base {{ x }}{% endblock %}>{% include 'part' %}{% block main scoped %}{% endblock %}.",
    "part": "{% set y = 'set' %}[{{ x }}{{ y }}{{ z }}]",
    "macros": "{% macro m(a, b='&') %}{{ a }}{{ b }}{{ varargs }}{{ kwargs }}{% if caller %}{{ caller() }}{% endif %}"
    "{% endmacro %}{% macro near() %}{{ x }}{{ told() }}{% endmacro %}",
    "page": "{% extends 'base' %}{% from 'macros' import m %}{% import 'macros' as o with context %}"
    "{% block title %}{{ super() }}{{ x }}{% endblock %}"
    "{% block main %}{{ m(x) }}{{ m('<', 1, 2, c=x) }}{{ self.title() | upper }}{{ o.near() }}"
    "{% call m(x) %}<p>{% endcall %}{% filter upper %}{{ m(x, b=2) }}{% endfilter %}"
    "{% for i in [[1, []], [2, [[3, []]]]] recursive %}{{ i[0] }}({{ loop(i[1]) }}){% endfor %}"
    "{% for i in 'abc' if i != 'b' %}{% set k = i %}{{ told() }}{{ loop.index }}{% else %}none{% endfor %}"
    "{% include 'missing' ignore missing %}{% endblock %}",
    "perhaps": "before{% if x is string %}{% extends 'base' %}{% endif %}after{% block title %}t{% endblock %}",
    "chosen": "{% extends base %}{% block main %}{{ told() }}{% include ['missing', 'part'] %}{% endblock %}",
}


@jinja2.pass_context
def told(context: jinja2.runtime.Context) -> str:
    """What a function that wants the context sees of it."""
    return f"{context.get('k')}{context.get('i')}{context.name}"


@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize("x", ["<", 7, markupsafe.Markup("<b>")], ids=str)
def test_templates_are_put_together_as_jinja2_does(name: str, x: object) -> None:
    shown = []
    for kind in (Environment, jinja2.Environment):
        templates = kind(loader=jinja2.DictLoader(TEMPLATES), autoescape=True)
        templates.globals["told"] = told
        shown += [[templates.get_template(name).render(x=x, base=base) for base in ("base", "page", "base")]]
    assert shown[0] == shown[1]


def test_a_template_is_known_by_its_name_in_one_environment() -> None:
    loader = jinja2.DictLoader({"a": "{{ x }}"})
    templates = Environment(loader=loader, autoescape=True)
    other = templates.overlay()
    other.globals = {"x": "other"}
    assert templates.get_template("a").render(x=1) == "1"
    assert other.get_template("a").render() == "other"
    assert templates.get_template("a", globals={"x": 2}).render() == "2"
    with pytest.raises(jinja2.TemplateNotFound):
        templates.get_template("b")
