"""Rows 34, 35, 47 and 55: what posts can see of the build, of each other, and of a GPU."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from uuid import uuid4

import pytest

from tests.conftest import MakeSite, TestSite
from tests.faulty import BAD, MARK, assert_healthy, faulty, post

NOBODY = 65534
ROOT = Path(__file__).resolve().parents[1]


pytestmark = pytest.mark.usefixtures("mark")


# --- row 47: secrets --------------------------------------------------------------------------

NAMES = (
    *("AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "HF_TOKEN", "NETLIFY_AUTH_TOKEN", "OPENAI_API_KEY"),
    *("DATABASE_URL", "SSH_AUTH_SOCK", "NPM_TOKEN", "TWINE_PASSWORD", "DEPLOY_KEY", "PYTHONPATH_SECRET"),
    *("PASSWORD", "SECRET", "CI_JOB_TOKEN", "CLOUDFLARE_API_TOKEN", "WANDB_API_KEY", "SENTRY_DSN"),
    *("SLACK_WEBHOOK", "STRIPE_KEY", "MY_PRIVATE_THING"),
)
SNOOP = """
import os
print(dict(os.environ))
print(open('/proc/self/environ').read())
pid = os.getpid()
while pid > 1:
    pid = int(open(f'/proc/{pid}/stat').read().rpartition(')')[2].split()[1])
    try:
        print('read', open(f'/proc/{pid}/environ').read())
    except OSError as error:
        print('refused', type(error).__name__)
    print(os.popen('env').read())
"""


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that a user without rights can write to."""
    folder = Path(tempfile.mkdtemp(prefix="fencepost-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def _as_nobody(command: list[str], folder: Path) -> list[str]:
    """The command as a user without rights who owns `folder`, and can reach Python where root's home has it."""
    for path in (folder, *folder.rglob("*")):
        os.chown(path, NOBODY, NOBODY)
    drop = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *command]
    closed = [path for path in Path(sys.base_prefix).parents if not path.stat().st_mode & 0o001]
    if not closed:
        return drop
    script = (
        'set -e; closed=$1 python=$2 spare=$3; shift 3; mount --bind "$python" "$spare";'
        ' mount -t tmpfs -o mode=755 none "$closed"; mkdir -p "$python"; mount --bind "$spare" "$python";'
        ' exec "$@"'
    )
    spare = folder / "python"
    spare.mkdir()
    return [
        "unshare",
        "--mount",
        "sh",
        "-c",
        script,
        "sh",
        str(closed[-1]),
        sys.base_prefix,
        str(spare),
        *drop,
    ]


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_row_47_no_secret_of_the_environment_reaches_a_cell(public_folder: Path, start: str) -> None:
    canaries = {name: f"canary-{uuid4().hex}" for name in NAMES}
    assert len(canaries) == 20
    site = TestSite(public_folder)
    wish = "execute: {environment: [HF_TOKEN]}"
    site.write(
        {
            BAD: post(SNOOP, execute="environment: [GITHUB_TOKEN]"),
            "content/b.md": f"---\ntitle: b\n{wish}\n---\n```python\nimport os; print(os.environ)\n```\n",
            "fencepost.toml": f'[execute]\nstart = "{start}"\nenvironment = ["NAMED"]\n',
        }
    )
    kept = {name: os.environ[name] for name in ("PATH", "LANG", MARK) if name in os.environ}
    command = [sys.executable, "-m", "builder", "build", str(public_folder)]
    if os.geteuid() == 0:
        command = _as_nobody(command, public_folder)
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**kept, **canaries, "HOME": str(public_folder), "NAMED": "named-and-seen"},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    page = site.html("bad")
    assert "named-and-seen" in page  # the cells did look
    assert "refused PermissionError" in page
    assert (
        "only the site&#39;s configuration" in done.stderr or "only the site's configuration" in done.stderr
    )
    everything = b"".join(p.read_bytes() for p in public_folder.rglob("*") if p.is_file())
    told = done.stdout + done.stderr
    assert [n for n, v in canaries.items() if v.encode() in everything or v in told] == []


# --- rows 34 and 35: posts and each other -----------------------------------------------------

DIRT = """
import builtins, json, os, random, sys, threading, time, warnings
import numpy, torch
os.environ['DIRT'] = 'dirt'
os.chdir('/')
sys.path.insert(0, '/dirt')
random.seed(9), numpy.random.seed(9), torch.manual_seed(9), torch.rand(3)
warnings.simplefilter('error')
torch.set_default_dtype(torch.float64)
torch.set_default_device('meta')
torch.set_num_threads(2)
torch.set_printoptions(precision=1)
numpy.set_printoptions(precision=1)
torch.set_grad_enabled(False)
json.dumps = lambda *_: 'patched'
builtins.dirt = True
sys.modules['colorsys'] = None
sys.setrecursionlimit(77777)
threading.Thread(target=time.sleep, args=(30,), daemon=True).start()
"""
PROBE = """
import builtins, json, os, random, sys, threading, warnings
import numpy, torch
import colorsys
print(os.environ.get('DIRT'), os.path.basename(os.getcwd()), '/dirt' in sys.path)
print(random.random(), numpy.random.rand(), torch.rand(2))
print(len([f for f in warnings.filters if f[0] == 'error']), torch.get_default_dtype(), torch.get_default_device())
print(torch.get_num_threads(), torch.tensor([1.23456]), numpy.array([1.23456]), torch.is_grad_enabled())
print(json.dumps(1), hasattr(builtins, 'dirt'), sys.getrecursionlimit(), threading.active_count())
"""


@pytest.mark.parametrize(("start", "jobs"), [("fork", 1), ("fork", 2), ("spawn", 2)])
def test_row_34_and_35_nothing_of_one_post_reaches_another(
    make_site: MakeSite, start: str, jobs: int
) -> None:
    names = ("a-probe", "b-dirt", "c-probe", "d-dirt", "e-probe")
    site = make_site(
        {
            **{f"content/{name}.md": post(PROBE if "probe" in name else DIRT) for name in names},
            "fencepost.toml": f'[execute]\nstart = "{start}"\n',
        }
    )
    assert [problem for problem in site.build(jobs=jobs).problems if problem.level == "error"] == []
    shown = {
        site.html(name).split('class="cell-output"')[1].split("</pre>")[0]
        for name in names
        if "probe" in name
    }
    assert len(shown) == 1
    (text,) = shown
    assert "None content False" in text
    assert "torch.float32 cpu" in text
    assert "tensor([1.2346]) [1.23456] True" in text
    assert "1 False" in text


# --- row 55: CUDA -----------------------------------------------------------------------------

STAND_IN = """
import os
__version__ = "9.9"

class cuda:
    @staticmethod
    def is_available():
        return os.path.exists({gpu!r})

    @staticmethod
    def is_initialized():
        return True

    @staticmethod
    def get_device_name():
        return "Stand-in"

def manual_seed(seed): pass
def set_num_threads(number): pass
"""


@pytest.fixture
def cuda_site(make_site: MakeSite, tmp_path: Path) -> TestSite:
    """A post that asks for CUDA, and a torch of the site's own that has it if there is a file `gpu`."""
    source = "import torch\nprint('on', torch.cuda.get_device_name())"
    site = faulty(make_site, (source, "as the author had it"), execute="device: cuda")
    site.write({"torch.py": dedent(STAND_IN).format(gpu=str(tmp_path / "gpu"))})
    return site


def test_row_55_without_a_gpu_a_cuda_post_keeps_what_the_author_wrote(cuda_site: TestSite) -> None:
    ran = cuda_site.command("build", "--strict")
    assert ran.status == 0
    assert "its cells were not run: no CUDA device on this machine; all is as written" in ran.err
    page = cuda_site.html("bad")
    assert "as the author had it" in page
    assert "not run here: no CUDA device on this machine" in page
    assert_healthy(cuda_site)


def test_row_55_without_a_gpu_a_cuda_post_keeps_its_last_proven_outputs(cuda_site: TestSite) -> None:
    (cuda_site.root / "gpu").touch()
    assert cuda_site.problems() == []
    page = cuda_site.html("bad")
    assert "on Stand-in" in page
    assert "torch 9.9" in page
    assert "not run here" not in page
    (cuda_site.root / "gpu").unlink()
    module = cuda_site.root / "torch.py"
    module.write_text(module.read_text() + "# another version, which has to be proven anew\n")
    report = cuda_site.build()
    assert report.problems == ()
    assert [note.kind for note in report.notes] == ["device"]
    page = cuda_site.html("bad")
    assert "on Stand-in" in page
    assert "not run here: no CUDA device on this machine" in page


def test_row_55_a_cuda_post_runs_in_a_process_of_its_own(make_site: MakeSite, tmp_path: Path) -> None:
    source = "import sys, torch\nprint('numpy' in sys.modules, open('/proc/self/cmdline').read()[-60:])"
    site = faulty(make_site, source, execute="device: cuda")
    site.write(
        {
            "torch.py": dedent(STAND_IN).format(gpu="/"),
            "content/ahead.md": post("import numpy, sys\nprint('numpy' in sys.modules)"),
        }
    )
    assert site.problems() == []
    assert "False" in site.html("bad")
    assert "spawned()" in site.html("bad")


def test_row_55_a_post_may_ask_not_to_see_the_gpu(make_site: MakeSite) -> None:
    site = faulty(make_site, "import os\nprint([os.environ['CUDA_VISIBLE_DEVICES']])", execute="device: cpu")
    assert site.problems() == []
    assert "[&#39;&#39;]" in site.html("bad") or "['']" in site.html("bad")


@pytest.mark.cuda
@pytest.mark.skipif(not Path("/dev/nvidiactl").exists(), reason="there is no GPU")
@pytest.mark.parametrize("execute", ["device: cuda", ""])
def test_row_55_real_cuda(make_site: MakeSite, execute: str) -> None:
    source = (
        "import torch\nx = torch.ones(3, device='cuda', requires_grad=True)\n(x * 2).sum().backward()\nx.grad"
    )
    site = faulty(make_site, source, "torch.ones(2).sum()", execute=execute)
    assert site.problems() == []
    assert "tensor([2., 2., 2.], device=" in site.html("bad")
