"""What unrun statements would have changed, and the cells that a failure therefore keeps from running."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from builder.execute.sharing import changed
from tests.conftest import MakeSite
from tests.faulty import faulty, only_error

SETUP = """
import torch
class Thing: pass
thing, other = Thing(), []
model = torch.nn.Linear(2, 1)
untouched = torch.nn.Linear(2, 1)
opt = torch.optim.SGD(model.parameters(), lr=0.1)
weight, bias = model.weight, model.bias
kept = {"layers": [model.bias]}
x = torch.ones(3, requires_grad=True)
z = torch.ones(3, requires_grad=True)
view = x.detach()[1:]
loss = (x * 2).sum()
plain = torch.ones(3)
def train(m): m.train(); m(1).backward()
def look(m): return m.weight.shape
"""
MODEL = "model opt weight bias kept"


@pytest.fixture(scope="module")
def namespace() -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(SETUP, names)
    return names


@pytest.mark.parametrize(
    ("code", "failed", "names"),
    [
        ("thing.go()", False, "thing"),
        ("thing.go()", True, ""),  # what raised may well have changed nothing
        ("other.append(1 / 0)", True, "other"),
        ("for _ in range(3):\n    thing.go()", True, "thing"),
        ("y = thing.go()", False, ""),
        ("torch.manual_seed(0)", False, ""),
        ("opt.step()", False, MODEL),
        ("model.zero_grad()", False, MODEL),
        ("plain.add_(1)", False, "plain"),
        ("x.zero_()", False, "x view"),
        ("loss.backward()", False, "loss x view"),
        ("unknown = f(x)\nunknown.backward()", False, "x view"),
        ("unknown = model(plain)\nunknown.backward()\nopt.step()", False, MODEL),
        ("train(model)", False, MODEL),
        ("look(model)", False, ""),
        ("print(x, model)", False, ""),
    ],
)
def test_changed(namespace: dict[str, Any], code: str, failed: bool, names: str) -> None:
    statements = ast.parse(code).body
    found = changed(statements, statements[0] if failed else None, namespace)
    assert found == set(names.split())


CHAINS = {
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
    "a method that never ran": (["l = []", "1 / 0\nl.append(1)", "print(l)"], {3}),
    "an argument that raised": (["l = []", "l.append(1 / 0)", "print(l)"], {3}),
}


@pytest.mark.parametrize("chain", CHAINS)
def test_which_cells_are_not_run(make_site: MakeSite, chain: str) -> None:
    cells, skipped = CHAINS[chain]
    site = faulty(make_site, *cells)
    detail = only_error(site.build()).detail
    for number in range(1, len(cells) + 1):
        assert (f"cell {number} was not run" in detail) == (number in skipped)
