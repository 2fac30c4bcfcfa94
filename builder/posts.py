"""content/**/*.md -> Posts. All that can be wrong with a file is a Problem; no file stops the others."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
import stat
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import datetime
from html import unescape
from operator import attrgetter
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeAlias
from zoneinfo import ZoneInfo

from builder import urls
from builder.frozen import frozen
from builder.jekyll import files as jekyll_files
from builder.jekyll import rules as jekyll
from builder.model import Cell, Config, ExecuteConfig, Level, Post, Problem

MARKDOWN: Final = (".md", ".markdown")
PAGES: Final = "pages"  # the folder of content/ whose files are outside of lists and feeds

# Markdown of ten megabytes takes half a minute.
LARGE: Final = 5_000_000
TOO_LARGE: Final = 20_000_000

_CACHES: Final = "__pycache__"  # of modules beside a post that its cells import


Identity: TypeAlias = tuple[int, int, int, int]  # size, times of change in ns, inode: other for another text


@frozen
class Source:
    """A file below the content folder, not read yet: `path` as in Post, `place` where it lies on the disk."""

    path: str
    place: str
    identity: Identity
    page: bool

    @property
    def file(self) -> Path:
        return Path(self.place)


def read_posts(config: Config) -> tuple[tuple[Post, ...], tuple[Source, ...], tuple[Problem, ...]]:
    """All posts and pages by path, the other files that are to be copied, and all problems of all of them."""
    sources, files, problems = find_sources(config)
    posts: list[Post] = []
    for source in sources:
        post, found = read_post(source, config)
        problems += found
        if post is not None:
            posts.append(post)
    return tuple(posts), files, problems


def find_sources(
    config: Config, seen: Mapping[str, Identity] = MappingProxyType({})
) -> tuple[tuple[Source, ...], tuple[Source, ...], tuple[Problem, ...]]:
    """All Markdown files by path, the other files, and what is wrong with their names; nothing is opened.

    `seen` has the identities of files that were looked at already, by their places: one that has changed since is
    another file for the next build.
    """
    sources: list[Source] = []
    files: list[Source] = []
    problems: list[Problem] = []
    names: dict[str, Source] = {}
    prefix = "" if config.content == config.root else f"{_site_path(config.content, config)}/"
    chosen = jekyll_files.Chosen()
    for found in _walk(str(config.content), prefix, config, seen):
        if isinstance(found, Problem):
            problems.append(found)
        elif found.path in names:
            name, other = found.file.name, names[found.path].file.name
            message = "another file has the same name, written with other code points (NFC and NFD)"
            problems.append(_problem(found.path, message, f"rename {name!a} or {other!a}"))
        else:
            names[found.path] = found
            if config.jekyll:
                role = chosen.role(found.path, found.file, config.jekyll)
                if role:
                    (sources if role == "post" else files).append(found)
            else:
                (sources if found.path.lower().endswith(MARKDOWN) else files).append(found)
    if config.jekyll:
        problems += (*config.jekyll.problems, *chosen.problems())
    return tuple(sorted(sources, key=attrgetter("path"))), tuple(files), tuple(problems)


def read_post(source: Source, config: Config) -> tuple[Post | None, tuple[Problem, ...]]:
    """One Markdown file as a Post, and all that is wrong in it; None if it cannot be read as text."""
    text, problems = _read_text(source.place, source.path)
    if text is None:
        return None, problems
    post, found = parse_post(text, source.path, config, source.page)
    return post, problems + found


def parse_post(text: str, path: str, config: Config, page: bool) -> tuple[Post, tuple[Problem, ...]]:
    """One file's text as a Post, and what is wrong in its front matter and fences. Pure."""
    # Here and not above: a build with nothing new parses nothing, and has no need of YAML and Markdown.
    from builder.fences import read_cells
    from builder.front_matter import parse_front_matter

    zone = ZoneInfo(config.timezone)
    if config.jekyll:
        from builder.jekyll.posts import parse_jekyll

        front_matter, body_line, liquid, problems = parse_jekyll(text, path, config, zone)
    else:
        front_matter, body_line, problems = parse_front_matter(text, path, zone)
        liquid = ""
        page = page or front_matter.page
        if not front_matter.title and config.dialect == "commonmark":
            title, body_line = _title_above(text, body_line)
            front_matter = dataclasses.replace(front_matter, title=title)
    options = {**_folder_options(path, config), **front_matter.execute}
    execute = dataclasses.replace(config.execute, **options) if options else config.execute
    kramdown = config.jekyll is not None or config.dialect == "kramdown"
    cells, complaints = read_cells(
        liquid or text, body_line, path, kramdown=kramdown, forms=execute.output_forms
    )
    if not text.removeprefix("\ufeff").strip():
        problems += (_problem(path, "the file is empty", "write the post, or remove the file", "warning"),)
    cells = tuple(_known_of(cell, path, config, execute) for cell in cells)
    post = Post(
        path, text, front_matter, body_line, cells, execute, page, liquid, kramdown, config.join_lines
    )
    return post, problems + complaints


_TITLE = re.compile(r" {0,3}#[ \t]+(.+?)(?:[ \t]+#+)?[ \t]*")


def _title_above(text: str, body_line: int) -> tuple[str, int]:
    """The text of the heading `# ...` that a body begins with, or "", and the line where the rest begins."""
    from builder.markdown.dialect import body_of, inline_html

    for number, line in enumerate(body_of(text, body_line).split("\n"), body_line):
        if line.strip():
            if found := _TITLE.fullmatch(line):
                return unescape(re.sub(r"<[^>]*>", "", inline_html(found[1]))).strip(), number + 1
            break
    return "", body_line


def code_digest(cell: Cell) -> str:
    """A short name of a cell's code."""
    return hashlib.sha256(cell.source.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _known_of(cell: Cell, path: str, config: Config, execute: ExecuteConfig) -> Cell:
    """`cell`, with what is known against it: by the configuration, or by its text in an old blog."""
    unproven = refusal = ""
    if config.unproven:
        digest = code_digest(cell)
        for entry in config.unproven:
            if entry.post == path and digest in entry.code:
                unproven = entry.reason
                refusal = "" if entry.run else entry.reason
    if not refusal and execute.outputs == "authored" and not execute.shell:
        from builder.cautions import refusal as refusal_of

        refusal = refusal_of(cell.source)
    return dataclasses.replace(cell, unproven=unproven, refusal=refusal) if unproven or refusal else cell


def _folder_options(path: str, config: Config) -> dict[str, Any]:
    """The options that the configuration gives to the folders around a file, the nearest folder's last."""
    options: dict[str, Any] = {}
    for folder in sorted(config.folders, key=len):
        inside = (config.content / folder).relative_to(config.root).as_posix()
        if path.startswith(f"{inside}/"):
            options |= config.folders[folder]
    return options


def post_date(post: Post, config: Config) -> datetime:
    """When a post is dated, in the site's time zone: by its front matter, else by its file's name at
    midnight, else 1970. Never by the file's own time, which differs in every clone."""
    return urls.date_of(post.front_matter, post.path, ZoneInfo(config.timezone))


def post_url(post: Post, config: Config) -> str:
    """Where a post is published. Raises ValueError with a sentence for a URL that cannot be."""
    date = post_date(post, config)
    if config.jekyll:
        return urls.clean_path(jekyll.address(post.path, post.front_matter, date, config.jekyll))
    return urls.permalink(config.permalink, post.front_matter, post.path, page=post.page, date=date)


def post_title(post: Post) -> str:
    """The title of the front matter, else the file's name as words."""
    return post.front_matter.title or urls.slug(post.path).replace("-", " ").replace("_", " ").strip()


# --- files -----------------------------------------------------------------------------------


def _problem(path: str, message: str, hint: str = "", level: Level = "error", line: int = 0) -> Problem:
    return Problem(level, path, line, "file", message, hint)


def _site_path(path: Path, config: Config) -> str:
    return unicodedata.normalize("NFC", path.relative_to(config.root).as_posix())


def _walk(
    folder: str, prefix: str, config: Config, seen: Mapping[str, Identity]
) -> Iterator[Source | Problem]:
    """All files below `folder`, sorted, without hidden ones and backups; what is odd is a Problem.

    `prefix` is the folder's path from the site's root, with a slash behind it.
    """
    try:
        entries = sorted(os.scandir(folder), key=attrgetter("name"))
    except OSError as error:
        yield _problem(prefix.rstrip("/"), f"the folder cannot be read: {error.strerror}")
        return
    whole = config.content == config.root
    pages = f"{PAGES}/" if whole else f"{_site_path(config.content, config)}/{PAGES}/"
    for entry in entries:
        name = entry.name
        shown = f"{prefix}{name}"
        if config.jekyll:
            if jekyll_files.is_skipped(shown, entry.is_dir(), config):
                continue
        elif (
            name.startswith(".")
            or name.endswith("~")
            or name == _CACHES
            or (whole and _is_ours(entry, config))
        ):
            continue
        if complaint := _name_complaint(name):
            printable = shown.encode(errors="backslashreplace").decode()
            yield _problem(printable, complaint, "rename it")
            continue
        path = shown if shown.isascii() else unicodedata.normalize("NFC", shown)
        identity = seen.get(entry.path) if entry.is_file(follow_symlinks=False) else None
        if identity is None:
            try:
                status = entry.stat()
            except (OSError, RuntimeError) as error:  # RuntimeError: a link to itself, in Python before 3.13
                yield _problem(path, f"cannot be read: {getattr(error, 'strerror', None) or error}")
                continue
            if complaint := _kind_complaint(entry, status.st_mode, config):
                yield _problem(path, complaint)
                continue
            if stat.S_ISDIR(status.st_mode):
                yield from _walk(entry.path, f"{path}/", config, seen)
                continue
            identity = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
        page = _is_page(path, config) if config.jekyll else path.startswith(pages)
        yield Source(path, entry.path, identity, page)


def _is_ours(entry: os.DirEntry[str], config: Config) -> bool:
    """Is it Fencepost's own, in a site whose whole folder is its content?"""
    path = Path(entry.path).relative_to(config.root).as_posix()
    return jekyll_files.is_ours(path, entry.is_dir(follow_symlinks=False), config)


def _is_page(path: str, config: Config) -> bool:
    """Is the file at `path` of a folder of Jekyll's outside of lists and feeds?"""
    return config.jekyll is not None and jekyll.place_of(path, config.jekyll).kind in ("page", "document")


def _name_complaint(name: str) -> str:
    """Why no file may be called so, or ""."""
    if name.isascii() and name.isprintable():
        return ""
    try:
        name.encode()
    except UnicodeEncodeError:
        return "the name of the file is not UTF-8"
    if not name.isprintable() and any(unicodedata.category(character) == "Cc" for character in name):
        return f"the name of the file holds a control character: {name!a}"
    return ""


def _kind_complaint(entry: os.DirEntry[str], mode: int, config: Config) -> str:
    """Why this is no file or folder of the site, or "". Opens nothing, so that a pipe never blocks."""
    if entry.is_symlink():
        if not Path(entry.path).resolve().is_relative_to(config.content.resolve()):
            return "a link that leads out of the content folder is not followed"
        if stat.S_ISDIR(mode):
            return "a link to a folder is not followed"
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        return "is neither a file nor a folder (a pipe, socket or device), and is left out"
    return ""


def _read_text(place: str, path: str) -> tuple[str | None, tuple[Problem, ...]]:
    """The text of a Markdown file, or None, and what is wrong with it."""
    try:
        with open(place, "rb", buffering=0) as stream:
            # Not `read(TOO_LARGE + 1)`: to get so much memory takes longer than to read a post.
            content = stream.read() if os.fstat(stream.fileno()).st_size <= TOO_LARGE else None
    except OSError as error:
        return None, (_problem(path, f"cannot be read: {error.strerror}"),)
    if content is None:
        return None, (_problem(path, f"is larger than {TOO_LARGE // 10**6} MB and is left out", "split it"),)
    problems: tuple[Problem, ...] = ()
    if len(content) > LARGE:
        message = f"is larger than {LARGE // 10**6} MB and slows the build down"
        problems = (_problem(path, message, "put pictures into files of their own", "warning"),)
    try:
        text = content.decode("utf-8")
        offset = content.find(b"\0")
    except UnicodeDecodeError as error:
        offset = error.start
    if offset < 0:
        return text, problems
    message = f"is not UTF-8 text: byte {offset} is 0x{content[offset]:02x}"
    encoding = _likely_encoding(content)
    hint = f"save it as UTF-8; it looks like {encoding}" if encoding else "save it as UTF-8"
    line = content.count(b"\n", 0, offset) + 1
    return None, (*problems, _problem(path, message, hint, line=line))


def _likely_encoding(content: bytes) -> str:
    """What a file that is not UTF-8 may be, or ""."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in content:
        return "UTF-16"
    try:
        content.decode("cp949")
    except UnicodeDecodeError:
        return ""
    return "CP949"
