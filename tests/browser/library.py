"""A small blog as people write them, Korean and English, for the search to find its way in."""

from __future__ import annotations

CONFIG = """\
title = "서랍"
language = "ko"
permalink = "/:title/"

[execute]
eval = false
"""

AUTOGRAD = """\
---
title: 자동미분 이해하기
date: 2024-01-05
tags: [PyTorch, autograd]
---
파이토치는 연산을 기록해 두었다가 거꾸로 따라가며 기울기를 구한다. 이것을 자동미분이라고 한다. 순방향 모드와는 다르다.

## 연산 그래프

`requires_grad`를 켜면 그 텐서에서 나온 모든 연산이 그래프에 남는다. 잎 텐서만 값을 보관한다.

```python
import torch
x = torch.ones(3, requires_grad=True)
y = (x * 2).sum()
y.backward()
print(x.grad)
```
```
tensor([2., 2., 2.])
```

## 기울기 누적

역전파를 두 번 하면 값이 쌓인다. 그래서 `zero_grad()`를 부른다.
"""

TENSORS = """\
---
title: 텐서의 모양과 자료형
date: 2024-01-12
tags: [PyTorch]
---
텐서는 같은 자료형의 수를 담은 상자이다.

## 뷰와 복사

`view`는 메모리를 함께 쓰고, `reshape`는 필요하면 복사한다.

```python
a = torch.arange(6).reshape(2, 3)
print(a.dtype, a.shape)
```
```
torch.int64 torch.Size([2, 3])
```

## 인덱싱

한 행만 고르려면 `a[0]`이라고 쓴다. 불리언 마스크도 쓸 수 있다.
"""

DESCENT = """\
---
title: 경사하강법으로 직선 맞추기
date: 2024-02-02
tags: [최적화]
---
손실 함수를 가장 빨리 줄이는 쪽으로 조금씩 움직인다.

## 학습률 고르기

학습률이 크면 값이 튀고, 작으면 오래 걸린다. 여기에서는 `lr=0.01`이다.

```python
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
loss = ((model(x) - y) ** 2).mean()
loss.backward()
optimizer.step()
```
```
epoch 100: 0.0371
```
"""

CONVOLUTION = """\
---
title: "합성곱 신경망(CNN)의 층"
date: 2024-02-20
tags: [PyTorch, 비전]
---
이미지를 작은 창으로 훑으며 특징을 찾는다.

## 배치 정규화

`BatchNorm2d`는 채널마다 평균과 분산을 맞춘다.

```python
class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv = nn.Conv2d(width, width, kernel_size=3, padding=1)
        self.norm = nn.BatchNorm2d(width)
```

## 풀링

`MaxPool2d`는 가장 큰 값만 남긴다. 이미지 224×224가 112×112로 줄어든다.
"""

LOADER = """\
---
title: "Feeding a model: Dataset and DataLoader"
date: 2024-03-01
tags: [PyTorch, data]
---
A dataset knows how to fetch one sample; a loader puts samples into batches.

## Workers

With `num_workers=2`, samples are fetched by two processes while the model trains.

```python
loader = DataLoader(dataset, batch_size=32, shuffle=True, num_workers=2)
print(len(loader))
```
```
1875
```

## Collating

`collate_fn` decides how a list of samples becomes a batch. Padding belongs here.
"""

ATTENTION = """\
---
title: Attention is a weighted average
date: 2024-03-15
tags: [transformer]
---
Every query asks all keys, and takes the values in proportion.

## Softmax

The weights are $\\operatorname{softmax}(QK^\\top / \\sqrt{d})$, so they are positive and sum to one.

```python
out = torch.nn.functional.scaled_dot_product_attention(q, k, v)
print(out.shape)
```
```
torch.Size([1, 8, 16, 64])
```

## Causal masks

A decoder must not look ahead: the upper triangle is filled with `-inf`.
"""

BROADCASTING = """\
---
title: Broadcasting without surprises
date: 2024-04-02
tags: [PyTorch]
---
Shapes are compared from the right; a dimension of one is stretched.

## What goes wrong

```python
torch.ones(3) + torch.ones(4)
```
```
RuntimeError: The size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension 0
```

Use `keepdim=True` to keep a reduced dimension.
"""

INFERENCE = """\
---
title: 추론할 때는 기울기를 끄자
date: 2024-04-20
tags: [PyTorch]
---
평가할 때 `torch.no_grad()` 안에서 계산하면 메모리를 아낀다.

## 떼어 내기

`detach()`는 그래프에서 떨어진 텐서를 돌려준다. 가중치의 값을 볼 때 쓴다.

```python
model.eval()
with torch.no_grad():
    print(model(x).argmax(dim=1))
```
"""

BRANCHES = """\
---
title: 깃 브랜치 정리하기
date: 2024-05-01
tags: [git]
---
합친 브랜치는 지운다. 원격에 남은 것도 잊지 않는다.

## 한 번에 지우기

```bash
git branch --merged | grep -v main | xargs git branch -d
```

브랜치 이름에 이슈 번호를 넣으면 찾기 쉽다.
"""

JEJU = """\
---
title: 제주도 여행 기록
date: 2024-05-10
tags: [여행]
---
비행기가 두 시간 늦었다. 그래도 바다는 좋았다.

## 오름

새별오름에 올랐다. 바람이 세서 모자를 놓쳤다. 정상에서 본 억새가 기억에 남는다.

## 먹은 것

고기국수와 갈치조림. 값은 조금 비쌌다.
"""

ABOUT = """\
---
title: 소개
---
공부한 것을 적어 두는 곳입니다. 딥러닝과 여행을 좋아합니다.
"""

FILES = {
    "fencepost.toml": CONFIG,
    "content/autograd.md": AUTOGRAD,
    "content/tensors.md": TENSORS,
    "content/descent.md": DESCENT,
    "content/convolution.md": CONVOLUTION,
    "content/loader.md": LOADER,
    "content/attention.md": ATTENTION,
    "content/broadcasting.md": BROADCASTING,
    "content/inference.md": INFERENCE,
    "content/branches.md": BRANCHES,
    "content/jeju.md": JEJU,
    "content/pages/about.md": ABOUT,
}
