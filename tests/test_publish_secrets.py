"""Row 47: no secret stands in what is published. Twenty are planted, each in another way."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import pytest
from markupsafe import escape

from builder.publish.secrets import find_secrets, withheld
from tests.conftest import MakeSite
from tests.publishing import OLD, files_of, lay_out, prepared, publish

# Put together here, so that no scanner takes this file for a leak.
A36, A40 = "abcdefghijklmnopqrstuvwxyz0123456789", "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8S9t0"
DIGITS = "1234567890"
VALUE = "s3cr3t/Va+lue&<'\"=9"
KEY = "-----BEGIN OPENSSH PRIVATE " + "KEY-----\n" + "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAA" + "\n"


def page(text: str) -> bytes:
    return f"<!DOCTYPE html>\n<title>t</title>\n<pre>{text}</pre>\n".encode()


def in_tags(text: str) -> str:
    """As a highlighter shows it."""
    return "".join(f'<span class="s">{html.escape(part)}</span>' for part in (text[:5], text[5:9], text[9:]))


PLANTED: Mapping[str, tuple[str, bytes]] = {
    "GitHub": ("index.html", page("ghp" + "_" + A36)),
    "GitHub, fine-grained": ("a/index.html", page("github" + "_pat_" + A40[:22] + "_" + A40 + A36[:19])),
    "GitLab": ("index.html", page("glpat" + "-" + A40[:20])),
    "AWS": ("index.html", page("AKIA" + "IOSFODNN7EXAMPLE".replace("7", "5"))),
    "Slack": ("index.html", page("xoxb" + "-" + DIGITS + "-" + DIGITS + "-" + A40[:24])),
    "Slack webhook": (
        "a.txt",
        b"https://hooks.slack." + b"com/services/T00000000/B00000000/" + A40[:24].encode(),
    ),
    "Hugging Face": ("index.html", page("hf" + "_" + A36[:34])),
    "OpenAI": ("index.html", page("sk-proj" + "-" + A40 + A40)),
    "Anthropic": ("index.html", page("sk-ant" + "-api03-" + A40)),
    "Google": ("search.json", json.dumps({"text": "AIza" + A40[:35]}).encode()),
    "Stripe": ("index.html", page("sk_" + "live_" + A36[:24])),
    "npm": ("index.html", page("npm" + "_" + A36)),
    "PyPI": ("index.html", page("pypi" + "-AgEIcHlwaS5vcmc" + A40 + A40)),
    "private key": ("files/id_ed25519", KEY.encode()),
    "database": ("index.html", page("postgres://me:" + "Wh0-kn0ws" + "@db.example.org/blog")),
    "token in highlighted code": ("index.html", page(in_tags("ghp" + "_" + A36))),
    "value as it is": ("raw.bin", b"\0\xff" + VALUE.encode()),
    "value in a page": ("index.html", page(html.escape(VALUE))),
    "value in highlighted code": ("index.html", page(in_tags(VALUE))),
    "value in an address": ("index.html", page(f"https://example.org/?q={quote(VALUE, safe='')}")),
}
assert len(PLANTED) == 20


@pytest.fixture
def secret_in_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("BLOG_DEPLOY_TOKEN", VALUE)


@pytest.mark.usefixtures("secret_in_the_environment")
def test_row_47_no_planted_secret_is_published(make_site: MakeSite, tmp_path: Path) -> None:
    site = make_site({"fencepost.toml": f'[publish.host]\nkind = "folder"\npath = "{tmp_path}/www"\n'})
    lay_out(site, OLD)
    publish(site)
    for what, (path, content) in PLANTED.items():
        lay_out(site, {**OLD, path: content})
        refused = prepared(site).refusals
        assert refused, what
        assert all(refusal.name.startswith("secret:") for refusal in refused), what
        assert any(refusal.message.startswith(f"{path}:") for refusal in refused), what
    assert files_of(tmp_path / "www") == OLD
    publish(site, "", *(refusal.name for refusal in refused))  # each can be allowed, by its own name only
    lay_out(site, {**OLD, "index.html": page("ghp" + "_" + A36[::-1])})
    assert prepared(site, "", *(refusal.name for refusal in refused)).refusals


FORMS: Mapping[str, tuple[str, bytes]] = {
    "in an attribute": ("index.html", f'<img alt="{escape(VALUE)}">'.encode()),
    "behind a name, for HTTP": ("a.md", b"Basic " + base64.b64encode(b"me:" + VALUE.encode())),
    "inside of base64": ("a.md", base64.b64encode(b"token=12" + VALUE.encode() + b"..")),
    "in base64 of addresses": ("a.md", base64.urlsafe_b64encode(b"\xff" + VALUE.encode())),
    "in hexadecimal": ("a.md", VALUE.encode().hex().encode()),
    "as bytes": ("a.md", repr(VALUE.encode()).encode()),
    "highlighted, in a feed": ("feed.xml", f"<content>{html.escape(in_tags(VALUE))}</content>".encode()),
    "highlighted, in a JSON feed": ("feed.json", json.dumps({"content_html": in_tags(VALUE)}).encode()),
    "in a path": ("index.html", page(quote(VALUE))),
    "with small digits": ("index.html", page(re.sub("%..", lambda of: of[0].lower(), quote(VALUE, safe="")))),
    "token on a line of a notebook": ("a.ipynb", json.dumps({"source": "a\nghp" + "_" + A36}).encode()),
    "token in a query": ("index.html", page("https://example.org/?q%3Dghp" + "_" + A36)),
}


@pytest.mark.parametrize("what", FORMS)
def test_a_secret_is_found_in_every_form(tmp_path: Path, what: str) -> None:
    from builder.publish.files import File

    path, content = FORMS[what]
    (tmp_path / "file").write_bytes(content)
    values = withheld({"BLOG_DEPLOY_TOKEN": f"{VALUE}\n"})  # as it comes out of a file
    assert find_secrets([File(path, tmp_path / "file", "", 0)], values, 1)


@pytest.mark.parametrize(
    "innocent",
    [
        "ghp" + "_" + A36[:10],
        "use a token like hf_xxxxxxxx, or sk-...",
        "task-based-learning-with-a-long-name-that-goes-on-and-on-and-on-for-ever",
        "https://user:password@example.org, https://user:${PASSWORD}@example.org",
        "tensor([0.1234567890123456789012345678901234567890])",
        "sha256:" + "0123456789abcdef" * 4,
        "-----BEGIN PUBLIC " + "KEY-----\n" + "A" * 64,
        "BACKIAAKIAAAAAAAAAAAAAAAAAAA",
        "data:image/png;base64," + base64.b64encode(b"picture" * 200).decode(),
    ],
)
def test_what_only_looks_like_a_secret_is_published(tmp_path: Path, innocent: str) -> None:
    from builder.publish.files import File

    (tmp_path / "index.html").write_bytes(page(innocent))
    assert find_secrets([File("index.html", tmp_path / "index.html", "", 0)], {}, 1) == []


def test_which_values_this_machine_keeps_to_itself(tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("machine example.org login me password netrc-password\n")
    (tmp_path / ".netrc").chmod(0o600)
    (tmp_path / ".git-credentials").write_text("https://me:git%2Fpassword@example.org\n")
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "credentials").write_text("[default]\naws_secret_access_key = aws%secret%value\n")
    environment = {
        "HOME": str(tmp_path),
        "GITHUB_TOKEN": "github-token",
        "AWS_SECRET_ACCESS_KEY": "aws-secret-key",
        "STRIPE_KEY": "stripe-key",
        "MY_PRIVATE_THING": "private-thing",
        "DATABASE_URL": "postgres://me:password-of-it@host/db",
        "MIRROR": "https://me:mirror-password@host/",
        "SSH_AUTH_SOCK": "/tmp/agent.sock",
        "KEYBOARD": "qwerty-layout",
        "PATH": "/usr/bin:/bin",
        "TOKEN": "short",
    }
    options = {"secret": "secret-of-the-target", "endpoint_url": "http://127.0.0.1", "port": 22}
    assert set(withheld(environment, options)) == {
        "secret-of-the-target",
        *("github-token", "aws-secret-key", "stripe-key", "private-thing", "mirror-password"),
        "postgres://me:password-of-it@host/db",
        *("netrc-password", "git/password", "aws%secret%value"),
    }


@pytest.mark.usefixtures("secret_in_the_environment")
def test_row_47_the_value_of_an_environment_variable_in_an_output_fails_the_publish(
    make_site: MakeSite,
) -> None:
    site = make_site(
        {
            "content/a.md": "---\ntitle: A\n---\n```python\nimport os\nprint(os.environ['BLOG_DEPLOY_TOKEN'])\n```\n",
            "fencepost.toml": '[execute]\nenvironment = ["BLOG_DEPLOY_TOKEN"]\n[publish.host]\nkind = "folder"\npath = "www"\n',
        }
    )
    assert site.command("build").status == 0
    done = site.command("publish")
    assert done.status == 1
    assert "a/index.html:" in done.err
    assert "the value of BLOG_DEPLOY_TOKEN" in done.err
    assert VALUE not in done.err + done.out
    assert not (site.root / "www").exists()
