"""The README's section "Every day": its commands about output, settings, models, fallbacks and cost."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from servers import GeminiServer, ResponsesServer, Say, Status

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
BIN = Path(sys.executable).parent
OURS = re.compile(r"-x |-o |-O |--fallback|--cost|^asst (models|usage)")


def _lines() -> list[str]:
    block = re.search(r"## Every day\n+```sh\n(.*?)```", README, re.DOTALL)
    assert block
    return [line.partition("#")[0].strip() for line in block[1].splitlines() if OURS.search(line)]


def test_every_command_does_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each runs, in this order, against servers that answer; files hold what the comment says."""
    (tmp_path / "report.txt").write_text("Sales went up.")
    with ResponsesServer() as server, GeminiServer([[Say("Gemini here.")]]) as gemini:
        server.brain = lambda _: [Say("Like this:\n\n```sh\nwc -l\n```\n")]
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", server.key)
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", gemini.url)
        monkeypatch.setenv("GEMINI_API_KEY", gemini.key)
        monkeypatch.setenv("ASST_PROFILE", "gpt")
        monkeypatch.setenv("PATH", f"{BIN}:/usr/local/bin:/usr/bin:/bin")
        said: dict[str, str] = {}
        for line in _lines():
            if "--fallback" in line:
                server.faults.add(Status(503, first=1))
            done = subprocess.run(
                ["bash", "-o", "pipefail", "-c", line],
                capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60, check=False, cwd=tmp_path,
            )  # fmt: skip
            assert done.returncode == 0, f"{line}: {done.stderr}"
            said[line] = done.stdout + done.stderr
    assert len(said) >= 7
    assert (tmp_path / "count.sh").read_text() == "wc -l\n"
    assert "wc -l" in (tmp_path / "notes.md").read_text()
    everything = "\n".join(said.values())
    assert "Gemini here." in everything
    assert re.search(r"completed · .* tokens · <\$0\.0001", everything)
    assert re.search(r"^\d{4}-\d\d-\d\d\t5\t", said["asst usage --by day --since 30d"], re.MULTILINE)
