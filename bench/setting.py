"""What every part of the bench is given: the programs, the stub server, how often and how much."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from process import Program, Ran, interleaved, run
from programs import Programs
from rivals import Place
from serving import Stub

__all__ = ["FULL", "QUICK", "TINY", "Scale", "Setting"]


@dataclass(frozen=True)
class Scale:
    """How often and how much: `runs` of everything short, `characters` of Markdown, `records`, `exchanges`,
    sessions in the `stores`.
    """

    runs: int
    characters: int
    records: int
    exchanges: int
    stores: tuple[int, ...]


FULL = Scale(9, 100_000, 1_000_000, 1000, (1_000, 10_000, 30_000))
QUICK = Scale(3, 10_000, 100_000, 200, (100, 1_000))
TINY = Scale(1, 400, 1000, 5, (3,))


@dataclass(frozen=True)
class Setting:
    """The surroundings of a part. `folder` is for its files."""

    programs: Programs
    stub: Stub
    scale: Scale
    folder: Path

    @property
    def asst(self) -> Place:
        """Where asst is installed."""
        return self.programs.places["asst"]

    def interleave(self, programs: Mapping[str, Program]) -> dict[str, list[Ran]]:
        """Run the programs in turn."""
        return interleaved({name: _once(program) for name, program in programs.items()}, self.scale.runs)

    def inside(
        self, script: str, *arguments: str, place: str = "asst", env: Mapping[str, str] | None = None
    ) -> Program:
        """A script of `inside/`, run by the interpreter of that place."""
        where = self.programs.places[place]
        path = Path(__file__).with_name("inside") / f"{script}.py"
        return Program([str(where.python), str(path), *arguments], where.env(**(env or {})))


def _once(program: Program) -> Callable[[], Ran]:
    return lambda: run(program)
