"""Liquid in posts: what is replaced, what is left alone, and that no line moves."""

from __future__ import annotations

import pytest

from builder.jekyll.liquid import Scene, expand

SCENE = Scene(
    site={
        "title": "블로그",
        "url": "https://x.org",
        "baseurl": "/b",
        "author": {"name": "하늘"},
        "list": [1],
    },
    page={
        "title": "제목",
        "toc": True,
        "gallery": [{"image_path": "/a.png"}, {"image_path": "/b.png", "url": "/c"}],
    },
    url="https://x.org",
    baseurl="/b",
    markdown=lambda text: f"<i>{text}</i>",
)


def done(text: str) -> str:
    return expand(text, SCENE, "a.md", 1)[0]


KNOWN = [
    ('{{ "/a.png" | relative_url }}', "/b/a.png"),
    ("{{ '/a' | absolute_url }}", "https://x.org/b/a"),
    ('{{ "a.png" | prepend: "/img/" | prepend: site.baseurl }}', "/b/img/a.png"),
    ("{{ site.baseurl }}/x", "/b/x"),
    ("{{site.url}}{{site.baseurl}}/x", "https://x.org/b/x"),
    ("{{- site.title -}}", "블로그"),
    ("{{ site.author.name }}", "하늘"),
    ("{{ page.title | upcase }}", "제목"),
    ("{{ page.toc }}", "true"),
    ("{{ page.nothing }}", ""),
    ("{{ 'https://a.b/c' | relative_url }}", "https://a.b/c"),
    ("{% post_url 2020-01-01-a %}", "/_posts/2020-01-01-a.md"),
    (
        "{{ site.baseurl }}{% post_url sub/2020-01-01-한 글 %}",
        "/_posts/sub/2020-01-01-%ED%95%9C%20%EA%B8%80.md",
    ),
    ("{% link _pages/a.md %}", "/_pages/a.md"),
    ("{% raw %}{{ x }}{% endraw %}", "{{ x }}"),
    ("a{% comment %}b{% endcomment %}c", "ac"),
    ("{% highlight python %}\nx\n{% endhighlight %}", "```python\nx\n```"),
    ("{% highlight python linenos %}\n```\n{% endhighlight %}", "````python linenos\n```\n````"),
    ("{% include toc %}", '<nav class="toc" data-toc></nav>'),
    (
        '{% include figure image_path="/a.png" alt="b" caption="*c*" %}',
        '<figure class=""><img src="/b/a.png" alt="b"><figcaption><i>*c*</i></figcaption></figure>',
    ),
    ("{% raw %}\n```\n{{ .Os }}\n```\n{% endraw %}", "\n```\n{{ .Os }}\n```\n"),
]


@pytest.mark.parametrize(("text", "wanted"), KNOWN)
def test_what_is_replaced(text: str, wanted: str) -> None:
    assert expand(text, SCENE, "a.md", 1) == (wanted, ())


LEFT = [
    "```\n{{ site.title }}\n```",
    "`{{ site.title }}`",
    "$${{a-\\mu} \\over \\sigma}$$",
    "~~~\n{% link x %}\n~~~",
    "- item\n\n  ```yaml\n  {{ site.title }}\n  ```",
    "no Liquid { at } all",
]


@pytest.mark.parametrize("text", LEFT)
def test_code_and_mathematics_are_left_alone(text: str) -> None:
    assert expand(text, SCENE, "a.md", 1) == (text, ())


UNKNOWN = [
    "{{ foo }}",
    "{% for a in b %}",
    "{{ site.posts }}",
    "{{ site.list }}",
    "{{ site.title | nope }}",
    "{% include x.html %}",
    "{{ site.time }}",
]


@pytest.mark.parametrize("text", UNKNOWN)
def test_all_else_stays_with_a_warning_at_its_line(text: str) -> None:
    shown, problems = expand(f"a\n\nb {text} {{{{ site.title }}}}\n", SCENE, "a.md", 5)
    assert shown == f"a\n\nb {text} 블로그\n"
    assert [(p.level, p.line) for p in problems] == [("warning", 7)]


def test_no_line_moves() -> None:
    text = '{% include figure\n   image_path="/a.png"\n   alt="b" %}\nend {{\n site.title }}\n{% comment %}\n\n{% endcomment %}\nlast'
    shown = done(text)
    assert shown.count("\n") == text.count("\n")
    assert shown.split("\n")[3].startswith("end 블로그")


def test_galleries_and_videos() -> None:
    assert done("{% include gallery %}").count("<img") == 2
    assert 'class="half"' in done("{% include gallery %}")
    assert "youtube-nocookie.com/embed/x" in done('{% include video id="x" provider="youtube" %}')


def test_a_long_line_takes_no_time() -> None:
    text = "{{ " * 20_000 + "`" * 10_000 + "$" * 10_001
    assert expand(text, SCENE, "a.md", 1)[0] == text
