"""What a piece of code binds and reads, and which cells a failure keeps from running."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from builder.execute import taint
from tests.conftest import MakeSite
from tests.faulty import faulty, only_error


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("x = 1", "x"),
        ("x, (y, *z) = f()", "x y z"),
        ("x.a = 1", "x"),
        ("x[0].b[1] = 1", "x"),
        ("x += 1", "x"),
        ("del x", "x"),
        ("for i in y: j = i", "i j"),
        ("with open(f) as g: pass", "g"),
        ("import a.b, c as d", "a d"),
        ("from a import b as c", "c"),
        ("def f():\n    inner = 1", "f"),
        ("class C:\n    y = 1", "C"),
        ("try:\n    x = 1\nexcept E as e:\n    pass", "x e"),
        ("(y := 5)", "y"),
        ("lambda q: q", ""),
        ("x: int = 1", "x"),
    ],
)
def test_bound(code: str, names: str) -> None:
    (statement,) = ast.parse(code).body
    assert taint.bound(statement) == set(names.split())


def test_bound_by_text() -> None:
    source = "x = 1\n  y, z = 2\ndef f(:\nclass C\nasync def g():\nprint(a)\nif b == 1:\nw: int = 3\n"
    assert taint.bound_by_text(source) == {"x", "y", "z", "f", "C", "g", "w"}


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("print(x)", "print x"),
        ("x = 1\nprint(x)", "print"),
        ("print(x)\nx = 1", "print x"),
        ("if c:\n    x = 1\nprint(x)", "c print x"),
        ("if c:\n    x = 1\nelse:\n    x = 2\nprint(x)", "c print"),
        ("for i in xs:\n    i", "xs"),
        ("[i for i in xs if i > y]", "xs y"),
        ("def f(a=d):\n    return a + g", "d"),
        ("def f():\n    return g\nf()", "g f"),
        ("lambda a: a + b", "b"),
        ("x += 1", "x"),
        ("x.a = y", "x y"),
        ("with o as f:\n    f", "o"),
        ("try:\n    x = 1\nexcept E as e:\n    e\nfinally:\n    y", "E y"),
        ("class C(B):\n    a = 1\n    b = a + c", "B c"),
        ("f'{x!r:{w}}'", "x w"),
        ("while (n := f()):\n    n", "f"),
        ("del x", ""),
        ("match s:\n    case [p]:\n        p", "s"),
    ],
)
def test_reads(code: str, names: str) -> None:
    found = taint.reads(ast.parse(code))
    # More than is read may be named, never less: a name too many keeps a cell from running, no more.
    assert set(names.split()) - {"f"} <= found | {"f"}
    assert "i" not in found
    assert "a" not in found


def test_reach_goes_through_functions_classes_and_closures() -> None:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(
        "import functools\n"
        "def one(): return two()\ndef two(): return deep\n"
        "class C:\n    def method(self): return field\n    @property\n    def p(self): return prop\n"
        "c = C()\n"
        "def maker():\n    def inner(): return closed\n    return inner\nmade = maker()\n"
        "def wrap(f):\n    @functools.wraps(f)\n    def w(): return f()\n    return w\n"
        "@wrap\ndef decorated(): return behind\n"
        "part = functools.partial(two)\n",
        namespace,
    )
    assert "deep" in taint.reach({"one"}, namespace)
    assert {"field", "prop"} <= taint.reach({"c"}, namespace)
    assert "closed" in taint.reach({"made"}, namespace)
    assert "behind" in taint.reach({"decorated"}, namespace)
    assert taint.reach({"unknown"}, namespace) == {"unknown"}


def test_rebound_is_what_is_surely_bound() -> None:
    tree = ast.parse("a = 1\nif c:\n    b = 1\nimport d\nfor e in x:\n    pass\nwith o as f:\n    g = 1")
    assert taint.rebound(tree) == {"a", "d", "f", "g"}


CHAINS = {
    "a read": (["x = 1 / 0", "print(x)"], {2}),
    "through a function": (["def f():\n    return x", "x = 1 / 0", "f()"], {3}),
    "through two cells": (["x = 1 / 0", "y = x", "print(y)", "print('free')"], {2, 3}),
    "a method that never ran": (["l = []", "1 / 0\nl.append(1)", "print(l)"], {3}),
    "an argument that raised": (["l = []", "l.append(1 / 0)", "print(l)"], {3}),
    "an unrun step": (
        [
            "import torch\nm = torch.nn.Linear(1, 1)\no = torch.optim.SGD(m.parameters(), 1)",
            "1 / 0\no.step()",
            "print(m.weight)",
        ],
        {3},
    ),
    "an unrun backward": (
        [
            "import torch\nx, other = (torch.ones(2, requires_grad=True) for _ in '12')",
            "y = x.sum() / undefined\ny.backward()",
            "x.grad",
            "other.grad",
        ],
        {3},
    ),
    "an import that works alone": (["1 / 0\nimport os", "print(os.sep)"], set[int]()),
    "bound anew": (["x = 1 / 0", "x = 2", "print(x)"], set[int]()),
    "before the failure": (["x = 1\ny = 1 / 0", "print(x)"], set[int]()),
    "an attribute": (["class A: pass\na = A()", "a.b = 1 / 0", "print(a)"], {3}),
}


@pytest.mark.parametrize("chain", CHAINS)
def test_which_cells_are_not_run(make_site: MakeSite, chain: str) -> None:
    cells, skipped = CHAINS[chain]
    site = faulty(make_site, *cells)
    detail = only_error(site.build()).detail
    for number in range(1, len(cells) + 1):
        assert (f"cell {number} was not run" in detail) == (number in skipped)
