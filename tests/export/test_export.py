"""`asst sessions export` and `import`."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from asstproxy.core.events import ActionRequired, ToolCall
from asstproxy.core.mediator import conform
from asstproxy.export.harmless_markdown import harmless_markdown
from asstproxy.providers.scripted import say
from asstproxy.store.store import Store
from asstproxy.store.transcript import Transcript
from store.rig import asst, held, tool_exchange

FIXTURES = Path(__file__).parents[1] / "fixtures"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--enable-logging=stderr", "--virtual-time-budget=3000"]  # fmt: skip


@pytest.fixture
def listener() -> Iterator[tuple[str, list[str]]]:
    """A server that records its requests."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


def _hostile(url: str) -> str:
    return f"""<script>document.title="OWNED";fetch("{url}/script")</script> <img src="{url}/img" onerror="document.title='OWNED'">
![image]({url}/markdown) [link](javascript:alert(1)) [data](data:text/html,<script>alert(1)</script>) <{url}/auto>
</pre></div></svg><iframe src="{url}/frame"></iframe><style>@import "{url}/css"</style>

```html
<script>document.title="OWNED"</script>
```

| a | b |
|---|---|
| <b>1</b> | [x]({url}/link "title") |
"""


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_the_page_renders_runs_nothing_and_asks_for_nothing(listener: tuple[str, list[str]], tmp_path: Path) -> None:
    """In a real browser: the conversation and both drawings are there, no script ran, no error, not one request."""
    url, asked = listener
    text = _hostile(url)
    call = ActionRequired((ToolCall("c0", "upper", json.dumps({"text": text})),), text)
    session = held([text, "second"], [call], say(text, pieces=3), say("The end."))
    asst("sessions", "rename", session.id, f"</title><script>document.title='OWNED'</script>{url}")
    page = tmp_path / "page.html"
    assert asst("sessions", "export", session.id, "--format", "html", "-o", str(page)).returncode == 0
    assert CHROMIUM is not None
    # The second page leads nowhere: it shows that this browser would have told of a script, and would have asked.
    done = {}
    for file in (page, tmp_path / "control.html"):
        if file != page:
            file.write_text(f"<script>document.title='RAN';console.error('seen')</script><img src='{url}/control'>")
        done[file.name] = subprocess.run(
            [CHROMIUM, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", file.as_uri()],
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        if file == page:
            assert asked == []
    assert asked == ["/control"]
    assert "CONSOLE" in done["control.html"].stderr
    dom, log = done["page.html"].stdout, done["page.html"].stderr
    assert "<title>RAN</title>" in done["control.html"].stdout
    assert "OWNED</title>" not in dom
    assert "CONSOLE" not in log, log
    assert all(
        part in dom for part in ("The end.", 'aria-label="timeline"', 'aria-label="sequence diagram"', "<table>")
    )
    assert dom.count("<section") == 2
    for tag in ("<script", "<iframe", "<img", "<object", "<link", 'href="javascript', 'href="data'):
        assert tag not in dom.lower()


def test_the_page_needs_nothing_else(tmp_path: Path) -> None:
    """One file: no script, no address of a style, a font or an image, and a policy that forbids them."""
    session = held(["one"], *tool_exchange())
    page = asst("sessions", "export", session.id, "-f", "html").stdout
    assert "Content-Security-Policy" in page
    assert "default-src 'none'" in page
    for outside in ("src=", "<link", "@import", "url(http", "<script"):
        assert outside not in page
    assert tmp_path.exists()


RICH = """# Big

See https://example.org/a_(b)?x=1&y=2. Also <https://auto.example> and `https://in.code`.

```python
def f(x):
    return "<b>"
```

```nosuchlanguage
<i>
```
"""


def test_the_page_has_headings_links_and_coloured_code() -> None:
    """A heading of an answer keeps its size, URLs are links in messages and answers, code has colours in light and dark."""
    session = held(["look at http://one.example/x, please"], say(RICH))
    page = asst("sessions", "export", session.id, "-f", "html").stdout
    style = page.partition("<style>")[2].partition("</style>")[0]
    assert "<h1>Big</h1>" in page
    assert [line for line in style.splitlines() if line.startswith(("h1", "h2"))] == []
    assert ".md h1{" in style
    assert '<a href="http://one.example/x" rel="noopener noreferrer nofollow">http://one.example/x</a>, please' in page
    assert '<a href="https://example.org/a_(b)?x=1&amp;y=2"' in page
    assert page.count('href="https://auto.example"') == 1
    assert "<code>https://in.code</code>" in page
    assert '<span class="c-k">def</span>' in page
    assert style.count(".md pre .c-k ") == 2
    assert "<code>&lt;i&gt;\n</code>" in page


RAW = """<script>alert(1)</script> a <b>bold</b> `<code>` \\`<u>\\` <https://auto.example> 1 < 2 <!-- x -->

<div onclick="x()">
block
</div>

```html
<script>stays()</script>
```

    <pre>indented</pre>

`a <script> b
"""


def test_markdown_has_no_raw_html() -> None:
    """What a Markdown renderer would run is escaped, wherever it comes from; code and links are as they were."""
    session = held(["<script>mine()</script>"], say(RAW))
    asst("sessions", "rename", session.id, "<script>title()</script>")
    text = asst("sessions", "export", session.id, "--format", "md").stdout
    html = MarkdownIt("commonmark").render(text)
    for tag in ("<script", "<b>", "<u>", "<div", "<!--"):
        assert tag not in html
    assert html.count("&lt;script&gt;") == 5
    assert '<a href="https://auto.example">' in html
    assert "<code>&lt;code&gt;</code>" in html
    assert "```html\n<script>stays()</script>\n```" in text
    assert "    <pre>indented</pre>" in text
    assert "1 < 2" in text


@pytest.mark.parametrize("seed", range(40))
def test_no_mixture_of_ticks_fences_and_tags_gets_through(seed: int) -> None:
    """Whatever hides a tag from a glance: the parser finds no HTML."""
    chance = random.Random(seed)  # noqa: S311
    pieces = [
        "`",
        "``",
        "```",
        "~~~",
        "\n",
        "\n\n",
        "    ",
        "> ",
        "- ",
        "\\",
        "<script>",
        "</p>",
        "<!--",
        "<?x ?>",
        "a ",
        "<a\nb>",
    ]
    text = harmless_markdown("".join(chance.choices(pieces, k=40)))
    tokens = MarkdownIt("commonmark").parse(text)
    found = [token for token in tokens if token.type == "html_block"]
    found += [child for token in tokens for child in token.children or () if child.type == "html_inline"]
    assert found == []


@pytest.mark.parametrize(
    ("name", "begins"), [("x.html", "<!doctype"), ("x.MD", "# "), ("x.mmd", "sequence"), ("x", "{"), ("x.json", "{")]
)
def test_the_suffix_chooses_the_format(name: str, begins: str, tmp_path: Path) -> None:
    """As the name says, without one it is JSON; `--format` overrides it."""
    session = held(["one"], say("1"))
    asst("sessions", "export", session.id, "-o", str(tmp_path / name))
    assert (tmp_path / name).read_text().startswith(begins)
    asst("sessions", "export", session.id, "-f", "json", "-o", str(tmp_path / f"j{name}"))
    assert (tmp_path / f"j{name}").read_text().startswith("{")


@pytest.mark.parametrize("name", ["x.pdf", "x.txt", "x.md.gz"])
def test_a_suffix_of_no_format_is_refused(name: str, tmp_path: Path) -> None:
    """JSON under such a name would deceive: exit 2, one line with the suffixes and the option, no file. `-f` decides."""
    held(["one"], say("1"))
    ran = asst("sessions", "export", "-o", str(tmp_path / name))
    assert (ran.returncode, ran.stderr.count("\n"), [*tmp_path.glob("x*")]) == (2, 1, [])
    assert f'No format has the suffix "{Path(name).suffix}".' in ran.stderr
    assert ".json, .md, .html or .mmd" in ran.stderr
    assert "-f json" in ran.stderr
    assert asst("sessions", "export", "-f", "md", "-o", str(tmp_path / name)).returncode == 0


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("-", "-o needs the name of a file. Leave it out: the session is on stdout."),
        ("", "-o needs the name of a file. Leave it out: the session is on stdout."),
        ("folder", "folder is a folder. Name a file in it."),
        ("none/x.md", "the folder none doesn't exist. Create it"),
    ],
)
def test_where_no_export_can_be_written(name: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 2, one line that says why and what to do; `~` is the home folder."""
    held(["one"], say("1"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "folder"))
    (tmp_path / "folder").mkdir()
    ran = asst("sessions", "export", "-o", name)
    assert (ran.returncode, ran.stdout, ran.stderr.count("\n")) == (2, "", 1)
    assert words in ran.stderr
    assert asst("sessions", "export", "-o", "~/x.md").returncode == 0
    assert (tmp_path / "folder" / "x.md").exists()
    assert not (tmp_path / "-").exists()


def test_markdown_keeps_the_answer_as_it_is() -> None:
    """Messages are quotations, tool calls are code whose fence no output can close."""
    session = held(["one\ntwo"], *tool_exchange("```"), say("x"))
    text = asst("sessions", "export", session.id, "--format", "md").stdout
    assert "> one\n> two" in text
    assert "\n````\nupper(" in text
    assert "\nIt is ```.\n" in text


@pytest.mark.parametrize("form", ["json", "md", "html"])
def test_what_had_arrived_when_a_process_died_is_exported(form: str) -> None:
    """An exchange that never settled has no answer, but the part that is in the journal."""
    session = held(["one"], say("a pelican flies", pieces=3))
    lines = session.path.read_bytes().splitlines(keepends=True)
    last = max(number for number, line in enumerate(lines) if b'"chunk_received"' in line)
    session.path.write_bytes(b"".join(lines[: last + 1]))
    assert "a pelican" in asst("sessions", "export", session.id, "-f", form).stdout
    assert asst("sessions", "search", "pelican").stdout


def test_mermaid_takes_every_text_for_text() -> None:
    """One statement a line; what Mermaid would read as its own is escaped."""
    session = held(["a;b#c\nU->>M: x %% end"], *tool_exchange("<b>;"))
    text = asst("sessions", "export", session.id, "--format", "mermaid").stdout
    head, *rest = text.splitlines()
    assert head == "sequenceDiagram"
    assert all(
        line.startswith(("    participant", "    Note over", "    U", "    M", "    A", "    P")) for line in rest
    )
    assert not any(";" in line.replace("#", "").split(":", 1)[-1] and "#" not in line for line in rest)
    for name in ("set_user_message", "action_required", "tools_executed", "assistant_message_retrieved"):
        assert name in text


def test_an_export_does_not_overwrite(tmp_path: Path) -> None:
    """An existing file is left alone."""
    session = held(["one"], say("1"))
    file = tmp_path / "x.json"
    assert asst("sessions", "export", session.id, "-o", str(file)).returncode == 0
    assert asst("sessions", "export", session.id, "-o", str(file)).returncode == 2


def test_what_was_exported_can_be_imported(tmp_path: Path) -> None:
    """A transcript becomes a session that says the same and conforms; the id stays if it is free."""
    session = held(["one", "two"], *tool_exchange(), say("2"))
    before = Store().transcript(session.id)
    file = tmp_path / "t.json"
    asst("sessions", "export", session.id, "-o", str(file))
    [other] = json.loads(asst("sessions", "import", str(file), "--json").stdout)
    assert other != session.id
    Store().remove(session.id)
    [same] = json.loads(asst("sessions", "import", str(file), "--json").stdout)
    assert same == session.id
    again = Store().transcript(same)
    assert _told(again) == _told(before)
    assert (again.title, again.created) == (before.title, before.created)
    assert list(conform(Store().records(same))) == []


def _told(whole: Transcript) -> list[object]:
    return [(e.user, e.answer, e.state, e.model, [(t.name, t.output) for t in e.tools]) for e in whole.exchanges]


def test_a_journal_can_be_imported() -> None:
    """Every record but the first, at its time; resume tokens stay behind."""
    session = held(["one"], *tool_exchange())
    [copy] = json.loads(asst("sessions", "import", str(session.path), "--json").stdout)
    a, b = Store().records(session.id), Store().records(copy)
    assert [(r.at, r.event) for r in a[1:]] == [(r.at, r.event) for r in b[1:]]


def test_the_logs_of_llm_can_be_imported(tmp_path: Path) -> None:
    """What llm 0.36 wrote, and the conversations of older versions: messages, tools, models, tokens and times."""
    file = tmp_path / "logs.db"
    db = sqlite3.connect(file)
    db.executescript((FIXTURES / "llm" / "logs-0.36.sql").read_text())
    db.execute("INSERT INTO conversations VALUES ('01jold', 'Older', 'gpt-4o')")
    db.execute(
        "INSERT INTO responses (id, model, prompt, response, conversation_id, datetime_utc, input_tokens, output_tokens)"
        " VALUES ('r1', 'gpt-4o', 'old question', 'old answer', '01jold', '2025-01-02T03:04:05.678901', 3, 4)"
    )
    db.commit()
    db.close()
    ids = json.loads(asst("sessions", "import", str(file), "--json").stdout)
    thread, tool, older = (Store().transcript(one) for one in ids)
    assert [(e.user, e.answer) for e in thread.exchanges] == [
        ("first question", "An answer about pelicans."),
        ("second", "An answer about pelicans."),
    ]
    assert (thread.id, thread.usage.input, thread.model) == ("01M82W9BARQQ3A5RPDPZB6ZD0M", 70, "stub")
    assert [(t.name, t.arguments, t.output) for t in tool.exchanges[0].tools] == [("upper", '{"text": "abc"}', "ABC")]
    assert tool.exchanges[0].answer == "It is ABC."
    assert (older.title, older.exchanges[0].answer, older.created[:19]) == (
        "Older",
        "old answer",
        "2025-01-02T03:04:05",
    )
    assert all(list(conform(Store().records(one))) == [] for one in ids)


def _logs(file: Path, *conversations: str, exchanges: int = 1) -> None:
    db = sqlite3.connect(file)
    if not db.execute("SELECT * FROM sqlite_master").fetchone():
        db.executescript((FIXTURES / "llm" / "logs-0.36.sql").read_text())
        db.executescript("DELETE FROM threads; DELETE FROM turns; DELETE FROM messages; DELETE FROM parts")
    for name in conversations:
        db.execute("INSERT OR IGNORE INTO conversations VALUES (?, ?, 'm')", (name, name))
        for number in range(exchanges):
            db.execute(
                "INSERT OR IGNORE INTO responses (id, model, prompt, response, conversation_id, datetime_utc)"
                " VALUES (?, 'm', ?, 'a', ?, ?)",
                (f"{name}{number}", f"q {name}", name, f"2025-01-02T03:04:0{number}"),
            )
    db.commit()
    db.close()


def test_a_second_import_leaves_out_what_is_there(tmp_path: Path) -> None:
    """Whatever the ids look like; a conversation that has grown since is imported again, once."""
    file, names = tmp_path / "logs.db", ("01jold", "01m82w9barqq3a5rpdpzb6zd0m", "any name")
    _logs(file, *names)
    first = asst("sessions", "import", str(file))
    assert (first.returncode, first.stderr, first.stdout.count("\n")) == (0, "Imported 3 sessions.\n", 3)
    _logs(file, "fourth")
    again = asst("sessions", "import", str(file))
    assert (again.stderr, again.stdout.count("\n")) == ("Imported 1 session. 3 sessions were there already.\n", 1)
    _logs(file, names[0], exchanges=3)
    grown = asst("sessions", "import", str(file), "--json")
    assert [Store().transcript(one).exchange_count for one in json.loads(grown.stdout)] == [3]
    assert json.loads(asst("sessions", "import", str(file), "--json").stdout) == []
    assert len(list(Store().ids())) == 5


def test_an_import_that_fails_in_the_middle_says_what_is_there(tmp_path: Path) -> None:
    """Each conversation is listed as soon as it is saved, and the next import saves the others."""
    file = tmp_path / "logs.db"
    _logs(file, *(f"c{number}" for number in range(5)))
    db = sqlite3.connect(file)
    db.execute("UPDATE responses SET prompt = printf('%.*c', 3000, 'x') WHERE conversation_id = 'c3'")
    db.commit()
    db.close()
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (2000, -1))"
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"{limit}; from asstproxy.__main__ import main; main()",
            "sessions",
            "import",
            str(file),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.count("\n")) == (5, 3)
    assert done.stderr.startswith(
        "Imported 3 sessions before it failed. The next import leaves them out.\nasst: The session can't"
    )
    assert len(list(Store().ids())) == 3
    assert asst("sessions", "import", str(file)).stderr == "Imported 2 sessions. 3 sessions were there already.\n"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"hello",
        b"SQLite format 3\0",
        b'{"seq":1}\n',
        b'{"format": "asst-transcript", "version": 1, "exchanges": 7}',
    ],
)
def test_a_file_that_is_none_of_these_is_refused_in_one_line(data: bytes, tmp_path: Path) -> None:
    """Nothing is saved."""
    file = tmp_path / "x"
    file.write_bytes(data)
    done = asst("sessions", "import", str(file))
    assert (done.returncode, done.stderr.count("\n")) == (5, 1), done.stderr
    assert asst("sessions", "import", str(tmp_path / "nowhere")).returncode == 5
    assert [*Store().ids()] == []
