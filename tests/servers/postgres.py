"""A real Postgres on 127.0.0.1, in a temporary folder, as an ordinary user: Postgres refuses to run as root."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

__all__ = ["PASSWORD", "PostgresServer", "postgres_binaries"]

PASSWORD = "pg-secret-0123456789"
"""That of its user `asst`."""
_CONF = """
listen_addresses = '127.0.0.1'
fsync = off
synchronous_commit = off
full_page_writes = off
shared_buffers = 32MB
unix_socket_directories = ''
"""


def postgres_binaries() -> Path | None:
    """The folder with initdb and postgres; None where Postgres is missing."""
    folders = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), Path("/usr/local/bin")]
    if found := shutil.which("initdb"):
        folders.append(Path(found).parent)
    return next((one for one in folders if (one / "initdb").is_file() and (one / "postgres").is_file()), None)


class PostgresServer:
    """Runs while the `with` block lasts; `new_database` makes an empty database and returns its address."""

    def __init__(self) -> None:
        binaries = postgres_binaries()
        assert binaries is not None, "no Postgres here"
        self._binaries = binaries
        self._folder = Path(tempfile.mkdtemp(prefix="asst-postgres-"))
        self._user: Mapping[str, Any] = {}
        if os.getuid() == 0:
            self._user = {"user": "nobody", "group": "nogroup", "extra_groups": []}
            shutil.chown(self._folder, "nobody", "nogroup")
        self._numbers = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]

    def __enter__(self) -> Self:
        secret, data = self._folder / "password", self._folder / "data"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        command = [str(self._binaries / "initdb"), "-D", str(data), "-U", "asst", "-A", "scram-sha-256"]
        subprocess.run(
            [*command, f"--pwfile={secret}", "-E", "UTF8", "--locale=C", "--no-sync"],
            check=True,
            capture_output=True,
            cwd=self._folder,
            **self._user,
        )
        with (data / "postgresql.conf").open("a") as conf:
            conf.write(f"{_CONF}port = {self.port}\n")
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = subprocess.Popen(
            [str(self._binaries / "postgres"), "-D", str(self._folder / "data")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._folder,
            **self._user,
        )
        until = time.monotonic() + 20
        while not self._answers():
            assert time.monotonic() < until, "Postgres doesn't start"
            time.sleep(0.05)

    def _answers(self) -> bool:
        import psycopg

        try:
            psycopg.connect(self.address("postgres")).close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self) -> None:
        """Stop it at once; every connection breaks."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)  # fast
            self._process.wait(20)
            self._process = None

    def address(self, name: str) -> str:
        """The address of a database."""
        return f"postgresql://asst:{PASSWORD}@127.0.0.1:{self.port}/{name}"

    def new_database(self) -> str:
        """Make an empty database; its address."""
        name = f"batch{next(self._numbers)}"
        self.query(self.address("postgres"), f"CREATE DATABASE {name}")
        return self.address(name)

    def query(self, address: str, statement: str) -> list[tuple[Any, ...]]:
        """The rows of a statement."""
        import psycopg

        with psycopg.connect(address, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []
