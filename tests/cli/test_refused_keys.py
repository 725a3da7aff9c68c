"""A key that a provider refuses: one line names the variable and the page where keys come from, of this vendor only."""

from __future__ import annotations

import pytest

from servers import AnthropicServer, GeminiServer, InteractionsServer, ResponsesServer, Server

from .conftest import Asst
from .test_settings_option import write_profiles

CASES = {
    "gpt": (ResponsesServer, "OPENAI_BASE_URL", "OPENAI_API_KEY", "platform.openai.com/api-keys"),
    "anthropic": (AnthropicServer, "ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY", "platform.claude.com/settings/keys"),
    "gemini": (GeminiServer, "GOOGLE_GEMINI_BASE_URL", "GEMINI_API_KEY", "aistudio.google.com/apikey"),
    "interactions": (InteractionsServer, "GOOGLE_GEMINI_BASE_URL", "GEMINI_API_KEY", "aistudio.google.com/apikey"),
}


@pytest.mark.parametrize("profile", CASES)
def test_a_refused_key_is_named_with_its_own_page(asst: Asst, monkeypatch: pytest.MonkeyPatch, profile: str) -> None:
    """Not with another vendor's, and the key itself is not shown."""
    kind, address, variable, page = CASES[profile]
    write_profiles('[profiles.interactions]\nprovider = "gemini"\napi = "interactions"\n')
    with kind() as running:
        server: Server = running
        monkeypatch.setenv(address, server.base_url if isinstance(server, ResponsesServer) else server.url)
        monkeypatch.setenv(variable, "wrong-0123456789abcdef")
        ran = asst("ask", "-q", "-p", profile, "hi")
    assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)
    assert f"Check the key in {variable}" in ran.err
    assert page in ran.err
    assert "wrong-0123456789" not in ran.err
    others = {one[3].partition("/")[0] for one in CASES.values()} - {page.partition("/")[0], "platform.openai.com"}
    assert not any(other in ran.err for other in others)
