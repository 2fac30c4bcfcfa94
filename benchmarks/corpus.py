"""Posts for benchmarks: 4 KB each, Korean and English, four Python fences with their outputs; always the same."""

from __future__ import annotations

import random
from pathlib import Path

CONFIG = """\
title = "Bench"
url = "https://example.org"
permalink = "/posts/:title/"
{more}
[execute]
eval = false
"""
PLAIN = """\
search = false
cards = false
downloads = []
"""
TAGS = [f"tag-{number}" for number in range(32)]
NOUNS = ["텐서", "기울기", "손실 함수", "옵티마이저", "모델", "배치", "가중치", "역전파"]
KOREAN = (
    "{0}은 **자동 미분(autograd)**의 바탕이 되며, `requires_grad`를 켜면 그 뒤의 모든 연산이 기록된다",
    "학습률이 크면 {0}이 튀고, 작으면 한 걸음이 너무 짧아서 오래 걸린다",
    "{0}의 모양을 먼저 확인하고, 그다음에 `view`나 `reshape`로 바꾼다",
    "평가할 때는 `torch.no_grad()` 안에서 {0}을 계산해야 메모리를 아낀다",
)
ENGLISH = (
    "The {0} keeps a reference to every node that made it, so the graph lives as long as it does.",
    "A *leaf* tensor is one that no operation made; only leaves keep their `.grad`.",
    "Each step reads a batch, computes the loss, calls `backward()`, and moves the weights a little.",
    "See [the notes](https://example.org/notes) for why the mean of {0} is taken over the batch.",
)
CODE = (
    """import torch
torch.manual_seed({seed})
w = torch.randn({a}, {b}, requires_grad=True)
x = torch.linspace(-1, 1, {a}).reshape(1, {a})  # 입력
loss = ((x @ w).tanh() ** 2).sum()
loss.backward()
print(loss)
print(w.grad.norm().item())""",
    """class Head(torch.nn.Module):
    def __init__(self, width={c}):
        super().__init__()
        self.layer = torch.nn.Linear(width, {a})

    def forward(self, hidden):
        return torch.log_softmax(self.layer(hidden), dim=-1)

print(Head())
print([tuple(p.shape) for p in Head().parameters()])""",
    """def steps(lr=0.{seed}):
    '''한 걸음씩 내려간다.'''
    value = torch.tensor({c}.0, requires_grad=True)
    for number in range({a}):
        (value - 3).pow(2).backward()
        with torch.no_grad():
            value -= lr * value.grad
            value.grad.zero_()
        yield f"{{number}}: {{value.item():.3f}}"

print("\\n".join(steps()))""",
)


def write(folder: Path, number: int, *, unique: bool, full: bool = True) -> None:
    """Write a site of so many posts; with `unique`, no two fences are alike.

    Without `full`, it has nothing that other generators have not.
    """
    (folder / "content").mkdir(parents=True, exist_ok=True)
    (folder / "fencepost.toml").write_text(CONFIG.format(more="" if full else PLAIN), encoding="utf-8")
    for index in range(number):
        path = folder / "content" / f"post-{index:05}.md"
        path.write_text(post(index, unique=unique), encoding="utf-8")


def post(index: int, *, unique: bool) -> str:
    """One post."""
    choose = random.Random(index)
    title = f"{choose.choice(NOUNS)} 정리 {index}: notes"
    parts = [
        f'---\ntitle: "{title}"\ndate: {2015 + index % 10}-{index % 12 + 1:02}-{index % 27 + 1:02}\n'
        f"tags: [{', '.join(choose.sample(TAGS, 3))}]\ncategories: [{choose.choice(['py', 'dl', 'math'])}]\n---\n",
        "revision 0\n",
    ]
    for section in range(4):
        parts += [
            f"## {section + 1}. {choose.choice(NOUNS)} {choose.choice(['정의', 'in practice'])}\n",
            paragraph(choose),
        ]
        if section == 1:
            parts.append("".join(f"- {choose.choice(KOREAN).format('값')}\n" for _ in range(4)))
        if section == 2:
            rows = "".join(f"| `{tag}` | {choose.random():.3f} | 보통 |\n" for tag in choose.sample(TAGS, 4))
            parts.append(f"| 이름 | 값 | note |\n|---|---:|---|\n{rows}")
        parts += [fence(choose, index, section, unique=unique), paragraph(choose)]
    return "\n".join(parts)


def paragraph(choose: random.Random) -> str:
    """A few sentences, Korean and English."""
    noun = choose.choice(NOUNS)
    texts = [
        choose.choice(KOREAN).format(noun) + ".",
        choose.choice(ENGLISH).format(noun),
        choose.choice(KOREAN).format(noun) + ".",
    ]
    return " ".join(texts) + "\n"


def fence(choose: random.Random, index: int, section: int, *, unique: bool) -> str:
    """A cell and its output fence."""
    a, b, c = choose.randint(2, 5), choose.randint(2, 5), choose.choice([8, 16, 32])
    code = choose.choice(CODE).format(seed=choose.randint(1, 9), a=a, b=b, c=c)
    mark = f"# {index}.{section}\n" if unique else ""
    rows = ",\n        ".join(
        f"[{', '.join(f'{choose.uniform(-2, 2):.4f}' for _ in range(b))}]" for _ in range(a)
    )
    return f"```python\n{mark}{code}\n```\n```\ntensor([{rows}])\nTrue\n```\n"
