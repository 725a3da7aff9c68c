"""The source as a test sees it: which module imports which, and what a file defines."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import asstproxy

PACKAGE = Path(asstproxy.__file__).parent
ROOT = Path(__file__).parent.parent
FILES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
"""Every module of asstproxy by its dotted name."""


@cache
def syntax(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports(module: str) -> frozenset[str]:
    """Every module that a module of asstproxy imports, wherever in it, for type checkers too, as absolute names."""
    return frozenset(name for node in ast.walk(syntax(FILES[module])) for name in _imported(node, module))


def imports_when_loaded(module: str) -> frozenset[str]:
    """Those that are imported with the module itself, not later by one of its functions."""
    return frozenset(name for node in _outside_functions(syntax(FILES[module])) for name in _imported(node, module))


def _outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield child
            yield from _outside_functions(child)


def _imported(node: ast.AST, module: str) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        parts = module.split(".") if FILES[module].name == "__init__.py" else module.split(".")[:-1]
        base = parts[: len(parts) - node.level + 1] if node.level else []
        origin = ".".join([*base, *([node.module] if node.module else [])])
        for alias in node.names:
            submodule = f"{origin}.{alias.name}"
            yield submodule if submodule in FILES else origin


def defined(path: Path) -> set[str]:
    """What a file defines: functions, classes and names at its top, `Class.member`, and `Class.field`."""
    found: set[str] = set()
    for node in syntax(path).body:
        for name in _names(node):
            found.add(name)
        if isinstance(node, ast.ClassDef):
            found.update(f"{node.name}.{name}" for member in node.body for name in _names(member))
    return found


def _names(node: ast.stmt) -> Iterator[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Assign(targets=targets):
            yield from (target.id for target in targets if isinstance(target, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield name


def circles() -> list[list[str]]:
    """The circles in the imports: groups of modules that each reach all others of their group."""
    reached = {module: _reachable(module) for module in FILES}
    rings = {
        tuple(sorted(other for other in reached[module] if module in reached[other]))
        for module in FILES
        if module in reached[module]
    }
    return [list(ring) for ring in sorted(rings)]


def _reachable(module: str) -> set[str]:
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        for name in imports(waiting.pop()) & FILES.keys() - seen:
            seen.add(name)
            waiting.append(name)
    return seen
