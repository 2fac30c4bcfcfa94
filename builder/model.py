"""The nouns of Fencepost, one frozen type per stage, so that no field is ever "not yet filled".

The way of the data: `Config` and the files of `content/` become `Post`s; the cells of a post become one
`Run` of `Output`s; a post and its run become an `Article`; the articles become a `Site`; the site
becomes `Page`s. A `Problem` may come from every stage.

This module imports nothing of ours but what makes them, and a worker process imports it: keep it light.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias

from builder.frozen import frozen

Level: TypeAlias = Literal["error", "warning", "note"]


@frozen
class Problem:
    """Something that a person has to know or mend, at a place that they can click.

    `path` is relative to the site's root, `line` counts from 1 in that file (0: the whole file).
    A note is news that needs no mending (what a cell wrote to standard error, a draft left out).
    `kind` is one short word for programs (`cell`, `front-matter`, `link`, `config`, `url`, `markdown`, ...).
    `hint` says what to do about it; `detail` may have many lines (a traceback, what had been printed).
    """

    level: Level
    path: str
    line: int
    kind: str
    message: str
    hint: str = ""
    detail: str = ""

    @property
    def place(self) -> tuple[str, int, str]:
        """What problems are sorted by when they are told."""
        return self.path, self.line, self.message


class SiteError(Exception):
    """Nothing can be built: the command prints `problems` and ends with exit code 2."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*problems)
        self.problems = problems

    def __str__(self) -> str:
        return "; ".join(problem.message for problem in self.problems)


# --- configuration ---------------------------------------------------------------------------


@frozen
class ExecuteConfig:
    """`[execute]` of the site's configuration: how the cells of every post are run."""

    eval: bool = True
    error: bool = False
    seed: int = 0
    threads: int = 1
    timeout: float = 60.0  # seconds per cell
    post_timeout: float = 300.0  # seconds per post
    memory: str = "4 GiB"  # that each process of a post may take; "0": no limit
    processes: int = 64  # that a post may have at once
    output_lines: int = 2000  # of a cell's text that the page shows
    output_size: str = "256 KiB"  # the same in bytes
    output_limit: str = "16 MiB"  # of output, beyond which a cell is stopped
    device: str = ""  # "cpu" or "cuda", where a post must have it
    shell: bool = False  # may `!` lines and magics run?
    insert_outputs: bool = True
    outputs: str = "real"  # what a page shows: "real" outputs, or the "authored" ones, compared and reported
    rtol: float = 1e-4  # how far numbers of an authored output may be off, relative and absolute
    atol: float = 1e-6
    output_forms: tuple[str, ...] = ()  # what outputs look like besides a bare fence (see clothes.py)
    replace_figures: bool = False  # show the figures of cells in place of the author's images?
    figure_format: str = "svg"
    start: str = "fork"  # "fork" or "spawn": how a post's process comes to be
    environment: tuple[str, ...] = ()  # further variables that the cells may see


@frozen
class Unproven:
    """Cells of a post that cannot run here, as `adopt` has found and written into the configuration.

    It holds for cells whose code is what it was then (`code` has a digest of each). Unless `run`, they are
    not even tried: they took too long, or ended the process.
    """

    post: str
    cells: tuple[int, ...]
    reason: str
    code: tuple[str, ...]
    run: bool = True


@frozen
class Scope:
    """One entry of `defaults` in Jekyll's configuration: front matter for what lies below `path`."""

    path: str
    type: str | None  # the label of a collection, "posts" or "pages"; None: whatever it is
    values: Mapping[str, Any]


@frozen
class Jekyll:
    """What a folder of Jekyll's says about itself beyond the options that a `Config` has."""

    settings: Mapping[str, Any]  # `_config.yml` as YAML reads it
    permalink: str  # of posts, a style (`pretty`) spelled out
    suffix: str  # what the style of permalinks puts behind pages: "/", ":output_ext" or ""
    collections: Mapping[str, str]  # label -> permalink, of those that are published
    defaults: tuple[Scope, ...]
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    suffixes: tuple[str, ...]  # of Markdown files, with their dots
    problems: tuple[Problem, ...]


@frozen
class Link:
    """A word that leads somewhere: to an address on this site (`/about/`), or with a scheme."""

    title: str
    url: str


@frozen
class Profile:
    """`[profile]`: what pages say of the author besides the name."""

    bio: str = ""  # a sentence about the author
    avatar: str = ""  # address of a picture
    location: str = ""  # where the author is
    links: tuple[Link, ...] = ()  # tables of a title and a url


@frozen
class Comments:
    """`[comments]`: where readers talk about a post; no provider: nowhere."""

    provider: str = ""  # "giscus", "utterances" or "disqus"
    repository: str = ""  # giscus, utterances: "owner/name"
    repository_id: str = ""  # giscus
    category: str = ""  # giscus
    category_id: str = ""  # giscus
    mapping: str = "pathname"  # giscus, utterances: what of a page names its discussion
    label: str = ""  # utterances: of the issues
    shortname: str = ""  # disqus


@frozen
class Analytics:
    """`[analytics]`: who counts readers; no provider: nobody."""

    provider: str = ""  # "plausible", "goatcounter" or "google"
    id: str = ""  # the domain of Plausible, the code of GoatCounter, the measurement id of Google
    host: str = ""  # of a Plausible of one's own


@frozen
class GitBranch:
    """`[publish.NAME]` with `kind = "git"`: a branch of a git remote, as GitHub Pages serves it."""

    remote: str = "origin"  # its name, an address or a folder
    branch: str = "gh-pages"  # which is made where it is not there
    domain: str = ""  # what `CNAME` is to say; "": a file of that name stays as it is


@frozen
class FolderCopy:
    """`kind = "folder"`: a folder of this machine."""

    path: str = ""  # from the folder of the site
    copies: tuple[str, ...] = ()  # "gzip", "brotli": packed copies beside the files


@frozen
class Rsync:
    """`kind = "rsync"`: a folder of another machine, over SSH."""

    address: str = ""  # user@host:/folder
    shell: str = "ssh"  # the command that rsync reaches it by
    copies: tuple[str, ...] = ()  # as for a folder


@frozen
class ObjectStore:
    """`kind = "store"`: an object store or SFTP, through fsspec."""

    address: str = ""  # s3://bucket/folder
    options: Mapping[str, Any] = field(default_factory=dict)  # of the file system of fsspec


@frozen
class Netlify:
    """`kind = "netlify"`."""

    site: str = ""  # its name or its id there


@frozen
class Cloudflare:
    """`kind = "cloudflare"`: a project of Cloudflare Pages."""

    project: str = ""  # its name there
    branch: str = "main"  # the one that is shown at the main address


Destination: TypeAlias = GitBranch | FolderCopy | Rsync | ObjectStore | Netlify | Cloudflare


@frozen
class Config:
    """The checked configuration of one site. Every folder is absolute."""

    root: Path
    content: Path
    output: Path
    templates: Path
    freeze: Path  # committed outputs
    title: str = "Fencepost"
    description: str = ""
    author: str = ""
    language: str = "en"
    url: str = ""  # scheme and host, no slash at the end: "https://example.org"
    baseurl: str = ""  # "" or "/project", no slash at the end
    timezone: str = "UTC"
    permalink: str = "/:categories/:title/"
    feed_limit: int = 20
    paginate: int = 20  # articles on one page of a list; 0: all
    drafts: bool = False
    future: bool = False
    execute: ExecuteConfig = field(default_factory=ExecuteConfig)
    # Options of ExecuteConfig for the posts below a folder of content/, by its path there; the longest wins.
    folders: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    join_lines: bool = False  # is a line end between Hangul or Han letters nothing, not a space?
    search: bool = True  # can readers search the site?
    navigation: tuple[Link, ...] = ()  # the menu; none: the pages of the site
    profile: Profile = field(default_factory=Profile)
    comments: Comments = field(default_factory=Comments)
    analytics: Analytics = field(default_factory=Analytics)
    policy: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict
    )  # more that pages may load: see policy.py
    repository: str = ""  # "owner/name" at GitHub, which "open in Colab" needs
    branch: str = "gh-pages"  # of that repository, which holds the site as it is built
    cards: bool = True  # a picture of each post for social networks? (only with `url`)
    card_font: str = ""  # a font file in the folder of templates for them
    style: Mapping[str, str] = field(default_factory=dict)  # variables of the stylesheet: see style.py
    dialect: str = "commonmark"  # or "kramdown": how posts are read that were written for Jekyll
    math: str = "mathml"  # or "tex": it is left to a script of the site's own templates
    macros: Mapping[str, str] = field(default_factory=dict)  # commands of TeX, without their backslash
    downloads: tuple[str, ...] = ("markdown", "notebook", "script")  # copies of a post beside its page
    images: tuple[str, ...] = ("avif", "webp")  # formats of the copies of images; (): none are made
    unproven: tuple[Unproven, ...] = ()
    # Not in `repr`: where a site is published changes no page.
    publish: Mapping[str, Destination] = field(default_factory=dict, repr=False)
    jekyll: Jekyll | None = None  # the folder is a site of Jekyll's, built in place


# --- what the author wrote -------------------------------------------------------------------


@frozen
class FrontMatter:
    """The YAML block of a post, typed. A field that the author left out has the value shown here."""

    title: str = ""
    date: datetime | None = None  # always with a time zone
    last_modified: datetime | None = None
    categories: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    toc: bool | None = None
    published: bool = True
    draft: bool = False
    page: bool = False  # outside lists and feeds, wherever the file lies
    permalink: str = ""
    description: str = ""
    execute: Mapping[str, Any] = field(default_factory=dict)  # checked: names of ExecuteConfig only
    extra: Mapping[str, Any] = field(default_factory=dict)  # every other key, as YAML gives it
    lines: Mapping[str, int] = field(default_factory=dict)  # top-level key -> its line in the file
    broken: bool = False  # the block is no YAML, and was read line by line
    url_categories: tuple[str, ...] = ()  # as Jekyll puts them into addresses: `a, b` is `a,` and `b`


@frozen
class Fence:
    """A fenced code block. Lines count from 1 in the file.

    `body` is the text between the fence lines without its container's prefix, with "\\n" line ends
    and a final one unless it is empty. `start` is the opening line, `stop` the first line after the
    whole block; `prefix` is what stands before each body line (spaces of a list, `> ` of a quote). A block
    that is code by its indentation has no marker, and the indentation in its prefix.
    """

    info: str
    body: str
    start: int
    stop: int
    prefix: str
    marker: str  # the opening run of ` or ~
    closed: bool


@frozen
class CellOptions:
    """Options of one cell, from its info string or its `#|` lines; None: as the post or the site says."""

    eval: bool | None = None
    echo: bool = True
    output: bool = True
    error: bool | None = None
    include: bool = True
    check: bool = True
    timeout: float | None = None
    label: str = ""
    fig_cap: str = ""
    fig_alt: str = ""


@frozen
class Cell:
    """A Python fence, and the output fence that the author put under it, if any.

    `number` counts the cells of a post from 1. `source` is what runs: line k of it stands at line
    `code.start + k` of the file. `picture` is where an image or table of the author's stands below it: its
    first line and the first behind it, or (0, 0). `unproven` is why it is known not to run whole, and
    `refusal` why it is not run at all.
    """

    number: int
    code: Fence
    authored: Fence | None
    source: str
    options: CellOptions
    picture: tuple[int, int] = (0, 0)
    unproven: str = ""
    refusal: str = ""


@frozen
class Post:
    """One Markdown file. `path` is relative to the site's root, with forward slashes, in NFC.

    `text` is the whole file, decoded, its line ends and a BOM as they are; the Markdown body begins
    at line `body_line`. A `page` is an article outside lists and feeds (a file of `content/pages/`).
    `markdown` is the file as Markdown sees it, line for line: with the Liquid of a Jekyll post replaced.
    """

    path: str
    text: str
    front_matter: FrontMatter
    body_line: int
    cells: tuple[Cell, ...]
    execute: ExecuteConfig  # the site's, with the post's own front matter applied
    page: bool = False
    liquid: str = ""  # `markdown`, where it is not the text
    kramdown: bool = False  # was it written for kramdown's dialect?
    join_lines: bool = False  # as the site's configuration says

    @property
    def markdown(self) -> str:
        return self.liquid or self.text


# --- what the cells did ----------------------------------------------------------------------


@frozen
class Text:
    """Characters that a cell printed, cleaned, or the `repr` of its last expression."""

    text: str
    value: bool = False  # True: the value of the last expression
    coloured: str = ""  # the same lines with ANSI colours (see colours.py); "": there are none
    marks: frozenset[int] = frozenset()  # which lines, from 0, are the author's marks


@frozen
class Figure:
    """A picture that a cell displayed; `blob` names its bytes in the cache (`<sha256>.svg`)."""

    blob: str
    width: int  # CSS pixels
    height: int
    alt: str = ""


@frozen
class Markup:
    """HTML, Markdown or LaTeX that a cell displayed (a table of pandas, say), with its plain-text form."""

    html: str  # the source, as `kind` says
    text: str
    kind: str = "html"  # "html", "markdown" or "latex"


Part: TypeAlias = Text | Figure | Markup


@frozen
class Frame:
    """One step of a traceback inside the post: line `line` (from 1) of cell `cell`."""

    cell: int
    line: int
    name: str
    source: str


@frozen
class Failure:
    """Why a cell has no whole output.

    kind  `raised` (an exception), `syntax`, `exit` (SystemExit), `limit`, `died` (the process ended),
          `skipped` (it reads what a failed cell should have made: `causes`), `refused` (a shell line
          or a magic), `unrun` (the process had died before it).
    line  relative to the cell, from 1; 0 where no statement is known.
    """

    kind: str
    message: str
    line: int = 0
    frames: tuple[Frame, ...] = ()
    hint: str = ""
    causes: tuple[int, ...] = ()
    names: tuple[str, ...] = ()


@frozen
class Output:
    """What one cell produced, in the order shown. Lines are relative to the cell, so that prose above
    never changes an output."""

    parts: tuple[Part, ...] = ()
    failure: Failure | None = None
    stderr: str = ""
    drew_random: bool = False


@frozen
class Run:
    """The outputs of all cells of one post, all from one session, and the facts of that session."""

    outputs: tuple[Output, ...]
    facts: Mapping[str, str] = field(default_factory=dict)  # "python", "torch", "device", "seed"
    warnings: tuple[str, ...] = ()
    moved: bool = False  # a file that a cell read has changed since: of which state are these the outputs?


# --- what is published -----------------------------------------------------------------------


@frozen
class Heading:
    """An entry of the table of contents. `html` is inline HTML without links."""

    level: int
    id: str
    html: str
    children: tuple[Heading, ...] = ()


@frozen
class Article:
    """A post after running and rendering: what templates show, but for its HTML, which stays on disk.

    `url` has no baseurl and is decoded.
    """

    path: str
    url: str
    title: str
    body: str  # the name of its HTML among the bodies: `Site.html` reads it
    toc: Sequence[Heading]
    summary: str  # plain text
    date: datetime  # 1 January 1970 for a post that is not `dated`, so that it comes last
    dated: bool
    last_modified: datetime | None
    categories: tuple[str, ...]
    tags: tuple[str, ...]
    page: bool
    draft: bool
    show_toc: bool
    minutes: int  # that it takes to read
    description: str
    facts: Mapping[str, str]
    extra: Mapping[str, Any]
    loads: tuple[str, ...] = ()  # what its HTML needs of the policy of its page (see policy.py)
    markdown: str = ""  # the names of its copies among the bodies; "": there is none (see copies.py)
    notebook: str = ""
    script: str = ""
    entry: bytes = b""  # its line in llms.txt


@frozen
class Term:
    """One tag or category and its articles, newest first. `url` has no baseurl and is decoded."""

    name: str
    url: str
    articles: tuple[Article, ...]


@frozen
class Page:
    """One file of the output folder: `path` relative to it, with forward slashes.

    `content` is its bytes, or the source file that is copied as it is.
    """

    path: str
    content: bytes | Path


# In the order in which they are told, from the least to the gravest.
KINDS = (
    *("exact", "space", "marks", "close", "cut", "random"),
    *("missing", "silent", "numbers", "shape", "text", "error", "not-run"),
)
GRAVE = frozenset({"numbers", "shape", "text", "error", "not-run"})

# Where a tag of a post wants the table of contents.
TOC_PLACE = '<nav class="toc" data-toc></nav>'


@frozen
class Finding:
    """How the authored output of one cell stands to the real one. `line` is that of the output fence."""

    path: str
    line: int
    cell: int
    kinds: tuple[str, ...]  # in the order of KINDS
    what: str
    authored: str = ""
    printed: str = ""

    @property
    def diff(self) -> str:
        """The unified diff from the authored to the real output; "" if there is none to show."""
        if self.authored == self.printed:
            return ""
        import difflib  # not at the top: a build with nothing to do is to start at once

        lines = difflib.unified_diff(
            self.authored.splitlines(),
            self.printed.splitlines(),
            f"{self.path}:{self.line} as written",
            f"cell {self.cell} as it prints",
            lineterm="",
        )
        return "\n".join(lines)


@frozen
class Report:
    """What a command did: the last line it prints, or its `--json` object."""

    posts: int = 0
    cells: int = 0
    run: int = 0
    cached: int = 0
    pages: int = 0
    written: int = 0
    removed: int = 0
    seconds: float = 0.0
    problems: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()


@frozen
class Built:
    """What a build came to, until when that holds (seconds since 1970), and the files that its cells read."""

    report: Report
    until: float
    inputs: tuple[str, ...]
