"""Function tools: any Python function, described by its signature and docstring, approved, and run within its time.

`declare` says what a tool is, `signature` and `portable` how it is described, `finding` where it comes from, `running`
how it is run, `approval` who is asked before. Nothing here imports pydantic before the first function is described.
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
