"""The page's server: exchanges run in it, records reach every page, and nothing is lost."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from asstproxy import Store
from forked import asst_command
from servers import Background, Call, ResponsesServer, Say, Script

from .conftest import ASST, Page, WebProcess
from .served import Served, ServedPage


def test_an_answer_streams_with_its_states(page: Page, provider: ResponsesServer) -> None:
    """A message makes a session; its records come one after the other, and the answer as blocks of HTML."""
    provider.brain = lambda _: [Say("The capital is **Paris**.\n\n- one\n- two\n\nDone.")]
    session = page.send("Capital of France?", profile="gpt")
    watch = page.watch(session).until_state("completed")
    assert [record["seq"] for record in watch.records] == list(range(1, len(watch.records) + 1))
    assert {"ready", "started", "streaming", "completed"} <= {record["state"] for record in watch.records}
    assert "<strong>Paris</strong>" in watch.blocks[0]["html"]
    assert "<li>two</li>" in watch.blocks[1]["html"]
    assert watch.blocks[-1]["html"] == "<p>Done.</p>\n"
    assert watch.blocks[-1]["end"] == len(watch.text)
    assert [row["title"] for row in page.get("/sessions").json()] == ["Capital of France?"]
    assert Store().transcript(session).exchanges[0].answer == watch.text


def test_the_exchange_outlives_the_page(page: Page, provider: ResponsesServer) -> None:
    """A page that goes away and comes back goes on from its last record; nothing comes twice and nothing is missing."""
    provider.brain = lambda _: [Say("one two three four five six seven eight nine ten", pace=0.05)]
    session = page.send("count", profile="gpt")
    first = page.watch(session).until(lambda w: "two" in w.text)
    first.close()
    second = page.watch(session, after=first.last_id).until_state("completed")
    assert first.text + second.text == "one two three four five six seven eight nine ten"
    whole = page.get(f"/sessions/{session}").json()
    assert [r["seq"] for r in whole["records"]] == [r["seq"] for r in first.records + second.records]
    last = whole["records"][-1]["seq"]
    asked = {"last-event-id": str(last)}  # a browser's own reconnection
    page.send("again", session)
    with page.client.stream("GET", f"/api/sessions/{session}/events?after=0", headers=asked) as again:
        first_records = next(line for line in again.iter_lines() if line.startswith("data: [{") and '"seq"' in line)
    assert json.loads(first_records[6:])[0]["seq"] == last + 1


def test_two_tabs_see_the_same(page: Page, web: Served, provider: ResponsesServer) -> None:
    """Both get every record while it happens."""
    provider.brain = lambda _: [Say("one two three four", pace=0.05)]
    session = page.send("count", profile="gpt")
    tabs = [page.watch(session), Page(web).watch(session)]
    assert {tab.until_state("completed").text for tab in tabs} == {"one two three four"}


def test_stop_keeps_what_came(page: Page, provider: ResponsesServer) -> None:
    """The exchange is cancelled, the part that came is saved, and the next message is answered."""
    provider.brain = Script([Say("one two three "), Say("four five", pace=30)], [Say("Still here.")])
    session = page.send("count", profile="gpt")
    watch = page.watch(session).until(lambda w: "four" in w.text)
    assert page.post(f"/sessions/{session}/stop").status_code == 200
    watch.until_state("cancelled")
    page.send("hello?", session)
    watch.until_state("completed")
    assert Store().transcript(session).exchanges[0].answer.startswith("one two three")


def _with_tool(tmp_path: Path, ran: Path) -> None:
    tools = tmp_path / "danger.py"
    tools.write_text(
        f'from pathlib import Path\n\ndef note(text: str) -> str:\n    """Write it down."""\n'
        f"    Path({str(ran)!r}).write_text(text)\n    return 'done'\n"
    )
    folder = Path(os.environ["ASST_CONFIG_DIR"])
    folder.mkdir(parents=True, mode=0o700)
    (folder / "config.toml").write_text(f'[profiles.work]\nprovider = "gpt"\ntools = ["{tools}:note"]\n')
    (folder / "config.toml").chmod(0o600)


def test_a_tool_runs_only_after_a_yes(provider: ResponsesServer, tmp_path: Path) -> None:
    """The question has the call and its source; an answer for another call counts for nothing; after yes it runs."""
    ran = tmp_path / "ran"
    _with_tool(tmp_path, ran)
    provider.brain = Script([Call("note", {"text": "milk"})], [Say("Noted.")])
    with ServedPage("work") as web:
        page = Page(web)
        session = page.send("note milk", profile="work")
        watch = page.watch(session).until(lambda w: w.status.get("asked"))
        (asked,) = watch.status["asked"]
        assert (asked["name"], asked["may_always"]) == ("note", True)
        assert "milk" in asked["arguments"]
        assert "danger.py" in asked["source"]
        path = f"/sessions/{session}/approval"
        assert page.post(path, {"answers": {"other": {"answer": "yes"}}}).status_code == 400
        assert page.get(path).status_code == 405  # not by an address
        changed = {"answer": "yes", "arguments": '{"text": 7'}
        assert "doesn't fit" in page.post(path, {"answers": {asked["id"]: changed}}).json()["error"]
        assert not ran.exists()
        unchanged = {"answer": "yes", "arguments": f" {asked['arguments']}\n"}
        assert page.post(path, {"answers": {asked["id"]: unchanged}}).status_code == 200
        watch.until_state("completed")
    assert "changed the arguments" not in str(provider.requests[-1].json["input"])
    assert ran.read_text() == "milk"
    assert [tool.decided_by for tool in Store().transcript(session).exchanges[0].tools] == ["person"]


def test_a_refused_tool_does_not_run(provider: ResponsesServer, tmp_path: Path) -> None:
    """The assistant gets the reason, and answers."""
    ran = tmp_path / "ran"
    _with_tool(tmp_path, ran)
    provider.brain = Script([Call("note", {"text": "milk"})], [Say("As you wish.")])
    with ServedPage("work") as web:
        page = Page(web)
        session = page.send("note milk", profile="work")
        watch = page.watch(session).until(lambda w: w.status.get("asked"))
        name = watch.status["asked"][0]["id"]
        page.post(f"/sessions/{session}/approval", {"answers": {name: {"answer": "no", "reason": "not now"}}})
        watch.until_state("completed")
    assert not ran.exists()
    assert "not now" in str(provider.requests[-1].json["input"])


def test_a_profile_that_opens_slowly_delays_no_other(provider: ResponsesServer, tmp_path: Path) -> None:
    """While the MCP server of one new session starts, another session is opened and answered."""
    ready, starting = tmp_path / "ready", tmp_path / "starting"
    code = (
        f"import pathlib, time; pathlib.Path({str(starting)!r}).touch()\n"
        f"while not pathlib.Path({str(ready)!r}).exists(): time.sleep(0.02)"
    )
    server = f"command = {json.dumps(sys.executable)}\nargs = {json.dumps(['-c', code])}"
    folder = Path(os.environ["ASST_CONFIG_DIR"])
    folder.mkdir(parents=True, mode=0o700)
    (folder / "config.toml").write_text(f'[profiles.slow]\nprovider = "gpt"\nmcp = ["slow"]\n[mcp.slow]\n{server}\n')
    with ServedPage("slow", "gpt") as web, ThreadPoolExecutor(1) as others:
        page = Page(web)
        try:
            first = others.submit(Page(web).send, "one", profile="slow")
            while not starting.exists():
                assert not first.done()
            page.watch(page.send("two", profile="gpt")).until_state("completed")
            assert not first.done()
        finally:
            ready.touch()
        page.watch(first.result()).until_state("completed")


def test_retry_edit_fork_and_undo(page: Page, provider: ResponsesServer) -> None:
    """An edited message replaces the later ones for the assistant; a fork has the first turns; the journal keeps all."""
    session = page.send("first", profile="gpt")
    watch = page.watch(session).until_state("completed")
    page.send("second", session)
    watch.until(
        lambda w: [r["state"] for r in w.records].count("completed") == 2 and w.records[-1]["state"] == "completed"
    )
    page.send("second, better", session, keep=1)
    watch.until(lambda w: sum(r["type"] == "assistant_message_retrieved" for r in w.records) == 3)
    sent = str(provider.requests[-1].json["input"])
    assert "second, better" in sent
    assert "'second'" not in sent
    copy = page.post(f"/sessions/{session}/fork", {"keep": 1}).json()["session"]
    assert [entry.user for entry in Store().transcript(copy).exchanges] == ["first"]
    assert [entry.user for entry in Store().transcript(session).exchanges] == ["first", "second", "second, better"]


def test_rename_search_export_delete(page: Page, provider: ResponsesServer) -> None:
    """What the list of sessions offers; an exported page has the answer as the page shows it."""
    provider.brain = lambda _: [Say("- **bold**\n\n```python\ndef f(): ...\n```\n")]
    session = page.send("a word like zebra", profile="gpt")
    watch = page.watch(session).until_state("completed")
    other = page.send("something else", profile="gpt")
    page.watch(other).until_state("completed")
    assert page.post(f"/sessions/{session}/title", {"title": "Animals"}).status_code == 200
    assert [row["title"] for row in page.get("/sessions?q=zebra").json()] == ["Animals"]
    for form in ("html", "md", "json", "mmd"):
        file = page.get(f"/sessions/{session}/export?form={form}")
        assert file.status_code == 200
        assert "zebra" in file.text or form == "mmd"
        assert "attachment" in file.headers["content-disposition"]
    exported = page.get(f"/sessions/{session}/export?form=html").text
    assert watch.until(lambda w: len(w.blocks) == 2)
    assert all(block["html"].strip() in exported for block in watch.blocks)
    assert page.post(f"/sessions/{session}/delete").status_code == 200
    assert [row["title"] for row in page.get("/sessions").json()] == ["something else"]


PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def test_files_go_with_a_message(page: Page, provider: ResponsesServer) -> None:
    """A picture reaches the API, is kept with the session, and is served to the page; a repeated message carries it again."""
    files = [{"name": "dot.png", "data": base64.b64encode(PNG).decode()}]
    session = page.send("What is it?", profile="gpt", files=files)
    watch = page.watch(session).until_state("completed")
    (asked,) = [r for r in watch.records if r["type"] == "set_user_message"]
    (attached,) = asked["attachments"]
    assert "data:image/png;base64" in str(provider.requests[-1].json["input"])
    shown = page.get(f"/sessions/{session}/files/{attached['sha256']}")
    assert (shown.content, shown.headers["content-type"]) == (PNG, "image/png")
    assert page.get(f"/sessions/{session}/files/{'0' * 64}").status_code == 404
    page.send("Look again.", session, keep=0, again=[attached["sha256"]])
    watch.until(lambda w: sum(r["type"] == "assistant_message_retrieved" for r in w.records) == 2)
    assert str(provider.requests[-1].json["input"]).count("data:image/png;base64") == 1


def test_a_file_that_cannot_be_sent_is_one_line(page: Page) -> None:
    """Empty, not base64, of a type that nobody reads: nothing is asked."""
    for data in ("", "!!!", base64.b64encode(b"\0\1\2\3" * 50).decode()):
        refused = page.post("/messages", {"text": "hi", "profile": "gpt", "files": [{"name": "x.bin", "data": data}]})
        assert refused.status_code == 400
        assert refused.json()["error"]
    assert page.get("/sessions").json() == []


def test_costs_are_told(page: Page, provider: ResponsesServer) -> None:
    """One text for each exchange: dollars, or that the price is unknown."""
    session = page.send("hi", profile="gpt")
    page.watch(session).until_state("completed")
    (cost,) = page.get(f"/sessions/{session}/costs").json()
    assert "$" in cost or "unknown" in cost


def test_a_failure_is_a_record_with_a_hint(page: Page, provider: ResponsesServer) -> None:
    """A wrong key ends the exchange as an error that says what to do."""
    provider.key = "another"
    session = page.send("hi", profile="gpt")
    last = page.watch(session).until_state("error").records[-1]
    assert last["kind"] == "authentication"
    assert last["hint"]


def test_bad_requests_are_one_line(page: Page) -> None:
    """An empty message, an unknown session, an unknown profile, no JSON."""
    for answer in (
        page.post("/messages", {"text": "  "}),
        page.post("/messages", {"text": "hi", "session": "nonsense"}),
        page.post("/messages", {"text": "hi", "profile": "nobody"}),
        page.get("/sessions/nonsense"),
        page.client.post("/api/messages", content=b"[1", headers={"origin": page.web.origin, "x-asst": "1"}),
    ):
        assert answer.status_code in (400, 404)
        assert answer.json()["error"]
    assert page.get("/sessions").json() == []


def test_a_page_that_watched_another_server_loads_anew(page: Page, provider: ResponsesServer) -> None:
    """The journal joins chunks: a record's number may stand for more than the page has seen."""
    session = page.send("hi", profile="gpt")
    page.watch(session).until_state("completed")
    feed = page.get(f"/sessions/{session}").json()["feed"]
    assert "event: reload" in page.get(f"/sessions/{session}/events?after=3&feed=other").text
    watch = page.watch(session, after=0, feed=feed)
    assert watch.until_state("completed").records


def test_a_session_that_is_only_looked_at_is_loaded_once(provider: ResponsesServer) -> None:
    """Its records come from the same feed as the page that shows them, so nothing makes the page load it anew."""
    with ServedPage("gpt") as web:
        page = Page(web)
        session = page.send("hi", profile="gpt")
        page.watch(session).until_state("completed")
        cookies = page.client.cookies
    with ServedPage("gpt", port=web.port) as restarted:
        page = Page(restarted, cookies)
        shown = page.get(f"/sessions/{session}").json()
        watch = page.watch(session, after=0, feed=shown["feed"]).until_state("completed")
        assert watch.records == shown["records"]
        assert page.get(f"/sessions/{session}").json()["feed"] == shown["feed"]


# ---- several processes -------------------------------------------------------------------------------------------------


def test_after_kill_9_everything_shown_is_there(provider: ResponsesServer) -> None:
    """The restarted server shows what the page had; the exchange is shown as interrupted; the old cookie still counts."""
    provider.brain = lambda _: [Say("one two three "), Say("four five", pace=30)]
    with WebProcess("-p", "gpt") as web:
        page = Page(web)
        session = page.send("count", profile="gpt")
        shown = page.watch(session).until(lambda w: "four" in w.text).text
        time.sleep(0.1)  # the page's promise is 50 ms
        web.process.kill()
        web.process.wait()
    with WebProcess("-p", "gpt", port=web.port) as restarted:
        page = Page(restarted, cookies=page.client.cookies)
        found = page.get(f"/sessions/{session}")
        assert found.status_code == 200
        text = "".join(r["text"] for r in found.json()["records"] if r["type"] == "chunk_received")
        assert text == shown
        assert page.post(f"/sessions/{session}/resume").status_code == 200
        page.watch(session).until(lambda w: any(r.get("kind") == "interrupted" for r in w.records))


def test_after_kill_9_a_background_answer_is_fetched(provider: ResponsesServer) -> None:
    """The provider goes on meanwhile; the restarted server takes its answer up where it was, and asks nothing again."""
    provider.background = Background(queued=0)
    words = " ".join(f"w{n}" for n in range(40))
    provider.brain = lambda _: [Say(words, pace=0.03)]
    with WebProcess("-p", "gpt") as web:
        page = Page(web)
        session = page.send("count", profile="gpt", background=True)
        shown = page.watch(session).until(lambda w: "w9" in w.text).text
        web.process.kill()
        web.process.wait()
    with ServedPage("gpt", port=web.port) as restarted:
        page = Page(restarted, cookies=page.client.cookies)
        assert page.post(f"/sessions/{session}/resume").status_code == 200
        watch = page.watch(session).until_state("completed")
        assert watch.text == words
        assert watch.text.startswith(shown)
        assert not any(r.get("kind") == "interrupted" for r in watch.records)
    assert [request.method for request in provider.requests if request.method == "POST"] == ["POST"]


def test_a_terminal_that_has_it_open_is_told(page: Page, provider: ResponsesServer) -> None:
    """While another process holds the session, the page says which, follows its records, and can't write."""
    session = page.send("first", profile="gpt")
    watch = page.watch(session).until_state("completed")
    assert page.post(f"/sessions/{session}/close").status_code == 200
    provider.brain = lambda _: [Say("from the terminal", pace=0.4)]
    terminal = asst_command.start([ASST, "ask", "--session", session, "-p", "gpt", "second"], stdout=subprocess.PIPE)
    watch.until(lambda w: any(r.get("text") == "second" for r in w.records))
    refused = page.post("/messages", {"text": "mine", "session": session})
    assert refused.status_code == 409
    assert str(terminal.pid) in refused.json()["error"] or "process" in refused.json()["error"]
    watch.until_state("completed")
    assert "from the terminal" in watch.text
    assert terminal.wait() == 0
    page.send("third", session)
    watch.until(lambda w: any(r.get("text") == "third" for r in w.records))
    terminal.communicate()


def test_the_terminal_is_told_that_the_page_has_it(page: Page, provider: ResponsesServer) -> None:
    """`asst ask --session` names the process, and works once the page has let go."""
    session = page.send("first", profile="gpt")
    page.watch(session).until_state("completed")
    arguments = [ASST, "ask", "--session", session, "-p", "gpt", "second"]
    refused = asst_command.run(arguments, capture_output=True, text=True, check=False)
    assert f"is open in process {page.web.pid}" in refused.stderr
    page.post(f"/sessions/{session}/close")
    assert asst_command.run(arguments, capture_output=True, text=True, check=False).returncode == 0


def test_ctrl_c_ends_it_and_saves(provider: ResponsesServer) -> None:
    """The exchange that runs is stopped, what came is saved, and the exit code is 0."""
    provider.brain = lambda _: [Say("one two three "), Say("four five", pace=30)]
    with WebProcess("-p", "gpt") as web:
        page = Page(web)
        session = page.send("count", profile="gpt")
        page.watch(session).until(lambda w: "four" in w.text)
        web.process.send_signal(signal.SIGINT)
        assert web.process.wait(20) == 0
        assert web.process.stderr is not None
        assert web.process.stderr.read() == ""
    entry = Store().transcript(session).exchanges[0]
    assert (entry.state, entry.answer) == ("cancelled", "one two three four")


def test_a_taken_port_is_one_line(page: Page) -> None:
    """The line names the port and what to do."""
    done = asst_command.run(
        [ASST, "web", "--no-open", "--port", str(page.web.port)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert str(page.web.port) in done.stderr
