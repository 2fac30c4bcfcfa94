"""Secrets in what would be published: values that this machine keeps to itself, and the shapes of tokens.

A page is looked at as its bytes are, and once more as its text: without tags, and with entities resolved, since
highlighted code puts tags inside of values; and once more with its tags, since values stand in attributes too.
"""

from __future__ import annotations

import base64
import configparser
import hashlib
import html
import json
import netrc
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Final
from urllib.parse import quote, quote_plus, unquote, urlsplit

from builder.frozen import frozen
from builder.publish.files import File
from builder.workers import spread


@frozen
class Secret:
    """One secret in one file: what it is, and the name by which it can be allowed."""

    path: str
    line: int
    what: str
    name: str  # of this very value: it says nothing about it


# What it is, a word that each match holds, and the whole shape. The shapes are those that the issuers
# publish: GitHub docs, "About authentication to GitHub"; GitLab docs, "Token overview"; AWS IAM, "Unique
# identifiers"; Slack docs, "Token types"; Hugging Face hub, "User access tokens"; OpenAI, Anthropic, Google
# Cloud and Stripe, "API keys"; npm and PyPI, announcements of their formats of tokens; RFC 7468 and OpenSSH for
# private keys.
SHAPES: Final[Sequence[tuple[str, str, str]]] = (
    ("GitHub token", "gh", r"gh[pousr]_[A-Za-z0-9]{36,251}"),
    ("GitHub token", "github_pat_", r"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}"),
    ("GitLab token", "gl", r"gl(?:pat|cbt|dt|rt|ptt|ft|soat|agent|imt)-[A-Za-z0-9_.-]{20,}"),
    ("AWS access key", "A", r"(?:AKIA|ASIA)[A-Z2-7]{16}"),
    ("Slack token", "xox", r"xox[abeoprs]-[A-Za-z0-9-]{10,}"),
    ("Slack token", "xapp-", r"xapp-\d-[A-Za-z0-9-]{20,}"),
    (
        "Slack webhook",
        "hooks.slack.com",
        r"hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9/_-]{20,}",
    ),
    ("Hugging Face token", "hf_", r"hf_[A-Za-z0-9]{34,}"),
    ("OpenAI key", "sk-", r"sk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{20,}T3BlbkFJ[A-Za-z0-9_-]{20,}"),
    ("OpenAI key", "sk-", r"sk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{40,}"),
    ("OpenAI key", "sk-", r"sk-[A-Za-z0-9]{48}"),
    ("Anthropic key", "sk-ant-", r"sk-ant-[A-Za-z0-9]+-[A-Za-z0-9_-]{20,}"),
    ("Google API key", "AIza", r"AIza[A-Za-z0-9_-]{35}"),
    ("Google OAuth token", "ya29.", r"ya29\.[A-Za-z0-9_-]{20,}"),
    ("Stripe key", "_live_", r"[sr]k_live_[A-Za-z0-9]{16,}"),
    ("npm token", "npm_", r"npm_[A-Za-z0-9]{36}"),
    ("PyPI token", "pypi-", r"pypi-AgE[A-Za-z0-9_-]{50,}"),
    ("SendGrid key", "SG.", r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}"),
    ("Telegram token", ":AA", r"\d{8,10}:AA[A-Za-z0-9_-]{33}"),
    ("Discord webhook", "/api/webhooks/", r"discord(?:app)?\.com/api/webhooks/\d{17,20}/[A-Za-z0-9_-]{60,}"),
    ("JSON Web Token", "eyJ", r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}"),
    (
        "private key",
        "PRIVATE KEY-----",
        r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----\s*[A-Za-z0-9+/=\s]{40,}",
    ),
    (
        "password in an address",
        "://",
        r"(?:https?|ftp|ssh|postgres(?:ql)?|mysql|mongodb(?:\+srv)?|redis|amqp)://"
        r"[^\s:/@\"'<>&]{1,64}:(?!(?i:passw\w*|secret|token|changeme|example|x+)@)[^\s:/@\"'<>&{}$*]{8,128}@[\w.-]+",
    ),
)
# No letter before it, unless that belongs to `\n` or `%3D`.
_EDGE: Final = r"(?:(?<![A-Za-z0-9_-])|(?<=\\[nrt])|(?<=%[0-9A-Fa-f]{2}))"
_PATTERNS: Final = tuple(
    (what, word.encode(), re.compile((_EDGE + shape).encode())) for what, word, shape in SHAPES
)

_SECRET_NAME: Final = re.compile(
    r"TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|PRIVATE|CREDENTIAL|WEBHOOK|COOKIE|(?:^|_)(?:PASS|PWD|KEY|AUTH|DSN|PAT|SALT)(?:_|$)"
    r"|API_?KEY|DATABASE_URL",
    re.IGNORECASE,
)
_SHORTEST: Final = 8  # characters of a value: a shorter one stands everywhere
_TAG: Final = re.compile(rb"<[^<>]*>")
_MARKUP: Final = (".html", ".htm", ".xml", ".svg", ".atom", ".json", ".ipynb")


def withheld(
    environment: Mapping[str, str] = os.environ, options: Mapping[str, object] = MappingProxyType({})
) -> dict[str, str]:
    """Return {value: where it is from} of what this machine keeps to itself.

    Variables (and `options` of a target) whose name looks like a secret's, passwords in the addresses of others,
    and what git, curl and the tools of AWS read from the home folder.
    """
    given = {name: value for name, value in options.items() if isinstance(value, str)}
    found = _named({**given, **environment})
    if "HOME" in environment:
        found |= _of_home(Path(environment["HOME"]))
    stripped = {
        value.strip(): where for value, where in found.items()
    }  # of files, their line ends come along
    return {value: where for value, where in stripped.items() if len(value) >= _SHORTEST}


def _named(values: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in values.items():
        # The path of a file with a secret (SSH_AUTH_SOCK, ..._KEY_FILE) is none.
        if _SECRET_NAME.search(name) and not value.startswith("/"):
            found[value] = f"the value of {name}"
        elif "://" in value and (password := _password(value)):
            found[password] = f"the password in {name}"
    return found


def find_secrets(files: Iterable[File], values: Mapping[str, str], jobs: int) -> list[Secret]:
    """Return every secret in files, by path and line."""
    look = partial(_look_at, tuple(_spellings(values)))
    found = [secret for secrets in spread(look, list(files), jobs) for secret in secrets]
    return sorted(found, key=lambda secret: (secret.path, secret.line, secret.what))


def _look_at(values: Sequence[tuple[bytes, str, str]], files: Sequence[File]) -> list[list[Secret]]:
    return [list(_in_file(file, values)) for file in files]


def _in_file(file: File, values: Sequence[tuple[bytes, str, str]]) -> Iterator[Secret]:
    content = file.source.read_bytes()
    told = set()
    for text in _readings(content, file.path):
        for spelling, where, name in values:
            at = text.find(spelling)
            if at >= 0 and name not in told:
                told.add(name)
                yield Secret(file.path, _line(text, at), where, name)
        for what, word, pattern in _PATTERNS:
            if word not in text:
                continue
            for match in pattern.finditer(text):
                name = _name(match[0].decode("utf-8", "replace"))
                if name not in told:
                    told.add(name)
                    yield Secret(file.path, _line(text, match.start()), f"the shape of a {what}", name)


def _readings(content: bytes, path: str) -> Iterator[bytes]:
    yield content
    if path.endswith(_MARKUP):
        resolved = _resolved(content)
        texts = [_resolved(_TAG.sub(b"", content)), resolved]
        if not path.endswith(".html"):  # the HTML in a feed is escaped: what is text there is so twice
            texts.append(_resolved(_TAG.sub(b"", resolved)))
        yield from (text for text in dict.fromkeys(texts) if text != content)


def _resolved(text: bytes) -> bytes:
    """A text with its entities resolved."""
    if b"&" not in text:
        return text
    return html.unescape(text.decode("utf-8", "replace")).encode("utf-8", "surrogatepass")


def _line(text: bytes, at: int) -> int:
    return text.count(b"\n", 0, at) + 1


def _spellings(values: Mapping[str, str]) -> Iterator[tuple[bytes, str, str]]:
    """The ways in which each value may stand in a file, where it is from, and its name."""
    for value, where in values.items():
        encoded = value.encode("utf-8", "surrogateescape")
        forms = {
            value,
            html.escape(value),
            json.dumps(value, ensure_ascii=False)[1:-1],
            json.dumps(value)[1:-1],
            repr(value)[1:-1],
            repr(encoded)[2:-1],
            encoded.hex(),
            *_in_addresses(value),
            *_in_base64(encoded),
        }
        for form in sorted(forms):
            yield form.encode("utf-8", "surrogateescape"), where, _name(value)


def _in_addresses(value: str) -> Iterator[str]:
    for form in (
        quote(value, safe="", errors="replace"),
        quote(value, errors="replace"),
        quote_plus(value, errors="replace"),
    ):
        yield form
        yield re.sub(r"%..", lambda found: found[0].lower(), form)


def _in_base64(value: bytes) -> Iterator[str]:
    """The characters that stand for a value in base64, wherever in the encoded text it begins."""
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + value).decode()
        form = encoded[-(-before * 8 // 6) : (before + len(value)) * 8 // 6]
        yield form
        yield form.replace("+", "-").replace("/", "_")


def _name(value: str) -> str:
    """What `--allow` calls a value: the beginning of its hash."""
    return f"secret:{hashlib.sha256(value.encode('utf-8', 'surrogateescape')).hexdigest()[:8]}"


def _password(address: str) -> str:
    try:
        return unquote(urlsplit(address).password or "")
    except ValueError:
        return ""


def _of_home(home: Path) -> dict[str, str]:
    """Passwords and keys in the files of programs that publish."""
    found: dict[str, str] = {}
    try:
        for host, (_, _, password) in netrc.netrc(str(home / ".netrc")).hosts.items():
            found[password] = f"the password for {host} in ~/.netrc"
    except (OSError, netrc.NetrcParseError, UnicodeDecodeError):
        pass
    try:
        for line in (home / ".git-credentials").read_text(encoding="utf-8").split():
            found[_password(line)] = "a password in ~/.git-credentials"
    except (OSError, UnicodeDecodeError):
        pass
    keys = configparser.ConfigParser(interpolation=None)
    try:
        keys.read(home / ".aws" / "credentials", encoding="utf-8")
        for section in keys.sections():
            for option in ("aws_secret_access_key", "aws_session_token"):
                found[keys.get(section, option, fallback="")] = f"{option} in ~/.aws/credentials"
    except (configparser.Error, UnicodeDecodeError):
        pass
    return found
