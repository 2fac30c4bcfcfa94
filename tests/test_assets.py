from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from builder.assets import Assets, minify_css, minify_js, theme_folder
from builder.model import Config, SiteError
from tests.samples import CONFIG


@pytest.fixture
def own(tmp_path: Path) -> Config:
    (tmp_path / "templates/assets").mkdir(parents=True)
    return replace(CONFIG, root=tmp_path, templates=tmp_path / "templates")


def put(config: Config, files: dict[str, str | bytes]) -> Assets:
    """The assets of a site with these files of its own."""
    for name, content in files.items():
        file = config.templates / "assets" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
    return Assets.of(config)


def text(assets: Assets, name: str) -> str:
    return assets.contents[assets.paths[name]].decode()


def base(assets: Assets, name: str) -> str:
    return assets.paths[name].rpartition("/")[2]


def test_every_name_says_what_is_in_the_file(own: Config) -> None:
    assets = put(
        own, {"style.css": "p { color: red; }", "img/logo.svg": "<svg/>", ".hidden": "", "plain": "x"}
    )
    assert set(assets.paths) >= {"style.css", "img/logo.svg", "plain", "icon.svg"}
    assert not any("hidden" in name for name in assets.paths)
    assert set(assets.contents) == set(assets.paths.values())
    for path, content in assets.contents.items():
        digest = hashlib.sha256(content).hexdigest()[:10]
        assert re.fullmatch(rf"assets/(.+\.{digest}\.\w+|plain\.{digest})", path)
    assert text(assets, "style.css") == "p{color:red}"
    assert text(assets, "img/logo.svg") == "<svg/>"


def test_another_content_is_another_name_and_the_same_content_the_same(own: Config) -> None:
    one = put(own, {"a.css": "p { color: red }"}).paths["a.css"]
    other = put(own, {"a.css": "p { color: blue }"}).paths["a.css"]
    again = put(own, {"a.css": "p {   color: red }\n"}).paths["a.css"]
    assert one == again != other


def test_what_names_a_file_gets_its_new_name(own: Config) -> None:
    assets = put(
        own,
        {
            "main.css": '@import "parts/a.css"; p { background: url("img/x.svg#y"), url(data:,x), url(/a.png) }',
            "parts/a.css": "i { background: url( '../img/x.svg' ) }",
            "img/x.svg": "<svg/>",
            "main.js": (
                'import { f } from "./lib/f.js"; // from "./gone.js"\n'
                'import "./side.js"; export * from "./side.js";\n'
                'document.title = f(await import("./late.js"), new URL("./img/x.svg", import.meta.url), "./lib/f.js");'
            ),
            "lib/f.js": 'import "../side.js"; export function f() { return 1 }',
            "side.js": "document.title = 2",
            "late.js": "export default 3",
        },
    )
    svg = base(assets, "img/x.svg")
    css = text(assets, "main.css")
    assert f"parts/{base(assets, 'parts/a.css')}" in css
    assert f"img/{svg}#y" in css
    assert "data:,x" in css and "/a.png" in css
    assert f"../img/{svg}" in text(assets, "parts/a.css")
    script = text(assets, "main.js")
    assert f'from"./lib/{base(assets, "lib/f.js")}"' in script
    assert script.count(base(assets, "side.js")) == 2
    assert re.search(rf"import\(.\./{base(assets, 'late.js')}.\)", script)
    assert re.search(rf"new URL\(.\./img/{svg}.,", script)
    assert re.search(r".\./lib/f\.js.\)", script), "a text that is no import stays"
    assert "gone" not in script
    assert f"../{base(assets, 'side.js')}" in text(assets, "lib/f.js")


def test_a_file_that_is_named_changes_the_name_of_what_names_it(own: Config) -> None:
    files: dict[str, str | bytes] = {"a.js": 'import "./b.js"', "b.js": "document.title = 1"}
    one = put(own, files)
    other = put(own, {"b.js": "document.title = 2"})
    assert one.paths["a.js"] != other.paths["a.js"]


@pytest.mark.parametrize(
    ("files", "path", "message"),
    [
        ({"a.css": "p { background: url(b.svg) }"}, "a.css", "names `b.svg`, which is no file below assets/"),
        ({"a.js": 'import "./b.js"'}, "a.js", "names `./b.js`, which is no file below assets/"),
        (
            {"a.js": 'import "../../post.html"'},
            "a.js",
            "names `../../post.html`, which is no file below assets/",
        ),
        (
            {"a.js": 'import "./b.js"', "b.js": 'import "./a.js"'},
            "a.js",
            "is named by `b.js`, which it names itself",
        ),
        ({"a.css": b"\xff"}, "a.css", "is not UTF-8 (byte 0)"),
    ],
)
def test_what_cannot_be_is_told_of_its_file(
    own: Config, files: dict[str, str | bytes], path: str, message: str
) -> None:
    with pytest.raises(SiteError) as caught:
        put(own, files)
    [problem] = caught.value.problems
    assert (problem.kind, problem.path) == ("asset", f"templates/assets/{path}")
    assert problem.message == message


def test_what_was_minified_is_kept_and_found_again(own: Config) -> None:
    (own.root / ".fencepost").mkdir()
    assets = put(own, {"a.css": "p { color: red }"})
    kept = {file.read_text() for file in (own.root / ".fencepost/assets").iterdir()}
    assert text(assets, "a.css") in kept
    for file in (own.root / ".fencepost/assets").iterdir():
        if file.read_text() == "p{color:red}":
            file.write_text("p{color:green}")
    (own.templates / "assets/other").write_text("")  # so that the assets are made anew
    assert text(Assets.of(own), "a.css") == "p{color:green}"


def test_what_is_minified_of_the_theme_is_kept_for_all_sites(
    own: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "shared"
    monkeypatch.setattr("builder.assets.shared_folder", lambda: shared)
    put(own, {"a.css": "p { color: red }"})
    kept = {file.read_text() for file in shared.iterdir()}
    assert "p{color:red}" not in kept
    assert {file.suffix for file in shared.iterdir()} == {".minified"}
    assert minify_css((theme_folder() / "assets/style.css").read_text(encoding="utf-8")) in kept
    for file in shared.iterdir():
        file.write_text("/* found */")
    (own.templates / "assets/other").write_text("")  # so that the assets are made anew
    assert text(Assets.of(own), "style.css") == "/* found */"
    styled = replace(own, style={"accent": "#123456"})
    assert "#123456" in text(Assets.of(styled), "style.css")


@pytest.mark.parametrize(
    ("script", "result"),
    [
        ("const f = x => /a  b/.test(x); window.f = f", "/a  b/"),
        ("window.t = `one  ${`two  ${1 + window.x}`}`", "two  ${"),
        ("function used() { return 1 }", "function used("),
        ("import './x.js'; export function seen(first) { return first + 1 }", "export function seen("),
        ("let broken = (;", "let broken = (;"),
        ("x = '</script>'", "x = '</script>'"),
        ("<!-- x", "<!-- x"),
        ("'use strict';\nx = 1", "use strict"),
    ],
)
def test_a_minified_script_says_the_same(script: str, result: str) -> None:
    assert result in minify_js(script)


@pytest.mark.parametrize(
    "css",
    [
        ":root{color-scheme:light dark;--ink:light-dark(#111,#eee)}",
        "@media (width>=40rem){a:not(.b)>c{color:red}}",
        ".a{&:hover{color:red}}",
        "@container (width>=1px){p{color:red}}",
        "@media print{p{color:red}}",
        'a:after{content:"</x>"}',
    ],
)
def test_a_minified_stylesheet_says_the_same(css: str) -> None:
    assert minify_css(css.replace("{", " {\n  ").replace("}", "  }\n")) == css


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")
def test_the_scripts_of_the_theme_are_sound_when_minified(tmp_path: Path) -> None:
    for name, path in Assets.of(CONFIG).paths.items():
        if name.endswith(".js"):
            script = tmp_path / Path(path).name
            script.write_bytes(Assets.of(CONFIG).contents[path])
            package = tmp_path / "package.json"
            package.write_text(json.dumps({"type": "module"}))
            subprocess.run(["node", "--check", script], check=True, capture_output=True)


def test_the_theme_is_found() -> None:
    assert (theme_folder() / "base.html").is_file()
