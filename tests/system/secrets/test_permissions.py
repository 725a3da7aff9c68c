"""What asst keeps is for the user alone: files 0600, folders 0700, whatever the umask; what is open is closed, and told."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from asstproxy import Store
from asstproxy.store import ulid
from cli.setup.conftest import ASST, Asst
from cli.setup.tmux import Tmux
from servers import ResponsesServer

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no such permissions")

KINDS = ("asst-config", "asst-data", "asst-cache")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ResponsesServer]:
    """OpenAI's API; the key is in `credentials.toml` as soon as `asst setup` has kept it."""
    with ResponsesServer() as running:
        monkeypatch.setenv("OPENAI_BASE_URL", running.base_url)
        yield running


def modes(folder: Path) -> dict[str, int]:
    """The permissions of everything in a folder."""
    return {str(path.relative_to(folder)): path.stat().st_mode & 0o777 for path in folder.rglob("*")}


def is_private(path: Path) -> bool:
    """Whether it is as it should be."""
    return path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600)


def a_life(asst: Asst, server: ResponsesServer, tmp_path: Path) -> None:
    """Everything that writes a file."""
    assert asst("setup", "gpt", "--key-stdin", "--yes", stdin=server.key).code == 0
    assert asst("ask", "hello").code == 0
    session = Store().newest()
    journal = Store().path(session)
    with journal.open("ab") as file:
        file.write(b'{"seq":99')  # torn
    transcript = journal.with_suffix(".json")
    transcript.write_bytes(transcript.read_bytes().replace(b"hello", b"HELLO"))  # edited
    assert asst("ask", "-c", "again").code == 0
    assert asst("sessions", "search", "hello").code == 0
    assert asst("sessions", "fork", session).code == 0
    assert asst("sessions", "rename", session, "A title").code == 0
    for form in ("json", "md", "html", "mermaid"):
        assert (
            asst("sessions", "export", session, "-f", form, "-o", str(tmp_path / "asst-data" / f"x.{form}")).code == 0
        )
    assert asst("sessions", "import", str(tmp_path / "asst-data" / "x.json")).code == 0
    assert asst("setup", "edit", env={"EDITOR": "true"}).code == 0
    assert asst("setup", "use", "gpt").code == 0
    with Tmux([ASST, "chat"]) as screen:
        screen.wait_for("Ctrl-D leaves")
        screen.enter("good morning")
        screen.wait_for("completed")
        screen.enter(f"/save {tmp_path / 'asst-data' / 'saved.json'}")
        screen.wait_for("Saved:")
        screen.enter("/quit")
        screen.wait_end(0)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077], ids=oct)
def test_everything_is_private(asst: Asst, server: ResponsesServer, tmp_path: Path, umask: int) -> None:
    """Profiles, keys, sessions, their transcripts, what was torn or edited, exports, the search index, the history."""
    os.umask(umask)
    a_life(asst, server, tmp_path)
    found = {name for kind in KINDS for name in modes(tmp_path / kind)}
    for end in (".jsonl", ".json", ".torn", ".edited.json", "index.sqlite3", "chat-history", "credentials.toml"):
        assert any(name.endswith(end) for name in found), f"{end} was not written: nothing is shown"
    assert {name for name in found if name.startswith("x.")} == {"x.json", "x.md", "x.html", "x.mermaid"}
    for kind in KINDS:
        assert is_private(tmp_path / kind)
        assert [path for path in (tmp_path / kind).rglob("*") if not is_private(path)] == []


def test_what_is_open_is_closed(asst: Asst, server: ResponsesServer, tmp_path: Path, config: Path) -> None:
    """Whatever is used: config, keys, folders, journals, the index. It is told once, with the old permissions."""
    assert asst("setup", "gpt", "--key-stdin", "--yes", stdin=server.key).code == 0
    assert asst("ask", "hello").code == 0
    assert asst("sessions", "search", "hello").code == 0
    for kind in KINDS:
        for path in [tmp_path / kind, *(tmp_path / kind).rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)
    ran = asst("ask", "-c", "again")
    assert ran.code == 0
    assert f"Others could read {config.parent} (0755); now only you can (0700)." in ran.err
    assert f"Others could read files in {config.parent} (such as config.toml, 0644)" in ran.err
    assert f"Others could read {tmp_path / 'asst-data'} (" in ran.err
    assert ran.out == "You said: again\n"
    assert "Others could read" not in asst("ask", "-c", "once more").err
    assert asst("sessions", "search", "hello").err.count("asst-cache") == 2  # the folder, and the files in it
    left = [path for kind in KINDS for path in (tmp_path / kind).rglob("*") if not is_private(path)]
    assert {path.name for path in left} <= {"gpt.json", "models"}  # nobody used the names for the completion
    assert all(is_private(tmp_path / kind) for kind in KINDS)


@pytest.mark.parametrize(
    "command",
    [
        ["sessions", "list"],
        ["sessions", "show"],
        ["sessions", "show", "--events"],
        ["sessions", "export"],
        ["sessions", "search", "hello"],
        ["replay", "--check"],
        ["sessions", "fork", "ID"],
    ],
    ids=" ".join,
)
def test_who_only_reads_closes_it_too(asst: Asst, server: ResponsesServer, tmp_path: Path, command: list[str]) -> None:
    """A session that others can read is closed by whatever command opens it; stdout is as ever."""
    assert asst("setup", "gpt", "--key-stdin", "--yes", stdin=server.key).code == 0
    assert asst("ask", "hello").code == 0
    session = Store().newest()
    command = [session if word == "ID" else word for word in command]
    usual = asst(*command)
    data = tmp_path / "asst-data"
    journal = Store().path(session)
    for path in (data, data / "sessions", journal.parent):
        path.chmod(0o777)
    journal.chmod(0o664)
    ran = asst(*command)
    assert (ran.code, "asst-data" in ran.err) == (usual.code, True)
    assert ran.out == usual.out or "fork" in command
    assert all(map(is_private, (data, data / "sessions", journal.parent)))
    assert is_private(journal) or command[1] in ("list", "search")  # they open the names, the heads and the index


def test_quiet(asst: Asst, server: ResponsesServer, tmp_path: Path) -> None:
    """With `--quiet` it is closed without a word, unless others could change it."""
    assert asst("setup", "gpt", "--key-stdin", "--yes", stdin=server.key).code == 0
    folder, config = tmp_path / "asst-config", tmp_path / "asst-config" / "config.toml"
    folder.chmod(0o755)
    ran = asst("ask", "-q", "hello")
    assert (ran.out, ran.err) == ("You said: hello\n", "")
    assert is_private(folder)
    folder.chmod(0o777)
    config.chmod(0o666)
    ran = asst("ask", "-q", "hello")
    assert ran.out == "You said: hello\n"
    assert f"asst: Others could change {folder} (0777); now only you can (0700).\n" in ran.err
    assert f"asst: Others could change files in {folder} (such as config.toml, 0666); now only you can.\n" in ran.err
    assert is_private(folder)
    assert is_private(config)


def test_only_what_is_used_is_looked_at(asst: Asst, server: ResponsesServer, tmp_path: Path) -> None:
    """Of many sessions the one that goes on is closed, and the folders around all of them: a start costs no more."""
    assert asst("setup", "gpt", "--key-stdin", "--yes", stdin=server.key).code == 0
    assert asst("ask", "hello").code == 0
    first = Store().path(Store().newest())
    others = [first.with_name(f"{ulid.new(ulid.time_of(first.stem) - number)}.jsonl") for number in range(1, 301)]
    for path in others:
        shutil.copy(first, path)
        path.chmod(0o644)
    assert asst("ask", "-c", "again").code == 0
    assert [path for path in others if path.parent == first.parent and is_private(path)] == []
    assert all(is_private(path) for path in (first, first.parent, first.parent.parent))


def test_folders_that_are_shared_stay_so(asst: Asst, server: ResponsesServer, tmp_path: Path, home: Path) -> None:
    """A sticky folder (as /tmp is) or the home as data dir: others need it; what asst puts there is closed."""
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    home.chmod(0o755)
    for folder, mode in ((shared, 0o1777), (home, 0o755)):
        env = {"ASST_DATA_DIR": str(folder), "OPENAI_API_KEY": server.key}
        ran = asst("ask", "-p", "gpt", "hello", env=env)
        assert (ran.code, ran.out) == (0, "You said: hello\n")
        assert "Others c" not in ran.err
        assert folder.stat().st_mode & 0o7777 == mode
        assert all(is_private(path) for path in (folder / "sessions").rglob("*"))


def test_doctor_only_looks(asst: Asst, config: Path) -> None:
    """It tells what is open, and leaves it: a report is about what was there."""
    config.parent.mkdir()
    config.parent.chmod(0o755)
    config.touch()
    credentials = config.with_name("credentials.toml")
    credentials.write_text('A = "b"\n')
    credentials.chmod(0o644)
    ran = asst("doctor", "--offline")
    assert "chmod 700" in ran.out
    assert "chmod 600" in ran.out
    assert ran.err == ""
    assert (config.parent.stat().st_mode & 0o777, credentials.stat().st_mode & 0o777) == (0o755, 0o644)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give files away")
def test_what_belongs_to_somebody_else(asst: Asst, server: ResponsesServer, config: Path) -> None:
    """It is told that a file which another user can change is not to be trusted; it is used, and not changed."""
    config.parent.mkdir()
    config.write_text('default = "gpt"\n')
    config.chmod(0o644)
    os.chown(config, 12345, 12345)
    ran = asst("ask", "hello", env={"OPENAI_API_KEY": server.key})
    assert (ran.code, ran.out) == (0, "You said: hello\n")
    assert f"asst: Others can read {config} (0644), and it belongs to another user" in ran.err
    assert config.stat().st_mode & 0o777 == 0o644


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give files away")
def test_what_others_can_change_is_refused(asst: Asst, server: ResponsesServer, config: Path, tmp_path: Path) -> None:
    """A data dir (0777) or a config (0666) that belongs to another user is not used, and stays as it is."""
    key = {"OPENAI_API_KEY": server.key}
    data = tmp_path / "theirs"
    data.mkdir()
    data.chmod(0o777)
    os.chown(data, 12345, 12345)
    for command in (["ask", "-p", "gpt", "hello"], ["sessions", "list"]):
        for stranger in ("", "main.py"):  # a folder of somebody's project, or not
            if stranger:
                (data / stranger).touch()
            ran = asst(*command, env=key | {"ASST_DATA_DIR": str(data)})
            assert ran.code == 3, ran.all
            assert "belongs to another user, and others can change it (0777)" in ran.complaint
            assert "Set ASST_DATA_DIR" in ran.complaint
    assert [path.name for path in data.iterdir()] == ["main.py"]
    config.parent.mkdir()
    config.write_text('default = "gpt"\n')
    config.chmod(0o666)
    os.chown(config, 12345, 12345)
    ran = asst("ask", "hello", env=key)
    assert (ran.code, "Set ASST_CONFIG_DIR" in ran.complaint) == (3, True)
    assert server.requests == []
    assert config.stat().st_mode & 0o777 == 0o666


@pytest.mark.parametrize(
    "command", [["sessions", "list"], ["setup", "gpt", "--no-check", "--yes"], ["ask", "-p", "gpt", "hello"]]
)
def test_a_file_that_is_not_ours_keeps_its_mode(
    asst: Asst, server: ResponsesServer, tmp_path: Path, command: list[str]
) -> None:
    """A variable that names a file of somebody's in place of a folder: the file is not touched."""
    for variable in ("ASST_DATA_DIR", "ASST_CONFIG_DIR", "ASST_CACHE_DIR"):
        file = tmp_path / f"{variable}.txt"
        file.write_text("mine")
        file.chmod(0o644)
        ran = asst(*command, env={"OPENAI_API_KEY": server.key, variable: str(file)})
        assert "Traceback" not in ran.all
        assert (file.stat().st_mode & 0o777, file.read_text()) == (0o644, "mine")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no folder here that nobody can write")
def test_a_file_system_that_cannot_be_written(asst: Asst, server: ResponsesServer) -> None:
    """One line says so, and what to do; nothing that can be done without it fails."""
    key = {"OPENAI_API_KEY": server.key}
    ran = asst("ask", "-p", "gpt", "hello", env=key | {"ASST_DATA_DIR": "/proc/asst"})
    assert ran.code == 5
    assert "Set ASST_DATA_DIR, or use --no-save." in ran.complaint
    ran = asst("ask", "-p", "gpt", "--no-save", "hello", env=key | {"ASST_DATA_DIR": "/proc/asst"})
    assert (ran.code, ran.out) == (0, "You said: hello\n")
    assert asst("ask", "-p", "gpt", "hello", env=key | {"ASST_CONFIG_DIR": "/proc"}).code == 0
    ran = asst("sessions", "search", "hello", env={"ASST_CACHE_DIR": "/proc/asst"})
    assert ran.code == 0
    assert "hello" in ran.out
    ran = asst("setup", "gpt", "--no-check", "--yes", env=key | {"ASST_CONFIG_DIR": "/proc/asst"})
    assert ran.code == 3
    assert "ASST_CONFIG_DIR" in ran.complaint


def test_a_folder_of_somebody_s_project(asst: Asst, server: ResponsesServer, config: Path) -> None:
    """A variable may name any folder: one that holds other things stays open to a group; what asst keeps there is closed."""
    config.parent.mkdir()
    (config.parent / "main.py").write_text("")
    config.write_text('default = "gpt"\n')
    config.chmod(0o644)
    config.parent.chmod(0o775)
    assert asst("ask", "hello", env={"OPENAI_API_KEY": server.key}).code == 0
    assert config.parent.stat().st_mode & 0o777 == 0o775
    assert is_private(config)
