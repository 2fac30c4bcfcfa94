"""What unrun statements would have changed; tests/test_taint.py has the cells that it keeps from running."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from builder.execute.sharing import changed

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
