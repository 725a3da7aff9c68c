"""The script as a diagram, drawn from its table."""

from __future__ import annotations

from .script import ACTIVE, LISTENING, RESTING, SCRIPT, State, Step

__all__ = ["mermaid"]

ERROR = "error"


def mermaid() -> str:
    """The state diagram in Mermaid (https://mermaid.js.org/syntax/stateDiagram.html), the listening states as one box."""
    inside = [f"        {state}" for state in State if state in LISTENING]
    edges = [edge for step in SCRIPT for edge in _edges(step)]
    return "\n".join(["stateDiagram-v2", "    [*] --> new", "    state listening {", *inside, "    }", *edges])


def _edges(step: Step) -> list[str]:
    """A step from every state of a named set is drawn once, with the set's name."""
    label = step.trigger + (f" / {step.do}" if step.do else "")
    sources = set(step.sources)
    names: list[str] = []
    if sources == set(State):
        return [f"    note right of {step.dest}: {step.trigger} leads here from every state"]
    if sources == ACTIVE:
        return [
            f"    note right of {step.dest}: {step.trigger} leads here from every state but {', '.join(sorted(RESTING))}"
        ]
    if sources >= LISTENING:
        names.append("listening")
        sources -= LISTENING
    names += [state for state in State if state in sources]
    return [f"    {name} --> {step.dest}: {label}" for name in names]
