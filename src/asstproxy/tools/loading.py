"""Loading tools by name: from a module, from a file, or under a name that an installed package registered.

    package.module            the functions that the module declares with `@tool`; if there are none, its public functions
    package.module:function   one function; `object.method` works, too
    ./file.py, ./file.py:function
    stocks                    a name in the entry-point group `asstproxy.tools`, or one that ships with asstproxy

Tools loaded by name require approval, unless they are declared `read_only`: `-t shutil` must not let an assistant remove a folder.
"""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import importlib
import importlib.util
import inspect
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from ..config.paths import expand_home, refuse_device
from ..core.errors import AsstError, UsageError
from .local_imports import allow_local_imports
from .output_capture import CapturedOutput, capture_output, install_capture, uninstall_capture
from .tool import Tool, as_tool, declaration_of

__all__ = ["BUILT_IN", "find_class", "find_tools", "installed"]

BUILT_IN = {"stocks": "asstproxy.tools.stocks"}
"""The tools that ship with asstproxy, by name."""
GROUP = "asstproxy.tools"
_LISTED = 8
"""Names of a module that an error lists."""


def find_tools(names: Iterable[str], *, here: bool = True) -> list[Tool]:
    """The tools with these names, in their order, each once.

    `here`: modules in the current folder are found, too (after all others), as on the command line.

    Raises:
        UsageError: a module, file or function is missing or can't be imported, or a provider would refuse it.
    """
    found: dict[tuple[str, str], Tool] = {}
    for name in names:
        module, members, place = _functions(name, here=here)
        for member, function in members:
            if (module, member) not in found:
                found[module, member] = _as_tool(function, f"{place}:{member}")
    return [*found.values()]


def find_class(name: str, *, here: bool = True) -> type[Any]:
    """The class `package.module:Class` or `./file.py:Class`; `here` as in `find_tools`.

    Raises:
        UsageError: the module, file or class is missing or can't be imported.
    """
    place, attribute = _split(name)
    if not attribute:
        raise UsageError(f"'{name}' names no class.", "Write package.module:Class or ./file.py:Class.")
    module = _from_file(expand_home(place)) if _is_file(place) else _from_module(place, here=here)
    found = _member(module, attribute, place)
    if not isinstance(found, type):
        raise UsageError(f"'{attribute}' in '{place}' isn't a class.", "Name a pydantic model, dataclass or TypedDict.")
    return found


def _as_tool(function: Callable[..., Any] | Tool, source: str) -> Tool:
    if not isinstance(function, Tool):
        return as_tool(function, approval="ask", source=source, apart=True)
    approval = "ask" if function.approval == "never" and not function.read_only else function.approval
    return replace(function, approval=approval, source=source, apart=True)


def installed() -> dict[str, str]:
    """Every name that an installed package registered for tools, with the place of the tools."""
    from importlib.metadata import entry_points

    return {entry.name: entry.value for entry in entry_points(group=GROUP)} | BUILT_IN


def _functions(name: str, *, here: bool) -> tuple[str, Iterable[tuple[str, Any]], str]:
    """The module that a name stands for, its functions by name, and the place as a person writes it."""
    place, attribute = _split(name)
    if _is_file(place):
        module = _from_file(expand_home(place))
    else:
        place, known = _split(BUILT_IN.get(place) or _registered(place) or place)
        attribute = attribute or known
        module = _from_module(place, here=here)
    if attribute:
        return module.__name__, [(attribute, _attribute(module, attribute, place))], place
    members = [*_members(module)]
    if not members:
        raise UsageError(f"'{place}' has no functions of its own.", "Name one: -t package.module:function.")
    return module.__name__, members, place


def _split(name: str) -> tuple[str, str]:
    place, colon, attribute = name.rpartition(":")
    if colon and place and all(part.isidentifier() for part in attribute.split(".")):
        return place, attribute
    if colon and not _is_file(name):
        raise UsageError(f"Invalid tool name: '{name}'.", "Write package.module:function or ./file.py:function.")
    return name, ""


def _is_file(place: str) -> bool:
    return place.endswith(".py") or "/" in place or os.sep in place


def _registered(name: str) -> str | None:
    if "." in name or name in sys.modules or (name.isidentifier() and importlib.util.find_spec(name) is not None):
        return None  # a module; `entry_points` costs 50 ms
    return installed().get(name)


def _from_module(name: str, *, here: bool) -> ModuleType:
    if not all(part.isidentifier() for part in name.split(".")):
        raise UsageError(f"Invalid module name: '{name}'.", "For a file, write ./file.py.")
    if here:
        with contextlib.suppress(FileNotFoundError):  # the current folder was deleted
            allow_local_imports(str(Path.cwd()), name.partition(".")[0])
    return _imported(name, lambda: importlib.import_module(name))


def _from_file(path: Path) -> ModuleType:
    if not refuse_device(path).exists():
        raise UsageError(f"No such file: '{path}'.", "Check the path.")
    if not path.is_file():
        what = "a folder" if path.is_dir() else "not a file"
        raise UsageError(f"'{path}' is {what}.", "Name a Python file: ./file.py.")
    path = path.resolve()
    name = f"asst_tools_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    if name in sys.modules:
        return sys.modules[name]
    allow_local_imports(str(path.parent))
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UsageError(f"'{path}' isn't a Python file.", "Its name must end in .py.")
    module, loader = importlib.util.module_from_spec(spec), spec.loader
    sys.modules[name] = module  # annotations in the file are looked up there

    def load() -> ModuleType:
        loader.exec_module(module)
        return module

    try:
        return _imported(str(path), load)
    except UsageError:
        del sys.modules[name]
        raise


def _imported(name: str, load: Callable[[], ModuleType]) -> ModuleType:
    """Import, whatever the module does: what it prints is caught, and what it raises becomes a `UsageError`."""
    install_capture()
    try:
        with capture_output(CapturedOutput()):
            return load()
    except AsstError:
        raise  # its message says what is missing
    except ModuleNotFoundError as error:
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            raise UsageError(
                f"No such module: '{name}'.", "Install its package; for a file, write ./file.py."
            ) from None
        raise UsageError(f"'{name}' needs the module '{error.name}'.", "Install its package.") from error
    except SyntaxError as error:
        raise UsageError(f"{error.filename}, line {error.lineno}: {error.msg}.", "Fix the file.") from error
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:
        where = _line_of(error)
        raise UsageError(f"'{name}' can't be imported: {type(error).__name__}: {error}{where}.", "Fix it.") from error
    finally:
        uninstall_capture()


def _line_of(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f" ({trace.tb_frame.f_code.co_filename}, line {trace.tb_lineno})" if trace is not None else ""


def _attribute(module: ModuleType, attribute: str, place: str) -> Callable[..., Any]:
    found = _member(module, attribute, place)
    if not callable(found) and not isinstance(found, Tool):
        raise UsageError(f"'{attribute}' in '{place}' isn't a function.", "A tool is a function, sync or async.")
    return found  # type: ignore[no-any-return]  # a Tool passes through `as_tool`


def _member(module: ModuleType, attribute: str, place: str) -> Any:
    found: Any = module
    for part in attribute.split("."):
        if not hasattr(found, part):
            names = [name for name in dir(found) if not name.startswith("_")]
            near = difflib.get_close_matches(part, names, n=1)
            own = [name for name in names if getattr(getattr(found, name), "__module__", "") == module.__name__]
            hint = f"Did you mean '{near[0]}'?" if near else f"It has: {', '.join(own[:_LISTED])}." if own else ""
            raise UsageError(f"'{place}' has no '{attribute}'.", hint)
        found = getattr(found, part)
    return found


def _members(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """The tools that a module declares; if it declares none, the public functions that it defines."""
    shown = getattr(module, "__all__", None)
    own = {
        name: value
        for name, value in vars(module).items()
        if (not name.startswith("_") if shown is None else name in shown)
        and (shown is not None or isinstance(value, Tool) or getattr(value, "__module__", None) == module.__name__)
    }
    declared = {name: value for name, value in own.items() if isinstance(value, Tool) or declaration_of(value)}
    for name, value in (declared or own).items():
        if declared or inspect.isfunction(value):
            yield name, value
