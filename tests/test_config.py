"""The configuration of a site: what is accepted, and what is said of what is not."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from builder.config import check_option, option_from_text, option_types, read_config
from builder.model import Config, ExecuteConfig, Link, Problem, Profile, SiteError


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "content").mkdir()
    return tmp_path.resolve()


def problems_of(site: Path, toml: str = "", overrides: dict[str, Any] | None = None) -> list[Problem]:
    if toml:
        (site / "fencepost.toml").write_text(toml, "utf-8")
    with pytest.raises(SiteError) as caught:
        read_config(site, overrides)
    return list(caught.value.problems)


def test_defaults(site: Path) -> None:
    config = read_config(site)
    assert config == Config(
        root=site,
        content=site / "content",
        output=site / "output",
        templates=site / "templates",
        freeze=site / "_freeze",
    )


def test_all_options_of_a_fencepost_toml(site: Path) -> None:
    (site / "src").mkdir()
    (site / "fencepost.toml").write_text(
        """\ufeff
        title = "토치"
        url = "https://example.org/"
        baseurl = "blog/"
        timezone = "Asia/Seoul"
        permalink = "pretty"
        content = "./src"
        output = "public"
        feed_limit = 5
        future = true
        [execute]
        timeout = 5
        threads = 2
        start = "spawn"
        figure_format = "png"
        environment = ["TOKEN"]
        """,
        "utf-8",
    )
    assert read_config(site) == Config(
        root=site,
        content=site / "src",
        output=site / "public",
        templates=site / "templates",
        freeze=site / "_freeze",
        title="토치",
        url="https://example.org",
        baseurl="/blog",
        timezone="Asia/Seoul",
        permalink="pretty",
        feed_limit=5,
        future=True,
        execute=ExecuteConfig(
            timeout=5.0, threads=2, start="spawn", figure_format="png", environment=("TOKEN",)
        ),
    )


def test_pyproject_toml(site: Path) -> None:
    (site / "pyproject.toml").write_text(
        '[tool.fencepost]\ntitle = "A"\n[tool.fencepost.execute]\nseed = 3\n'
    )
    config = read_config(site)
    assert (config.title, config.execute.seed) == ("A", 3)


@pytest.mark.parametrize("pyproject", ["[project]\nname = 'x'\n", "[tool.other]\nx = 1\n", "broken ="])
def test_a_pyproject_toml_without_our_table_is_not_ours(site: Path, pyproject: str) -> None:
    (site / "pyproject.toml").write_text(pyproject)
    (site / "fencepost.toml").write_text("title = 'B'")
    assert read_config(site).title == "B"


def test_two_configurations_are_refused(site: Path) -> None:
    (site / "pyproject.toml").write_text("[tool.fencepost]\n")
    (problem,) = problems_of(site, "title = 'B'")
    assert "fencepost.toml" in problem.message
    assert "pyproject.toml" in problem.message


def test_overrides_win_and_none_is_not_given(site: Path) -> None:
    (site / "fencepost.toml").write_text("output = 'a'\nfuture = true\n")
    config = read_config(site, {"output": Path("b"), "drafts": True, "future": None})
    assert (config.output, config.drafts, config.future) == (site / "b", True, True)


def test_all_problems_at_once_with_their_lines(site: Path) -> None:
    toml = 'titel = "x"\n# title = 1\nfeed_limit = "many"\n\n[execute]\nthreads = 0\ntimeoutt = 3\n'
    found = [(p.path, p.line, p.message, p.hint) for p in problems_of(site, toml)]
    assert found == [
        ("fencepost.toml", 1, "no option is called `titel`", "did you mean `title`?"),
        ("fencepost.toml", 3, '`feed_limit` must be a whole number, not "many"', ""),
        ("fencepost.toml", 6, "`threads` must be 1 or more, not 0", ""),
        ("fencepost.toml", 7, "no option is called `execute.timeoutt`", "did you mean `execute.timeout`?"),
    ]


@pytest.mark.parametrize(
    ("toml", "line", "message", "hint"),
    [
        ("base-url = '/x'", 1, "no option is called `base-url`", "did you mean `baseurl`?"),
        ("seed = 1", 1, "no option is called `seed`", "did you mean `execute.seed`?"),
        ("[execute]\ntitle = 'x'", 2, "no option is called `execute.title`", "did you mean `title`?"),
        ("root = '/'", 1, "no option is called `root`", ""),
        ("zzzzzz = 1", 1, "no option is called `zzzzzz`", ""),
        ("title = 3", 1, "`title` must be text, not 3", ""),
        ("drafts = 'yes'", 1, '`drafts` must be true or false, not "yes"', ""),
        ("drafts = 1", 1, "`drafts` must be true or false, not 1", ""),
        ("feed_limit = true", 1, "`feed_limit` must be a whole number, not true", ""),
        ("feed_limit = 2.0", 1, "`feed_limit` must be a whole number, not 2.0", ""),
        ("feed_limit = -1", 1, "`feed_limit` must be 0 or more, not -1", ""),
        ("content = 3", 1, "`content` must be the name of a folder, not 3", ""),
        ("execute = 3", 1, "`execute` must be a table, not 3", ""),
        ("execute.timeout = 0", 1, "`timeout` must be more than 0 seconds, not 0", ""),
        ("[execute]\ntimeout = inf", 2, "`timeout` must be a number, not Infinity", ""),
        ("[execute]\npost_timeout = true", 2, "`post_timeout` must be a number, not true", ""),
        ("[execute]\nseed = -1", 2, "`seed` must be between 0 and 4294967295, not -1", ""),
        ("[execute]\nenvironment = 'A'", 2, '`environment` must be a list of texts, not "A"', ""),
        ("[execute]\nenvironment = [1]", 2, "`environment` must be a list of texts, not [1]", ""),
        (
            "[execute]\nstart = 'frok'",
            2,
            '`start` must be "fork" or "spawn", not "frok"',
            "did you mean `fork`?",
        ),
        ("[execute]\nfigure_format = 'gif'", 2, '`figure_format` must be "svg" or "png", not "gif"', ""),
        (
            "timezone = 'Aisa/Seoul'",
            1,
            '`timezone` must be a time zone, not "Aisa/Seoul"',
            "did you mean `Asia/Seoul`?",
        ),
        ("timezone = 'Asia'", 1, '`timezone` must be a time zone, not "Asia"', None),
        ("timezone = '../../etc/passwd'", 1, "`timezone` must be a time zone", None),
        ("timezone = ''", 1, '`timezone` must be a time zone, not ""', None),
        (
            "url = 'https://example.org/blog/'",
            1,
            '`url` must have no path, not "https://example.org/blog/"',
            'write `baseurl = "/blog"` for the path',
        ),
        ("url = 'example.org'", 1, "`url` must be like https://example.org", ""),
        ("url = 'ftp://example.org'", 1, "`url` must be like https://example.org", ""),
        ("url = 'https://a b'", 1, "`url` must be like https://example.org", ""),
        ("url = 'https://x.org?q'", 1, "`url` must be like https://example.org", ""),
        ("url = 'https://me:pw@x.org'", 1, "`url` must be like https://example.org", ""),
        ("url = 'https://x.org:99999'", 1, "`url` must be like https://example.org", ""),
        ("url = 'https://[x'", 1, "`url` must be like https://example.org", ""),
        ("baseurl = 'https://x.org/b'", 1, "`baseurl` must be a path", "the host goes into `url`"),
        ("baseurl = '/a/../b'", 1, "`baseurl` must be a path", ""),
        ("permalink = '/:name/'", 1, "`permalink` is no pattern for URLs: no placeholder", None),
        ("content = 'posts'", 1, "no content folder: ", "make it, or set `content`"),
        ("templates = 'theme'", 1, "no templates folder: ", "make it, or leave `templates` out"),
    ],
)
def test_a_bad_option(site: Path, toml: str, line: int, message: str, hint: str | None) -> None:
    (problem,) = problems_of(site, toml)
    assert (problem.level, problem.kind, problem.path) == ("error", "config", "fencepost.toml")
    assert problem.line == line
    assert problem.message.startswith(message)
    assert hint is None or problem.hint == hint


@pytest.mark.parametrize(
    ("baseurl", "normal"),
    [("", ""), ("/", ""), ("x", "/x"), ("/x/", "/x"), ("/a//b/", "/a/b"), ("/한글", "/한글")],
)
def test_baseurl(site: Path, baseurl: str, normal: str) -> None:
    assert read_config(site, {"baseurl": baseurl}).baseurl == normal


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        (b"title = 'a'\n\ntitle =\n", 3, "is no TOML"),
        (b"title = 'a'\ntitle = 'b'\n", 2, "is no TOML"),
        (b"title = 'a'\nx = [1,\n", 2, "is no TOML"),
        (b"# a\ntitle = '\xc5\xe4'\n", 2, "is not UTF-8"),
        (b"x = " + b"[" * 100_000, 0, "nested too deeply"),
    ],
)
def test_a_file_that_is_no_toml(site: Path, content: bytes, line: int, message: str) -> None:
    (site / "fencepost.toml").write_bytes(content)
    (problem,) = problems_of(site)
    assert (problem.path, problem.line) == ("fencepost.toml", line)
    assert message in problem.message


def test_a_folder_in_the_place_of_the_file(site: Path) -> None:
    (site / "fencepost.toml").mkdir()
    (problem,) = problems_of(site)
    assert "cannot be read" in problem.message


@pytest.mark.parametrize(
    ("pyproject", "line"),
    [
        ('[project]\ntitle = 3\n\n[tool.fencepost]\n"title" = 3\n', 5),
        ("tool.fencepost.title = 3\n", 1),
        ("[tool]\nfencepost.title = 3\n", 2),
        ("[ tool . fencepost ]\n  title=3\n", 2),
        ("[tool]\nfencepost = {title = 3}\n", 0),  # written in a way we do not look for
    ],
)
def test_the_line_of_a_key_in_a_pyproject_toml(site: Path, pyproject: str, line: int) -> None:
    (site / "pyproject.toml").write_text(pyproject)
    (problem,) = problems_of(site)
    assert (problem.path, problem.line) == ("pyproject.toml", line)


def test_a_value_that_is_no_table(site: Path) -> None:
    (site / "pyproject.toml").write_text("[tool]\nfencepost = 3\n")
    (problem,) = problems_of(site)
    assert problem.message == "`tool.fencepost` must be a table"


def test_no_content_folder_and_no_site(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path)
    assert problem.message == f"no content folder: {tmp_path.resolve() / 'content'}"
    (problem,) = problems_of(tmp_path / "nowhere")
    assert problem.message.startswith("no such folder")


@pytest.mark.parametrize(
    "output", [".", "..", "/", "content", "content/out", "templates", "templates/x", ".git", ".fencepost/x"]
)
def test_an_output_folder_among_the_sources_is_refused(site: Path, output: str) -> None:
    (site / "templates").mkdir()
    (problem,) = problems_of(site, f"title = 'x'\noutput = '{output}'\n")
    assert problem.line == 2
    assert problem.message.startswith("the output folder")


def test_an_output_folder_that_holds_the_content_is_refused(site: Path) -> None:
    (site / "a/content").mkdir(parents=True)
    (problem,) = problems_of(site, "content = 'a/content'\noutput = 'a'\n")
    assert problem.line == 2


def test_an_output_folder_is_seen_through_a_link(site: Path) -> None:
    (site / "output").symlink_to(site / "content")
    (problem,) = problems_of(site)
    assert problem.message.startswith("the output folder")


def test_an_output_folder_beside_the_site_with_a_like_name_is_fine(site: Path) -> None:
    assert read_config(site, {"output": "content-html"}).output == site / "content-html"
    assert read_config(site, {"output": "../" + site.name + "-html"}).output.parent == site.parent


def test_an_output_that_is_a_file_is_refused(site: Path) -> None:
    (site / "output").write_text("x")
    (problem,) = problems_of(site)
    assert problem.message.startswith("the output folder is a file")


def test_a_content_folder_outside_of_the_site_is_refused(site: Path, tmp_path_factory: Any) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (problem,) = problems_of(site, f"content = '{elsewhere}'")
    assert problem.message.startswith("the content folder is outside")


def test_problems_of_the_command_line_say_so(site: Path) -> None:
    (problem,) = problems_of(site, "title = 'x'", {"output": "content"})
    assert (problem.path, problem.line) == ("command line", 0)


def test_every_field_is_an_option(site: Path) -> None:
    """A new field of the dataclasses needs nothing here to be read and checked."""
    for cls in (Config, ExecuteConfig):
        kinds = option_types(cls)
        assert kinds.keys() == {field.name for field in fields(cls)}
        for field in fields(cls):
            if isinstance(field.default, (bool, int, float, str, tuple)):
                assert check_option(field.name, kinds[field.name], field.default) == field.default


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (bool, "TRUE", True),
        (bool, "off", False),
        (int, "7", 7),
        (float, "1.5", 1.5),
        (str, "no", "no"),
    ],
)
def test_option_from_text(kind: type, text: str, value: object) -> None:
    assert option_from_text("x", kind, text) == value


@pytest.mark.parametrize(
    ("kind", "text"), [(bool, "1"), (bool, ""), (int, "1.5"), (int, "x"), (float, "nan"), (float, "x")]
)
def test_option_from_text_that_is_none(kind: type, text: str) -> None:
    with pytest.raises(ValueError, match="`x` must be"):
        option_from_text("x", kind, text)


def test_importing_it_is_cheap() -> None:
    heavy = {"yaml", "markdown_it", "jinja2", "torch"}
    code = f"import sys, builder.config; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_menu_and_author(site: Path) -> None:
    (site / "fencepost.toml").write_text(
        'navigation = [{title = " About ", url = "/about/"}, {title = "Code", url = "https://git.example/x"}]\n'
        '[profile]\nbio = "b"\navatar = "/me.jpg"\nlinks = [{title = "Mail", url = "mailto:a@example.org"}]\n',
        "utf-8",
    )
    config = read_config(site)
    assert config.navigation == (Link("About", "/about/"), Link("Code", "https://git.example/x"))
    assert config.profile == Profile("b", "/me.jpg", "", (Link("Mail", "mailto:a@example.org"),))


@pytest.mark.parametrize(
    ("toml", "line", "message"),
    [
        ('navigation = "x"', 1, "`navigation` must be a list of tables"),
        ('navigation = [{title = "x"}]', 1, "`navigation` must have tables like"),
        ('navigation = [{title = " ", url = "/"}]', 1, "`navigation` must have tables like"),
        ('navigation = [{title = "x", url = "javascript:alert(1)"}]', 1, "`navigation` must be an address"),
        ('navigation = [{title = "x", url = "//evil.example"}]', 1, "`navigation` must be an address"),
        ("profile = 3", 1, "`profile` must be a table"),
        ('\n[profile]\navatar = "data:image/png,x"', 3, "`avatar` must be an address"),
        ("[profile]\nbio = 3", 2, "`bio` must be text"),
        ('[profile]\nboi = "x"', 2, "no option is called `profile.boi`"),
        ("style = 3", 1, "`style` must be a table"),
        ("[style]\nx = 3", 2, "no variable of the style is called `x`"),
    ],
)
def test_what_is_wrong_with_menu_author_and_style(site: Path, toml: str, line: int, message: str) -> None:
    [problem] = problems_of(site, toml)
    assert (problem.line, problem.path) == (line, "fencepost.toml")
    assert message in problem.message
