"""Settings as texts: types, places, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asstproxy.config.provider_info import BUILT_IN
from asstproxy.config.setting_tables import CHAT_COMPLETIONS, RESPONSES, Setting
from asstproxy.config.settings import merge_settings, typed_settings, unknown_settings
from asstproxy.config.vendors import VENDORS
from asstproxy.core.errors import UsageError

TABLE = {
    "warm": Setting("float"),
    "count": Setting("int"),
    "on": Setting("bool"),
    "name": Setting("text"),
    "names": Setting("list"),
    "parts": Setting("json"),
    "choice": Setting("any"),
    "effort": Setting("text", "reasoning.effort"),
}
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("pair", "value"),
    [
        ("warm=0.2", {"warm": 0.2}),
        ("warm=1", {"warm": 1.0}),
        ("count= 12 ", {"count": 12}),
        ("on=yes", {"on": True}),
        ("on=False", {"on": False}),
        ("name=123", {"name": "123"}),
        ("name=a=b", {"name": "a=b"}),
        ("names=a, b", {"names": ["a", "b"]}),
        ('names=["a,b"]', {"names": ["a,b"]}),
        ('parts={"a": [1, null]}', {"parts": {"a": [1, None]}}),
        ("parts.inner=3", {"parts": {"inner": 3}}),
        ("choice=auto", {"choice": "auto"}),
        ('choice={"type": "function"}', {"choice": {"type": "function"}}),
        ("effort=low", {"reasoning": {"effort": "low"}}),
        ("name=null", {"name": None}),
    ],
)
def test_a_value_has_the_type_of_the_table(pair: str, value: dict[str, Any]) -> None:
    """What the shell gives as text is sent as the API wants it, where the API wants it."""
    assert typed_settings([pair], TABLE).values == value
    assert not typed_settings([pair], TABLE).unknown


@pytest.mark.parametrize(
    "pair",
    [
        "warm", "=1", ".a=1", "a..b=1", "warm=hot", "warm=nan", "warm=inf", "warm=1e400", "warm=", "count=1.5",
        "count=9999999999999999999",
        "on=maybe", "names=[1", "parts=a", "parts={", f"parts={'[' * 100_000}", "parts=NaN", "count=" + "9" * 5000,
    ],
)  # fmt: skip
def test_a_bad_value_is_refused_in_one_line(pair: str) -> None:
    """It names the key, and says what is expected; the line stays short."""
    with pytest.raises(UsageError) as raised:
        typed_settings([pair], TABLE)
    assert len(str(raised.value)) < 200


@given(st.from_regex(r"[a-z_]{1,10}", fullmatch=True), json_values.filter(lambda value: value is not None))
def test_an_unknown_setting_takes_any_json(name: str, value: Any) -> None:
    """JSON comes out as it went in, whatever the key; a text that isn't JSON stays a text."""
    typed = typed_settings([f"{name}={json.dumps(value)}"], {})
    assert typed.values == {name: value}
    assert typed.unknown == (name,)


@given(st.dictionaries(st.text(), json_values), st.dictionaries(st.text(), json_values))
def test_settings_merge_as_objects(under: dict[str, Any], over: dict[str, Any]) -> None:
    """What is over wins, null takes away, and nothing else changes; merging twice changes nothing more."""
    merged = merge_settings(under, over)
    for key in under.keys() | over.keys():
        if key not in over:
            assert merged[key] == under[key]
        elif over[key] is None:
            assert key not in merged
        elif not isinstance(over[key], dict):
            assert merged[key] == over[key]
    assert merge_settings(merged, over) == merged


def test_parts_of_one_object_meet() -> None:
    """Several settings of one object, on the command line and in a profile, are sent together."""
    typed = typed_settings(["reasoning_effort=low", "reasoning.summary=auto"], RESPONSES)
    assert merge_settings({"reasoning": {"context": "all_turns"}, "user": "me"}, typed.values) == {
        "reasoning": {"context": "all_turns", "effort": "low", "summary": "auto"},
        "user": "me",
    }
    with pytest.raises(UsageError):
        typed_settings(["a=1", "a.b=2"], {})


def test_an_unknown_name_gets_a_line() -> None:
    """It says that the setting is sent, and what may have been meant."""
    assert unknown_settings(["temprature"], CHAT_COMPLETIONS, "groq") == (
        '"temprature" is sent as it is: asst doesn\'t know it for groq. Did you mean temperature?'
    )
    assert unknown_settings([], CHAT_COMPLETIONS, "groq") == unknown_settings(["x"], {}, "mine") == ""


def test_every_provider_says_what_limits_an_answer() -> None:
    """The limit is a whole number in the provider's own table, so that `--max-cost` can set it."""
    for name, info in {**BUILT_IN, **{name: vendor.info for name, vendor in VENDORS.items()}}.items():
        assert info.settings[info.output_limit].kind == "int", name
        assert {"temperature", "reasoning_effort"} <= info.settings.keys(), name
