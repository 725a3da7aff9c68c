"""Imports of modules in the folder of a tool's file: only the code of that folder finds them.

The folder isn't added to `sys.path`: a library that looks for an optional package (httpx2 for `brotli`, say) would load any file
with that name from there, although nobody asked for it. So an import hook looks at the file that contains the `import`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import FrameType, ModuleType

__all__ = ["allow_local_imports"]

INSTALLED = tuple(
    place.rstrip(os.sep) + os.sep for place in (sys.prefix, sys.base_prefix, str(Path(__file__).resolve().parents[2]))
)
"""Where Python, its libraries and asst are installed."""


def allow_local_imports(folder: str, named: str = "") -> None:
    """Let the modules of a folder import each other, after all installed ones; any code may import the `named` one."""
    finder = next((one for one in sys.meta_path if isinstance(one, _FolderFinder) and one.folder == folder), None)
    if finder is None:
        finder = _FolderFinder(folder)
        sys.meta_path.append(finder)
    finder.named.add(named)


class _FolderFinder(MetaPathFinder):
    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.named: set[str] = set()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if path is None and (fullname in self.named or self._is_ours(sys._getframe(1))):  # noqa: SLF001 - the code that imports
            return PathFinder.find_spec(fullname, [self.folder], target)
        return None

    def _is_ours(self, frame: FrameType | None) -> bool:
        while frame is not None and str(frame.f_globals.get("__name__")).partition(".")[0] == "importlib":
            frame = frame.f_back
        return frame is not None and self._is_own(frame.f_code.co_filename)

    def _is_own(self, file: str) -> bool:
        """Whether a file is the person's own code in this folder, not a library in a virtual environment there."""
        folder = self.folder.rstrip(os.sep) + os.sep
        if not file.startswith(folder) or file.startswith(INSTALLED):
            return False
        return not {"site-packages", "dist-packages"} & set(Path(file.removeprefix(folder)).parts)
