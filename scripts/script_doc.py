"""Write docs/script.md from the table, so that the page cannot differ from the code (a test compares them)."""

from __future__ import annotations

from pathlib import Path

from asstproxy.core.script import SCRIPT, State, mermaid

PAGE = Path(__file__).parent.parent / "docs" / "script.md"

HEAD = """# The interaction script

An exchange begins with the user's message and ends *settled*: `completed`, `incomplete`, `cancelled` or `error`. The
[glossary](glossary.md) explains the states. `python scripts/script_doc.py` writes this page from the table in
`src/asstproxy/core/script.py`; `asst script` prints the diagram.

```mermaid
"""
TABLE = """
```

| message | from | to | then |
|---|---|---|---|
"""
TAIL = """
*Notes* (a tool starts or finishes, a retry, token counts, reasoning, a notice) are published and saved like messages, and do not
change the state.
"""


def page() -> str:
    """The whole page."""
    rows = []
    for step in SCRIPT:
        sources = "any" if step.sources == set(State) else ", ".join(f"`{s}`" for s in State if s in step.sources)
        rows.append(f"| `{step.trigger}` | {sources} | `{step.dest}` | {f'`{step.do}`' if step.do else ''} |\n")
    return HEAD + mermaid() + TABLE + "".join(rows) + TAIL


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
