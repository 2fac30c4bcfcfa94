r"""Mathematics as MathML: what math-core makes of it, in our words; numbers, macros, complaints with their lines."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.markdown.dialect import parse
from builder.markdown.math import _CLASSES, convert, formulas
from builder.markdown.media import Media
from builder.model import Markup
from tests.conftest import MakeSite
from tests.test_markdown import post
from tests.test_markdown import rendered as stock


def one(tex: str, display: bool = False, macros: Mapping[str, str] | None = None) -> str:
    [formula] = formulas([(tex, display)], macros)
    assert not formula.complaint, formula.complaint
    return re.sub(r' alttext="[^"]*"', "", formula.html)


@pytest.mark.parametrize(
    ("tex", "wanted"),
    [
        ("x<1", "<math><mi>x</mi><mo>&lt;</mo><mn>1</mn></math>"),
        (r"a\*b", ">∗</mo>"),
        (r"\text{if $x$ is}", "<mtext>if\u00a0</mtext><mi>x</mi><mtext>\u00a0is</mtext>"),
        (r"\require{cancel}x", "<math><mi>x</mi></math>"),
        (r"\mbox{a}", "<mtext>a</mtext>"),
        (r"\text{a_b\_c}_d", "<mtext>a_b_c</mtext>"),
        (r"\widetilde{ab}", "<mover"),
        (r"\sum_{\substack{a\\b}}", "<mtable"),
        (r"\color{red}x", 'mathcolor="#FF0000"'),
        (r"a\!b", '<mspace class="math-back"/>'),
        (r"\begin{smallmatrix}a&b\end{smallmatrix}", "<mtable"),
    ],
)
def test_what_a_formula_becomes(tex: str, wanted: str) -> None:
    assert wanted in one(tex)


@pytest.mark.parametrize(
    ("tex", "rows", "number"),
    [
        (r"a \\ b", 2, ""),
        (r"a &= b \\ c &= d", 2, ""),
        (r"{a \\ b}", 0, ""),
        (r"\begin{cases}a\\b\end{cases}", 2, ""),
        (r"\begin{bmatrix}a\\b\\\end{bmatrix}", 2, ""),
        (r"x \tag{3}", 1, "(3)"),
        (r"x \label{here}", 1, "(1)"),
        (r"\begin{align}a&=b\\c&=d\end{align}", 2, "(1)"),
        (r"\begin{align*}a&=b\\c&=d\end{align*}", 2, ""),
        (r"\begin{alignat}{2}a&=b&c&=d\end{alignat}", 1, "(1)"),
        (r"\begin{eqnarray*}a&=&b\end{eqnarray*}", 1, ""),
        (r"\begin{split}a&=b\\c&=d\end{split}", 2, ""),
        (r"\begin{equation}\begin{split}a&=b\\c&=d\end{split}\end{equation}", 3, "(1)"),
    ],
)
def test_lines_and_numbers(tex: str, rows: int, number: str) -> None:
    html = one(tex, display=True)
    assert html.count("<mtr>") == rows
    assert re.findall(r"<mtext>(\(\d\))</mtext>", html)[:1] == ([number] if number else [])
    assert " style=" not in html


def test_equations_are_numbered_through_the_page_and_referred_to_ahead() -> None:
    found = formulas([(r"\eqref{b}", False), (r"x\label{a}", True), (r"y\label{b}", True)])
    assert '<a href="#b">' in found[0].html and "2" in found[0].html
    assert ["(1)" in f.html for f in found] == [False, True, False]
    assert "(2)" in found[2].html


def test_a_number_makes_a_formula_in_a_text_a_displayed_one() -> None:
    page = stock("a $$x \\tag{7}$$ b\n")
    assert page.problems == ()
    assert 'display="block"' in page.html and "(7)" in page.html


def test_macros() -> None:
    macros = {"R": r"\mathbb{R}", "v": r"\mathbf{#1}"}
    assert one(r"\v{x} \in \R", macros=macros) == "<math><mi>𝐱</mi><mo>∈</mo><mi>ℝ</mi></math>"
    with pytest.raises(ValueError, match="Invalid macro name"):
        formulas([("x", False)], {"a b": "c"})


def test_what_cannot_be_converted_is_shown_and_said() -> None:
    [formula] = formulas([(r'\foo < "1"', False)])
    assert formula.html == r'<code class="math-error">\foo &lt; &quot;1&quot;</code>'
    assert formula.complaint == r'Unknown command "\foo"'


def test_every_rule_of_a_table_has_its_class() -> None:
    html = one(r"\begin{array}{|c:r|}\hline a&b\\\hdashline c&d\\\hline\end{array}", display=True)
    assert {"math-rule-left", "math-rule-top", "math-dashes-right", "math-dashes-top", "math-right"} <= set(
        re.findall(r"math-[\w-]+", html)
    )
    assert len(set(_CLASSES.values())) == len(_CLASSES)


@given(st.text("\\{}$&^_ab0 ()[]\n<\"'한", max_size=40), st.booleans())
def test_no_formula_fails_or_becomes_a_tag(tex: str, display: bool) -> None:
    [formula] = formulas([(tex, display)])
    assert formula.html.startswith(("<math alttext=", '<code class="math-error">'))
    assert bool(formula.complaint) == formula.html.startswith("<code")
    assert "<b" not in re.sub(r"</?(math|m\w+|a|code)\b[^>]*>", "", formula.html)


# --- in a page -------------------------------------------------------------------------------

PAGE = r"""first $a$ and
then $\foo$, **again**
`x
y` $\bar$

> quoted $$x$$ and \\[y\\]

$$
\nothing
$$

| a |
|---|
| $\table$ |
"""


def test_complaints_have_true_lines() -> None:
    found = stock("---\n---\n" + PAGE, body_line=3).problems
    assert [(problem.line, problem.kind) for problem in found] == [(n, "math") for n in (4, 6, 10, 16)]
    assert found[0].message == r'a formula is shown as TeX: Unknown command "\foo"'


def test_a_page_with_formulas() -> None:
    result = stock("# On $x^2$\n\nText $y < z$.\n\n$$ a $$\n\n\\\\[b\\\\]\n")
    assert result.summary.startswith("Text y < z.")
    assert result.toc[0].html.startswith('On <math alttext="x^2">')
    assert '<div class="math" tabindex="0"><math alttext="a" display="block">' in result.html
    assert '<p><math alttext="b" display="block">' in result.html
    assert '<h1 id="on-x2"' in result.html or '<h1 id="on-x^2"' in result.html


def test_tex_may_be_left_to_a_script() -> None:
    from builder.markdown.render import render

    media = Media(macros=None)
    page = render(post("$a$\n\n$$\nb\n$$\n"), {}, lambda a, n: a, str, media=media).html
    assert page == '<p><span class="math">\\(a\\)</span></p>\n<div class="math">\\[b\\]</div>\n'


def test_formulas_in_raw_html_of_kramdown() -> None:
    tokens = parse("<center>$$y_{<t}$$ and $$\\foo$$</center>\n", kramdown=True)
    [(line, complaint)] = convert(tokens, {})
    assert (line, complaint) == (0, r'Unknown command "\foo"')
    assert tokens[0].content.startswith('<center><math alttext="y_{&lt;t}" display="block">')
    assert " and <code" in tokens[0].content


@pytest.mark.parametrize(
    ("latex", "wanted"),
    [
        (r"$\displaystyle x^{2}$", '<div class="math" tabindex="0"><math alttext="\\displaystyle x^{2}"'),
        (r"$$x$$", '<div class="math" tabindex="0"><math alttext="x" display="block">'),
        (r"\begin{align}a&=b\end{align}", 'display="block"><mtable'),
        (r"the value $x$ is <1", 'the value <math alttext="x"><mi>x</mi></math> is &lt;1'),
    ],
)
def test_latex_that_a_cell_displays(latex: str, wanted: str) -> None:
    page = stock("```python\nx\n```\n", {1: (Markup(latex, "x", "latex"),)})
    assert wanted in page.html
    assert page.problems == ()


def test_latex_of_a_cell_that_cannot_be_converted() -> None:
    page = stock("a\n\n```python\nx\n```\n", {1: (Markup(r"$\foo$", "x", "latex"),)})
    assert [problem.line for problem in page.problems] == [3]
    assert r'<code class="math-error">\foo</code>' in page.html


def test_macros_of_the_site_and_of_a_post(make_site: MakeSite) -> None:
    files: dict[str, Any] = {
        "fencepost.toml": "macros = {R = '\\mathbb{R}'}\n",
        "content/a.md": "---\nmacros: {v: '\\mathbf{#1}'}\n---\n$\\v{x} \\in \\R$\n",
        "content/b.md": "---\nmacros: {'a b': x}\n---\n$\\R$\n",
    }
    site = make_site(files)
    [problem] = site.problems()
    assert "<mi>𝐱</mi><mo>∈</mo><mi>ℝ</mi>" in site.html("a")
    assert (problem.path, problem.line, problem.kind) == ("content/b.md", 2, "math")
