"""The output folder -> a target. No cell runs here, and nothing is built.

files      what the last build wrote, and what the target wants besides    files.py, record.py
there      what stands at the target                                       folder.py, git.py, rsync.py, ...
plan       what is sent, in which order, and what is removed               plan.py
refusals   why it is not                                                   refusals.py, secrets.py
"""

from __future__ import annotations

from builder.frozen import frozen
from builder.model import (
    Cloudflare,
    Config,
    FolderCopy,
    GitBranch,
    Netlify,
    ObjectStore,
    Problem,
    Rsync,
    SiteError,
)
from builder.publish import folder, git, hosts, rsync, store
from builder.publish.files import site_files, with_copies, with_extras
from builder.publish.plan import Plan, Target, plan
from builder.publish.refusals import REASONS, Refusal, refusals
from builder.publish.secrets import find_secrets, withheld


@frozen
class Publication:
    """A publish that can be carried out, unless it is refused."""

    name: str
    target: Target
    plan: Plan
    refusals: tuple[Refusal, ...]

    def carry_out(self) -> None:
        """Send and remove. Raises PublishError; what is done by then is whole, and the next publish goes on."""
        if not self.plan.empty:
            self.target.send(self.plan)


def prepare(config: Config, name: str, allowed: frozenset[str], jobs: int) -> Publication:
    """Find out what a publish to the target `name` ("": the only one) would do. Raises SiteError, PublishError."""
    name = name or _only(config)
    if name not in config.publish:
        raise _usage(f"no target is called `{name}`", f"there is {_named(config)}")
    home = config.root / ".fencepost" / "publish" / name
    target = _target(config, name)
    destination = config.publish[name]
    files = site_files(config)
    if isinstance(destination, FolderCopy | Rsync):
        files = with_copies(files, destination.copies, home / "copies")
    files = with_extras(files, target.extras(), home / "extras")
    made = plan(files, target.look(files))
    options = dict(destination.options) if isinstance(destination, ObjectStore) else {}
    if isinstance(destination, GitBranch | ObjectStore):  # a password may stand in its address
        options["its address"] = (
            destination.remote if isinstance(destination, GitBranch) else destination.address
        )
    secrets = find_secrets(files.values(), withheld(options=options), jobs)
    found = [refusal for refusal in refusals(config, made, secrets) if refusal.name not in allowed]
    return Publication(name, target, made, tuple(found))


def is_reason(name: str) -> bool:
    """Can this be allowed?"""
    return name in REASONS or name.startswith("secret:")


def _target(config: Config, name: str) -> Target:
    home = config.root / ".fencepost" / "publish" / name
    match config.publish[name]:
        case GitBranch(remote=remote, branch=branch, domain=domain):
            return git.Branch(config.root, home / "repository", remote, branch, domain)
        case FolderCopy(path=path):
            return folder.Folder(config.root / path)
        case Rsync(address=address, shell=shell):
            return rsync.Rsync(home, address, shell)
        case ObjectStore(address=address, options=options):
            return store.Store(address, options)
        case Netlify(site=site):
            return hosts.netlify(home, site)
        case Cloudflare(project=project, branch=branch):
            return hosts.cloudflare(home, project, branch)


def _only(config: Config) -> str:
    if len(config.publish) == 1:
        return next(iter(config.publish))
    if config.publish:
        raise _usage("which target?", f"there is {_named(config)}")
    raise _usage("no target is configured", "add a table like [publish.pages]: see docs/publishing.md")


def _named(config: Config) -> str:
    return ", ".join(f"`{name}`" for name in sorted(config.publish)) or "none in the configuration"


def _usage(message: str, hint: str) -> SiteError:
    return SiteError(Problem("error", "", 0, "config", message, hint))
