"""The user's own files, edited by hand: they are read, or refused in one line; a change keeps what it does not touch."""

from __future__ import annotations

import contextlib
import os
import tomllib
from collections.abc import Callable

import msgspec

from asstproxy import AsstError
from asstproxy.cli.env_file import parse
from asstproxy.config.credentials import credentials_file, find_key, store_key, stored_keys
from asstproxy.config.edit import Change, make_default, remove_profile, set_profile
from asstproxy.config.profiles import config_file, load_config
from asstproxy.providers.gemini.endpoint import GeminiOptions
from asstproxy.providers.local.local import LocalOptions
from asstproxy.providers.openai.gpt import GptOptions

from .place import place

SEEDS = [
    (
        b'default = "gpt"\n\n[profiles.gpt]\nprovider = "gpt"\nmodel = "gpt-6-luna" # mine\ninstructions = """\nBriefly.\n"""\n'
        b'tools = ["a.b:c"]\nsettings = { max_output_tokens = 500, x = [1, 2.5, 1979-05-27T07:32:00Z] }\n'
    ),
    (
        b'[profiles."my own"]\nprovider = "local"\nn_ctx = 4096\n[profiles.gemini]\nvertex = true\nproject = "p"\npoll = 1e3\n'
        b'[profiles.gemini.mcp.time]\ncommand = "uvx"\nargs = ["x"]\nenv = { TOKEN = "${T}" }\n'
    ),
    b'\xef\xbb\xbfprofiles.gpt = { base_url = "http://[::1]/v1", conversation = "c" }\r\nprofiles.x.provider = \'gpt\'\r\n',
    b'OPENAI_API_KEY = "sk-1234567890" # a key\nWORK_KEY = { keyring = "asst" }\n',
    b"# .env\nexport A=1\nB = \"two\\n\" # comment\nC='three'\n\nD=a#b c\n",
]
FOUND = [
    b"a = " + b"[" * 1200,
    b"a = " + b"[" * 100 + b"]" * 100,
    b'a = """\n' + b"[" * 1200 + b'\n"""\ndefault = 1\n',
    b'default = 1\na = """\n' + b"prose" * 40 + b'\n"""\n',  # a key was looked for in it, for ever
]


def target(data: bytes) -> None:
    """The same bytes as `config.toml`, as `credentials.toml` and as `.env`."""
    os.environ["ASST_CONFIG_DIR"] = str(place() / "config")
    file = config_file()
    file.parent.mkdir(exist_ok=True)
    _config(data)
    _credentials(data)
    with contextlib.suppress(AsstError):
        parse(data.decode(errors="surrogateescape"))


def _config(data: bytes) -> None:
    file = config_file()
    file.write_bytes(data)
    try:
        config = load_config()
    except AsstError:
        return
    for name in config.names:
        for options in (GptOptions, GeminiOptions, LocalOptions):
            with contextlib.suppress(AsstError):
                config.profile(name).read(options)
    before = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    changes: list[Callable[[], Change]] = [
        lambda: set_profile("gpt", {"model": "m", "instructions": None}),
        lambda: make_default("gpt"),
        lambda: remove_profile("gpt"),
    ]
    for change in changes:
        try:
            changed = change()
        except AsstError:
            continue
        after = tomllib.loads(changed.after)
        assert {key: value for key, value in after.items() if key not in ("profiles", "default")} == {
            key: value for key, value in before.items() if key not in ("profiles", "default")
        } or msgspec.json.encode(str(after)) == msgspec.json.encode(str(before))  # NaN is not itself
    assert file.read_bytes() == data


def _credentials(data: bytes) -> None:
    file = credentials_file()
    file.write_bytes(data)
    try:
        names = stored_keys()
        for name in names:
            find_key(name)
        store_key("FUZZ_KEY", "sk-fuzz-0123456789")
    except AsstError:
        assert file.read_bytes() == data
        return
    assert find_key("FUZZ_KEY") == "sk-fuzz-0123456789"
    assert set(stored_keys()) == {*names, "FUZZ_KEY"}
