"""`asst doctor`: what is installed, set up and reachable, in a few rows or (`-v`) one line each, with what to do about it.

The output is safe to paste into a bug report: no keys, no passwords in addresses, `~` for the home folder.
"""

from __future__ import annotations

import json
import os
import re
import shutil
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
from ..fitted import fitted
from ..look import look, prefers_words
from .brief import brief
from .finding import MARKS, Finding, Status

__all__ = ["doctor"]

_ENDLESS = 10_000
"""Columns of a pipe."""


def doctor(*, as_json: bool, offline: bool, verbose: bool = False) -> int:
    """Print what was found. Nothing is changed. The exit code is 1 if something is broken."""
    with read_only():
        with suppress(AsstError):
            stored_keys()  # from now on they are redacted
        findings = map(_redacted, _findings(offline=offline))
        print_ = _print_json if as_json else _print_all if verbose else _print_brief
        counts = print_(findings)
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

    def safe(part: str) -> str:
        text = redact_settings(clean_line(part))
        for home in sorted(homes, key=len, reverse=True):
            text = re.sub(rf"{re.escape(home)}(?=/|\\|\W|$)", "~", text)
        return text

    return finding._replace(
        what=safe(finding.what),
        text=safe(finding.text),
        hint=safe(finding.hint),
        short=safe(finding.short),
        about=safe(finding.about),
    )


def _print_json(found: Iterator[Finding]) -> Counter[Status]:
    findings = list(found)
    counts = Counter(finding.status for finding in findings)
    report = {"ok": not counts["broken"], **{f"{status}_count": counts[status] for status in MARKS}}
    sys.stdout.write(json.dumps(report | {"findings": [_json(one) for one in findings]}, indent=2) + "\n")
    return counts


def _json(finding: Finding) -> dict[str, str]:
    return {name: getattr(finding, name) for name in ("group", "what", "status", "text", "hint")}


def _print_brief(found: Iterator[Finding]) -> Counter[Status]:
    out, findings = sys.stdout, list(found)
    width = shutil.get_terminal_size().columns if out.isatty() else _ENDLESS
    words = _needs_words()
    for status, line in brief(findings, width, words=words):
        if status is not None and _is_coloured():
            mark = MARKS[status].word if words else MARKS[status].mark
            line = line.replace(mark, f"\x1b[{MARKS[status].colour}m{mark}\x1b[0m", 1)  # noqa: PLW2901 - the same line, coloured
        out.write(f"{line}\n")
    return Counter(finding.status for finding in findings)


def _is_coloured() -> bool:
    if look().color == "never" or look().theme == "mono":
        return False
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return look().color == "always" or (sys.stdout.isatty() and not plain)


def _needs_words() -> bool:
    """Whether marks can't be shown, or are not wanted."""
    try:
        "".join(mark.mark for mark in MARKS.values()).encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return True
    return prefers_words()


def _print_all(findings: Iterator[Finding]) -> Counter[Status]:
    out, counts = sys.stdout, Counter[Status]()
    coloured = _is_coloured()
    for group, members in groupby(findings, lambda finding: finding.group):
        out.write(f"\n{group}\n")
        for one in members:
            counts[one.status] += 1
            mark = f"{MARKS[one.status].word:<7}"
            line = fitted(f"  {mark}  {one.what:<18}  {one.text}\n")
            out.write(line.replace(mark, f"\x1b[{MARKS[one.status].colour}m{mark}\x1b[0m", 1) if coloured else line)
            out.write(fitted(f"           {'':<18}  → {one.hint}\n") if one.hint else "")
    warnings = "1 warning" if counts["warning"] == 1 else f"{counts['warning']} warnings"
    out.write(f"\n{counts['ok']} ok, {warnings}, {counts['broken']} broken\n")
    return counts
