"""A blog as Jekyll authors have them, written for the tests: every shape that was counted in real posts.

`site_files()` -> {path: content} of a whole folder, with layouts so plain that both builders show nothing but
the posts. Rare shapes are there once, frequent ones in many posts.
"""

from __future__ import annotations

from collections.abc import Iterator

CONFIG = """\
title: "  나의 블로그 "
description: Notes
url: "https://example.org"
baseurl: ""
timezone: Asia/Seoul
locale: ko-KR
author:
  name: "하늘"
permalink: /:categories/:title/
paginate: 5
future: false
include: [_pages]
exclude: [vendor, "*.log", README]
plugins: []
kramdown:
  input: GFM
defaults:
  - scope: {path: "", type: posts}
    values: {layout: single, toc: true}
  - scope: {path: "_posts/notes"}
    values: {categories: notes}
  - scope: {path: "", type: pages}
    values: {layout: single}
  - scope: {path: "", type: docs}
    values: {layout: single}
collections:
  docs:
    output: true
    permalink: /:collection/:path/
"""
LAYOUT = '<html><head><title>{{ page.title }}</title></head><body><div class="page__content">{{ content }}</div></body></html>\n'

# name of the post -> front matter without the dashes; the body is about it.
FRONT = {
    "2023-01-01-plain.md": "title: Plain",
    "2023-01-02-Upper-Case.md": "title: Upper\ncategories: [Python]",
    "2023-01-03-두-단어.md": "title: 한글 이름\ncategories: 파이썬",
    "2023-01-04-two words.md": "title: Spaces\ncategories: Deep Learning",
    "2023-01-05-v1.2.3.md": "title: Dots",
    "2023-01-06-a(b)c.md": "title: Parentheses\ncategory: Deep Learning",
    "2023-01-07-[x], y & z!.md": "title: Punctuation",
    "2023-01-08-c++_c#.md": "title: 'C++ and C#'",
    "2023-01-09-100%.md": "title: Percent",
    "2023-1-10-single-digits.md": "title: Single digits\ncategories:\n  - a\n  - b",
    "2023-01-11-nested-tags.md": "title: Nested\ntags:\n  - [DL, Pytorch]\ncategories:\n  - [ML]",
    "2023-01-12-comma.md": "title: Comma\ntags: a, b\ncategories: [x, y]",
    "2023-01-13-singular.md": "title: Singular\ntag: one two\ncategory: Algorithm & Data",
    "2023-01-14-date.md": "title: Date wins\ndate: 2022-12-31",
    "2023-01-15-date-zone.md": "title: Zone\ndate: 2022-06-13 23:45:20 -0700",
    "2023-01-16-date-utc.md": "title: No zone is UTC\ndate: 2022-06-13 20:45:20",
    "2023-01-17-date-short.md": "title: Minutes are local\ndate: 2022-06-13 20:45",
    "2023-01-18-date-quoted.md": "title: Quoted\ndate: '2022-06-13 20:45:00'",
    "2023-01-19-date-single.md": "title: Single\ndate: 2020-1-30",
    "2023-01-20-permalink.md": "title: Own\npermalink: /own/address/",
    "2023-01-21-permalink-file.md": "title: Own file\npermalink: /own/file.html",
    "2023-01-22-slug.md": "title: Slug\nslug: Another One",
    "2023-01-23-hidden.md": "title: Hidden\npublished: false",
    "2023-01-24-shown.md": "title: Shown\npublished: true\nhidden: true",
    "2023-01-25-blank.md": "\ntitle: Blank line first  # a comment\n\nuse_math: [True]\ntoc: fa",
    "2023-01-26-tab.md": "title: Tab\ntags:\ta b\ncategories: tabbed",
    "2023-01-27-modified.md": "title: Modified\nlast_modified_at: 2023-02-01\nlast_modified_ate: 2023",
    "2023-01-28-redirect.md": "title: Moved\nredirect_from:\n  - /old/place/\n  - /older.html",
    "2023-01-29-empty.md": "",
    "2023-01-30-two-categories.md": "title: Two\ncategories: One two ONE",
    "2023-01-31-quotes.md": 'title: "A \\"quoted\\" title: yes"\ncategory: ["list"]',
    "2023-02-01-emoji-🚀.md": "title: 🚀 Emoji",
    "2999-01-01-future.md": "title: Future",
    "notes/2023-02-02-in-folder.md": "title: In a folder",
    "notes/2023-02-03-in-folder-too.md": "title: In a folder too\ncategories: more",
    "폴더 하나/2023-02-04-space-in-folder.md": "title: Space in a folder",
    "2023-02-05-crlf.md": "title: CRLF",
    "2023-02-06-bom.md": "title: BOM",
    "2023-02-07-same.md": "title: Same\ncategories: same",
}

# The dialect: one post each.
BODIES = {
    "bold": '**그래프(GNN)**은 망이고 **`torch`**를 쓰며 **"인용"**을 한다. ***분할(d)***은 ~~취소(x)~~는. **[링크](https://a.b)**를. a**b**c **bold:**text',
    "typography": "It's \"quoted\" -- and --- so... 'single' <<x>> 80's \"(뒤)\"와 '앞'을 don't 1--2",
    "break": "위\n<br>\n**bold** 아래\n<br>\n```python\nprint(1)\n```\n\n끝<br>\n<br>\n- list",
    "center": '<center><img src="/a.png"></center>\n**after**\n\n<center>\n\n  <b>x</b>\n\n</center>\ntext',
    "html": '<div class="a">\n\n  <p>raw *x*</p>\n\n    <b>indented</b>\n\n</div>\n\n<p align="center">one</p>\n*two*\n\n<u>under</u> and <span style="color:red">**red**</span>는',
    "table-html": '<table border="1" class="dataframe">\n  <thead>\n    <tr><th></th><th>a</th></tr>\n  </thead>\n\n  <tbody>\n    <tr><td>0</td><td>1</td></tr>\n  </tbody>\n</table>\nafter',
    "style": "<div>\n<style scoped>\n    .dataframe tbody {\n        color: red;\n    }\n\n    .x { }\n</style>\n<table><tr><td>cell</td></tr></table>\n</div>\n\nend",
    "markdown-one": '<div class="notice" markdown="1">\n#### In a box\n\n**bold** and `code`\n\n- item\n</div>\n\n<p markdown="1">one **two**</p>',
    "details": "<details>\n<summary>열기</summary>\n<p>안 *x*</p>\n</details>\n\n밖",
    "ial": 'A notice.\n{: .notice--info}\n\n{: .lead}\nBefore.\n\n![p](/a.png){: width="500" .align-center}\n[button](/b){: .btn}\n\n{: .wide}\n| a | b |\n|---|---|\n| 1 | 2 |\n\n> quote\n{: .notice}\n\n`x`{: .y} and {:.2f} and `{:.3f}`',
    "toc": "* toc\n{:toc}\n\n# One\n\n## 둘\n{: .no_toc}\n\n### Three",
    "ids": "# 그래프 신경망(GNN)\n\n## `torch.nn` 모듈\n\n## A & B: c/d\n\n## 반복\n\n## 반복\n\n## 반복\n\n### 1) 첫째. *둘째*\n\n### It's -- done...\n\n### x² ① ½ ⅷ\n\n## Under_score-dash\n\n## [link](/x) text\n\n## ![img](/a.png) pic\n\n## tail ##\n\n## own {#own-id}\n\n제목\n===\n\n소제목\n---\n\n## 🚀 로켓 ⚙️ 설정\n\n## $x$ and $$y_1$$\n\n####### seven\n\n#none\n\n ## indented\n\n##",
    "after-text": "text\n## heading\ntext\n- list\n- more\n\ntext\n1. one\n2. two\n\ntext\n> quote\n\ntext\n```\ncode\n```\nmore",
    "lists": "1. one\n   - a\n   - b\n2. two\n\n- x\n    - y\n        - z\n- w\n\n  para\n\n* star\n+ plus\n\n1) no list\n\n2019. year",
    "tasks": "- [ ] open\n- [x] done",
    "math": "인라인 $$a_1 * b_2 * c$$ 과 $$\\alpha$$는.\n\n$$\n\\sum_{i=1}^n x_i * y_i \\\\\n= 0\n$$\n\n$$ x < y $$\n\n한 줄 $$|x|$$ 끝.",
    "footnotes": "One[^1] two[^note].\n\n[^1]: First *note*.\n[^note]: Second\n\n    more of it.\n\nEnd.",
    "definition": "Term\n: Definition one\n: Definition two\n\n텐서\n: 다차원 배열",
    "abbreviation": "The HTML spec and GNN은.\n\n*[HTML]: Hyper Text Markup Language\n*[GNN]: Graph",
    "fences": "````\n```\ninner\n```\n````\n\n   ```js\n   x\n   ```\n\n~~~\ntilde\n~~~\n\n- item\n\n  ```python\n  print(1)\n  ```\n\n    indented code",
    "highlight": "{% highlight python %}\nprint('<b>')\n{% endhighlight %}\n\nafter {% raw %}{{ raw }}{% endraw %}\n\n{% highlight js linenos %}\nlet x = 1;\n{% endhighlight %}",
    "raw-fence": "{% raw %}\n```\ndocker inspect -f '{{ .Os }}'\n```\n{% endraw %}\nend",
    "liquid": "[a]({{ site.baseurl }}/a/) ![b]({{ '/b.png' | relative_url }}) {{ site.title }} {{ page.title }} {{ \"/c\" | absolute_url }} <img src=\"{{ '/d.png' | prepend: site.baseurl }}\"> [p]({% post_url 2023-01-01-plain %}) [l]({% link _pages/about.md %}) {{ page.nothing }}. {% comment %}\nnot *shown*\n{% endcomment %}",
    "more": "First part.\n\n<!--more-->\n\nSecond part.",
    "links": '[space](/a b.png) ![pic](../images/a b.png "title") <https://a.b/c> [ref][r] [한글](#한글) https://bare.example\n\n[r]: /ref "t"\n\n# 한글',
    "escapes": "\\*no\\* \\_no\\_ \\# \\[x\\] \\`c\\` 1\\. a\\|b &amp; &lt; &copy; &nbsp;x",
    "hard-break": "one  \ntwo\\\nthree\nfour",
    "rules": "a\n\n---\n\nb\n\n***\n\nc\n\n* * *",
    "quote": "> one\n> two\n>\n> - list\n> - more\n\n> lazy\ncontinued",
    "tables": "| 왼쪽 | 가운데 | 오른쪽 |\n|:---|:---:|---:|\n| a | `b` | **c(d)**는 |\n| 1 | 2 | 3 |\n\na | b\n--|--\n1 | 2",
    "emphasis": "*a* _b_ __c__ ***d*** snake_case_name 2*3*4 a * b * c **a** **b**c **(x)** * not\\* `*`",
    "comments": "a <!-- hidden **x** --> b\n\n<!--\nblock\n\nmore\n-->\n\n{::comment}\nnot shown\n{:/comment}\n\nc",
    "cells": "```python\nx = 2\nprint(x)\n```\n```\n2\n```\n\n```python\nx + 1\n```\n\n    3\n\n```python\nx + 2\n```\n\n    4\n",
    "labels": "```python\nprint('a')\n```\n**[Output]**\n```python\na b c\n```\n\n```python\nprint('b')\n```\n결과:\n\n```\nb\n```\n",
    "code-named": "```python\nprint(1)\n```\n<br>\n\n```code\n1\n```\n\n```python\nprint(2)\n```\n<br>\n\n```code\n2\n```\n",
    "iframe": '<iframe width="560" src="https://www.youtube.com/embed/x" allowfullscreen></iframe>\n\ntext\n\n<script>var x = \'**no**\';</script>\n\nend',
    "nested-html": '- item\n  <br>\n  more\n\n<figure>\n  <img src="/a.png">\n  <figcaption>캡션 *x*</figcaption>\n</figure>\n\n<img src="/b.png" width="10">\n텍스트 **굵게**는',
    "long": "가나다라 " * 400,
    "hangul-ids": "## 1. 파이썬(Python)이란?\n\n## 2. C++과 C#의 차이\n\n## 가.나.다\n\n## 「인용」 · 점\n\n## A – B",
    "paragraph-equals": "a\nb\n===\n\nc\nd\n---\n\ne",
    "table-after-text": "text\n| a | b |\n|---|---|\n| 1 | 2 |\n\n| no | head |\n| 3 | 4 |\n\nafter",
    "table-pipes": "| code | math |\n|---|---|\n| `a|b` | $$|x|$$ |\n| a \\| b | c |",
    "dollar": "값 $x_1 + y_2$ 와 $a*b*c$ 그리고 $5 and $10. \\\\(z_1\\\\) \\\\[w\\\\]",
    "environment": "\\begin{align}\na &= b \\\\\\\\\nc &= d\n\\end{align}\n\ntext",
    "unclosed": "before\n\n```python\nx = 1\n\n## not closed\n\nafter",
    "two-words": "```python linenos\nx = 1\n```\n\nafter",
    "fence-after-list": "- item\n```python\nx = 1\n```\n\n- next\n\n```python\ny\n```",
    "stray-html": "text </div> more\n\n<span>open **bold**\n\nnext <b>x",
    "spaces-in-tag": "<span style = \"color:red\">red</span>는 <font color='red'>font **b**</font>",
    "image-heading": '<img src="/a.png">\n## heading\n<p>x</p>\n## another\n\n![a](/a.png)\n*caption*{: .caption}\n\n![b](/b.png){: .c}*caption*',
    "bold-lines": "**bold\nover lines**은 **trailing **space ** leading** ** alone **",
    "underscores": "_a_b_ __init__ __bold__은 _em_을 a_b_c _x",
    "nested-two": "1. one\n  - two spaces\n  - more\n2. two\n    1. four\n\n* a\n  * b\n    * c\n\n- a\n\n- b\n\n  c",
    "list-code": "1. step\n\n   ```bash\n   ls\n   ```\n\n2. step two\n\n       code\n\n- a\n\n      code in item",
    "nbsp": "&nbsp;\n\ntext&nbsp;&nbsp;more\n\n<br/>\n<br />\n\n&#9989; done &hellip;",
    "parens": "[a](/x_(y)) [b](</x y>) [c]( /z ) ![](/no-alt.png) [d][] [e]: x\n\n[d]: /d",
    "html-md-mix": '<div align="center">\n  <img src="/a.png"/>\n</div>\n**Figure 1.** text\n<hr>\nmore *em*\n<br>',
    "quote-code": "> ```python\n> x = 1\n> ```\n\n> a\n\n> b\n{: .x}",
    "numbers": "3.14는 2.\n\n10. ten\n11. eleven\n\n+ plus\n+ more",
    "strong-list": "**제목**\n- a\n- b\n\n**제목2:**\n1. a\n2. b\n* c",
    "ends": "heading\n\n#### 끝 `code` **b**\n\n* * *\n#### 다시\n- x\n#### 또",
    "inline-html": 'H<sub>2</sub>O <kbd>Ctrl</kbd> <mark>표시</mark>는 <a href="/x">링크 **b**</a> <!-- c --> <br> x<br/>y',
    "dashes": "- -- --- ---- a--b a---b ... .... 1...2 <- -> => <=",
    "quotes-more": '"a" \'b\' ("c") ["d"] "e", \'f\'. it\'s \'90s "**g**" "`h`" `"i"` "한글"은 \'한글\'은 rock \'n\' roll',
    "attribute-lists": '## 제목 {: .x}\n\ntext {: .no}\n\n- a\n- b\n{: .list}\n\n```python\nx\n```\n{: .code}\n\n{:.gray}\ntext\n\n{:start="3"}\n1. x',
    "details-md": '<details markdown="1">\n<summary>열기 **b**</summary>\n\n**안**\n\n```python\nprint(1)\n```\n\n</details>',
}


def _bodies() -> Iterator[tuple[str, str]]:
    for number, (name, body) in enumerate(BODIES.items()):
        front = f"---\ntitle: {name}\ncategories: dialect\n---\n\n"
        yield f"_posts/2023-03-{number % 28 + 1:02}-{name}.md", f"{front}{body}\n"


def _fronts() -> Iterator[tuple[str, str]]:
    for name, front in FRONT.items():
        text = f"---\n{front}\n---\n본문 of **{name.split('-')[-1]}**\n"
        if "crlf" in name:
            text = text.replace("\n", "\r\n")
        yield f"_posts/{name}", f"\ufeff{text}" if "bom" in name else text


def site_files() -> dict[str, str]:
    """Every file of the folder, by its path."""
    return {
        "_config.yml": CONFIG,
        **{f"_layouts/{name}.html": LAYOUT for name in ("single", "post", "page", "home", "default")},
        "_data/navigation.yml": "main:\n  - title: 소개\n    url: /about/\n",
        "_pages/about.md": "---\ntitle: About\npermalink: /about/\n---\n소개 글\n",
        "_pages/no-permalink.md": "---\ntitle: Elsewhere\n---\nElsewhere\n",
        "folder/index.md": "---\ntitle: Folder\n---\nIn a folder\n",
        "folder/page.html": "---\ntitle: HTML page\n---\n<p>words of *HTML*</p>\n",
        "_docs/guide.md": "---\ntitle: Guide\n---\nA guide\n",
        "_docs/sub/deep.md": "---\ntitle: Deep\n---\nDeep guide\n",
        "_drafts/idea.md": "---\ntitle: Idea\n---\nNot yet\n",
        "section/_posts/2023-02-08-in-section.md": "---\ntitle: Section\ncategories: extra\n---\nSection post\n",
        "_posts/readme.md": "no date\n",
        "_posts/2023-02-09-no-front-matter.md": "Only *text*\n",
        "assets/a.png": "not really\n",
        "assets/b c.txt": "text\n",
        "vendor/x.md": "---\n---\nexcluded\n",
        "build.log": "excluded\n",
        "README.md": "excluded\n",
        "robots.txt": "User-agent: *\n",
        **dict(_fronts()),
        **dict(_bodies()),
    }
