"""Vendors and local servers that speak Chat Completions, a row for each: no code knows any of them.

A row's name is that of a provider and of a profile that always exists: `asst ask -p groq -m MODEL`. Addresses as of November 2026.
This file imports nothing but the type of a row and a table, because shell completion reads it.
"""

from __future__ import annotations

from .provider_info import ProviderInfo
from .setting_tables import CHAT_COMPLETIONS

__all__ = ["VENDORS"]


def _hosted(title: str, address: str, keys_url: str, *variables: str) -> ProviderInfo:
    """`variables` may hold the key, the usual one last."""
    return ProviderInfo(title, vendor=title, key_variables=variables, keys_url=f"https://{keys_url}", base_url=address)


def _local(title: str, port: int) -> ProviderInfo:
    return ProviderInfo(f"{title}, on this machine", base_url=f"http://127.0.0.1:{port}/v1")


def _with_defaults(row: ProviderInfo) -> ProviderInfo:
    """The row, with what most of them share: the settings of the protocol, and a server on this machine that costs nothing."""
    prices = row.prices or ("local" if row.base_url.startswith("http://127.0.0.1") else "")
    limit = row.output_limit or "max_tokens"
    return row._replace(prices=prices, settings=row.settings or CHAT_COMPLETIONS, output_limit=limit)


VENDORS: dict[str, ProviderInfo] = {
    "openrouter": _hosted(
        "OpenRouter", "https://openrouter.ai/api/v1", "openrouter.ai/settings/keys", "OPENROUTER_API_KEY"
    ),
    "groq": _hosted("Groq", "https://api.groq.com/openai/v1", "console.groq.com/keys", "GROQ_API_KEY"),
    "together": _hosted(
        "Together",
        "https://api.together.ai/v1",
        "api.together.ai/settings/api-keys",
        "TOGETHER_AI_API_KEY",
        "TOGETHER_API_KEY",
    ),
    "fireworks": _hosted(
        "Fireworks",
        "https://api.fireworks.ai/inference/v1",
        "app.fireworks.ai",
        "FIREWORKS_AI_API_KEY",
        "FIREWORKS_API_KEY",
    ),
    "cerebras": _hosted("Cerebras", "https://api.cerebras.ai/v1", "cloud.cerebras.ai", "CEREBRAS_API_KEY"),
    "huggingface": _hosted(
        "Hugging Face", "https://router.huggingface.co/v1", "huggingface.co/settings/tokens", "HF_TOKEN"
    ),
    "nvidia": _hosted(
        "NVIDIA NIM",
        "https://integrate.api.nvidia.com/v1",
        "build.nvidia.com/settings/api-keys",
        "NVIDIA_NIM_API_KEY",
        "NVIDIA_API_KEY",
    ),
    "sambanova": _hosted("SambaNova", "https://api.sambanova.ai/v1", "cloud.sambanova.ai/apis", "SAMBANOVA_API_KEY"),
    "nebius": _hosted(
        "Nebius Token Factory", "https://api.tokenfactory.nebius.com/v1", "tokenfactory.nebius.com", "NEBIUS_API_KEY"
    ),
    "novita": _hosted(
        "Novita", "https://api.novita.ai/openai/v1", "novita.ai/settings/key-management", "NOVITA_API_KEY"
    ),
    "hyperbolic": _hosted("Hyperbolic", "https://api.hyperbolic.xyz/v1", "app.hyperbolic.ai", "HYPERBOLIC_API_KEY"),
    "ollama": _local("Ollama", 11434),
    "lmstudio": _local("LM Studio", 1234),
    "vllm": _local("vLLM", 8000),
    "llama-server": _local("llama.cpp's server", 8080),
    "jan": _local("Jan", 1337),
    "koboldcpp": _local("KoboldCpp", 5001),
    "sglang": _local("SGLang", 30000),
    "litellm": _local("LiteLLM's proxy", 4000)._replace(prices="litellm"),  # which asks vendors that are paid
}
VENDORS = {name: _with_defaults(row) for name, row in VENDORS.items()}
