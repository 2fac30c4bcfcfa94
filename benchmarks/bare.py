"""The bare loop: what each post costs without a generator around it.

python -m benchmarks.bare SITE [PROCESSES]
"""

from __future__ import annotations

import multiprocessing
import sys
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import yaml
from markdown_it import MarkdownIt
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

PAGE = jinja2.Environment().from_string(
    "<!doctype html><title>{{ title }}</title><h1>{{ title }}</h1><time>{{ date }}</time>"
    "<p>{% for tag in tags %}<a href='/tags/{{ tag }}/'>{{ tag }}</a> {% endfor %}</p>"
    "<ul>{% for name, text in toc %}<li><a href='#{{ name }}'>{{ text }}</a></li>{% endfor %}</ul>{{ body }}"
)
LIST = jinja2.Environment().from_string(
    "<!doctype html><ul>{% for post in posts %}<li>"
    "<a href='/posts/{{ post.name }}/'>{{ post.title }}</a></li>{% endfor %}</ul>"
)
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def parser() -> MarkdownIt:
    lexer, formatter = PythonLexer(), HtmlFormatter(nowrap=True)

    def colour(code: str, language: str, _: str) -> str:
        return highlight(code, lexer, formatter) if language == "python" else ""

    return MarkdownIt("commonmark", {"highlight": colour}).enable("table")


def post(arguments: tuple[Path, Path]) -> dict[str, Any]:
    """Render one post; return its front matter."""
    path, output = arguments
    _, front, body = path.read_text(encoding="utf-8").split("---\n", 2)
    meta = yaml.load(front, Loader=LOADER)
    tokens = parser().parse(body)
    toc = []
    for index, token in enumerate(tokens):
        if token.type == "heading_open":
            name = "-".join(tokens[index + 1].content.lower().split())
            token.attrSet("id", name)
            toc.append((name, tokens[index + 1].content))
    html = parser().renderer.render(tokens, parser().options, {})
    page = PAGE.render(**meta, toc=toc, body=html)
    target = output / "posts" / path.stem / "index.html"
    target.parent.mkdir(parents=True)
    target.write_text(page, encoding="utf-8")
    return {"name": path.stem, **meta}


def main() -> None:
    site, processes = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 2
    output = site / "bare"
    jobs = [(path, output) for path in sorted((site / "content").iterdir())]
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        posts = pool.map(post, jobs, chunksize=25)
    posts.sort(key=lambda one: str(one["date"]), reverse=True)
    (output / "index.html").write_text(LIST.render(posts=posts), encoding="utf-8")
    for tag in sorted({tag for one in posts for tag in one["tags"]}):
        target = output / "tags" / tag / "index.html"
        target.parent.mkdir(parents=True)
        target.write_text(LIST.render(posts=[p for p in posts if tag in p["tags"]]), encoding="utf-8")


if __name__ == "__main__":
    main()
