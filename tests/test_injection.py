"""Text that is no HTML of the author's never becomes a script, wherever it is put: 6 contexts, 40 payloads."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import html5lib
import pytest

from tests.conftest import MakeSite

PAYLOADS = [
    '"><script>alert(1)</script>',
    "'><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</textarea></style></pre></code><script>alert(1)</script>",
    "<!--",
    "--><script>alert(1)</script>",
    "<!--><script>alert(1)</script>-->",
    "]]><script>alert(1)</script>",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<math><mtext></table><mglyph><style><img src=x onerror=alert(1)>",
    "<base href=//evil.example/>",
    "<meta http-equiv=refresh content=0;url=//evil.example/>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<style>*{display:none}</style>",
    "</style><script>alert(1)</script>",
    '" onmouseover="alert(1)',
    "' onfocus='alert(1)' autofocus='",
    " onfocus=alert(1) autofocus ",
    "` onclick=alert(1) `",
    '\\" onclick=\\"alert(1)',
    "&quot; onclick=&quot;alert(1)",
    "&#34; onclick=&#34;alert(1)",
    '" style="background:url(javascript:alert(1))',
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    "&#106;avascript&colon;alert(1)",
    "vbscript:msgbox(1)",
    "data:text/html,<script>alert(1)</script>",
    "//evil.example/x.js",
    "{{ 7 * 7 }}{% include 'post.html' %}",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "%3Cscript%3Ealert(1)%3C/script%3E",
    "\u2028</script><script>alert(1)</script>\u2029",
    "<scr<script>ipt>alert(1)</script>",
    "\ue000policy\ue001\ue0000\ue001<script>alert(1)</script>",
]  # fmt: skip
CONFIG = 'url = "https://example.org"\nbaseurl = "/n"\ncards = false\n'
Files = dict[str, str]


def front_matter(**fields: object) -> str:
    lines = "".join(f"{name}: {json.dumps(value)}\n" for name, value in fields.items())
    return f"---\n{lines}---\n"


def titled(number: int, payload: str) -> Files:
    """In the words of a post and of a page."""
    name = f"{number} {payload}"  # two of these names would be at one address
    words = {"title": payload, "description": payload, "series": name}
    lists = {"tags": [name, f"{number}"], "categories": [name]}
    at = f"/p{number}/"
    return {
        f"content/p{number}.md": front_matter(**words, **lists, permalink=at) + "Text\n",
        f"content/pages/p{number}.md": front_matter(title=payload, permalink=f"/page{at}") + "Text\n",
    }


def headed(number: int, payload: str) -> Files:
    """In code, in headings and in the info strings of fences: text that is no raw HTML."""
    line = payload.replace("`", "'")
    blocks = (
        f"# `{line}`",
        f"## x `{line}`",
        f"```{line}\n{payload}\n```",
        f"``` {{.{line}}}\nx\n```",
        f"    {payload}",
    )
    return {f"content/p{number}.md": front_matter(title="A") + "\n\n".join(blocks) + "\n"}


def printed(number: int, payload: str) -> Files:
    """In what cells print, in a value, in an error, and in what the author wrote under a cell."""
    cells = f"print({payload!r})\n{payload!r}", f"#| error: true\nraise ValueError({payload!r})"
    shown = "\n".join(f"```python\n{cell}\n```\n" for cell in cells)
    return {
        f"content/p{number}.md": front_matter(title="A")
        + f"{shown}\n```python {{eval=false}}\n1\n```\n```\n{payload}\n```\n"
    }


def linked(number: int, payload: str) -> Files:
    """In addresses, and in the front matter that names addresses."""
    escaped = payload.replace("\\", "\\\\").replace("<", "\\<").replace(">", "\\>")
    body = f'[x](<{escaped}>) ![x](<{escaped}>) [y]\n\n[y]: <{escaped}> "t"\n'
    fields = dict.fromkeys(("redirect_from", "aliases", "image", "lang", "translation_key"), payload)
    return {
        f"content/p{number}.md": front_matter(title="A", **fields) + body,
        f"content/m{number}.md": front_matter(title="M", redirect_to=payload),
    }


def named(number: int, payload: str) -> Files:
    """In the names of files and of folders."""
    name = f"{number}{payload.replace('/', '_')}"
    return {f"content/{name}.md": "Text\n", f"content/{name}/x.txt": "x"}


def configured(payload: str) -> Files:
    """In the words of the configuration."""
    names = "".join(f"{name} = {json.dumps(payload)}\n" for name in ("title", "description", "author"))
    profile = f"[profile]\nbio = {json.dumps(payload)}\nlocation = {json.dumps(payload)}\n"
    return {
        "fencepost.toml": CONFIG + names + profile,
        "content/a.md": front_matter(title="A", tags=["x"]) + "Text\n",
    }


CONTEXTS: Mapping[str, Callable[[int, str], Files]] = {
    "front matter": titled,
    "headings and code": headed,
    "output": printed,
    "links": linked,
    "names": named,
}


def elements(html: str) -> Iterator[tuple[str, dict[str, str], str]]:
    """Every element as a browser sees it: name, attributes, text."""
    tree = html5lib.parse(html, namespaceHTMLElements=False)
    for element in tree.iter():
        if isinstance(element.tag, str):
            yield element.tag.rpartition("}")[2], dict(element.attrib), element.text or ""


def check(path: str, html: str) -> None:
    for tag, attributes, text in elements(html):
        where = f"{path}: <{tag} {attributes}>"
        if tag == "script":
            if attributes.get("type") == "application/ld+json":
                json.loads(text)
            else:
                assert attributes.get("src", "").startswith("/n/assets/") and not text.strip(), where
        assert tag not in ("base", "style", "iframe", "object", "embed", "mglyph"), where
        if tag == "meta" and attributes.get("http-equiv", "").lower() == "refresh":
            assert attributes["content"].startswith("0; url=/n/"), where
        if tag == "link" and "stylesheet" in attributes.get("rel", ""):
            assert attributes["href"].startswith("/n/assets/"), where
        for name, value in attributes.items():
            assert not name.startswith("on") and name not in ("style", "srcdoc", "autofocus"), where
            if name in ("href", "src", "action", "formaction", "data", "xlink:href"):
                scheme = "".join(value.split()).lower().partition(":")[0]
                assert scheme not in ("javascript", "vbscript", "data"), where
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy":
            assert "unsafe" not in attributes["content"], where
            assert "sha256" not in attributes["content"], where
            assert (
                "script-src 'self';" in attributes["content"]
                or "default-src 'none'; base" in attributes["content"]
            )


def check_site(root: Path) -> int:
    """Check all that was made; return how many pages it has."""
    made = [path for path in (root / "output").rglob("*") if path.is_file()]
    for path in made:
        name = path.relative_to(root / "output").as_posix()
        if name.endswith(".html"):
            check(name, path.read_text(encoding="utf-8"))
        elif name.endswith(".xml"):
            ET.parse(path)
        elif name.endswith((".json", ".ipynb")):
            assert json.loads(path.read_text(encoding="utf-8")) is not None, name
    return sum(path.suffix == ".html" for path in made)


@pytest.mark.parametrize("context", CONTEXTS)
def test_no_text_of_a_post_becomes_a_script(context: str, make_site: MakeSite) -> None:
    files = {"fencepost.toml": CONFIG}
    for number, payload in enumerate(PAYLOADS):
        files |= CONTEXTS[context](number, payload)
    site = make_site(files)
    site.build()
    assert check_site(site.root) > len(PAYLOADS)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_text_of_the_configuration_becomes_a_script(payload: str, make_site: MakeSite) -> None:
    site = make_site(configured(payload))
    site.build(jobs=1)
    assert check_site(site.root) > 4


def test_there_are_240() -> None:
    assert len(set(PAYLOADS)) * (len(CONTEXTS) + 1) == 240
