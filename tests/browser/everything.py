"""A post that shows all that a post can show, and what else the pages of a site need to have something to show."""

from __future__ import annotations

import io

from PIL import Image

CONFIG = """\
title = "Fencepost"
description = "실행되는 코드로 배우는 블로그"
author = "하늘"
language = "ko"
url = "https://example.org"
timezone = "Asia/Seoul"
paginate = 2

[profile]
bio = "파이토치로 배우고 적습니다."
location = "서울"
links = [{title = "GitHub", url = "https://github.com/example"}]
"""

POST = """\
---
title: 한 글에 담은 모든 것
date: 2024-06-01
last_modified_at: 2024-06-03
tags: [DL, Pytorch, training]
categories: [py]
series: 둘러보기
---
첫 문단은 **굵은(bold)** 글과 *기운* 글, `code`, ~~지운 글~~, [링크](2024-05-01-a-loss-curve.md), 각주[^1], HTML 약어와 :tada: 를 담는다.

[^1]: 각주의 글이다.

*[HTML]: Hyper Text Markup Language

## 목록과 표

- 하나
    1. 안쪽
- [ ] 할 일
- [x] 한 일

용어
: 뜻풀이

| 이름 | 값 | 설명 |
|---|---:|:---:|
| `a` | 1 | 가 |
| `b` | 2 | 나 |

## 알림

> [!NOTE]
> 알아 둘 것.

> [!WARNING] 조심
> 조심할 것.

미니멀 미스테이크스의 알림이다.
{: .notice--info}

> 인용한 글.

## 코드

```python {title="model.py" linenos=true hl_lines="2 4-5" eval=false}
class Model:
    def __init__(self, width):
        self.width = width

    def forward(self, x):
        return x * self.width
```

```diff
- old = 1
+ new = 2
```

```console
$ python -c "print(1)"
1
```

```python {eval=false fold=true}
folded = True
```

LONG_CODE

## 출력

```python
print("\\n".join(f"line {number}" for number in range(80)))
```

```python
print("\\x1b[31mred\\x1b[0m and \\x1b[1;32mgreen\\x1b[0m")
print(" ".join(str(number) for number in range(200)))
```

## 수식과 그림

줄 안의 $x^2 + \\frac{1}{2}$ 그리고

$$
\\sum_{i=1}^{n} x_i = \\operatorname{softmax}(QK^\\top)
$$

![작은 그림](small.png)

```mermaid
flowchart LR
  A[처음] --> B[끝]
```

https://www.youtube.com/watch?v=aqz-KE-bpKQ

::: {.panel-tabset}
## PyTorch

```python {eval=false}
torch.ones(3)
```

## NumPy

```python {eval=false}
np.ones(3)
```

:::

<details><summary>접은 글</summary>

안에 있는 글.

</details>

## 끝

---

마지막 문단이다.
""".replace(
    "LONG_CODE",
    "```python {eval=false}\n" + "\n".join(f"value_{number} = {number}" for number in range(60)) + "\n```",
)


def _picture() -> bytes:
    content = io.BytesIO()
    Image.linear_gradient("L").resize((900, 500)).save(content, "PNG")
    return content.getvalue()


FILES: dict[str, str | bytes] = {
    "fencepost.toml": CONFIG,
    "content/posts/2024-06-01-everything.md": POST,
    "content/posts/2024-06-02-second.md": "---\ntitle: Second part\nlang: en\nseries: 둘러보기\ntags: [DL]\n---\nEnglish text in a Korean site.\n\n## Part\n\nMore.\n",
    "content/posts/small.png": _picture(),
}
