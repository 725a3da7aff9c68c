"""The network as it is: proxies, certificates, odd addresses, replies without an end. A failure is one line."""

from __future__ import annotations

import resource
import socket
import socketserver
import struct
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, reduce
from pathlib import Path

import pytest

from forked import asst_command
from servers.proxies import HttpProxy, SocksProxy

from .asking import ASST, PROVIDERS, asst, environment, profile_for, save_profile
from .case_server import CaseServer, reply
from .test_ways_of_asking import OK

ASK = ("ask", "-q", "--no-stream", "--no-tools", "-p", "p", "hi")
ELSEWHERE = "http://models.test"
"""No name server knows it: only a proxy reaches it."""


def port_of(server: CaseServer) -> int:
    return int(server.url.rpartition(":")[2])


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


# ---- proxies -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_socks_proxy(name: str, tmp_path: Path) -> None:
    """`ALL_PROXY=socks5://…` works for every API, and the proxy is given the name of the host."""
    pytest.importorskip("socksio", reason="the extra `socks`")
    with CaseServer(reply(OK[name])) as server, SocksProxy(port_of(server)) as proxy:
        done = asst(tmp_path, profile_for(name, ELSEWHERE), *ASK, ALL_PROXY=proxy.url)
    assert (done.stdout, done.returncode) == ("Hi\n", 0), done.stderr
    assert proxy.asked == ["models.test:80"] * (
        2 if name == "local" else 1
    )  # its list of models, too: is it llama.cpp?


def test_a_socks_proxy_without_its_package(tmp_path: Path) -> None:
    """One line names the variable and the extra, and `doctor` marks the variable as broken."""
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "sitecustomize.py").write_text(
        "import importlib.util, sys\nfind = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, package=None: None if name == 'socksio' else find(name, package)\n"
        "sys.modules['socksio'] = None\n"
    )
    without = {"ALL_PROXY": "socks5://127.0.0.1:9", "PYTHONPATH": str(tmp_path / "bare")}
    done = asst(tmp_path, profile_for("gpt", ELSEWHERE), *ASK, **without)
    (line,) = done.stderr.splitlines()
    assert done.returncode == 3
    assert "ALL_PROXY names a SOCKS proxy" in line
    assert "pip install 'asstproxy[socks]'" in line
    checked = asst(tmp_path, profile_for("gpt", ELSEWHERE), "doctor", **without)
    assert "pip install 'asstproxy[socks]'" in checked.stdout


def test_an_http_proxy(tmp_path: Path) -> None:
    """HTTP_PROXY carries a request to an address with plain HTTP."""
    with CaseServer(reply(OK["gpt"])) as server, HttpProxy(port_of(server)) as proxy:
        done = asst(tmp_path, profile_for("gpt", ELSEWHERE), *ASK, http_proxy=proxy.url)
    assert (done.stdout, proxy.asked) == ("Hi\n", ["models.test"]), done.stderr


@pytest.mark.parametrize(
    "hosts", ["*", "models.test", ".test", "*.test", "other.org, models.test:80", "http://models.test"]
)
def test_no_proxy(hosts: str, tmp_path: Path) -> None:
    """A host that NO_PROXY names is asked directly, whatever the notation."""
    with CaseServer(reply(OK["gpt"])) as server, HttpProxy(port_of(server)) as proxy:
        done = asst(tmp_path, profile_for("gpt", ELSEWHERE), *ASK, ALL_PROXY=proxy.url, NO_PROXY=hosts)
    assert (done.returncode, proxy.asked) == (1, [])
    assert "Cannot connect to http://models.test" in done.stderr


@pytest.mark.parametrize("hosts", ["models.test:81", "els.test", "10.0.0.0/8", "org"])
def test_no_proxy_for_others(hosts: str, tmp_path: Path) -> None:
    """A host that NO_PROXY does not name goes through the proxy."""
    with CaseServer(reply(OK["gpt"])) as server, HttpProxy(port_of(server)) as proxy:
        done = asst(tmp_path, profile_for("gpt", ELSEWHERE), *ASK, ALL_PROXY=proxy.url, NO_PROXY=hosts)
    assert (done.returncode, proxy.asked) == (0, ["models.test"]), done.stderr


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_loopback_address_is_asked_directly(name: str, tmp_path: Path, closed_port: int) -> None:
    """A proxy has no way to this machine, so that no proxy variable counts for it."""
    everywhere = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), f"http://127.0.0.1:{closed_port}")
    with CaseServer(reply(OK[name])) as server:
        done = asst(tmp_path, profile_for(name, server.url), *ASK, **everywhere)
    assert (done.stdout, done.returncode) == ("Hi\n", 0), done.stderr


@pytest.mark.parametrize("scheme", ["http", "socks5"])
def test_a_proxy_that_cannot_be_reached_is_named(scheme: str, tmp_path: Path, closed_port: int) -> None:
    """With its variable, without its password; the person is not told to look at the provider."""
    if scheme == "socks5":
        pytest.importorskip("socksio", reason="the extra `socks`")
    proxy = f"{scheme}://me:hunter22secret@127.0.0.1:{closed_port}"
    done = asst(
        tmp_path, profile_for("gpt", ELSEWHERE), "ask", "-q", "--timeout", "20", "-p", "p", "hi", all_proxy=proxy
    )
    assert done.returncode == 1
    assert f"Cannot connect to the proxy {scheme}://127.0.0.1:{closed_port} (all_proxy)" in done.stderr
    assert "base_url" not in done.stderr
    assert "hunter22secret" not in done.stderr


def test_a_proxy_that_refuses(tmp_path: Path) -> None:
    """What it answers to CONNECT is told as its words, not the provider's."""
    with HttpProxy(9, refuses=True) as proxy:
        profile = profile_for("gpt", "https://models.test")
        done = asst(tmp_path, profile, *ASK, HTTPS_PROXY=proxy.url)
    assert done.returncode == 1
    assert f"The proxy {proxy.url} (HTTPS_PROXY) gives no connection to https://models.test" in done.stderr
    assert "407" in done.stderr


@pytest.mark.parametrize("name", PROVIDERS)
@pytest.mark.parametrize("kind", ["http", "socks5"])
def test_a_tunnel_to_a_tls_server(kind: str, name: str, tmp_path: Path) -> None:
    """HTTPS goes through a tunnel of the proxy, which sees no name but the host's; SSL_CERT_FILE says whom to trust."""
    pytest.importorskip("cryptography", reason="makes the certificate; comes with the extra `mcp`")
    if kind == "socks5":
        pytest.importorskip("socksio", reason="the extra `socks`")
    from servers.certificates import self_made

    trusted = tmp_path / "trusted.pem"
    with CaseServer(reply(OK[name]), tls=self_made(trusted, "models.test")) as server:
        profile = profile_for(name, "https://models.test")
        with (HttpProxy if kind == "http" else SocksProxy)(port_of(server)) as proxy:
            done = asst(tmp_path, profile, *ASK, HTTPS_PROXY=proxy.url, SSL_CERT_FILE=str(trusted))
            assert (done.stdout, done.returncode) == ("Hi\n", 0), done.stderr
            assert set(proxy.asked) == {"models.test:443"}
            mistrusted = asst(tmp_path, profile, *ASK, HTTPS_PROXY=proxy.url)
    (line,) = mistrusted.stderr.splitlines()
    assert mistrusted.returncode == 1
    assert "The certificate of https://models.test" in line
    assert "name its certificate in SSL_CERT_FILE" in line
    assert len(proxy.asked) <= 4  # the list of models, and the question, of both: it is not tried again
    assert len([one for one in server.bodies if one]) == 1


def test_a_certificate_for_another_host(tmp_path: Path) -> None:
    """It is told as such, and nothing is sent."""
    pytest.importorskip("cryptography", reason="makes the certificate; comes with the extra `mcp`")
    from servers.certificates import self_made

    trusted = tmp_path / "trusted.pem"
    with (
        CaseServer(reply(OK["gpt"]), tls=self_made(trusted, "other.test")) as server,
        HttpProxy(port_of(server)) as proxy,
    ):
        profile = profile_for("gpt", "https://models.test")
        done = asst(tmp_path, profile, *ASK, HTTPS_PROXY=proxy.url, SSL_CERT_FILE=str(trusted))
    (line,) = done.stderr.splitlines()
    assert done.returncode == 1
    assert "The certificate of https://models.test/" in line or "The certificate of https://models.test " in line
    assert server.bodies == []


def test_a_proxy_that_is_none(tmp_path: Path) -> None:
    """A scheme that nobody speaks is a matter of the variable."""
    done = asst(tmp_path, profile_for("gpt", ELSEWHERE), *ASK, ALL_PROXY="ftp://host:1")
    (line,) = done.stderr.splitlines()
    assert done.returncode == 3
    assert "ALL_PROXY names a proxy that asst can't use: ftp://host:1." in line


# ---- certificates and addresses ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("found", [False, True])
def test_a_wrong_certificate_file(found: bool, tmp_path: Path) -> None:
    """SSL_CERT_FILE that is missing, or has no certificate: one line with the variable and the file."""
    file = tmp_path / "certificates.pem"
    if found:
        file.write_text("no certificate\n")
    done = asst(tmp_path, profile_for("gpt", "https://models.test"), *ASK, SSL_CERT_FILE=str(file))
    (line,) = done.stderr.splitlines()
    assert done.returncode == 3
    assert "SSL_CERT_FILE" in line
    assert str(file) in line


ODD = {
    "": "is empty",
    "models.test/v1": "is not the URL of a server",
    "https://": "is not the URL of a server",
    "https://host:port/v1": "is not the URL of a server",
    "https://[::1/v1": "is not the URL of a server",
    "https://models.test/v1?code=PLANTED-1234": "a query or a fragment",
    "https://models.test/v1#PLANTED-1234": "a query or a fragment",
    "https://me:PLANTED-1234@models.test/v1": "a user or a password",
}


@pytest.mark.parametrize("address", ODD)
@pytest.mark.parametrize("name", ["gpt", "chat", "gemini"])
def test_an_odd_base_url_in_the_profile(name: str, address: str, tmp_path: Path) -> None:
    """One line names the file; nothing of the query or the password is printed or saved."""
    done = asst(tmp_path, profile_for(name, "") | {"base_url": address}, *ASK)
    (line,) = done.stderr.splitlines()
    assert done.returncode == 3
    assert ODD[address] in line
    assert "config.toml" in line
    saved = "".join(path.read_text() for path in (tmp_path / "data").rglob("*") if path.is_file())
    assert "PLANTED" not in line + saved


@pytest.mark.parametrize(("name", "variable"), [("gpt", "OPENAI_BASE_URL"), ("gemini", "GOOGLE_GEMINI_BASE_URL")])
def test_an_odd_base_url_in_a_variable(name: str, variable: str, tmp_path: Path) -> None:
    """One line names the variable."""
    profile = {key: value for key, value in profile_for(name, "").items() if key != "base_url"}
    done = asst(tmp_path, profile, *ASK, **{variable: "https://models.test/?key=PLANTED-1234"})
    (line,) = done.stderr.splitlines()
    assert (done.returncode, "PLANTED" in line) == (3, False)
    assert f"{variable} contains a query" in line


# ---- replies without an end --------------------------------------------------------------------------------------------

GIGABYTE = 1024**3


@cache
def gzip_of_a_gigabyte() -> bytes:
    """One JSON text, in a thousandth of its size."""
    squeeze = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    piece, times = b"a" * (16 * 1024**2), GIGABYTE // (16 * 1024**2)
    # After a full flush, a piece refers to nothing before it: so it is squeezed once, and stands there many times.
    first, again = (squeeze.compress(one) + squeeze.flush(zlib.Z_FULL_FLUSH) for one in (b'{"a": "', piece))
    last = squeeze.compress(b'"}') + squeeze.flush()
    checksum = zlib.crc32(
        b'"}', reduce(lambda so_far, _: zlib.crc32(piece, so_far), range(times), zlib.crc32(b'{"a": "'))
    )
    size = len(b'{"a": "') + times * len(piece) + len(b'"}')
    return b"\x1f\x8b\x08" + bytes(6) + b"\xff" + first + again * times + last + struct.pack("<II", checksum, size)


@contextmanager
def raw_server(first: bytes, again: bytes = b"", times: int = 0) -> Iterator[str]:
    """Answers every request with `first`, then with `again`, so many times (0: until the client leaves)."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(65536)
            try:
                self.request.sendall(first)
                while again:
                    self.request.sendall(again)
            except OSError:
                pass  # the client has left

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads, block_on_close = True, False

    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def ask_with_little_memory(folder: Path, name: str, url: str, *options: str, silence: float = 20.0) -> tuple[int, str]:
    """Ask with a limit on the address space; returns exit code and stderr."""
    save_profile(folder, profile_for(name, url, silence=silence))
    done = asst_command.run(
        [ASST, "ask", "-q", "--no-tools", *options, "-p", "p", "hi"],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=90,
        cwd=folder,
        env=environment(folder),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (GIGABYTE, GIGABYTE)),
    )
    return done.returncode, done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="limits the memory of a process")
@pytest.mark.parametrize("options", [(), ("--no-stream",)], ids=["streamed", "replied"])
@pytest.mark.parametrize("status", ["200 OK", "500 Oops"])
@pytest.mark.parametrize("name", ["gpt", "chat", "gemini"])
def test_a_gzip_that_unfolds_to_a_gigabyte(name: str, status: str, options: tuple[str, ...], tmp_path: Path) -> None:
    """It ends with one line, in less memory than that."""
    bomb = gzip_of_a_gigabyte()
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n"
    with raw_server(head.encode() + bomb) as url:
        code, told = ask_with_little_memory(tmp_path, name, url, *options, "--timeout", "60")
    assert code == 1, told
    assert len(told.splitlines()) == 1
    assert ("64 MB" if status.startswith("200") else "answered 500") in told


@pytest.mark.parametrize(
    ("first", "again", "words"),
    [
        (b"HTTP/1.1 400 Bad\r\nConnection: close\r\n\r\n", b"a" * 65536, "answered 400"),
        (b"HTTP/1.1 200 OK\r\n", b"X-A: " + b"a" * 1000 + b"\r\n", "broke before the answer began"),
        (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100, "sent no answer within 1 seconds"),
    ],
    ids=["error body", "headers", "interim replies"],
)
def test_what_never_ends(first: bytes, again: bytes, words: str, tmp_path: Path) -> None:
    """An endless error body, endless headers and endless interim replies end with one line."""
    with raw_server(first, again) as url:
        code, told = ask_with_little_memory(tmp_path, "gpt", url, "--timeout", "60", silence=1.0)
    assert (code, len(told.splitlines())) == (1, 1), told
    assert words in told
