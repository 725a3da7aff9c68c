"""The programs that are compared, each in a virtual environment of its own, as `pip install` leaves it: bytecode compiled."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["CHECKOUT", "Place", "here", "install"]

CHECKOUT = Path(__file__).resolve().parent.parent
WANTED = {
    "asst": (str(CHECKOUT),),
    "llm": ("llm",),
    "sgpt": ("shell-gpt", "click"),  # it imports click and does not ask for it
    "clai": ("clai",),
    "raw": ("openai", "httpx2", "pyte"),
}


@dataclass(frozen=True)
class Place:
    """A program's environment: its interpreter, and a home folder that is its own."""

    python: Path
    home: Path

    def command(self, name: str) -> str:
        """A console script of the environment."""
        return str(self.python.with_name(name))

    def env(self, **more: str) -> dict[str, str]:
        """An environment with nothing in it of the person who runs the bench."""
        home = str(self.home)
        kept = {name: os.environ[name] for name in ("LANG", "LC_ALL", "TZ") if name in os.environ}
        return {
            **kept,
            "PATH": f"{self.python.parent}:/usr/bin:/bin",
            "HOME": home,
            "TERM": "xterm-256color",
            "PYTHONDONTWRITEBYTECODE": "1",
            "OPENAI_API_KEY": "sk-bench",
            "ASST_CONFIG_DIR": f"{home}/config",
            "ASST_DATA_DIR": f"{home}/data",
            "ASST_CACHE_DIR": f"{home}/cache",
            "LLM_USER_PATH": f"{home}/llm",
        } | more

    def site(self) -> Path:
        """Its site-packages."""
        found = self.run("-c", "import sysconfig; print(sysconfig.get_path('purelib'))")
        return Path(found.strip())

    def version(self, package: str) -> str:
        """The installed version of a package."""
        return self.run("-c", f"from importlib.metadata import version; print(version('{package}'))").strip()

    def run(self, *arguments: str) -> str:
        """What its interpreter prints."""
        done = subprocess.run(
            [str(self.python), *arguments], env=self.env(), stdout=subprocess.PIPE, text=True, check=True
        )
        return done.stdout


def install(folder: Path, *, again: Sequence[str] = ("asst",)) -> dict[str, Place]:
    """Make the environments that are missing; those in `again` are made anew, so that what is measured is the checkout."""
    places: dict[str, Place] = {}
    for name, packages in WANTED.items():
        where = folder / name
        place = Place(where / "bin" / "python", folder / "homes" / name)
        done = where / "installed"
        if name in again or not done.exists():
            print(f"installing {' '.join(Path(p).name for p in packages)} …", file=sys.stderr)
            venv.create(where, with_pip=True, clear=True, symlinks=True)
            for wanted in (["--upgrade", "pip"], packages):  # the commands that today's pip writes start faster
                subprocess.run(
                    [place.python, "-m", "pip", "install", "--quiet", "--compile", *wanted],
                    check=True,
                    stderr=subprocess.DEVNULL,
                )
            done.touch()
        place.home.mkdir(parents=True, exist_ok=True)
        places[name] = place
    return places


def here(folder: Path) -> dict[str, Place]:
    """Only asst, as this interpreter has it."""
    place = Place(Path(sys.executable), folder / "homes" / "here")
    place.home.mkdir(parents=True, exist_ok=True)
    return {"asst": place}
