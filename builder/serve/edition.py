"""One state of the previewed site, whole and unchangeable: a request is answered from one edition, old or new.

Nothing is written: a page is made when it is first asked for, and kept until there is another edition. What the
preview adds to a page (margin.py) is put in when it is made.
"""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Callable, Mapping
from dataclasses import field, replace
from functools import partial
from pathlib import Path
from typing import TypeAlias

import jinja2

from builder.frozen import frozen
from builder.model import Article, Problem, SiteError
from builder.pages import Sketch
from builder.serve.margin import Margin, dress
from builder.site import Site
from builder.views import Reads, SiteView

Content: TypeAlias = bytes | Path | Callable[[], bytes | None]
SEARCH = "search/"
HTML = "text/html; charset=utf-8"


@frozen
class Answer:
    """What is sent for an address: bytes and their media type."""

    content: bytes
    media_type: str
    draft: bool = False
    tag: str = ""  # other for other bytes


@frozen
class Edition:
    """All pages and files of the site by their path in the output folder, and what the preview adds to them.

    bodies    path of an article whose cells are running -> its HTML as it is now
    margins   path of an article -> what stands beside it
    troubles  what keeps the site from being as it was saved last
    """

    number: int
    site: Site
    templates: jinja2.Environment
    sketches: Mapping[str, Sketch]
    files: Mapping[str, Content]
    articles: Mapping[str, Article]  # by the path of their page
    margin: Callable[[Article], Margin]
    search: Callable[[], Mapping[str, Content]]  # the files of the search, made when one is asked for
    bodies: Mapping[str, str] = field(default_factory=dict)
    troubles: tuple[Problem, ...] = ()
    script: str = ""
    plain: dict[str, bytes] = field(default_factory=dict)  # pages that were made, without what is added
    made: dict[str, Answer | SiteError] = field(default_factory=dict)

    def answer(self, path: str) -> Answer | None:
        """Return what is at a path of the output folder. Raises SiteError if its template is broken."""
        if path not in self.made:
            if path in self.sketches:
                try:
                    page = self._page(path)
                    tag = hashlib.sha256(page.content).hexdigest()[:20]
                    self.made[path] = replace(page, tag=f'"{tag}"')
                except SiteError as error:
                    self.made[path] = error
            else:
                content = _read(self.files[path] if path in self.files else self._found(path))
                return None if content is None else Answer(content, _media_type(path))
        answer = self.made[path]
        if isinstance(answer, SiteError):
            raise answer
        return answer

    def _found(self, path: str) -> Content | None:
        return self.search().get(path) if path.startswith(SEARCH) else None

    def knows(self, path: str) -> bool:
        """Is there a page or file at a path of the output folder?"""
        return path in self.sketches or path in self.files

    def page_of(self, source: str) -> str:
        """Return the path of the page that is made of a source file; "" if there is none."""
        return next((path for path, article in self.articles.items() if article.path == source), "")

    def page_of_file(self, file: Path) -> str:
        """Return the path of the page that is made of a file; "" if there is none."""
        root = self.site.config.root
        return self.page_of(file.relative_to(root).as_posix()) if file.is_relative_to(root) else ""

    def with_body(self, article: Article, html: str, figures: Mapping[str, Content], number: int) -> Edition:
        """Return the edition in which one article has another body, and all else is as it is here."""
        page = next(path for path, each in self.articles.items() if each is article)
        plain, made = dict(self.plain), dict(self.made)
        plain.pop(page, None)
        made.pop(page, None)
        bodies, files = {**self.bodies, article.path: html}, {**self.files, **figures}
        return replace(self, number=number, bodies=bodies, files=files, plain=plain, made=made)

    def with_troubles(self, troubles: tuple[Problem, ...], number: int) -> Edition:
        """Return this edition with other troubles."""
        return replace(self, number=number, troubles=troubles, made={})

    def _page(self, path: str) -> Answer:
        if path not in self.plain:
            self.plain[path] = self._content(path)
        content = self.plain[path]
        if not path.endswith(".html"):
            return Answer(content, _media_type(path))
        article = self.articles.get(path)
        margin = self.margin(article) if article else Margin()
        text = dress(content.decode("utf-8"), margin, self.troubles, self.script)
        return Answer(text.encode("utf-8", "replace"), HTML, draft=margin.draft)

    def _content(self, path: str) -> bytes:
        article = self.articles.get(path)
        site = self.site
        if article is not None and article.path in self.bodies:
            body, read = article.body, site._read
            html = self.bodies[article.path]
            site = replace(site, _read=lambda name: html if name == body else read(name))
        sketch = self.sketches[path]
        return sketch.make(SiteView(site, Reads(), sketch.url), self.templates)


def reader(find: Callable[[str], bytes | None], name: str) -> Content:
    """Return the content of a figure, which is read when it is asked for."""
    return partial(find, name)


def _read(content: Content | None) -> bytes | None:
    if content is None or isinstance(content, bytes):
        return content
    if isinstance(content, Path):
        try:
            return content.read_bytes()
        except OSError:  # removed, and not noticed yet
            return None
    return content()


def _media_type(path: str) -> str:
    kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
    text = kind.startswith("text/") or kind in ("application/json", "application/javascript", "image/svg+xml")
    return f"{kind}; charset=utf-8" if text or kind.endswith("+xml") else kind
