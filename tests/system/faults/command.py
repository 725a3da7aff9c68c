"""`asst ask` as a process of its own, against a server that has a fault."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import tomlkit

from asstproxy import Store
from forked import asst_command
from forked.asst_command import ASST
from servers import Fault, Say, Stall

from .outcomes import TEXT
from .rig import asked
from .ways import KEY, Way

__all__ = ["Job", "Ran", "run"]


@dataclass(frozen=True)
class Job:
    """One run: how the server is asked, what it does, and options of the command."""

    way: Way
    fault: Fault
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ran:
    """What a run gave. `posts`: how often the model was asked; `store`: the sessions it has kept."""

    code: int
    out: str
    err: str
    posts: int
    store: Store


def run(job: Job, folder: Path) -> Ran:
    """Run it, with everything that it keeps in this folder."""
    way = job.way
    with way.server(lambda _: [Say(TEXT)], key=KEY) as server:
        server.faults.add(job.fault)
        profile = way.profile(server, 1.0 if isinstance(job.fault, Stall) and not job.options else 20.0)
        table = {"provider": profile.provider, "model": profile.model, "settings": dict(way.settings)} | profile.options
        (folder / "config").mkdir(parents=True)
        (folder / "config" / "config.toml").write_text(tomlkit.dumps({"profiles": {"p": table}}))
        how = [*(["--background"] if way.background else []), *([] if way.stream else ["--no-stream"])]
        done = asst_command.run(
            [ASST, "ask", "-q", "-p", "p", *how, *job.options, "hello"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=120,
            check=False,
            env=_environment(folder),
        )
        posts = asked(way, server)
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode(), posts, Store(folder / "data" / "sessions"))


def _environment(folder: Path) -> dict[str, str]:
    own = {f"ASST_{kind.upper()}_DIR": str(folder / kind) for kind in ("config", "data", "cache")}
    return own | {"PATH": os.environ["PATH"], "HOME": str(folder), "TEST_KEY": KEY}
