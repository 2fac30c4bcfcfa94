"""Real servers on this machine: S3 over HTTP, rsync and SFTP over SSH. Loopback only, keys and folders of their own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from builder.publish.plan import PublishError
from tests.conftest import MakeSite, TestSite
from tests.publishing import NEW, NEW_STYLE, OLD, files_of, lay_out, publish

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
pytestmark = pytest.mark.xdist_group("servers")


def test_groups_of_tests_are_kept_together(request: pytest.FixtureRequest) -> None:
    """A group that shares a server or a browser runs in one process; pytest-xdist says so in the name of a test."""
    if request.config.getoption("loadgroup", False):
        assert request.node.nodeid.endswith("@servers")


def published_twice(site: TestSite) -> None:
    """The second time sends nothing, and a change only what it changes."""
    lay_out(site, OLD)
    publish(site)
    assert publish(site).plan.empty
    lay_out(site, NEW)
    changed = {"a/index.html", "e/index.html", "feed.xml", "index.html", NEW_STYLE}
    assert {file.path for file in publish(site).plan.sends} == changed
    assert publish(site).plan.empty


# --- S3 ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def test_a_bucket_holds_the_site_with_types_and_times(
    make_site: MakeSite, s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (
        ("ACCESS_KEY_ID", "key"),
        ("SECRET_ACCESS_KEY", "secret"),
        ("DEFAULT_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(f"AWS_{name}", value)
    import boto3

    client: Any = boto3.client("s3", endpoint_url=s3)
    client.create_bucket(Bucket="blog")
    client.put_object(Bucket="blog", Key="site/theirs.txt", Body=b"theirs")
    target = f'kind = "store"\naddress = "s3://blog/site"\noptions = {{endpoint_url = "{s3}"}}'
    site = make_site({"fencepost.toml": f"[publish.host]\n{target}\n"})
    published_twice(site)
    listed = client.list_objects_v2(Bucket="blog")["Contents"]
    held = {entry["Key"]: client.get_object(Bucket="blog", Key=entry["Key"]) for entry in listed}
    del held["site/.fencepost.json"]
    assert held.pop("site/theirs.txt")["Body"].read() == b"theirs"
    assert {key.removeprefix("site/"): answer["Body"].read() for key, answer in held.items()} == NEW
    kept = {key: (answer["ContentType"], answer["CacheControl"]) for key, answer in held.items()}
    assert kept["site/index.html"] == ("text/html; charset=utf-8", "public, max-age=300")
    assert kept[f"site/{NEW_STYLE}"] == ("text/css; charset=utf-8", "public, max-age=31536000, immutable")
    client.put_object(Bucket="blog", Key="site/b/index.html", Body=b"x" * len(NEW["b/index.html"]))
    assert [file.path for file in publish(site).plan.sends] == ["b/index.html"]  # the store keeps a hash


# --- SSH --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Server:
    """A server of SSH for this user: its port, the command that reaches it, and the home that knows it."""

    port: int
    shell: str
    key: Path
    home: Path


@pytest.fixture(scope="module")
def ssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    if SSHD is None or shutil.which("rsync") is None or shutil.which("ssh-keygen") is None:
        pytest.skip("rsync and a server of SSH are not installed")
    home = tmp_path_factory.mktemp("ssh")
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(home / name)], check=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = home / "sshd_config"
    config.write_text(
        f"ListenAddress 127.0.0.1\nPort {port}\nHostKey {home}/host\nPidFile none\nUsePAM no\n"
        f"AuthorizedKeysFile {home}/user.pub\nStrictModes no\nPasswordAuthentication no\nPermitRootLogin yes\n"
        "Subsystem sftp internal-sftp\n"
    )
    known = home / ".ssh" / "known_hosts"
    known.parent.mkdir()
    kind, public, *_ = (home / "host.pub").read_text().split()
    known.write_text(f"[127.0.0.1]:{port} {kind} {public}\n")
    if os.geteuid() == 0:  # where it goes to give up its rights: left there, other runs may have one too
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    server = subprocess.Popen([SSHD, "-D", "-e", "-f", str(config)], stderr=(home / "log").open("wb"))
    try:
        _wait_for(port, server, home / "log")
        options = f"-p {port} -i {home}/user -F none -o UserKnownHostsFile={known} -o BatchMode=yes"
        yield Server(port, f"ssh {options}", home / "user", home)
    finally:
        server.terminate()
        server.wait(60)


def _wait_for(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
            return
        except OSError:
            if server.poll() is not None or time.monotonic() > deadline:
                pytest.skip(f"sshd does not run here: {log.read_text()}")
            time.sleep(0.05)


def test_rsync_over_ssh(make_site: MakeSite, ssh: Server, tmp_path: Path) -> None:
    www = tmp_path / "a host" / "www"
    www.mkdir(parents=True)
    (www / "theirs.txt").write_bytes(b"theirs")
    target = f'kind = "rsync"\naddress = "127.0.0.1:{www}"\nshell = "{ssh.shell}"\ncopies = ["gzip"]'
    site = make_site({"fencepost.toml": f"[publish.host]\n{target}\n"})
    lay_out(site, OLD)
    publish(site)
    assert publish(site).plan.empty
    lay_out(site, NEW)
    publish(site)
    there = files_of(www)
    assert there.pop("a/index.html.gz")
    assert there.pop("theirs.txt") == b"theirs"
    assert there == NEW


def test_a_host_that_does_not_answer_is_told(make_site: MakeSite, ssh: Server) -> None:
    shell = ssh.shell.replace(str(ssh.port), "1")
    site = make_site(
        {"fencepost.toml": f'[publish.host]\nkind = "rsync"\naddress = "127.0.0.1:/x"\nshell = "{shell}"\n'}
    )
    lay_out(site, OLD)
    with pytest.raises(PublishError) as error:
        publish(site)
    assert "Connection refused" in error.value.detail


def test_sftp_takes_the_site_from_known_hosts_only(
    make_site: MakeSite, ssh: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(ssh.home))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    www = tmp_path / "www"
    target = f'kind = "store"\naddress = "sftp://127.0.0.1{www}"\noptions = {{port = {ssh.port}, key_filename = "{ssh.key}"}}'
    site = make_site({"fencepost.toml": f"[publish.host]\n{target}\n"})
    published_twice(site)
    assert files_of(www) == NEW
    monkeypatch.setenv("HOME", str(tmp_path / "elsewhere"))
    with pytest.raises(PublishError, match="no known host"):
        publish(site)
