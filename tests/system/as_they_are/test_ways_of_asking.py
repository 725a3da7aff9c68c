"""What is asked, and what is shown of an answer: the server's own tools, sources, work in the background, fitting hints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .asking import PROVIDERS, asst, profile_for
from .case_server import CaseServer, reply

OK: dict[str, dict[str, Any]] = {
    "gpt": {
        "id": "r1",
        "status": "completed",
        "output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi"}]}],
    },
    "chat": {"choices": [{"message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}]},
    "gemini": {"candidates": [{"content": {"parts": [{"text": "Hi"}]}, "finishReason": "STOP"}]},
    "interactions": {
        "id": "i1",
        "status": "completed",
        "steps": [{"type": "model_output", "content": [{"type": "text", "text": "Hi"}]}],
    },
}
OK["local"] = OK["gpt"]


@pytest.mark.parametrize("name", PROVIDERS)
def test_hosted_tools_join_the_functions(name: str, tmp_path: Path) -> None:
    """A setting `tools` adds the server's tools to the person's functions, in every API."""
    (tmp_path / "add.py").write_text('def add(a: int, b: int) -> int:\n    """Add."""\n    return a + b\n')
    with CaseServer(reply(OK[name])) as server:
        profile = profile_for(name, server.url, settings={"tools": '[{type = "web_search"}]'})
        done = asst(tmp_path, profile, "ask", "-q", "--no-stream", "-p", "p", "-t", "./add.py", "hi")
    assert (done.stdout, done.returncode) == ("Hi\n", 0), done.stderr
    functions, hosted = server.bodies[0]["tools"]
    assert hosted == {"type": "web_search"}
    assert "add" in str(functions)


def test_an_interaction_that_is_not_streamed_says_so(tmp_path: Path) -> None:
    """`"stream": false` is sent, because servers differ in what they do without it."""
    with CaseServer(reply(OK["interactions"])) as server:
        done = asst(
            tmp_path, profile_for("interactions", server.url), "ask", "-q", "--no-stream", "--no-tools", "-p", "p", "hi"
        )
    assert (done.stdout, server.bodies[0]["stream"]) == ("Hi\n", False)
