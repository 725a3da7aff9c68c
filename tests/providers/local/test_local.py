"""`local` with the model that `asst setup local` provides: llama.cpp for real, so only what does not depend on its words."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from asstproxy import Conversation, Options, Profile, State, UsageError, UserProxy, read_attachment
from asstproxy.core.events import ChunkReceived, Configured, Heartbeat, Notice, Record, ToolsExecuted
from asstproxy.providers import connect
from asstproxy.providers.local.process import find_model
from forked import asst_command
from forked.asst_command import ASST
from pictures import PNG

pytest.importorskip("xllamacpp")
pytestmark = pytest.mark.skipif(find_model() is None, reason="asst setup local --yes provides the model")

ROOT = Path(__file__).parents[3]
TEMPLATE = ROOT / "examples" / "stock.jinja"


def buy_or_sell(symbol: str, price: float) -> str:
    """Decide whether to buy or sell a stock at the given price."""
    return f"sell {symbol} at {price}"


def _conversation(user: UserProxy | None = None, **options: object) -> tuple[Conversation, list[Record]]:
    profile = Profile("local", "local", options={"threads": 1, **options})
    conversation = Conversation(connect(profile), user or UserProxy())
    heard: list[Record] = []
    conversation.subscribe(heard.append)
    return conversation, heard


async def test_answer_is_streamed() -> None:
    """The model loads with the first request, which says so, and no other; its answer comes in pieces."""
    conversation, heard = _conversation(n_predict=64)
    settled = await conversation.exchange("What is the capital of France?")
    again = len(heard)
    await conversation.exchange("And of Spain?")
    await conversation.aclose()
    statuses = [
        [r.event.status for r in part if isinstance(r.event, Heartbeat)] for part in (heard[:again], heard[again:])
    ]
    assert statuses[0][:2] == ["loading", "loaded"]
    assert "loading" not in statuses[1]
    assert settled.state in (State.COMPLETED, State.INCOMPLETE)
    assert sum(isinstance(record.event, ChunkReceived) for record in heard) > 1


async def test_model_without_eyes_gets_no_picture() -> None:
    """SmolLM2 reads text only: the person is told before the message is published; a text file it reads."""
    conversation, heard = _conversation(n_predict=8)
    with pytest.raises(UsageError, match=r"SmolLM2-135M.* can't read images"):
        await conversation.exchange("What is this?", attachments=[await read_attachment(PNG, "dot.png")])
    assert not heard
    await conversation.exchange("Hello", attachments=[await read_attachment(b"text", "a.txt")])
    await conversation.aclose()
    assert heard


async def test_cut_answer_is_incomplete() -> None:
    """An answer that reaches the limit is not passed off as a whole one, although llama.cpp says `completed`."""
    conversation, _ = _conversation(n_predict=5)
    settled = await conversation.exchange("Tell me a long story about a dragon.")
    await conversation.aclose()
    assert settled.state is State.INCOMPLETE


async def test_template_without_tools_is_told() -> None:
    """SmolLM2's own template has no place for tools: the person is told that the model will not see them."""
    conversation, heard = _conversation(UserProxy([buy_or_sell]), n_predict=8)
    await conversation.exchange("Hello")
    await conversation.aclose()
    assert any(isinstance(record.event, Notice) and "chat template" in record.event.text for record in heard)


async def test_tool_round_works_with_a_template_that_shows_tools() -> None:
    """With another template the model calls a function, and its result goes back."""
    conversation, heard = _conversation(UserProxy([buy_or_sell]), chat_template=str(TEMPLATE), n_predict=64)
    settled = await conversation.exchange("Should I buy or sell AAPL at 150?")
    await conversation.aclose()
    (executed,) = [record.event for record in heard if isinstance(record.event, ToolsExecuted)]
    assert executed.results[0].output == "sell AAPL at 150.0"
    assert settled.state in (State.COMPLETED, State.INCOMPLETE)


async def test_second_exchange_uses_the_same_engine() -> None:
    """The history is sent, and nothing is loaded again."""
    conversation, heard = _conversation(n_predict=16)
    conversation.options = Options(stream=False)
    for _ in range(2):
        await conversation.exchange("Hello")
    await conversation.aclose()
    assert [record.event.type for record in heard].count("started") == 2
    assert isinstance(heard[0].event, Configured)


def test_ask_answers_and_keeps_the_screen_clean(tmp_path: Path) -> None:
    """`asst ask` needs no set-up when the model is there; nothing of the engine's log reaches the screen."""
    env = {**os.environ, "ASST_DATA_DIR": str(tmp_path), "ASST_CONFIG_DIR": str(tmp_path)}
    done = asst_command.run(
        [ASST, "ask", "--json", "What is the capital of France?"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, env=env, timeout=120, check=False,
    )  # fmt: skip
    result = json.loads(done.stdout)
    assert result["provider"] == "local"
    assert result["answer"]
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("model", "says"),
    [("missing.gguf", "missing.gguf"), ("not-a-model.gguf", "isn't a GGUF")],
    ids=["missing", "not-gguf"],
)
def test_wrong_model_is_one_line(tmp_path: Path, model: str, says: str) -> None:
    """A model file that is not there, or is none: one line that names it."""
    (tmp_path / "not-a-model.gguf").write_text("text")
    env = {**os.environ, "ASST_DATA_DIR": str(tmp_path), "ASST_CONFIG_DIR": str(tmp_path)}
    done = asst_command.run(
        [ASST, "ask", "-q", "-p", "local", "-m", str(tmp_path / model), "hi"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, env=env, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode in (1, 3)
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
