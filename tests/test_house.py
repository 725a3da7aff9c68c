"""The house rules (CONTRIBUTING.md) that a test can enforce."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from source_tree import FILES, PACKAGE, ROOT, defined, syntax

MOST_METHODS = 15
LONG = 400
LONG_FILES: dict[str, str] = {}
"""Files of more than 400 lines, each with the reason why it is not two."""
PHRASES = (
    r"(?<!there )\b(is|are|was) no (?!longer|more|one|way|doubt|need)(?=[a-z])",
    r"\bthere (is|are|was) no (?!longer|more|one|way|doubt|need)",
    r"\bmend(s|ed)?\b",
    r"\bthat there (is|are)\b",
    r"\bone that is\b",
    r"\bwhoever\b",
    r"\bwhat is left\b",
    r"\bfor ever\b",
    r"\bbeside\b(?! *=)",
    r"\blies in\b",
    r"\bby hand\b",
    r"\bnothing for --",
    r"\bto be (told|heard)\b",
    r"\bmay it\b(?= *\?)",
)
"""What reads like a translation, each with plainer words at hand: `isn't a`, `no such`, `fix`, `next to`, `forever`."""
TRANSLATED = re.compile("|".join(PHRASES), re.IGNORECASE)
PAGES = [
    *ROOT.glob("*.md"),
    *(ROOT / "docs").glob("*.md"),
    *(ROOT / "bench").glob("*.md"),
    ROOT / "cassettes" / "README.md",
]


def _classes() -> Iterator[tuple[str, ast.ClassDef]]:
    for module, path in FILES.items():
        for node in ast.walk(syntax(path)):
            if isinstance(node, ast.ClassDef):
                yield f"{module}.{node.name}", node


@pytest.mark.parametrize("name", ["chat_completions", "anthropic"])
def test_a_provider_is_a_page(name: str) -> None:
    """A provider on the base takes 150 lines at the most, with the reading of its API's answers."""
    assert len((PACKAGE / "providers" / f"{name}.py").read_text(encoding="utf-8").splitlines()) <= 150


def test_no_class_is_large() -> None:
    """A class has 15 methods at the most: with more it does two things."""
    sizes = {
        name: sum(isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef) for member in node.body)
        for name, node in _classes()
    }
    assert len(sizes) > 100
    assert not {name: size for name, size in sizes.items() if size > MOST_METHODS}


def test_every_long_file_has_a_reason() -> None:
    """A file of more than 400 lines is in LONG_FILES with its reason, and no other file is."""
    lines = {str(path.relative_to(PACKAGE)): len(path.read_text("utf-8").splitlines()) for path in FILES.values()}
    assert {file for file, count in lines.items() if count > LONG} == LONG_FILES.keys()


def test_every_module_says_what_it_is() -> None:
    """Each file begins with a docstring: its one concept, in a sentence."""
    assert not [module for module, path in FILES.items() if not ast.get_docstring(syntax(path))]


FILE = re.compile(r"(?<![\w./-])(?:[a-z_]+/)*[a-z_]+\.(?:py|md)\b")
REFERENCE = re.compile(r"`((?:asstproxy\.)?([a-z_]+)(?:\.\w+)+)`")


@pytest.mark.parametrize("module", FILES)
def test_references_lead_somewhere(module: str) -> None:
    """A file, module or name that a docstring or a comment refers to exists."""
    text = FILES[module].read_text(encoding="utf-8")
    places = (ROOT, PACKAGE, FILES[module].parent)
    assert not [file for file in FILE.findall(text) if not any((place / file).exists() for place in places)]
    assert not [name for name, room in REFERENCE.findall(text) if f"asstproxy.{room}" in FILES and not _exists(name)]


def _exists(name: str) -> bool:
    """Whether a dotted name is a module of asstproxy, or something that one defines."""
    module, rest = f"asstproxy.{name.removeprefix('asstproxy.')}", ""
    while module not in FILES:
        module, _, last = module.rpartition(".")
        rest = f"{last}.{rest}".rstrip(".")
    return not rest or rest in defined(FILES[module])


@pytest.mark.parametrize("path", [*FILES.values(), *PAGES], ids=lambda path: "/".join(path.parts[-3:]))
def test_english_is_plain(path: Path) -> None:
    """No message, comment, docstring or page has a phrase that reads like a translation."""
    lines = path.read_text(encoding="utf-8").splitlines()
    assert not [f"{number}: {found[0]}" for number, line in enumerate(lines, 1) for found in TRANSLATED.finditer(line)]


@pytest.mark.parametrize(
    ("phrase", "plain"),
    [
        ("'x' is no name of a tool.", "Invalid tool name: 'x'."),
        ("There is no profile 'x'.", "No such profile: 'x'."),
        ("Mend the file.", "Fix the file."),
        ("Whoever names a tool is asked.", "Tools loaded by name require approval."),
        ("It stays for ever.", "It stays forever."),
        ("The modules beside a file.", "The modules next to a file, and besides them no others."),
        ("May it?", "It may. It is no longer there."),
    ],
)
def test_phrases_are_told_apart(phrase: str, plain: str) -> None:
    """The list finds the phrase and leaves the plain one alone."""
    assert TRANSLATED.search(phrase)
    assert not TRANSLATED.search(plain)
