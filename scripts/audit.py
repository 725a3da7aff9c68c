"""What a plain installation of asst brings with it, and what is known against it.

usage: python scripts/audit.py

Prints every package that asst needs at run time (no extras) with its version, licence, who wants it, and whether it has
compiled code; then `pip check`; then `pip-audit`, which asks for known weaknesses. The exit
code is 1 when a package is missing, unfit or weak, or of a licence that is none of the known permissive ones, and 3 when the
weaknesses could not be looked up: that is not the same as none.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution

PERMISSIVE = re.compile(
    r"\b(MIT|BSD|Apache|ISC|PSF|Python Software Foundation|MPL|Mozilla|Unlicense|0BSD)\b", re.IGNORECASE
)
_NAME = re.compile(r"^[A-Za-z0-9._-]+")


def main() -> int:
    """Print the report; the exit code."""
    found = dict(closure("asstproxy"))
    bad = 0
    print("| package | version | licence | wanted by | compiled |\n|---|---|---|---|---|")
    for name, (package, by) in sorted(found.items()):
        terms = licence(package)
        bad += not PERMISSIVE.search(terms)
        compiled = any(str(file).endswith((".so", ".pyd", ".dylib")) for file in package.files or ())
        print(f"| {name} | {package.version} | {terms} | {by} | {'yes' if compiled else 'no'} |")
    check = subprocess.run([sys.executable, "-P", "-m", "pip", "check"], capture_output=True, text=True, check=False)
    print(f"\npip check: {check.stdout.strip() or check.stderr.strip()}")
    weak, unknown = audit(found)
    print(f"pip-audit: {len(weak)} known weaknesses, {len(unknown)} of {len(found)} packages not looked up")
    for line in weak:
        print(f"  {line}")
    return 1 if bad or weak or check.returncode else 3 if unknown else 0


def closure(root: str) -> Iterator[tuple[str, tuple[Distribution, str]]]:
    """Every package that is needed, without extras, and one that wants it."""
    from packaging.requirements import Requirement

    seen, todo = {root}, [root]
    while todo:
        by = todo.pop(0)
        for line in distribution(by).requires or ():
            wanted = Requirement(line)
            name = re.sub(r"[-_.]+", "-", wanted.name).lower()
            if name not in seen and (wanted.marker is None or wanted.marker.evaluate({"extra": ""})):
                seen.add(name)
                todo.append(name)
                try:
                    yield name, (distribution(name), by)
                except PackageNotFoundError:
                    raise SystemExit(f"{name}, which {by} wants, is not installed.") from None


def licence(package: Distribution) -> str:
    """In its own words, short."""
    told = package.metadata.json
    classified = [line.rpartition(" :: ")[2] for line in told.get("classifier", []) if line.startswith("License")]
    first = str(told.get("license") or "?").partition("\n")[0]
    return str(told.get("license_expression") or ", ".join(classified) or first)[:60]


def audit(found: dict[str, tuple[Distribution, str]]) -> tuple[list[str], set[str]]:
    """What pip-audit knows against these, and those that it could not look up."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "pip_audit", "--local", "--format", "json", "--progress-spinner", "off"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    try:
        told = {one["name"].lower().replace("_", "-"): one for one in json.loads(done.stdout)["dependencies"]}
    except (ValueError, KeyError):
        print(f"pip-audit: {(done.stderr.strip().splitlines() or ['it says nothing'])[-1]}")
        told = {}
    weak = [f"{name}: {one['id']}" for name in found for one in told.get(name, {}).get("vulns", [])]
    return weak, {name for name in found if name not in told or "skip_reason" in told[name]}


if __name__ == "__main__":
    sys.exit(main())
