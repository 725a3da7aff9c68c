"""What a view imports at start-up."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["cli.render.plain", "cli.render.json_output", "text.safe_text", "text.status_text"])
def test_light_views_import_no_renderer(module: str) -> None:
    """`asst ask` into a pipe pays for neither Rich nor markdown-it."""
    code = f"import sys, asstproxy.{module}; print({{'rich', 'markdown_it', 'pygments'}} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.strip() == "set()"
