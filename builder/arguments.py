"""The arguments of the command: every subcommand and option, in one place."""

from __future__ import annotations

import argparse
from pathlib import Path

from builder import __version__
from builder.model import GRAVE, KINDS


def parser() -> argparse.ArgumentParser:
    """Return the parser; `command` of what it parses is the name of the subcommand."""
    command = argparse.ArgumentParser(
        prog="fencepost", description="Build a blog from Markdown posts whose Python fences really run."
    )
    command.add_argument("--version", action="version", version=f"fencepost {__version__}")
    commands = command.add_subparsers(title="commands", metavar="COMMAND", dest="command", required=True)

    build = commands.add_parser("build", help="run what is stale and write the site")
    _folder(build)
    build.add_argument("--output", metavar="DIR", help="write the site there (default: output)")
    _unpublished(build)
    build.add_argument(
        "--frozen", action="store_true", help="run nothing: all outputs are those of the freeze"
    )
    _jobs(build)
    build.add_argument("--strict", action="store_true", help="exit with 1 for warnings too")
    _json(build)

    serve = commands.add_parser("serve", help="show the site in a browser, and every save of it at once")
    _folder(serve)
    serve.add_argument(
        "--port", type=int, metavar="N", help="the port to serve at (default: 4000, or behind)"
    )
    serve.add_argument("--open", action="store_true", help="open it in the browser")
    _unpublished(serve)
    _jobs(serve)

    check = commands.add_parser("check", help="compare what posts show with what their cells print")
    _posts(check)
    check.add_argument("--diff", action="store_true", help="show the differences")
    check.add_argument(
        "--fail-on",
        type=_kinds,
        default=GRAVE,
        metavar="KINDS",
        help=f"kinds that make the exit code 1 (default: {','.join(sorted(GRAVE))})",
    )
    check.add_argument(
        "--frozen", action="store_true", help="run nothing: check the freeze against the posts"
    )
    check.add_argument("--python", metavar="PATH", help="what would change under another interpreter?")
    _jobs(check)
    _json(check)

    accept = commands.add_parser("accept", help="write the real outputs into the posts")
    _posts(accept)
    accept.add_argument("--yes", action="store_true", help="do not ask")
    accept.add_argument("--insert", action="store_true", help="put a fence under cells that have none")
    accept.add_argument("--random", action="store_true", help="random outputs of authored posts too")
    accept.add_argument("--undo", action="store_true", help="put back what the last accept changed")
    _jobs(accept)

    adopt = commands.add_parser("adopt", help="run an old blog once, and write down what cannot run")
    _folder(adopt)
    _jobs(adopt)

    bring = commands.add_parser("import", help="make a site of another tool's blog")
    bring.add_argument("tool", choices=["jekyll"], help="what the blog is made with")
    bring.add_argument("path", type=Path, metavar="PATH", help="its folder")
    bring.add_argument("--to", type=Path, required=True, metavar="DIR", help="the folder of the new site")
    bring.add_argument("--compare", type=Path, metavar="OLD_SITE", help="list what is otherwise than there")
    _jobs(bring)

    why = commands.add_parser("why", help="say for each cell whether it is cached, and if not, why")
    _posts(why)
    _json(why)

    freeze = commands.add_parser("freeze", help="keep all outputs in a folder to commit")
    _site(freeze)
    _jobs(freeze)

    publish = commands.add_parser(
        "publish", help="send the site to its host: what has changed, and only that"
    )
    publish.add_argument(
        "target", nargs="?", default="", metavar="TARGET", help="its name in the configuration"
    )
    _site(publish)
    publish.add_argument("--dry-run", action="store_true", help="only say what would be sent and removed")
    publish.add_argument(
        "--allow",
        action="append",
        default=[],
        metavar="REASON",
        help="publish all the same (may be repeated)",
    )
    _json(publish)

    links = commands.add_parser("links", help="check the links of the built site")
    _folder(links)
    links.add_argument("--external", action="store_true", help="ask other sites, too")
    _json(links)

    init = commands.add_parser("init", help="begin a site: nothing that is there is written over")
    init.add_argument("site", metavar="DIR", help="its folder")
    init.add_argument(
        "--ci", choices=["github", "gitlab"], help="write the workflows that build and publish it"
    )

    new = commands.add_parser("new", help="begin a post, and print its path")
    new.add_argument("title", metavar="TITLE")
    _site(new)

    clean = commands.add_parser("clean", help="remove what builds wrote, and the cache")
    _folder(clean)
    clean.add_argument("--output", metavar="DIR", help="the folder that was built (default: output)")
    return command


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
