"""A post and what its cells showed -> the HTML of its body, its table of contents and its summary.

The tokens of the one dialect are changed in place (cells become HTML, headings get ids, links are
resolved) and then written by markdown-it's own renderer. Cells are found again by their true line, at any
depth of lists and quotes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby, pairwise, takewhile
from typing import Final, TypeAlias

from markdown_it.common.utils import unescapeAll
from markdown_it.rules_block.table import escapedSplit
from markdown_it.token import Token

from builder.fences import parse_info, without_options
from builder.frozen import frozen
from builder.jekyll.rules import HTML
from builder.markdown import math
from builder.markdown.addresses import Resolve, resolve_html, resolve_text
from builder.markdown.attributes import TOC, html_attributes
from builder.markdown.callouts import KINDS
from builder.markdown.diagrams import LANGUAGE, Diagram, title_of
from builder.markdown.dialect import Env, body_of, inline_html, inline_to_html, parse, to_html, too_deep
from builder.markdown.divisions import UNCLOSED
from builder.markdown.embeds import may_have_videos, place_videos
from builder.markdown.emoji import as_written
from builder.markdown.highlight import PLAIN_LOOK, Look, coloured, escape, highlight, in_lines, look_of
from builder.markdown.korean import join_lines, reading_minutes
from builder.markdown.media import Media
from builder.markdown.pictures import Pictures, frame_pictures
from builder.markdown.tokens import new_token
from builder.marks import is_rule
from builder.model import TOC_PLACE, Cell, Figure, Heading, Markup, Part, Post, Problem, Text
from builder.policy import own_code
from builder.words import Words, words_for

FigureUrl: TypeAlias = Callable[[str], str]

_SUMMARY = 160  # characters
# Lines, beyond which a text has a part of it in sight, which scrolls.
_LONG_CODE, _LONG_OUTPUT = 50, 30

_DATAFRAME = 'class="dataframe"'
_PANDAS_STYLE = re.compile(r"<style scoped>.*?</style>\s*", re.DOTALL)

# LaTeX that is one formula.
_FORMULA = re.compile(r"\$\$([^$]+)\$\$|\$([^$]+)\$|\\\[(.+)\\\]|(\\begin\{.+\})", re.DOTALL)
_MORE = re.compile(r"<!--\s*more\s*-->", re.IGNORECASE)
_ID = re.compile(r"""(?<![\w-])id\s*=\s*["']?([^\s"'<>]+)""", re.IGNORECASE)


@frozen
class Rendered:
    """What a post's Markdown became. `summary` is plain text; `problems` have true lines.

    `minutes` is how long its prose takes to read, without code and outputs.
    """

    html: str
    toc: tuple[Heading, ...]
    summary: str
    minutes: int
    problems: tuple[Problem, ...]


def render(
    post: Post,
    shown: Mapping[int, tuple[Part, ...] | None],
    resolve: Resolve,
    figure_url: FigureUrl,
    language: str = "en",
    media: Media | None = None,
) -> Rendered:
    """Render the body of `post`.

    shown       what stands below cell n: None (or no entry) keeps the authored output as it is written,
                a tuple of parts takes its place, an empty one leaves it out
    resolve     (address as written, line) -> address in the page; it notes its own complaints
    figure_url  name of a blob -> address
    language    of what we say ourselves, as in `lang=`
    media       pictures, diagrams and what mathematics needs

    Raises LookupError if a cell of `post` is not a fence of its text, which would be our own mistake.
    """
    words = words_for(language)
    media = media or Media()
    env: Env = {"emoji": media.emoji, "callouts": {kind: getattr(words, kind) for kind in KINDS}}
    body = body_of(post.markdown, post.body_line)
    if post.path.endswith(HTML):
        tokens = [Token("html_block", "", 0, content=body, map=[0, 1])]
    else:
        tokens = parse(body, env, kramdown=post.kramdown)
    if post.join_lines:
        join_lines(tokens)
    problems = [
        *_too_deep(post, env),
        *(_overfull_rows(post, body, tokens) if "|" in body else ()),
        *(_misread_looks(post, tokens) if "{" in body else ()),
        *(_own_code(post, tokens) if "<" in body else ()),
        *_unclosed_divisions(post, env),
        *(_set_formulas(post, tokens, media) if math.FOUND in env or "$$" in body else ()),
    ]
    if not post.kramdown:
        if may_have_videos(body):
            place_videos(tokens, words.play)
        if "![" in body:
            frame_pictures(tokens)
    minutes = reading_minutes(" ".join([token.content for token in tokens if token.type == "inline"]))
    summary = _summary(tokens, "<!--" in body and _MORE.search(body) is not None)
    taken = {f"cell-{cell.number}" for cell in post.cells}
    if "<" in body or "![" in body:
        taken |= _raw_ids(tokens)
    toc = _name_headings(tokens, taken, post.kramdown, words)
    if TOC in body:
        _place_contents(tokens, toc)
    if LANGUAGE in body:
        problems += _place_diagrams(post, tokens, media, figure_url, words)
    if media.macros is not None and any(cell.number in shown for cell in post.cells):
        shown, found = _with_mathml(post, shown, media.macros)
        problems += found
    tokens = _place_cells(tokens, post, shown, figure_url, words)
    pictures = Pictures(media.find, figure_url)
    for token in tokens:
        if token.type == "inline":
            if "[" in token.content or "<" in token.content:  # a link, a picture, or HTML
                line = post.body_line + (token.map or [0])[0]
                token.children = resolve_text(token.children or [], line, resolve, pictures)
        elif token.type in _FINISHED:
            _finish(token, post.body_line, resolve, pictures, words)
    return Rendered(to_html(tokens), toc, summary, minutes, tuple(problems))


def _too_deep(post: Post, env: Env) -> Iterator[Problem]:
    """One Problem where lists begin to be too deep, since a deep list goes on for many lines."""
    for line in too_deep(env)[:1]:
        message = "lists and quotes are nested too deep: from here on they are shown as plain text"
        yield Problem("error", post.path, post.body_line + line, "markdown", message, "nest them less")


def _unclosed_divisions(post: Post, env: Env) -> Iterator[Problem]:
    """A warning for each `::: {.name}` without its `:::`, which is shown as text."""
    for line in sorted(env.get(UNCLOSED, ())):
        message = "this `:::` is never closed, and is shown as text"
        yield Problem("warning", post.path, post.body_line + line, "markdown", message, "add a line `:::`")


def _set_formulas(post: Post, tokens: Sequence[Token], media: Media) -> Iterator[Problem]:
    """Let formulas be MathML; yield a warning for each that cannot be."""
    try:
        complaints = math.convert(tokens, media.macros)
    except ValueError as error:
        line = post.front_matter.lines.get("macros", 0)
        yield Problem("warning", post.path, line, "math", f"`macros` has one that is no TeX: {error}")
        complaints = math.convert(tokens, {})
    for line, complaint in complaints:
        yield _math_problem(post, post.body_line + line, complaint)


def _math_problem(post: Post, line: int, complaint: str) -> Problem:
    return Problem("warning", post.path, line, "math", f"a formula is shown as TeX: {complaint}")


_ROWS: Final = frozenset({"table_open", "th_open", "tr_open"})


def _overfull_rows(post: Post, body: str, tokens: Sequence[Token]) -> Iterator[Problem]:
    """A warning for each row of a table that has more cells than the table has columns: they are dropped."""
    columns = 0
    lines: list[str] = []
    for token in tokens:
        if token.type not in _ROWS:
            continue
        if token.type == "table_open":
            columns = 0
            lines = lines or body.split("\n")
        elif token.type == "th_open":
            columns += 1
        elif token.map:
            row = lines[token.map[0]].lstrip(" \t>").rstrip()
            if not columns or row.count("|", 1) - row.endswith("|") < columns:
                continue  # not even if none of these were escaped
            cells = len(escapedSplit(row.removeprefix("|"))) - row.endswith("|")
            if cells > columns:
                message = f"this row has {cells} cells, its table has {columns}: the rest is not shown"
                hint = "write `\\|` for a `|` that is text"
                yield Problem("warning", post.path, post.body_line + token.map[0], "markdown", message, hint)


def _misread_looks(post: Post, tokens: Iterable[Token]) -> Iterator[Problem]:
    """A warning for each option of a fence's look that says nothing."""
    for token in tokens:
        if token.type == "fence" and "{" in token.info:
            for complaint in _look(token, token.content.count("\n"))[1]:
                line = post.body_line + (token.map or [0])[0]
                yield Problem("warning", post.path, line, "markdown", f"this fence: {complaint}")


def _look(token: Token, lines: int) -> tuple[Look, tuple[str, ...]]:
    """How a fence is to be shown, and what is wrong with what it says."""
    if "=" not in token.info:
        return PLAIN_LOOK, ()
    info = parse_info(unescapeAll(token.info))
    return look_of(info.options, info.braced, lines)


def _own_code(post: Post, tokens: Iterable[Token]) -> Iterator[Problem]:
    """What the author's own HTML wants to run: a note of what the page allows, a warning of what it cannot."""
    for token in tokens:
        children = token.children or () if token.type == "inline" else ()
        html = [token, *children] if token.type == "html_block" else children
        for part in html:
            if part.type not in ("html_block", "html_inline") or part.meta:
                continue
            for line, what, runs in own_code(part.content):
                at = post.body_line + (token.map or [0])[0] + line
                if runs:
                    message = f"the page runs {what}: its policy allows just this"
                    yield Problem("note", post.path, at, "policy", message)
                else:
                    hint = "write a link to a page, or a script"
                    yield Problem("warning", post.path, at, "policy", f"the page cannot run {what}", hint)


# All other tokens are written as they are, but texts.
_FINISHED = frozenset(
    {"html_block", "fence", "code_block", "table_open", "table_close", "th_open", "td_open"}
)


def _finish(token: Token, first_line: int, resolve: Resolve, pictures: Pictures, words: Words) -> None:
    """Make of one block token what the page needs: addresses, classes, frames."""
    match token.type:
        case "th_open" | "td_open":
            if "style" in token.attrs:  # a strict page has no inline styles
                token.attrs = {"class": str(token.attrs["style"]).replace("text-align:", "align-")}
        case "html_block" if not token.meta:
            line = first_line + (token.map[0] if token.map else 0)
            token.content = resolve_html(token.content, line, resolve, pictures)
        case "fence":
            language = parse_info(unescapeAll(token.info)).language
            look, _ = _look(token, token.content.count("\n"))
            _set_html(token, f'<div class="code">{_code(token.content, language, look, words)}</div>\n')
        case "code_block":
            _set_html(token, f'<div class="code">{_code(token.content, "", PLAIN_LOOK, words)}</div>\n')
        case "table_open":  # a wide table scrolls, not the page
            table = f"<table{html_attributes(token.attrs)}>"
            _set_html(token, f'<div class="table-wrap" tabindex="0">\n{table}\n')
        case "table_close":
            _set_html(token, "</table>\n</div>\n")


def _set_html(token: Token, html: str) -> None:
    """Let `token` be written as `html`, which is ours and not to be resolved."""
    token.type, token.content, token.meta = "html_block", html, {"ours": True}


# --- diagrams ---------------------------------------------------------------------------------


def _place_diagrams(
    post: Post, tokens: Iterable[Token], media: Media, figure_url: FigureUrl, words: Words
) -> Iterator[Problem]:
    """Draw the fences of Mermaid, as far as that can be done; yield what cannot, which is shown as code."""
    fences = [token for token in tokens if token.type == "fence" and _is_diagram(token)]
    if not fences:
        return
    if media.draw is None:
        line = post.body_line + (fences[0].map or [0])[0]
        message = "a diagram is shown as its source"
        yield Problem("warning", post.path, line, "diagram", message, "pip install 'fencepost[diagrams]'")
        return
    drawn = media.draw([token.content for token in fences])
    for token, diagram in zip(fences, drawn, strict=True):
        if diagram.complaint:
            line = post.body_line + (token.map or [0])[0]
            first, _, detail = diagram.complaint.partition("\n")
            message = f"a diagram is shown as its source: {first}"
            yield Problem("warning", post.path, line, "diagram", message, detail=detail)
        else:
            _set_html(token, _diagram(token.content, diagram, figure_url, words))


def _is_diagram(token: Token) -> bool:
    return LANGUAGE in token.info and parse_info(unescapeAll(token.info)).language == LANGUAGE


def _diagram(source: str, diagram: Diagram, figure_url: FigureUrl, words: Words) -> str:
    """A diagram for light pages, one for dark pages, and below them what they are drawn from."""
    title = title_of(source)
    alt = escape(f"{words.diagram}: {title}" if title else words.diagram)
    size = f' width="{diagram.width}" height="{diagram.height}"' if diagram.width else ""
    pictures = "".join(
        f'<img class="diagram-{scheme}" src="{escape(figure_url(name))}" alt="{alt}"{size}'
        ' loading="lazy" decoding="async">'
        for scheme, name in (("light", diagram.light), ("dark", diagram.dark))
    )
    code = f'<pre tabindex="0"><code class="language-{LANGUAGE}">{escape(source)}</code></pre>'
    below = f"<details><summary>{words.source}</summary>{code}</details>"
    return f'<figure class="diagram">{pictures}{below}</figure>\n'


# --- code, cells and outputs ------------------------------------------------------------------

_CODE_BLOCKS: Final = frozenset({"fence", "code_block"})


def _code(code: str, language: str, look: Look, words: Words) -> str:
    """The HTML of one block of code, which its frame is to hold."""
    name = f' class="language-{escape(language)}"' if language else ""
    inside = highlight(code, language)
    count = code.count("\n")
    if look.numbered or look.marked:
        inside = in_lines(inside, look.marked)
    classes = "highlight numbered" if look.numbered else "highlight"
    long = f' data-lines="{count}"' if count > _LONG_CODE and not look.fold else ""
    html = f'<pre class="{classes}" tabindex="0"{long}><code{name}>{inside}</code></pre>\n'
    title = f'<span class="code-title">{escape(look.title)}</span>' if look.title else ""
    if look.fold:
        below = f'<span class="count">{words.code_lines.format(count)}</span>'
        return f'<details class="fold"><summary>{title}{below}</summary>{html}</details>\n'
    return f'<div class="code-bar">{title}</div>{html}' if title else html


def _place_cells(
    tokens: Sequence[Token],
    post: Post,
    shown: Mapping[int, tuple[Part, ...] | None],
    figure_url: FigureUrl,
    words: Words,
) -> list[Token]:
    """`tokens` with each cell and its authored output as one HTML block."""
    cells = {cell.code.start: cell for cell in post.cells}
    outputs = {cell.authored.start: cell for cell in post.cells if cell.authored}
    placed: list[Token] = []
    apart: set[int] = set()  # cells whose output stands behind a label, and stays there
    hidden = [cell.picture for cell in post.cells if _is_replaced(cell, shown, post)]
    for place, token in enumerate(tokens):
        is_code = token.type in _CODE_BLOCKS
        if not (is_code or hidden) or not token.map:
            placed.append(token)
            continue
        at = post.body_line + token.map[0]
        if any(first <= at < last for first, last in hidden):
            continue
        line = at if is_code else 0
        if cell := cells.pop(line, None):
            parts = shown.get(cell.number)
            below = tokens[place + 1] if place + 1 < len(tokens) else None
            if cell.authored and not _stands_at(below, cell.authored.start - post.body_line):
                apart.add(cell.number)
                parts = ()
            look, _ = _look(token, without_options(token.content).count("\n"))
            _set_html(token, _cell(cell, token.content, look, parts, figure_url, words))
        if line not in outputs:
            placed.append(token)
        elif outputs[line].number in apart:
            cell = outputs[line]
            _set_html(token, _output_html(cell, shown.get(cell.number), figure_url))
            placed.append(token)
    if cells:
        raise LookupError(f"{post.path}: no fence at the line of cell {min(cells.items())[1].number}")
    return placed


def _stands_at(token: Token | None, line: int) -> bool:
    return token is not None and token.type in _CODE_BLOCKS and (token.map or [-1])[0] == line


def _is_replaced(cell: Cell, shown: Mapping[int, tuple[Part, ...] | None], post: Post) -> bool:
    """Does the author's image below a cell give way to what the cell drew?"""
    parts = shown.get(cell.number) or ()
    return (
        cell.picture != (0, 0)
        and post.execute.replace_figures
        and not all(isinstance(p, Text) for p in parts)
    )


def _cell(
    cell: Cell,
    code: str,
    look: Look,
    parts: tuple[Part, ...] | None,
    figure_url: FigureUrl,
    words: Words,
) -> str:
    """The HTML of one cell and its output, "" if it is to be hidden."""
    blocks = []
    if cell.options.echo:
        source = _code(without_options(code), "python", look, words)
        blocks.append(f'<div class="cell-code" role="group" aria-label="In [{cell.number}]">{source}</div>\n')
    if output := _output_html(cell, parts, figure_url):
        blocks.append(output)
    if not blocks or not cell.options.include:
        return ""
    return f'<div class="cell" id="cell-{cell.number}">\n{"".join(blocks)}</div>\n'


def _output_html(cell: Cell, parts: tuple[Part, ...] | None, figure_url: FigureUrl) -> str:
    """The HTML of what stands below a cell, "" for nothing; None: what the author wrote."""
    if parts is None:
        parts = (_as_written(cell.authored.body),) if cell.authored else ()
    if not parts:
        return ""
    output = _output(cell, parts, figure_url)
    return f'<div class="cell-output" role="group" aria-label="Out [{cell.number}]">{output}</div>\n'


def _as_written(authored: str) -> Text:
    """An authored output: what was printed is not known, and its rules are taken for marks."""
    rules = (number for number, line in enumerate(authored.split("\n")) if is_rule(line))
    return Text(authored, marks=frozenset(rules))


def _output(cell: Cell, parts: Sequence[Part], figure_url: FigureUrl) -> str:
    """The HTML of the parts, in their order; texts that follow each other are one block."""
    if len(parts) == 1 and isinstance(parts[0], Text):
        return _text([parts[0]])
    html = []
    last_figure = max((i for i, part in enumerate(parts) if isinstance(part, Figure)), default=-1)
    for is_text, run in groupby(enumerate(parts), lambda numbered: isinstance(numbered[1], Text)):
        if is_text:
            html.append(_text([part for _, part in run if isinstance(part, Text)]))
            continue
        for i, part in run:
            if isinstance(part, Figure):
                html.append(_figure(cell, part, figure_url, caption=i == last_figure))
            elif isinstance(part, Markup):
                html.append(_markup(part))
    return "".join(html)


def _text(parts: Sequence[Text]) -> str:
    """Printed text. A browser drops a line end directly behind `<pre>`, so one of ours stands there."""
    html = "".join(
        _with_marks(coloured(part.coloured) if part.coloured else escape(part.text), part.marks)
        + ("" if part.text.endswith("\n") or part is parts[-1] else "\n")
        for part in parts
    )
    first = "\n" if html.startswith("\n") else ""
    count = html.count("\n")
    long = f' data-lines="{count}"' if count > _LONG_OUTPUT else ""
    return f'<pre tabindex="0"{long}>{first}{html}</pre>\n'


def _with_marks(html: str, marks: Collection[int]) -> str:
    """Printed text with the author's marks set apart; no element of `html` goes beyond its line."""
    if not marks:
        return html
    lines = html.split("\n")
    for number in marks:
        lines[number] = f'<span class="author-mark">{lines[number]}</span>'
    return "\n".join(lines)


def _with_mathml(
    post: Post, shown: Mapping[int, tuple[Part, ...] | None], macros: Mapping[str, str]
) -> tuple[Mapping[int, tuple[Part, ...] | None], list[Problem]]:
    """`shown` with the LaTeX that cells displayed as HTML, and a warning for each formula that cannot be."""
    changed = dict(shown)
    problems = []
    for cell in post.cells:
        parts: list[Part] = []
        for part in shown.get(cell.number) or ():
            if isinstance(part, Markup) and part.kind == "latex":
                html, complaint = _latex(part.html, macros)
                parts.append(Markup(html, part.text))
                problems += [_math_problem(post, cell.code.start, complaint)] if complaint else []
            else:
                parts.append(part)
        if parts:
            changed[cell.number] = tuple(parts)
    return changed, problems


def _latex(text: str, macros: Mapping[str, str]) -> tuple[str, str]:
    """The HTML of LaTeX that a cell displayed: one formula, or text with formulas; and a complaint, or ""."""
    whole = _FORMULA.fullmatch(text.strip())
    if whole is None:
        return inline_html(text), ""
    try:
        found = math.formulas([(next(filter(None, whole.groups())), True)], macros)[0]
    except ValueError:
        found = math.formulas([(next(filter(None, whole.groups())), True)])[0]
    return f'<div class="math" tabindex="0">{found.html}</div>', found.complaint


def _markup(part: Markup) -> str:
    """What a cell displayed as HTML, which is the author's own; as Markdown; or as LaTeX, which stays text."""
    match part.kind:
        case "markdown":
            html = to_html(parse(part.html))
        case "latex":
            html = f'<div class="math">{escape(part.html)}</div>'
        case _:
            html = _table_of_pandas(part.html) if _DATAFRAME in part.html else part.html
    return f'<div class="output-html" tabindex="0">{html}</div>\n'


def _table_of_pandas(html: str) -> str:
    """A table of pandas without its own style, which the theme has, and without heads that say nothing."""
    html = _PANDAS_STYLE.sub("", html.replace(f'border="1" {_DATAFRAME}', _DATAFRAME))
    return html.replace('<tr style="text-align: right;">', "<tr>").replace("<th></th>", "<td></td>")


def _figure(cell: Cell, figure: Figure, figure_url: FigureUrl, caption: bool) -> str:
    """One picture that a cell drew; the caption of a cell stands below its last one."""
    alt = cell.options.fig_alt or figure.alt or cell.options.fig_cap
    size = f' width="{figure.width}" height="{figure.height}"' if figure.width and figure.height else ""
    below = (
        f"<figcaption>{escape(cell.options.fig_cap)}</figcaption>" if caption and cell.options.fig_cap else ""
    )
    return (
        f'<figure><img src="{escape(figure_url(figure.blob))}"{size} alt="{escape(alt)}"'
        f' loading="lazy" decoding="async">{below}</figure>\n'
    )


# --- headings ---------------------------------------------------------------------------------


def _name_headings(
    tokens: Sequence[Token], taken: set[str], kramdown: bool, words: Words
) -> tuple[Heading, ...]:
    """Give every heading an id and a link to itself; return the table of contents.

    `taken` are ids of the page that no heading may have.
    """
    found = [(token, tokens[i + 1]) for i, token in enumerate(tokens) if token.type == "heading_open"]
    if not found:
        return ()
    given = [str(token.attrs.get("id", "")) for token, _ in found]
    slug = _kramdown_slug if kramdown else _slug
    free = [slug(inline.children or []) for (_, inline), own in zip(found, given, strict=True) if not own]
    made = iter(_ids(free, taken | set(given)))
    headings = []
    for (token, inline), own in zip(found, given, strict=True):
        name = own or next(made)
        children = inline.children = inline.children or []
        if "no_toc" not in str(token.attrs.get("class", "")).split():
            headings.append(Heading(int(token.tag[1]), name, inline_to_html([*_quiet(children)])))
        token.attrs["id"] = name
        anchor = f' <a class="anchor" href="#{name}" aria-label="{words.permalink}">#</a>'
        children.append(new_token("html_inline", "", 0, 0, anchor))
        children[-1].meta["ours"] = True
    return _nest(headings)


def _kramdown_slug(children: Sequence[Token]) -> str:
    """The same with what kramdown does otherwise: a picture has no words, `①` is none, and emoji leave marks."""
    text = _plain(as_written(child for child in children if child.type != "image")).lower()
    kept = "".join(char for char in text if char in "- \t" or _is_kramdown_word(char))
    return unicodedata.normalize("NFC", kept.replace(" ", "-").replace("\t", "-")) or "section"


def _is_kramdown_word(char: str) -> bool:
    category = unicodedata.category(char)
    return category[0] in "LM" or category in ("Nd", "Nl", "Pc") or "\u24b6" <= char <= "\u24e9"


def _slug(children: Sequence[Token]) -> str:
    """kramdown's id for GFM: lower case, letters, marks, numbers, `_` and `-`, spaces as `-`."""
    lowered = unicodedata.normalize("NFC", _plain(as_written(children))).lower()
    return unicodedata.normalize("NFC", lowered.translate(_IN_SLUGS)) or "section"


class _InSlugs(dict[int, str]):
    """What each character is in an id: Ruby's `\\p{Word}` are kept, but no variation selectors, of which
    nothing is to be seen in an address."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        category = unicodedata.category(char)
        is_word = (category[0] in "LMN" or category == "Pc") and not "\ufe00" <= char <= "\ufe0f"
        self[code] = "-" if char in "- \t" else char if is_word else ""
        return self[code]


_IN_SLUGS: Final = _InSlugs()


def _place_contents(tokens: Sequence[Token], toc: Sequence[Heading]) -> None:
    """Put the table of contents where the author asked for it."""
    for token in tokens:
        if token.type == TOC:
            name = token.attrs.pop("id", "markdown-toc")
            opening = f'<{token.tag} id="{escape(str(name))}"{html_attributes(token.attrs)}>'
            _set_html(token, f"{opening}{_contents(toc)}</{token.tag}>\n")
        elif token.type == "html_block" and TOC_PLACE in token.content:
            token.content = token.content.replace(
                TOC_PLACE, f'<nav class="toc"><ul class="toc__menu">{_contents(toc)}</ul></nav>'
            )


def _contents(headings: Sequence[Heading]) -> str:
    return "".join(
        f'<li><a href="#{heading.id}">{heading.html}</a>'
        + (f"<ul>{_contents(heading.children)}</ul>" if heading.children else "")
        + "</li>"
        for heading in headings
    )


def _ids(slugs: Sequence[str], taken: set[str]) -> list[str]:
    """An id for each slug, none twice: the first keeps its slug, a repeat gets `-1`, `-2`, ...

    A number is passed over if it makes the slug of another heading.
    """
    used = set(taken)
    natural = set(slugs)
    repeats: dict[str, int] = {}
    ids = []
    for slug in slugs:
        name = slug
        while name in used or (name != slug and name in natural):
            repeats[slug] = repeats.get(slug, 0) + 1
            name = f"{slug}-{repeats[slug]}"
        used.add(name)
        ids.append(name)
    return ids


def _raw_ids(tokens: Iterable[Token]) -> set[str]:
    """The ids that the author's own HTML has."""
    html = []
    for token in tokens:
        if token.type == "html_block":
            html.append(token.content)
        elif token.type == "inline" and ("<" in token.content or "![" in token.content):
            html += [child.content for child in token.children or () if child.type == "html_inline"]
    return {name for text in html for name in _ID.findall(text)}


def _quiet(children: Iterable[Token]) -> Iterator[Token]:
    """Inline tokens for a place where links, pictures and raw tags have no room; their words stay."""
    for token in children:
        if token.type == "image":
            yield Token("text", "", 0, content=_plain(token.children or []))
        elif token.type not in ("link_open", "link_close", "html_inline"):
            yield token


def _nest(headings: Sequence[Heading]) -> tuple[Heading, ...]:
    """A flat list of headings as a tree: below each the deeper ones that follow it, levels skipped or not."""
    tree = []
    start = 0
    while start < len(headings):
        stop = start + 1
        while stop < len(headings) and headings[stop].level > headings[start].level:
            stop += 1
        below = _nest(headings[start + 1 : stop])
        tree.append(replace(headings[start], children=below) if below else headings[start])
        start = stop
    return tuple(tree)


# --- plain text -------------------------------------------------------------------------------


def _plain(children: Iterable[Token]) -> str:
    """The words of inline tokens: no markup, no raw tags; the content of code and a picture's text stay."""
    words = []
    for token in children:
        if token.type == "image":
            words.append(_plain(token.children or []))
        elif token.type in ("softbreak", "hardbreak"):
            words.append(" ")
        elif token.type != "html_inline":
            words.append(token.content)
    return "".join(words)


def _summary(tokens: Sequence[Token], may_have_more: bool) -> str:
    """The first words of the text, whole words up to 160 characters, or all of it up to `<!--more-->`.

    Headings, code blocks, tables and pictures are left out. `may_have_more`: does the mark stand
    anywhere, if only in code?
    """
    words: list[str] = []
    has_more = may_have_more and any(
        _is_more(child) for token in tokens for child in (token, *(token.children or ()))
    )
    for before, token in pairwise(tokens):
        children = token.children or []
        if before.type == "paragraph_open":
            shown = takewhile(lambda child: not _is_more(child), children)
            words += _plain(child for child in shown if child.type != "image").split()
            if not has_more and sum(map(len, words)) > _SUMMARY:
                break
        if has_more and any(map(_is_more, (before, token, *children))):
            break
    text = unicodedata.normalize("NFC", " ".join(words))
    return text if has_more else _shorten(text)


def _is_more(token: Token) -> bool:
    """Is this raw HTML with the author's mark for the end of the summary?"""
    return token.type in ("html_block", "html_inline") and _MORE.search(token.content) is not None


def _shorten(text: str) -> str:
    """`text` cut behind a word, with `…`, if it is longer than a summary; a very long word is cut itself."""
    if len(text) <= _SUMMARY:
        return text
    stop = text.rfind(" ", 0, _SUMMARY + 1)
    if stop < _SUMMARY // 2:
        stop = _SUMMARY
        while unicodedata.combining(text[stop]):  # a mark belongs to the letter before it
            stop -= 1
    return text[:stop].rstrip(" ,.;:·") + "…"
