"""`fencepost init` and `fencepost new`: a site and a post that build at once.

The configuration that a new site gets has every key, with its default and what README.md says of it.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import time
import unicodedata
import zoneinfo
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from builder import __version__
from builder.model import Config, ExecuteConfig, Problem, SiteError
from builder.state import CONFIG_FILES
from builder.translation import speaks_korean
from builder.urls import slug, slugify

_IGNORED: Final = "output/\n.fencepost/\n"
_LONGEST: Final = 100  # bytes of a slug: browsers and other programs show longer ones badly
_WORDS: Final = {
    "en": ("My blog", "Hello, fencepost", "About", "Write here who you are.\n"),
    "ko": ("나의 블로그", "첫 글", "소개", "여기에 자신을 소개하세요.\n"),
}
_WORKFLOWS: Final[Mapping[str | None, Mapping[str, str]]] = {
    None: {},
    "github": {
        ".github/workflows/site.yml": "github-site.yml",
        ".github/workflows/cells.yml": "github-cells.yml",
    },
    "gitlab": {".gitlab-ci.yml": "gitlab.yml"},
}
_BRANCH: Final = """\
kind = "git" # a branch of a git remote, as GitHub Pages shows it
remote = "origin" # its name, or an address
branch = "gh-pages"
# domain = "blog.example.org"
"""
_PUBLIC: Final = """\
kind = "folder" # which GitLab Pages shows
path = "public"
"""


def begin(folder: Path, ci: str | None = None) -> Iterator[tuple[str, bool]]:
    """Begin a site in a folder, with workflows for a CI; yield each path, and whether it was written.

    What is there stays as it is: in the folder of a site, only workflows are added. Raises SiteError.
    """
    files = dict(_workflows(ci))
    if not _is_site(folder):
        files |= _site(ci)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in sorted(files.items()):
            yield path, _write_new(folder / path, text)
    except OSError as error:
        where = error.filename or folder
        raise SiteError(Problem("error", "", 0, "config", f"{where}: {error.strerror}")) from None
    if not files:
        hint = "begin a post there with `fencepost new TITLE`, or add workflows with --ci"
        raise SiteError(Problem("error", "", 0, "config", f"there is a site in {folder} already", hint))


def new_post(config: Config, title: str) -> Path:
    """Begin a post with a title, today; return its file. Raises SiteError for a title without a word."""
    title = " ".join(unicodedata.normalize("NFC", title).split())
    if not title or not title.isprintable():
        raise SiteError(Problem("error", "", 0, "config", "a post needs a title of printable characters"))
    now = datetime.now(zoneinfo.ZoneInfo(config.timezone))
    folder = config.content / "posts"
    if config.jekyll:
        folder = config.root / "_posts"
    taken = {slug(path.name).lower() for path in config.content.rglob("*.md")}
    name = base = _short_slug(title)
    number = 2
    while name in taken:
        name, number = f"{base}-{number}", number + 1
    file = folder / f"{now:%Y-%m-%d}-{name}.md"
    language = "ko" if config.language == "ko" else "en"
    try:
        _write_new(file, _post(title, now, language))
    except OSError as error:
        raise SiteError(Problem("error", "", 0, "config", f"{file}: {error.strerror}")) from None
    return file


def _is_site(folder: Path) -> bool:
    """Is there a site in the folder: a configuration of it, or content?"""
    for name in CONFIG_FILES:
        file = folder / name
        if file.is_file() and (
            name != "pyproject.toml" or "tool.fencepost" in file.read_text("utf-8", "replace")
        ):
            return True
    return (folder / "content").is_dir()


def _site(ci: str | None) -> dict[str, str]:
    language = "ko" if speaks_korean() else "en"
    title, first, about, prose = _WORDS[language]
    zone = local_zone()
    now = datetime.now(zoneinfo.ZoneInfo(zone))
    given = {"title": title, "language": language, "timezone": zone}
    return {
        "fencepost.toml": configuration(given, _PUBLIC if ci == "gitlab" else _BRANCH),
        f"content/posts/{now:%Y-%m-%d}-{slugify(first)}.md": _post(first, now, language),
        "content/pages/about.md": f'---\ntitle: "{about}"\n---\n\n{prose}',
        ".gitignore": _IGNORED + ("public/\n" if ci == "gitlab" else ""),
    }


def _workflows(ci: str | None) -> Iterator[tuple[str, str]]:
    for path, name in _WORKFLOWS[ci].items():
        yield path, _skeleton(name).replace("@VERSION@", __version__)


def _post(title: str, now: datetime, language: str) -> str:
    quoted = json.dumps(title, ensure_ascii=False)[1:-1]
    text = _skeleton(f"post.{language}.md")
    if importlib.util.find_spec("torch") is not None:
        text += _skeleton(f"torch.{language}.md")
    return text.replace("@TITLE@", quoted).replace("@DATE@", f"{now:%Y-%m-%d %H:%M:%S %z}")


def _skeleton(name: str) -> str:
    return (Path(__file__).with_name("skeleton") / name).read_text(encoding="utf-8")


def _write_new(path: Path, text: str) -> bool:
    """Write a file, unless something of that name is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8", newline="") as file:
            file.write(text)
    except FileExistsError:
        return False
    return True


def _short_slug(title: str) -> str:
    words = slugify(title) or "post"
    if len(words.encode()) > _LONGEST:
        whole = words.encode()[: _LONGEST + 1].decode(errors="ignore")
        words = whole.rpartition("-")[0] or words.encode()[:_LONGEST].decode(errors="ignore")
    return words


def local_zone() -> str:
    """The time zone of this machine by its name; UTC where it has none."""
    for name in (
        os.environ.get("TZ", "").lstrip(":"),
        _zone_of_link(Path("/etc/localtime")),
        *time.tzname[:1],
    ):
        try:
            if name and zoneinfo.ZoneInfo(name):
                return name
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            continue
    return "UTC"


def _zone_of_link(link: Path) -> str:
    return os.path.realpath(link).partition("/zoneinfo/")[2]


# --- the configuration -------------------------------------------------------------------------


def configuration(given: Mapping[str, str], publish: str) -> str:
    """Return the text of fencepost.toml: what is `given`, and every other key behind a `#`, with its default."""
    top: list[str] = []
    execute: list[str] = []
    for keys, what in documented_keys():
        lines = [f"# {line}" for line in [what] if line]
        for key in keys:
            name = key.removeprefix("execute.")
            if key in given:
                lines.append(f"{key} = {json.dumps(given[key], ensure_ascii=False)}")
            else:
                lines.append(f"# {name} = {_default(key)}")
        (execute if keys[0].startswith("execute.") else top).append("\n".join(lines))
    return "\n\n".join(
        [
            "# The configuration of this site. A line behind a `#` shows what holds without it.",
            *top,
            "[execute]",
            *execute,
            f"# Where `fencepost publish` sends the site.\n[publish.pages]\n{publish}",
        ]
    )


def documented_keys() -> Iterator[tuple[list[str], str]]:
    """Yield the keys of each row of the table of options in README.md, and what it says of them."""
    here = Path(__file__).resolve().parent
    inside = here / "README.md"
    text = (inside if inside.is_file() else here.parent / "README.md").read_text(encoding="utf-8")
    table = text.partition("| key | default | what |\n")[2].partition("\n\n")[0]
    for row in table.split("\n")[1:]:
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]
        keys = re.findall(r"`([^`]+)`", cells[0])
        if keys and keys != ["publish"]:
            yield keys, re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", cells[2])


def _default(key: str) -> str:
    """The default of an option as TOML."""
    owner: Any = ExecuteConfig if key.startswith("execute.") else Config
    found = {field.name: field for field in fields(owner)}.get(key.removeprefix("execute.").partition(".")[0])
    value = MISSING if found is None else found.default
    if value is MISSING and found is not None and found.default_factory is MISSING:
        return json.dumps("_freeze" if key == "freeze" else key)  # a folder of the same name
    if isinstance(value, bool | int | float | str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, tuple):
        return json.dumps(list(value), ensure_ascii=False)
    return "{}" if value is MISSING or is_dataclass(value) else "[]"
