"""`asst doctor`: what is installed, set up and reachable; each line ok, a warning or broken, with what to do.

Its output is safe to paste into a bug report: no key, no password in an address, `~` for the home folder.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import unquote

from ...config.paths import read_only
from ...core.errors import AsstError
from ..hiding import hide

__all__ = ["Finding", "Status", "doctor", "home_hidden"]

Status = Literal["ok", "warning", "broken"]
MARKS = {"ok": "ok     ", "warning": "warning", "broken": "BROKEN "}
COLOURS = {"ok": "32", "warning": "33", "broken": "31"}


class Finding(NamedTuple):
    """One line: what was looked at, how it is, and what to do about it."""

    group: str
    what: str
    status: Status
    text: str
    hint: str = ""


def doctor(*, as_json: bool, offline: bool) -> int:
    """Print what was found; 1 when something is broken. Nothing is changed."""
    with read_only():
        return _doctor(as_json=as_json, offline=offline)


def _doctor(*, as_json: bool, offline: bool) -> int:
    from .machine import extras, folders, terminal, versions
    from .profiles import exposed, keys, profiles, reachability
    from .sessions import sessions

    groups: list[Iterable[Finding]] = [versions(), extras(), folders(), profiles(), exposed(), keys()]
    if not offline:
        groups.append(reachability())
    groups += [terminal(), sessions()]
    secrets = _secrets()
    shown: list[Finding] = []
    for group in groups:
        for finding in group:
            safe = Finding(*(_safe(part, secrets) for part in finding))  # type: ignore[arg-type]
            shown.append(safe)
            if not as_json:
                _print(safe, first=len(shown) == 1 or shown[-2].group != safe.group)
    counts = {status: sum(one.status == status for one in shown) for status in MARKS}
    if as_json:
        report = {"ok": not counts["broken"], **{f"{s}_count": n for s, n in counts.items()}}
        sys.stdout.write(json.dumps(report | {"findings": [one._asdict() for one in shown]}, indent=2) + "\n")
    else:
        sys.stdout.write(f"\n{counts['ok']} ok, {counts['warning']} warnings, {counts['broken']} broken\n")
    return 1 if counts["broken"] else 0


def home_hidden(text: str) -> str:
    """The text with `~` for the home folder."""
    homes = {str(Path.home()), os.environ.get("HOME", "")} - {"", "/"}
    for home in sorted(homes, key=len, reverse=True):
        text = re.sub(rf"{re.escape(home)}(?=/|\\|\W|$)", "~", text)
    return text


def _safe(text: str, secrets: list[str]) -> str:
    from ..render.safe_text import clean_line

    for secret in secrets:
        text = text.replace(secret, "[key]")
    return home_hidden(hide(clean_line(text)))


def _secrets() -> list[str]:
    """Every key that could have come into a line, the longest first."""
    found = {value for name, value in os.environ.items() if _is_secret(name)}
    found |= {unquote(part) for value in os.environ.values() for part in re.findall(r"://([^/\s@]+)@", value)}
    found |= set(_stored())
    return sorted((secret for secret in found if len(secret) >= 6), key=len, reverse=True)


def _is_secret(name: str) -> bool:
    return bool(re.search(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL", name, re.IGNORECASE)) and "FILE" not in name


def _stored() -> Iterator[str]:
    from ...config.credentials import credentials_file
    from ...config.toml import read_toml

    try:
        yield from (value.strip() for value in read_toml(credentials_file()).values() if isinstance(value, str))
    except AsstError:
        return


def _print(finding: Finding, *, first: bool) -> None:
    out = sys.stdout
    colour = out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    if first:
        out.write(f"\n{finding.group}\n")
    mark = MARKS[finding.status]
    mark = f"\x1b[{COLOURS[finding.status]}m{mark}\x1b[0m" if colour else mark
    out.write(f"  {mark}  {finding.what:<18} {finding.text}\n")
    if finding.hint:
        out.write(f"           {'':<18} → {finding.hint}\n")
