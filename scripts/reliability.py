"""Runs the tests that hold the promises of docs/reliability.md, and writes what they measured into its table.

    python scripts/reliability.py            all of it, the slow ones included
    python scripts/reliability.py WORD …     the rows whose promise has one of these words

A row names tests, as pytest does; its last cell is what they told (`record_property("figure", …)`), and how many they were. The
table by provider is counted, from the tables of the tests.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reliability.md"
ROW = re.compile(r"^\| (?P<promise>[^|]+) \| (?P<tests>[^|]*`tests/[^|]+?) *\|(?P<figure>[^|]*)\|$", re.MULTILINE)
BY_PROVIDER = re.compile(r"(<!-- by provider -->\n)(?:\|.*\n)*")
TEST = re.compile(r"`(tests/[\w/]+(?:\.py)?(?:::\w+)*)`")


@dataclass(frozen=True)
class Told:
    """One test that ran: its file, its name without parameters, and its figure, if it has one."""

    file: str
    name: str
    figure: str
    outcome: str

    def belongs_to(self, wanted: str) -> bool:
        """Whether the row that names this file, folder or test means it."""
        file, _, name = wanted.partition("::")
        inside = self.file == file or self.file.startswith(file.rstrip("/") + "/")
        return inside and name.rpartition("::")[2] in ("", self.name)


def main(words: Sequence[str]) -> int:
    """Run them and rewrite the table; the exit code is pytest's."""
    page = PAGE.read_text()
    rows = [
        row for row in ROW.finditer(page) if not words or any(word.lower() in row["promise"].lower() for word in words)
    ]
    wanted = sorted({test for row in rows for test in TEST.findall(row["tests"])})
    code, told = run(wanted)
    page = PAGE.read_text()  # another run may have written other rows meanwhile
    for row in rows:
        found = [one for one in told if any(one.belongs_to(test) for test in TEST.findall(row["tests"]))]
        page = page.replace(row[0], f"| {row['promise']} | {row['tests']} | {figure(found)} |")
    PAGE.write_text(BY_PROVIDER.sub(lambda found: found[1] + by_provider(), page))
    return code


def by_provider() -> str:
    """The table that says what each provider is tested with."""
    sys.path.insert(0, str(ROOT / "tests"))
    from cassettes.scenarios import CASSETTES
    from system.as_they_are.streams import APIS, RECORDED
    from system.as_they_are.test_collected import TABLE
    from system.cancellation.ways import WAYS as STOPPED
    from system.faults.test_matrix import PAIRS
    from system.faults.ways import WAYS

    collected = {"responses": "gpt"}
    kinds = [case.files[0].partition("/")[0] for case in TABLE]
    counts = {
        "ways of asking": [way.provider for way in WAYS],
        "exchanges in the matrix of faults": [way.provider for way, _ in PAIRS],
        "ways that are stopped at every await": [way.provider for way in STOPPED],
        "collected answers of odd servers": [collected.get(kind, kind) for kind in kinds],
        "recorded streams in which any field is anything": [
            APIS[api].provider if api in APIS else api for api, _ in RECORDED
        ],
        "cassettes of real servers": [take.server.profile["provider"] for take in CASSETTES],
    }
    names = list(dict.fromkeys(name for name in counts["ways of asking"] if name != "chat"))  # that is the example
    rows = [f"| {what} | {' | '.join(str(found.count(name)) for name in names)} |" for what, found in counts.items()]
    return "\n".join([f"| | {' | '.join(f'`{name}`' for name in names)} |", "|---|" + "--:|" * len(names), *rows, ""])


def run(wanted: Sequence[str]) -> tuple[int, list[Told]]:
    """Run these tests, all of them; what they told."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        how = ["-p", "no:randomly", "-m", "slow or not slow", "-o", "junit_family=xunit1", f"--junitxml={report}"]
        code = subprocess.run([sys.executable, "-m", "pytest", *how, *wanted], cwd=ROOT, check=False).returncode
        return code, [read(case) for case in ET.parse(report).iter("testcase")]  # noqa: S314 - pytest wrote it just now


def read(case: ET.Element) -> Told:
    """One test of the report."""
    figures = [entry.get("value", "") for entry in case.iter("property") if entry.get("name") == "figure"]
    outcome = next((child.tag for child in case if child.tag in ("failure", "error", "skipped")), "passed")
    return Told(case.get("file", ""), case.get("name", "").partition("[")[0], "; ".join(figures), outcome)


def figure(found: Sequence[Told]) -> str:
    """The last cell of a row."""
    passed, bad = (sum(one.outcome in outcomes for one in found) for outcomes in (["passed"], ["failure", "error"]))
    tests = f"{passed:,} test{'s' * (passed != 1)}" + (f", **{bad} failed**" if bad else "")
    return "; ".join([*dict.fromkeys(one.figure for one in found if one.figure), tests])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
