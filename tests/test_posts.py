"""From the folder to posts: every odd file is a Problem, and no file stops the others."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from builder import posts
from builder.config import read_config
from builder.model import Config, ExecuteConfig, FrontMatter, Problem
from builder.posts import find_sources, parse_post, post_date, post_title, read_posts

SEOUL = ZoneInfo("Asia/Seoul")


@pytest.fixture
def config(tmp_path: Path) -> Config:
    root = tmp_path.resolve()
    (root / "content").mkdir()
    return Config(
        root=root,
        content=root / "content",
        output=root / "output",
        templates=root / "templates",
        freeze=root / "_freeze",
        timezone="Asia/Seoul",
    )


def write(config: Config, files: dict[str, bytes | str]) -> None:
    for name, content in files.items():
        path = config.content / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def told(problems: tuple[Problem, ...]) -> list[tuple[str, str, int, str]]:
    return [(p.level, p.path, p.line, p.message) for p in problems]


def test_posts_pages_and_files(config: Config) -> None:
    write(
        config,
        {
            "posts/b.md": "b",
            "posts/sub dir/2023-01-01-텐서.MD": "c",
            "a.markdown": "a",
            "pages/about.md": "about",
            "posts/pages/no-page.md": "d",
            "posts/img/x.png": b"\x89PNG",
            "notes.txt": "x",
            ".hidden.md": "x",
            ".git/x.md": "x",
            "posts/b.md~": "x",
            "posts/__pycache__/m.pyc": "x",
        },
    )
    found, files, problems = read_posts(config)
    assert [(post.path, post.text, post.page) for post in found] == [
        ("content/a.markdown", "a", False),
        ("content/pages/about.md", "about", True),
        ("content/posts/b.md", "b", False),
        ("content/posts/pages/no-page.md", "d", False),
        ("content/posts/sub dir/2023-01-01-텐서.MD", "c", False),
    ]
    assert [source.file for source in files] == [
        config.content / "notes.txt",
        config.content / "posts/img/x.png",
    ]
    assert problems == ()


def test_text_is_kept_as_it_is(config: Config) -> None:
    text = "\ufeff---\r\ntitle: x\r\n---\r\n\r\n```python\r1\r```\n"
    write(config, {"a.md": text})
    (post,) = read_posts(config)[0]
    assert post.text == text
    assert (post.front_matter.title, post.body_line) == ("x", 4)
    assert [cell.code.start for cell in post.cells] == [5]


def test_the_problems_of_all_posts_at_once(config: Config) -> None:
    write(
        config,
        {
            "a.md": "---\ndate: soon\ntags:\ta\n---\n\n```python\n",
            "b.md": b"\xc5\xe4\xc4\xa1",
            "c.md": "---\ntitle: x\ntitle: y\n---\n```python\n#| evall: x\n```\n",
        },
    )
    found, _, problems = read_posts(config)
    assert [post.path for post in found] == ["content/a.md", "content/c.md"]
    assert sorted((p.path, p.line, p.kind) for p in problems) == [
        ("content/a.md", 2, "front-matter"),
        ("content/a.md", 3, "front-matter"),
        ("content/a.md", 6, "markdown"),
        ("content/b.md", 1, "file"),
        ("content/c.md", 3, "front-matter"),
        ("content/c.md", 6, "cell"),
    ]


@pytest.mark.parametrize(
    ("content", "line", "message", "hint"),
    [
        ("안녕\n토치".encode("cp949"), 1, "byte 0 is 0xbe", "save it as UTF-8; it looks like CP949"),
        (b"ok\nok\n" + "토치".encode("cp949"), 3, "byte 6 is 0xc5", "save it as UTF-8; it looks like CP949"),
        ("가나".encode("utf-16"), 1, "byte 0 is 0xff", "save it as UTF-8; it looks like UTF-16"),
        ("ab".encode("utf-16-be"), 1, "byte 0 is 0x00", "save it as UTF-8; it looks like UTF-16"),
        (b"caf\xe9\xff", 1, "byte 3 is 0xe9", "save it as UTF-8"),
        (b"a\xed\xa0\x80", 1, "byte 1 is 0xed", "save it as UTF-8"),
        (b"a\n\0b", 2, "byte 2 is 0x00", "save it as UTF-8; it looks like UTF-16"),
    ],
)
def test_a_file_that_is_not_utf8(config: Config, content: bytes, line: int, message: str, hint: str) -> None:
    write(config, {"a.md": content, "b.md": "fine"})
    found, _, problems = read_posts(config)
    assert [post.path for post in found] == ["content/b.md"]
    assert told(problems) == [("error", "content/a.md", line, f"is not UTF-8 text: {message}")]
    assert problems[0].hint == hint


@pytest.mark.parametrize("text", ["", "\ufeff", "\n \n"])
def test_an_empty_file(config: Config, text: str) -> None:
    write(config, {"2023-01-01-empty-post.md": text})
    (post,), _, problems = read_posts(config)
    assert (post.cells, post.front_matter) == ((), FrontMatter())
    assert post_title(post) == "empty post"
    assert told(problems) == [("warning", "content/2023-01-01-empty-post.md", 0, "the file is empty")]


@pytest.mark.parametrize(
    "text", ["---\ntitle: x\n---\n", "---\n---", "----------\n\n---\n", "a\n\n---\nb\n---\n"]
)
def test_odd_files_that_are_fine(config: Config, text: str) -> None:
    write(config, {"a.md": text})
    (post,), _, problems = read_posts(config)
    assert (post.text, problems) == (text, ())


def test_large_files(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (posts.LARGE, posts.TOO_LARGE) == (5_000_000, 20_000_000)
    monkeypatch.setattr(posts, "LARGE", 1_000_000)
    monkeypatch.setattr(posts, "TOO_LARGE", 2_000_000)
    sizes = {"a.md": 1_000_000, "b.md": 1_000_001, "c.md": 2_000_000, "d.md": 2_000_001}
    write(config, {name: b"x" * size for name, size in sizes.items()})
    found, _, problems = read_posts(config)
    assert [post.path for post in found] == ["content/a.md", "content/b.md", "content/c.md"]
    assert told(problems) == [
        ("warning", "content/b.md", 0, "is larger than 1 MB and slows the build down"),
        ("warning", "content/c.md", 0, "is larger than 1 MB and slows the build down"),
        ("error", "content/d.md", 0, "is larger than 2 MB and is left out"),
    ]


def test_links(config: Config, tmp_path: Path) -> None:
    write(config, {"real/a.md": "a"})
    (tmp_path / "secret.md").write_text("s")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "content-2").mkdir()
    (tmp_path / "content-2/x.md").write_text("s")
    content = config.content
    (content / "in.md").symlink_to("real/a.md")
    (content / "out.md").symlink_to("../secret.md")
    (content / "out-dir").symlink_to("../secrets")
    (content / "like.md").symlink_to(tmp_path / "content-2/x.md")
    (content / "up").symlink_to(".")
    (content / "broken.md").symlink_to("nowhere.md")
    (content / "self.md").symlink_to("self.md")
    found, files, problems = read_posts(config)
    assert [post.path for post in found] == ["content/in.md", "content/real/a.md"]
    assert files == ()
    out = "a link that leads out of the content folder is not followed"
    assert [message for message in told(problems) if "self" not in message[1]] == [
        ("error", "content/broken.md", 0, "cannot be read: No such file or directory"),
        ("error", "content/like.md", 0, out),
        ("error", "content/out-dir", 0, out),
        ("error", "content/out.md", 0, out),
        ("error", "content/up", 0, "a link to a folder is not followed"),
    ]
    assert [p.message.startswith("cannot be read: ") for p in problems if "self" in p.path] == [True]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs POSIX")
def test_a_pipe_or_socket_never_blocks(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(config.content / "pipe.md")
    os.mkfifo(config.content / "pipe.png")
    monkeypatch.chdir(config.content)  # the path of a socket has a short limit
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket.md")
        found, files, problems = read_posts(config)
    assert (found, files) == ((), ())
    assert [problem.path for problem in problems] == [
        "content/pipe.md",
        "content/pipe.png",
        "content/socket.md",
    ]
    assert all("neither a file nor a folder" in problem.message for problem in problems)


def test_what_cannot_be_opened(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulated, since whoever runs the tests may be root, who can read everything."""
    write(config, {"a.md": "a", "b.md": "b", "sub/c.md": "c"})
    real_open, real_scandir = open, os.scandir

    def refuse(path: str, mode: str, buffering: int) -> object:
        if Path(path).name == "a.md":
            raise PermissionError(13, "Permission denied")
        return real_open(path, mode, buffering)

    def refuse_folder(path: str) -> object:
        if Path(path).name == "sub":
            raise PermissionError(13, "Permission denied")
        return real_scandir(path)

    monkeypatch.setattr(posts, "open", refuse, raising=False)
    monkeypatch.setattr(os, "scandir", refuse_folder)
    found, _, problems = read_posts(config)
    assert [post.path for post in found] == ["content/b.md"]
    assert sorted(told(problems)) == [
        ("error", "content/a.md", 0, "cannot be read: Permission denied"),
        ("error", "content/sub", 0, "the folder cannot be read: Permission denied"),
    ]


@pytest.mark.skipif(sys.platform == "darwin", reason="the file system has one form of a name")
def test_two_forms_of_one_name(config: Config) -> None:
    nfc, nfd = "\uac00", "\u1100\u1161"
    write(
        config, {f"{nfc}.md": "1", f"{nfd}.md": "2", f"{nfc}.png": "1", f"{nfd}.png": "2", f"x/{nfd}.md": "3"}
    )
    found, files, problems = read_posts(config)
    assert [post.path for post in found] == ["content/x/\uac00.md", "content/\uac00.md"]
    assert len(files) == 1
    assert [(p.level, p.path) for p in problems] == [
        ("error", "content/\uac00.md"),
        ("error", "content/\uac00.png"),
    ]
    assert r"\u1100\u1161" in problems[0].hint


@pytest.mark.skipif(sys.platform == "darwin", reason="the file system refuses such names")
def test_names_that_no_url_can_have(config: Config) -> None:
    (config.content / os.fsdecode(b"caf\xe9.md")).write_text("x")
    (config.content / "a\nb.md").write_text("x")
    found, _, problems = read_posts(config)
    assert found == ()
    for problem in problems:
        problem.path.encode()  # it can be printed
    assert [problem.message for problem in problems] == [
        r"the name of the file holds a control character: 'a\nb.md'",
        "the name of the file is not UTF-8",
    ]


def test_how_a_post_is_run(config: Config) -> None:
    site = replace(config, execute=ExecuteConfig(seed=1, timeout=9.0))
    post, problems = parse_post("---\nexecute: {seed: 2, eval: false}\n---\n", "content/a.md", site, False)
    assert problems == ()
    assert post.execute == ExecuteConfig(seed=2, timeout=9.0, eval=False)


@pytest.mark.parametrize(
    ("path", "date", "expected"),
    [
        ("content/2023-03-06-a.md", "", datetime(2023, 3, 6, tzinfo=SEOUL)),
        ("content/2023-03-06-a.md", "2024-01-01", datetime(2024, 1, 1, tzinfo=SEOUL)),
        ("content/a.md", "2024-01-01 23:00 -0400", datetime(2024, 1, 2, 12, tzinfo=SEOUL)),
        ("content/a.md", "", datetime(1970, 1, 1, tzinfo=SEOUL)),
        ("content/0001-01-01-a.md", "", datetime(1970, 1, 1, tzinfo=SEOUL)),
        ("content/9999-12-31-a.md", "", datetime(1970, 1, 1, tzinfo=SEOUL)),
    ],
)
def test_the_date_of_a_post(config: Config, path: str, date: str, expected: datetime) -> None:
    post, _ = parse_post(f"---\ndate: {date}\n---\n", path, config, False)
    found = post_date(post, config)
    assert (found, found.tzinfo) == (expected, SEOUL)
    assert found.astimezone(UTC).tzinfo == UTC


def test_a_title(config: Config) -> None:
    assert post_title(parse_post("---\ntitle: x\n---\n", "content/a.md", config, False)[0]) == "x"
    assert post_title(parse_post("", "content/2020-1-1-A_b-c.md", config, False)[0]) == "A b c"


@pytest.mark.parametrize(
    ("text", "title", "rest"),
    [
        ("# A *small* title #\n\ntext\n", "A small title", 2),
        ("\n   # `x & y`\ntext\n", "x & y", 3),
        ("---\ntags: a\n---\n# Title\n", "Title", 5),
        ("---\ntitle: Mine\n---\n# Title\n", "Mine", 4),
        ("text\n\n# Title\n", "", 1),
        ("## Smaller\n", "", 1),
        ("#hashtag\n", "", 1),
        ("    # code\n", "", 1),
    ],
)
def test_a_title_above_the_text(config: Config, text: str, title: str, rest: int) -> None:
    post, problems = parse_post(text, "content/a.md", config, False)
    assert (post.front_matter.title, post.body_line, problems) == (title, rest, ())


def test_old_posts_keep_their_first_heading(config: Config) -> None:
    post, _ = parse_post("# Title\n", "content/a.md", replace(config, dialect="kramdown"), False)
    assert (post.front_matter.title, post.body_line) == ("", 1)


def test_a_page_by_its_front_matter(config: Config) -> None:
    assert parse_post("---\npage: true\n---\n", "content/a.md", config, False)[0].page
    assert not parse_post("---\npage: false\n---\n", "content/a.md", config, False)[0].page


def test_the_whole_folder_as_content(tmp_path: Path) -> None:
    for name in ("a.md", "pages/b.md", "x.png", "output/a/index.html", "templates/t.html", "_freeze/a.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / "fencepost.toml").write_text('content = "."\n')
    sources, files, problems = find_sources(read_config(tmp_path))
    assert [(source.path, source.page) for source in sources] == [("a.md", False), ("pages/b.md", True)]
    assert ([file.path for file in files], problems) == (["x.png"], ())


def test_a_file_that_has_been_seen_is_not_looked_at_again(config: Config) -> None:
    write(config, {"a.md": "A", "b.md": "B", "deep/c.md": "C"})
    (config.content / "d.md").symlink_to("a.md")
    content = str(config.content)
    seen = {f"{content}/{name}": (1, 2, 3, 4) for name in ("a.md", "d.md", "gone.md", "deep", "deep/c.md")}
    sources, _, problems = find_sources(config, seen)
    looked = {Path(source.path).stem: source.identity != (1, 2, 3, 4) for source in sources}
    assert looked == {"a": False, "b": True, "c": False, "d": True}
    assert problems == ()


def test_finding_sources_imports_neither_yaml_nor_markdown(config: Config) -> None:
    """A build with nothing new must not pay for parsers."""
    write(config, {"a.md": CODE_POST})
    assert [source.path for source in find_sources(config)[0]] == ["content/a.md"]
    code = (
        "import sys; from pathlib import Path\n"
        "from builder.config import read_config; from builder import posts\n"
        "posts.find_sources(read_config(Path(sys.argv[1])))\n"
        "print(sorted({'yaml', 'markdown_it', 'jinja2', 'torch', 'IPython'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, str(config.root)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


CODE_POST = "```python\n1\n```\n"
