"""A session that goes on from a checkpoint shows what a cold one shows, to the byte; and what stands in the way."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from builder.config import read_config
from builder.execute.cache import Cache
from builder.execute.checkpoints import Bounds, Checkpoints
from builder.execute.keys import Values, cell_keys
from builder.execute.outcome import outcome
from builder.execute.processes import descendants
from builder.execute.run import ahead, job_of
from builder.execute.running import Begun, Ended, Job
from builder.execute.supervisor import Supervisor, cell_environment
from builder.execute.watch import stamp
from builder.model import Config, Post, Run
from builder.posts import parse_post
from tests.conftest import TestSite
from tests.faulty import left_after
from tests.faulty import post as text_of


@dataclass
class Bench:
    """A fork server, and the checkpoints that the posts run on it have left."""

    supervisor: Supervisor
    config: Config
    checkpoints: Checkpoints
    events: list[Mapping[str, Any]] = field(default_factory=list)
    keys: tuple[str, ...] = ()
    number: int = 0

    def post(self, cells: Sequence[str], name: str = "p", execute: str = "") -> Post:
        text = text_of(*cells, execute=execute)
        return parse_post(text, f"content/{name}.md", self.config, page=False)[0]

    def hear(self, job: Job, event: Mapping[str, Any]) -> None:
        self.events.append(event)
        if event["event"] == "checkpoint":
            begun = self.supervisor.running(event["job"]).after(event["job"], event["cell"])
            key = self.keys[event["cell"] - 1]
            for old in self.checkpoints.put(key, begun, event["pid"], event["files"]):
                self.supervisor.drop(old.begun)

    def begin(self, post: Post, begun: Begun | None, *, keep: bool) -> None:
        self.keys, self.events = cell_keys(post), []
        while not self.supervisor.start:
            list(self.supervisor.step(self.hear))
        self.number = self.supervisor.begin(job_of(post, self.config), begun, keep=keep)

    def finish(self) -> Ended | None:
        """Wait for the end of the job; None if its checkpoint was lost."""
        while True:
            for ended in self.supervisor.step(self.hear):
                return ended
            if self.said("lost"):
                return None

    def resumed(self, post: Post) -> Run:
        begun = self.checkpoints.deepest(cell_keys(post))
        self.begin(post, begun, keep=True)
        ended = self.finish()
        assert ended is not None
        return outcome(post, ended, self.cache)

    def cold(self, post: Post) -> Run:
        self.begin(post, None, keep=False)
        ended = self.finish()
        assert ended is not None
        return outcome(post, ended, self.cache)

    @property
    def cache(self) -> Cache:
        return Cache(self.config.root / "cache", self.config.root)

    def said(self, event: str) -> list[Any]:
        return [e.get("why", e.get("cell", True)) for e in self.events if e["event"] == event]


MODULES = ("import torch, numpy, matplotlib.pyplot as plt", "torch.optim.SGD", "x.backward()")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    root = tmp_path_factory.mktemp("site")
    (root / "content").mkdir()
    config = read_config(root, {})
    imports = ahead([parse_post(text_of(*MODULES), "content/p.md", config, page=False)[0]], config)
    with Supervisor(imports, "fork", cell_environment(())) as supervisor:
        yield Bench(supervisor, config, Checkpoints(Values(root, root / "values.json")))
        pid = supervisor.pid
    assert descendants(pid) == []


@pytest.fixture
def bench(server: Bench) -> Bench:
    for checkpoint in server.checkpoints.of.values():
        server.supervisor.drop(checkpoint.begun)
    server.checkpoints = Checkpoints(Values(server.config.root, server.config.root / "values.json"))
    return server


POSTS = {
    "random numbers": [
        "import random, torch, numpy as np\ndraws = [random.random(), np.random.rand(), torch.rand(1).item()]\nprint(draws)",
        "generator = torch.Generator().manual_seed(4)\nrng = np.random.default_rng(1)\nprint(torch.randn(2, generator=generator), rng.random())",
        "print(random.random(), np.random.rand(), torch.rand(2))",
        "print(torch.randn(2, generator=generator), rng.random(), sum(draws))",
        "random.shuffle(draws)\nprint(draws, torch.randperm(5))",
    ],
    "optimizers and graphs": [
        "import torch\nx = torch.arange(6.).reshape(3, 2)\nmodel = torch.nn.Linear(2, 1)\nprint(model.weight)",
        "optimizer = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9)\nloss = model(x).square().mean()\nprint(loss)",
        "loss.backward(retain_graph=True)\noptimizer.step()\nprint(model.weight.grad, list(optimizer.state.values()))",
        "scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1)\nfor _ in range(3):\n    optimizer.zero_grad()\n    (model(x) ** 2).mean().backward()\n    optimizer.step()\n    scheduler.step()\nprint(optimizer.param_groups[0]['lr'], model.bias)",
        "loss.backward()\nprint(model.weight.grad)\nmodel.weight",
    ],
    "generators and closures": [
        "def count():\n    n = 0\n    while True:\n        n += (yield n) or 1\nnumbers = count()\nprint(next(numbers), next(numbers))",
        "import itertools\npairs = itertools.pairwise(numbers)\nprint(next(pairs), numbers.send(5))",
        "total = 0\ndef add(k):\n    global total\n    total += k\n    return total\nprint(add(next(numbers)))",
        "print(next(pairs), add(3))\nadd",
        "print(object(), next(numbers))\ntotal",
    ],
    "open figures": [
        "import matplotlib.pyplot as plt\nfig, ax = plt.subplots(figsize=(1, 1))\nax.plot([1, 2])\nplt.close(fig)\nprint('drawn')",
        "ax.set_title('a')\nax.lines[0].set_color('red')",
        "plt.rcParams['lines.linewidth'] = 4\nax.plot([2, 1])\nprint(len(ax.lines))",
        "fig",
    ],
    "monkey patches": [
        "import math, torch\nold = math.sin\nmath.sin = lambda x: old(x) + 1\nprint(math.sin(0))",
        "torch.Tensor.doubled = lambda self: self * 2\ntorch.set_default_dtype(torch.float64)\ntorch.set_grad_enabled(False)\nprint(torch.ones(1).doubled())",
        "x = torch.ones(2, requires_grad=True)\nprint((x * 2).requires_grad, math.sin(0))",
        "math.sin = old\nprint(math.sin(0), torch.tensor([0.1]).doubled().dtype)",
        "undefined_name",
        "print(x + 1)",
    ],
}  # fmt: skip
EDITS = 10  # of each
pytestmark = pytest.mark.xdist_group("checkpoints")  # one fork server for all


@pytest.mark.parametrize("name", POSTS)
def test_an_edit_anywhere_shows_what_a_cold_run_shows(bench: Bench, name: str) -> None:
    """Fifty edits in all; each is resumed from the cell before, and compared with a run from the first cell."""
    choose = random.Random(name)
    cells = list(POSTS[name])
    first = bench.resumed(bench.post(cells))
    assert bench.said("no-checkpoint") == []
    assert bench.said("checkpoint") == list(range(1, len(cells) + 1))
    assert first == bench.cold(bench.post(cells))
    for edit in range(EDITS):
        at = choose.randrange(len(cells))
        cells[at] = f"{POSTS[name][at]}\nprint('edit', {edit % 4})"
        run = bench.resumed(bench.post(cells))
        assert len(bench.said("cell")) <= len(cells) - at
        assert run == bench.cold(bench.post(cells)), f"edit {edit}, of cell {at + 1}"


def test_two_threads_of_torch_go_on_in_every_checkpoint(bench: Bench) -> None:
    cells = [
        "import torch\nx = torch.rand(300, 300, requires_grad=True)\n(x @ x).sum().backward()",
        "print(torch.linalg.svdvals(x.detach()[:60, :60])[0], torch.get_num_threads())",
        "(x @ x).mean().backward()\nprint(x.grad[0, 0])",
    ]
    post = bench.post(cells, execute="threads: 2")
    run = bench.resumed(post)
    assert bench.said("checkpoint") == [1, 2, 3]
    for number in range(3):
        cells[-1] += f"\nprint({number})"
        post = bench.post(cells, execute="threads: 2")
        run = bench.resumed(post)
        assert bench.said("cell") == [3]
        assert run == bench.cold(post)
    assert all(output.failure is None for output in run.outputs)


OBSTACLES = {
    "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()": "threads are running",
    "import subprocess\np = subprocess.Popen(['sleep', '60'])": "processes of its own are running",
    "import tempfile\nf = tempfile.TemporaryFile()": "it has a file open for writing",
    "import socket\na, b = socket.socketpair()": "it has a connection open",
    "import mmap\nm = mmap.mmap(-1, 4096)": "it has memory that is shared between processes",
    "import os\nos.dup2(os.open(os.devnull, os.O_WRONLY), 1)": "its standard streams are others",
    "import os\nkept = os.dup(1)": "it holds on to its standard streams",
    "import signal\nsignal.signal(signal.SIGALRM, print)\nsignal.alarm(90)\nNone": "a timer is running",
    "x = 1": "",
    "f = open('/etc/hostname')": "",
}  # fmt: skip


@pytest.mark.parametrize("cell", OBSTACLES)
def test_what_a_fork_would_not_keep_apart_is_an_obstacle(bench: Bench, cell: str) -> None:
    run = bench.resumed(bench.post([cell, "print('next')"]))
    why = OBSTACLES[cell]
    assert bench.said("no-checkpoint") == ([why] if why else [])
    assert len(bench.said("checkpoint")) == (0 if why else 2)
    assert run.outputs[1].failure is None


def test_cuda_is_an_obstacle(bench: Bench) -> None:
    """Here it is only said to be in use: a fork of a process with CUDA cannot use it."""
    bench.resumed(bench.post(["import torch\ntorch.cuda.is_initialized = lambda: True", "1"]))
    assert bench.said("no-checkpoint") == ["CUDA is in use"]


def test_a_file_is_read_on_from_where_it_was(bench: Bench) -> None:
    (bench.config.root / "content" / "lines.txt").write_text("\n".join(map(str, range(9))))
    cells = [
        "import os\nf = os.open('lines.txt', os.O_RDONLY)\nprint(os.read(f, 2))",
        "print(os.read(f, 2))",
        "print(os.read(f, 2))",
    ]
    bench.resumed(bench.post(cells))
    for number in range(2):
        cells[2] += f"\nprint({number})"
        run = bench.resumed(bench.post(cells))
        assert bench.said("cell") == [3]
        assert run == bench.cold(bench.post(cells))


def test_a_checkpoint_is_of_no_use_when_a_file_that_was_read_is_another(bench: Bench) -> None:
    data = bench.config.root / "content" / "data.txt"
    data.write_text("one")
    cells = ["before = 1", "print(open('data.txt').read())", "print('last')"]
    bench.resumed(bench.post(cells))
    data.write_text("another")
    cells[2] += " # edited"
    run = bench.resumed(bench.post(cells))
    assert bench.said("cell") == [2, 3]
    assert run == bench.cold(bench.post(cells))


def test_a_checkpoint_goes_with_its_files_as_they_were_then(tmp_path: Path) -> None:
    """It is taken in while the next cell is under way, which may write to them."""
    begun: Any = object()
    file, gone = tmp_path / "log.txt", tmp_path / "gone.txt"
    for now, found in (("a", begun), ("ab", None)):
        checkpoints = Checkpoints(Values(tmp_path, tmp_path / "v.json"))
        file.write_text("a")
        files = {str(path): stamp(str(path)) for path in (file, gone)}
        if now != "a":
            file.write_text(now)
        assert list(checkpoints.put("key", begun, 1, files)) == []
        assert checkpoints.deepest(["key"]) is found


def test_a_checkpoint_is_of_no_use_when_a_file_that_was_written_is_another(bench: Bench) -> None:
    """A later cell has appended to it: that cannot be taken back."""
    cells = ["before = 1", "open('log.txt', 'w').write('a')", "open('log.txt', 'a').write('b')", "1"]
    bench.resumed(bench.post(cells))
    cells[2:] = ["open('log.txt', 'a').write('c')", "print(open('log.txt').read())"]
    run = bench.resumed(bench.post(cells))
    assert bench.said("cell") == [2, 3, 4]
    assert run == bench.cold(bench.post(cells))


def test_what_was_there_before_can_be_gone_back_to(bench: Bench) -> None:
    cells = ["x = 1", "x += 1\nprint(x)", "print(x)"]
    bench.resumed(bench.post(cells))
    bench.resumed(bench.post([cells[0], "x += 5", cells[2]]))
    bench.resumed(bench.post([*cells[:2], cells[2] + "\n"]))
    assert bench.said("cell") == []  # a line end behind a cell is none of its source, and cell 3 has run


def test_nothing_goes_on_from_a_cell_that_was_stopped(bench: Bench) -> None:
    post = bench.post(["x = 1", "import time\ntime.sleep(60)", "print('behind')"])
    bench.begin(post, None, keep=True)
    while 2 not in bench.said("cell"):
        list(bench.supervisor.step(bench.hear))
    bench.supervisor.stop(bench.number)
    ended = bench.finish()
    assert ended is not None
    run = outcome(post, ended, bench.cache)
    assert run.outputs[1].failure is not None
    assert run.outputs[1].failure.kind == "limit"
    assert run.outputs[1].failure.message == "was stopped by hand"
    assert run.outputs[2].failure is None
    assert bench.said("checkpoint") == [1]


def test_a_job_that_is_cancelled_leaves_its_checkpoints(bench: Bench) -> None:
    post = bench.post(["x = 1", "import time\ntime.sleep(60)"])
    bench.begin(post, None, keep=True)
    while 2 not in bench.said("cell"):
        list(bench.supervisor.step(bench.hear))
    bench.supervisor.cancel(bench.number)
    ended = bench.finish()
    assert ended is not None
    assert os.WTERMSIG(ended.status) == signal.SIGKILL
    run = bench.resumed(bench.post(["x = 1", "print(x)"]))
    assert bench.said("cell") == [2]
    assert run.outputs[1].parts[0].text == "1\n"  # type: ignore[union-attr]


def test_a_job_that_is_cancelled_before_it_has_a_process_does_not_run(bench: Bench) -> None:
    """A checkpoint takes some milliseconds to fork a session, and a signal for it has nowhere to go meanwhile."""
    post = bench.post(["x = 1", "import time\ntime.sleep(60)"], execute="timeout: 5")
    bench.resumed(bench.post(["x = 1"], execute="timeout: 5"))
    bench.begin(post, bench.checkpoints.deepest(cell_keys(post)), keep=False)
    bench.supervisor.cancel(bench.number)
    ended = bench.finish()
    assert ended is not None
    assert (os.WTERMSIG(ended.status), ended.limit) == (signal.SIGKILL, "")


def test_a_checkpoint_that_is_dropped_still_gives_what_it_was_asked_for(bench: Bench) -> None:
    for _ in range(5):
        bench.resumed(bench.post(["x = 1"]))
        post = bench.post(["x = 1", "print(x)"])
        begun = bench.checkpoints.deepest(cell_keys(post))
        assert begun is not None
        bench.begin(post, begun, keep=False)
        bench.supervisor.drop(begun)
        bench.checkpoints.lose(begun)
        ended = bench.finish()
        assert ended is not None
        assert ended.status == 0


def test_a_post_in_another_folder_does_not_go_on_from_a_post_of_the_same_code(bench: Bench) -> None:
    cells = ["text = open('data.txt').read()", "print(text)"]
    for name in ("one", "two"):
        (bench.config.root / "content" / name).mkdir()
        (bench.config.root / "content" / name / "data.txt").write_text(name)
        post = bench.post(cells, f"{name}/p")
        assert bench.resumed(post) == bench.cold(post)


def test_a_checkpoint_that_was_killed_is_lost_and_said_to_be(bench: Bench) -> None:
    post = bench.post(["x = 1", "print(x)"])
    bench.resumed(post)
    (first, *_) = bench.checkpoints.of.values()
    os.kill(first.pid, signal.SIGKILL)
    bench.begin(post, first.begun, keep=True)
    assert bench.finish() is None
    bench.checkpoints.lose(first.begun)
    assert first not in bench.checkpoints.of.values()


def test_no_more_checkpoints_than_the_bounds_allow(bench: Bench) -> None:
    bench.checkpoints.bounds = Bounds(number=3)
    bench.resumed(bench.post([f"x = {n}" for n in range(6)]))
    assert len(bench.checkpoints.of) == 3
    bench.checkpoints.bounds = Bounds(memory=1)
    dropped = list(bench.checkpoints.trim())
    assert len(dropped) == 3
    for each in dropped:
        bench.supervisor.drop(each.begun)
    run = bench.resumed(bench.post([f"x = {n}" for n in range(6)]))
    assert bench.said("cell") == [1, 2, 3, 4, 5, 6]
    assert len(run.outputs) == 6


def test_a_job_that_keeps_nothing_forks_nothing(bench: Bench) -> None:
    bench.cold(bench.post(["x = 1", "x"]))
    assert bench.said("checkpoint") == []


def test_spawned_sessions_run_without_checkpoints(tmp_path: Path, mark: str) -> None:
    site = TestSite(tmp_path)
    site.write({"content/p.md": ""})
    config = site.config()
    with Supervisor([], "spawn", cell_environment(())) as supervisor:
        bench = Bench(supervisor, config, Checkpoints(Values(tmp_path, tmp_path / "v.json")))
        run = bench.resumed(bench.post(["x = 1", "print(x)"]))
    assert bench.said("checkpoint") == bench.said("no-checkpoint") == []
    assert run.outputs[1].failure is None


def test_checkpoints_end_with_the_fork_server(tmp_path: Path, mark: str) -> None:
    """Also when it is killed: nobody has the other end of their sockets then."""
    site = TestSite(tmp_path)
    site.write({"content/p.md": ""})
    with Supervisor([], "fork", cell_environment(())) as supervisor:
        bench = Bench(supervisor, site.config(), Checkpoints(Values(tmp_path, tmp_path / "v.json")))
        bench.resumed(bench.post(["x = 1", "print(x)"]))
        assert len(descendants(supervisor.pid)) == 2
        os.kill(supervisor.pid, signal.SIGKILL)
        assert left_after(mark, 10) == [] or descendants(os.getpid()) == [supervisor.pid]
