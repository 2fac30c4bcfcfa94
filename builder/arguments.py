"""The arguments of the command: every subcommand and option, in one place."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from builder import __version__
from builder.model import GRAVE, KINDS


def parser(command: str = "") -> argparse.ArgumentParser:
    """Return the parser; `command` of what it parses is the name of the subcommand.

    For a known `command` it knows no other: a build is to begin at once.
    """
    whole = argparse.ArgumentParser(
        prog="fencepost", description="Build a blog from Markdown posts whose Python fences really run."
    )
    whole.add_argument("--version", action="version", version=f"fencepost {__version__}")
    commands = whole.add_subparsers(title="commands", metavar="COMMAND", dest="command", required=True)
    for name in [command] if command in COMMANDS else COMMANDS:
        add_arguments, purpose = COMMANDS[name]
        add_arguments(commands.add_parser(name, help=purpose))
    return whole


# --- the commands ------------------------------------------------------------------------------


def _build(parser: argparse.ArgumentParser) -> None:
    _folder(parser)
    parser.add_argument("--output", metavar="DIR", help="write the site there (default: output)")
    _unpublished(parser)
    parser.add_argument(
        "--frozen", action="store_true", help="run nothing: all outputs are those of the freeze"
    )
    _jobs(parser)
    parser.add_argument("--strict", action="store_true", help="exit with 1 for warnings too")
    _json(parser)


def _serve(parser: argparse.ArgumentParser) -> None:
    _folder(parser)
    parser.add_argument(
        "--port", type=int, metavar="N", help="the port to serve at (default: 4000, or behind)"
    )
    parser.add_argument("--open", action="store_true", help="open it in the browser")
    _unpublished(parser)
    _jobs(parser)


def _check(parser: argparse.ArgumentParser) -> None:
    _posts(parser)
    parser.add_argument("--diff", action="store_true", help="show the differences")
    parser.add_argument(
        "--fail-on",
        type=_kinds,
        default=GRAVE,
        metavar="KINDS",
        help=f"kinds that make the exit code 1 (default: {','.join(sorted(GRAVE))})",
    )
    parser.add_argument(
        "--frozen", action="store_true", help="run nothing: check the freeze against the posts"
    )
    parser.add_argument("--python", metavar="PATH", help="what would change under another interpreter?")
    _jobs(parser)
    _json(parser)


def _accept(parser: argparse.ArgumentParser) -> None:
    _posts(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--insert", action="store_true", help="put a fence under cells that have none")
    parser.add_argument("--random", action="store_true", help="random outputs of authored posts too")
    parser.add_argument("--undo", action="store_true", help="put back what the last accept changed")
    _jobs(parser)


def _adopt(parser: argparse.ArgumentParser) -> None:
    _folder(parser)
    _jobs(parser)


def _bring(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("tool", choices=["jekyll"], help="what the blog is made with")
    parser.add_argument("path", type=Path, metavar="PATH", help="its folder")
    parser.add_argument("--to", type=Path, required=True, metavar="DIR", help="the folder of the new site")
    parser.add_argument("--compare", type=Path, metavar="OLD_SITE", help="list what is otherwise than there")
    _jobs(parser)


def _why(parser: argparse.ArgumentParser) -> None:
    _posts(parser)
    _json(parser)


def _freeze(parser: argparse.ArgumentParser) -> None:
    _site(parser)
    _jobs(parser)


def _publish(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "target", nargs="?", default="", metavar="TARGET", help="its name in the configuration"
    )
    _site(parser)
    parser.add_argument("--dry-run", action="store_true", help="only say what would be sent and removed")
    parser.add_argument(
        "--allow",
        action="append",
        default=[],
        metavar="REASON",
        help="publish all the same (may be repeated)",
    )
    _json(parser)


def _links(parser: argparse.ArgumentParser) -> None:
    _folder(parser)
    parser.add_argument("--external", action="store_true", help="ask other sites, too")
    _json(parser)


def _init(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("site", metavar="DIR", help="its folder")
    parser.add_argument(
        "--ci", choices=["github", "gitlab"], help="write the workflows that build and publish it"
    )


def _new(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("title", metavar="TITLE")
    _site(parser)


def _clean(parser: argparse.ArgumentParser) -> None:
    _folder(parser)
    parser.add_argument("--output", metavar="DIR", help="the folder that was built (default: output)")


COMMANDS: Final[Mapping[str, tuple[Callable[[argparse.ArgumentParser], None], str]]] = {
    "build": (_build, "run what is stale and write the site"),
    "serve": (_serve, "show the site in a browser, and every save of it at once"),
    "check": (_check, "compare what posts show with what their cells print"),
    "accept": (_accept, "write the real outputs into the posts"),
    "adopt": (_adopt, "run an old blog once, and write down what cannot run"),
    "import": (_bring, "make a site of another tool's blog"),
    "why": (_why, "say for each cell whether it is cached, and if not, why"),
    "freeze": (_freeze, "keep all outputs in a folder to commit"),
    "publish": (_publish, "send the site to its host: what has changed, and only that"),
    "links": (_links, "check the links of the built site"),
    "init": (_init, "begin a site: nothing that is there is written over"),
    "new": (_new, "begin a post, and print its path"),
    "clean": (_clean, "remove what builds wrote, and the cache"),
}


# --- arguments of several commands ---------------------------------------------------------------


def _folder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "site", nargs="?", default=".", metavar="SITE", help="the site's folder (default: here)"
    )


def _site(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--site", default=".", metavar="DIR", help="the site's folder (default: here)")


def _posts(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("posts", nargs="*", type=Path, metavar="POST", help="files or folders (default: all)")
    _site(parser)


def _jobs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--jobs", type=_positive, metavar="N", help="posts to run at once (default: one a core)"
    )


def _unpublished(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--drafts", action="store_true", help="show drafts too")
    parser.add_argument("--future", action="store_true", help="show posts with a date in the future too")


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _kinds(text: str) -> frozenset[str]:
    kinds = frozenset(filter(None, text.replace(",", " ").replace("not run", "not-run").split()))
    unknown = sorted(kinds - set(KINDS))
    if unknown:
        raise argparse.ArgumentTypeError(f"no kind is called {unknown[0]!r}: they are {', '.join(KINDS)}")
    return kinds
