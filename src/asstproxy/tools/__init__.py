"""Function tools: any Python function, described by its signature and docstring, approved, and run within a time limit.

`tool` defines what a tool is; `schema`, `annotations`, `docstring` and `portable_schema` describe it to an assistant; `loading`
finds it by name; the `mcp_` modules and `foreign_schema` connect servers; `approval` decides who is asked first; `runner` runs the
calls of a reply and `executor` a single call. Nothing here imports pydantic before the first function is described.
"""

from __future__ import annotations

from ..core.errors import ToolError
from .approval import NOBODY, Approver, Question, approve_all, deny_all
from .arguments import from_pairs
from .executor import Outcome, check_arguments, run_tool
from .isolation import abandoned_count, run_blocking
from .output_capture import reserve_stdout
from .serialize import truncate
from .tool import Approval, Tool, as_tool, tool

__all__ = [
    "NOBODY",
    "Approval",
    "Approver",
    "Outcome",
    "Question",
    "Tool",
    "ToolError",
    "abandoned_count",
    "approve_all",
    "as_tool",
    "check_arguments",
    "deny_all",
    "from_pairs",
    "reserve_stdout",
    "run_blocking",
    "run_tool",
    "tool",
    "truncate",
]
