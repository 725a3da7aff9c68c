"""Writing profiles: whatever is said comes back, and nothing else in the file changes."""

from __future__ import annotations

import os
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asstproxy import NotSetUpError, UsageError
from asstproxy.config.edit import make_default, remove_profile, set_profile
from asstproxy.config.profiles import load_config

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
names = st.from_regex(r"[a-z][a-z0-9._-]{0,8}", fullmatch=True)
values = st.one_of(texts, st.lists(texts, max_size=3), st.booleans(), st.integers(0, 9))
FILES = [
    "",
    "# only a comment\n",
    'default = "a"\n\n[profiles.a]\nmodel = "x"  # why\n\n[profiles.a.settings]\ntop = 1\n\n[other]\nkey = [1, 2] # two\n',
    '[profiles]\n[profiles."b.c"]\nprovider = "gpt"\n[[list]]\nx = 1\n[[list]]\nx = 2\n[profiles.z]\nprovider = "gpt"\n',
    'profiles.a.model = "x"\nprofiles.a.provider = "gpt"\n',
    'profiles = { a = { model = "x" } }\n',
]


@contextmanager
def _file(text: str) -> Iterator[Path]:
    before = os.environ.get("ASST_CONFIG_DIR")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ASST_CONFIG_DIR"] = folder
        path = Path(folder, "config.toml")
        path.write_text(text)
        try:
            yield path
        finally:
            if before is not None:
                os.environ["ASST_CONFIG_DIR"] = before


@given(st.sampled_from(FILES), names, st.dictionaries(st.sampled_from(["instructions", "note", "tools"]), values))
def test_what_is_written_is_what_was_said(text: str, name: str, said: dict[str, Any]) -> None:
    """Any text comes back as it was, everything else is as it was, or the file is not touched at all."""
    with _file(text) as path:
        expected = tomllib.loads(text)
        expected.setdefault("profiles", {}).setdefault(name, {}).update(said)
        try:
            change = set_profile(name, said)
        except NotSetUpError:
            assert path.read_text() == text
            return
        change.write()
        assert tomllib.loads(path.read_text()) == expected
        comments = [line.partition("#")[2] for line in text.splitlines() if "#" in line]
        assert all(comment in path.read_text() for comment in comments)
        change.undo()
        assert (path.read_text() if path.exists() else "") == text


@pytest.mark.parametrize("text", FILES[2:4])
def test_removing_what_was_added_leaves_the_values(text: str) -> None:
    """A profile that comes and goes leaves the file's values as they were."""
    with _file(text) as path:
        set_profile("new", {"provider": "gpt", "instructions": "a\nb"}).write()
        make_default("new").write()
        assert load_config().default == "new"
        remove_profile("new").write()
        before = tomllib.loads(text)
        before.pop("default", None)
        assert tomllib.loads(path.read_text()) == before


def test_what_another_program_wrote_meanwhile_stays() -> None:
    """Between looking and writing the file may change: what is about other things is kept, and the profile is written."""
    with _file('default = "z"\n') as path:
        change = set_profile("a", {"provider": "gpt"}, default=True)
        path.write_text('# mine\ndefault = "b"\n[profiles.b]\nprovider = "gemini"\n')
        change.write()
        assert "# mine" in path.read_text()
        expected = {"default": "b", "profiles": {"a": {"provider": "gpt"}, "b": {"provider": "gemini"}}}
        assert tomllib.loads(path.read_text()) == expected
        change.undo()
        assert tomllib.loads(path.read_text()) == expected


def test_the_same_profile_that_another_program_wrote_meanwhile_stays() -> None:
    """If the profile itself, or the whole file, became something else, nothing is written."""
    for meanwhile in ('[profiles.a]\nprovider = "gemini"\n', "odd = [\n"):
        with _file("") as path:
            change = set_profile("a", {"provider": "gpt"})
            path.write_text(meanwhile)
            with pytest.raises(NotSetUpError, match="changed meanwhile"):
                change.write()
            assert path.read_text() == meanwhile


@pytest.mark.parametrize("name", ["", "a b", "a/b", "-a", "x" * 65, "a\n", "é\u202e"])
def test_names_that_are_none(name: str) -> None:
    """A name is one word that a command line and a path can bear."""
    with pytest.raises(UsageError):
        set_profile(name, {})
