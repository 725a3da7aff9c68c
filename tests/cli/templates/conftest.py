"""A folder of templates, and profiles with MCP servers."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from asstproxy.config.profiles import config_file
from tools.mcp_rig import ODD

Write = Callable[..., Path]


@pytest.fixture
def write() -> Write:
    """Writes one of the user's templates: its name and its text."""

    def put(name: str, text: str) -> Path:
        folder = Path(os.environ["ASST_CONFIG_DIR"]) / "templates"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.md"
        path.write_text(text)
        return path

    return put


def with_mcp_server(spec: dict[str, Any], **more: Any) -> None:
    """Give the profile gpt an MCP server `s` that does what `spec` says (see `mcp_odd`)."""
    config_file().parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{key} = {json.dumps(value)}" for key, value in more.items()]
    config_file().write_text(
        '[profiles.gpt]\nprovider = "gpt"\n[profiles.gpt.mcp.s]\n'
        f"command = {json.dumps(sys.executable)}\nargs = {json.dumps([ODD, json.dumps(spec)])}\n" + "\n".join(lines)
    )
