"""`asst doctor`: what is installed, set up and reachable, one line each, with what to do about it.

The output is safe to paste into a bug report: no keys, no passwords in addresses, `~` for the home folder.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from itertools import groupby

from ...config.credentials import stored_keys
from ...config.paths import read_only
from ...core.errors import AsstError
from ...core.redact import redact_settings
from ...text.safe_text import clean_line
from .finding import Finding, Status

__all__ = ["doctor"]

MARKS: dict[Status, tuple[str, str]] = {
    "ok": ("ok     ", "32"),
    "absent": ("–      ", "2"),
    "warning": ("warning", "33"),
    "broken": ("BROKEN ", "31"),
}
"""How a status is printed: its mark and the mark's colour (SGR)."""


def doctor(*, as_json: bool, offline: bool) -> int:
    """Print what was found. Nothing is changed. The exit code is 1 if something is broken."""
    with read_only():
        with suppress(AsstError):
            stored_keys()  # from now on they are redacted
        findings = map(_redacted, _findings(offline=offline))
        counts = _print_json(list(findings)) if as_json else _print(findings)
    return 1 if counts["broken"] else 0


def _findings(*, offline: bool) -> Iterator[Finding]:
    from . import machine, profiles, session_checks

    yield from machine.versions()
    yield from machine.extras()
    yield from machine.folders()
    yield from profiles.findings(offline=offline)
    yield from machine.terminal()
    yield from session_checks.findings()


def _redacted(finding: Finding) -> Finding:
    """A finding without secrets, control characters, and the home folder's path."""
    homes = {os.path.expanduser("~"), os.environ.get("HOME", "")} - {"", "/", "~"}  # noqa: PTH111 - never fails
    parts = []
    for part in (finding.what, finding.text, finding.hint):
        text = redact_settings(clean_line(part))
        for home in sorted(homes, key=len, reverse=True):
            text = re.sub(rf"{re.escape(home)}(?=/|\\|\W|$)", "~", text)
        parts.append(text)
    return Finding(finding.group, parts[0], finding.status, *parts[1:])


def _print_json(findings: list[Finding]) -> Counter[Status]:
    counts = Counter(finding.status for finding in findings)
    report = {"ok": not counts["broken"], **{f"{status}_count": counts[status] for status in MARKS}}
    sys.stdout.write(json.dumps(report | {"findings": [one._asdict() for one in findings]}, indent=2) + "\n")
    return counts


def _print(findings: Iterator[Finding]) -> Counter[Status]:
    out, counts = sys.stdout, Counter[Status]()
    coloured = out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    for group, members in groupby(findings, lambda finding: finding.group):
        out.write(f"\n{group}\n")
        for _, what, status, text, hint in members:
            counts[status] += 1
            mark, colour = MARKS[status]
            mark = f"\x1b[{colour}m{mark}\x1b[0m" if coloured else mark
            out.write(f"  {mark}  {what:<18} {text}\n")
            out.write(f"           {'':<18} → {hint}\n" if hint else "")
    warnings = "1 warning" if counts["warning"] == 1 else f"{counts['warning']} warnings"
    out.write(f"\n{counts['ok']} ok, {warnings}, {counts['broken']} broken\n")
    return counts
