"""What a cell of an old blog is not run for."""

from __future__ import annotations

import pytest

from builder.cautions import refusal

REFUSED = [
    "!pip install torch",
    "pip install torch",
    "%pip install x",
    "x = input()",
    "for i in range(int(input('n'))):\n    pass",
    "datasets.MNIST('.', download=True)",
    "models.resnet18(pretrained=True)",
    "urllib.request.urlretrieve(u, f)",
    "torch.hub.load('a', 'b')",
    "AutoModel.from_pretrained('x')",
    "requests.get('https://a.b')",
    "pd.read_csv('https://a.b/c.csv')",
    "sys.stdin.readline()",
]


@pytest.mark.parametrize("source", REFUSED)
def test_refused(source: str) -> None:
    assert refusal(source)


ALLOWED = [
    "print('pip install torch')",
    "def f():\n    return input()",
    "datasets.MNIST('.', download=False)",
    "# !pip install x",
    "pd.read_csv('a.csv')",
    "d.get('x')",
    "not ( python",
    "input = 3",
    "open('x').read()",
]


@pytest.mark.parametrize("source", ALLOWED)
def test_allowed(source: str) -> None:
    assert refusal(source) == ""
