"""Vendors and local servers, a row for each: no code knows any of them.

A row's name is that of a provider and of a profile that always exists: `asst ask -p groq -m MODEL`. Addresses and quirks as of
November 2026. This file imports nothing but the type of a row and tables, because shell completion reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from .provider_info import ProviderInfo, SetupQuestion
from .setting_tables import CHAT_COMPLETIONS, RESPONSES

__all__ = ["COMMON", "VENDORS", "Quirks", "Vendor"]

COMMON = ("openrouter", "groq", "mistral", "deepseek", "xai", "together", "azure", "ollama", "lmstudio")
"""What the wizard offers before anybody asks for more."""


@dataclass(frozen=True, slots=True)
class Quirks:
    """How a server differs from Chat Completions as others speak it. The defaults suit an unknown server."""

    alternate: bool = False
    """A message of the user must not follow the results of tools."""
    call_id: int = 0
    """The number of letters and digits in the id of a call; 0: any id will do."""
    output_limit: Literal["", "max_tokens", "max_completion_tokens"] = ""
    """Its name for the setting that limits an answer; empty: as the person wrote it."""
    asks_for_usage: bool = True
    """It counts the tokens of a stream only when asked to (`stream_options`)."""
    reasoning: Literal["round", "calls", "always"] = "round"
    """What the model thought goes back with the results of tools (`round`), with all calls (`calls`), or with all it wrote."""
    only: Mapping[str, tuple[Any, ...]] | None = None
    """Settings, and the values that it takes. Others are left out, with a notice to the person."""
    streams_tools: bool = True
    """It streams an answer also when tools are offered."""
    batches: bool = False
    """It has OpenAI's batch API (`/files` and `/batches`) for Chat Completions."""


class Vendor(NamedTuple):
    """A row: what a provider declares, the server's quirks, and the provider of asst that speaks its protocol."""

    info: ProviderInfo
    quirks: Quirks = Quirks()
    protocol: str = "chat-completions"


def _hosted(
    title: str, address: str, keys_url: str, *variables: str, protocol: str = "chat-completions", **quirks: Any
) -> Vendor:
    """`variables` may hold the key, the usual one last."""
    info = ProviderInfo(title, vendor=title, key_variables=variables, keys_url=f"https://{keys_url}", base_url=address)
    return Vendor(info, Quirks(**quirks), protocol)


def _local(title: str, port: int, *variables: str, **quirks: Any) -> Vendor:
    """`variables` may hold a key; none is needed."""
    address = f"http://127.0.0.1:{port}/v1"
    info = ProviderInfo(f"{title}, on this machine", key_variables=variables, key_optional=True, base_url=address)
    return Vendor(info, Quirks(**quirks))


def _unlisted(row: Vendor, **more: Any) -> Vendor:
    """A vendor that has no list of the models that a key may use."""
    return row._replace(info=row.info._replace(lists_models=False, **more))


FIXED = dict.fromkeys(("temperature", "top_p", "presence_penalty", "frequency_penalty"), ())
ENDPOINT = SetupQuestion("endpoint", "URL of the resource: https://NAME.openai.azure.com", asked=True)
DEPLOYMENT = SetupQuestion("deployment", "Name of the deployment, for the older API with a version.")
API_VERSION = SetupQuestion("api_version", "Version of the older API, such as 2024-10-21.")
ACCOUNT = SetupQuestion("account_id", "Your account's id at Cloudflare", asked=True)


def _paid(row: Vendor, prices: str) -> Vendor:
    """A server on this machine that asks vendors who are paid."""
    return row._replace(info=row.info._replace(prices=prices))


def _with_defaults(vendor: Vendor) -> Vendor:
    """The row, with what most of them share: the settings of the protocol, and a server on this machine that costs nothing."""
    row, is_responses = vendor.info, vendor.protocol != "chat-completions"
    prices = row.prices or ("local" if row.base_url.startswith("http://127.0.0.1") else "")
    settings = row.settings or (RESPONSES if is_responses else CHAT_COMPLETIONS)
    limit = row.output_limit or ("max_output_tokens" if is_responses else vendor.quirks.output_limit or "max_tokens")
    return vendor._replace(info=row._replace(prices=prices, settings=settings, output_limit=limit))


VENDORS: dict[str, Vendor] = {
    "openrouter": _hosted(
        "OpenRouter",
        "https://openrouter.ai/api/v1",
        "openrouter.ai/settings/keys",
        "OPENROUTER_API_KEY",
        asks_for_usage=False,  # it comes unasked
        reasoning="calls",
    ),
    "groq": _hosted(
        "Groq",
        "https://api.groq.com/openai/v1",
        "console.groq.com/keys",
        "GROQ_API_KEY",
        output_limit="max_completion_tokens",
        only=dict.fromkeys(("logprobs", "logit_bias", "top_logprobs"), ()),
        batches=True,
    ),
    "mistral": _hosted(
        "Mistral",
        "https://api.mistral.ai/v1",
        "console.mistral.ai/api-keys",
        "MISTRAL_API_KEY",
        alternate=True,
        call_id=9,
        output_limit="max_tokens",
        asks_for_usage=False,  # it comes unasked, and unknown keys are refused
    ),
    "deepseek": _hosted(
        "DeepSeek",
        "https://api.deepseek.com",
        "platform.deepseek.com/api_keys",
        "DEEPSEEK_API_KEY",
        output_limit="max_tokens",  # it ignores the other one
        reasoning="always",
    ),
    "together": _hosted(
        "Together",
        "https://api.together.ai/v1",
        "api.together.ai/settings/api-keys",
        "TOGETHER_AI_API_KEY",
        "TOGETHER_API_KEY",
        reasoning="calls",
    ),
    "fireworks": _hosted(
        "Fireworks",
        "https://api.fireworks.ai/inference/v1",
        "app.fireworks.ai",
        "FIREWORKS_AI_API_KEY",
        "FIREWORKS_API_KEY",
        output_limit="max_tokens",
        asks_for_usage=False,
    ),
    "xai": _hosted("xAI", "https://api.x.ai/v1", "console.x.ai", "XAI_API_KEY", protocol="gpt"),
    "perplexity": _unlisted(
        _hosted(
            "Perplexity",
            "https://api.perplexity.ai/v1",
            "perplexity.ai/account/api",
            "PPLX_API_KEY",
            "PERPLEXITYAI_API_KEY",
            "PERPLEXITY_API_KEY",
            protocol="gpt",
        )
    ),
    "cerebras": _hosted("Cerebras", "https://api.cerebras.ai/v1", "cloud.cerebras.ai", "CEREBRAS_API_KEY"),
    "moonshot": _hosted(
        "Moonshot",
        "https://api.moonshot.ai/v1",
        "platform.kimi.ai/console/api-keys",
        "MOONSHOTAI_API_KEY",
        "MOONSHOT_API_KEY",
        reasoning="always",
        only=FIXED,
    ),
    "zai": _hosted(
        "Z.ai",
        "https://api.z.ai/api/paas/v4",
        "z.ai/manage-apikey/apikey-list",
        "ZAI_API_KEY",
        reasoning="calls",
        only={"tool_choice": ("auto",)},
    ),
    "dashscope": _hosted(  # a key belongs to a region, and a workspace may have an address of its own
        "Qwen",
        "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        "modelstudio.console.alibabacloud.com",
        "ALIBABA_API_KEY",
        "DASHSCOPE_API_KEY",
        batches=True,
    ),
    "huggingface": _hosted(
        "Hugging Face", "https://router.huggingface.co/v1", "huggingface.co/settings/tokens", "HF_TOKEN"
    ),
    "azure": _unlisted(  # it lists what could be deployed, not what was
        _hosted(
            "Azure",
            "{endpoint}/openai/v1",
            "ai.azure.com",
            "AZURE_OPENAI_API_KEY",
        ),
        key_header="api-key",
        more_base_urls=("{endpoint}/openai/deployments/{deployment}?api-version={api_version}",),
        places={"endpoint": "AZURE_OPENAI_ENDPOINT", "deployment": "", "api_version": "OPENAI_API_VERSION"},
        questions=(ENDPOINT, DEPLOYMENT, API_VERSION),
    ),
    "cloudflare": _unlisted(
        _hosted(
            "Cloudflare",
            "https://api.cloudflare.com/client/v4/accounts/{account_id}/ai/v1",
            "dash.cloudflare.com/profile/api-tokens",
            "CF_API_TOKEN",
            "CLOUDFLARE_API_KEY",
            "CLOUDFLARE_API_TOKEN",
        ),
        places={"account_id": "CLOUDFLARE_ACCOUNT_ID"},
        questions=(ACCOUNT,),
    ),
    "nvidia": _hosted(
        "NVIDIA NIM",
        "https://integrate.api.nvidia.com/v1",
        "build.nvidia.com/settings/api-keys",
        "NVIDIA_NIM_API_KEY",
        "NVIDIA_API_KEY",
    ),
    "sambanova": _hosted(
        "SambaNova",
        "https://api.sambanova.ai/v1",
        "cloud.sambanova.ai/apis",
        "SAMBANOVA_API_KEY",
        output_limit="max_tokens",
    ),
    "nebius": _hosted(
        "Nebius Token Factory",
        "https://api.tokenfactory.nebius.com/v1",
        "tokenfactory.nebius.com",
        "NEBIUS_API_KEY",
        output_limit="max_tokens",
        batches=True,
    ),
    "novita": _hosted(
        "Novita", "https://api.novita.ai/openai/v1", "novita.ai/settings/key-management", "NOVITA_API_KEY"
    ),
    "hyperbolic": _hosted("Hyperbolic", "https://api.hyperbolic.xyz/v1", "app.hyperbolic.ai", "HYPERBOLIC_API_KEY"),
    "cohere": _unlisted(
        _hosted(
            "Cohere",
            "https://api.cohere.ai/compatibility/v1",
            "dashboard.cohere.com/api-keys",
            "COHERE_API_KEY",
            "CO_API_KEY",
        )
    ),
    "ai21": _unlisted(
        _hosted(
            "AI21",
            "https://api.ai21.com/studio/v1",
            "studio.ai21.com",
            "AI21_API_KEY",
            output_limit="max_tokens",
            streams_tools=False,
        )
    ),
    "vercel": _hosted(
        "Vercel AI Gateway",
        "https://ai-gateway.vercel.sh/v1",
        "vercel.com/ai-gateway",
        "VERCEL_AI_GATEWAY_API_KEY",
    ),
    "scaleway": _hosted(
        "Scaleway", "https://api.scaleway.ai/v1", "console.scaleway.com/iam/api-keys", "SCW_SECRET_KEY"
    ),
    "ollama-cloud": _hosted("Ollama Cloud", "https://ollama.com/v1", "ollama.com/settings/keys", "OLLAMA_API_KEY"),
    "ollama": _local("Ollama", 11434),
    "lmstudio": _local("LM Studio", 1234, "LM_API_TOKEN"),
    "vllm": _local("vLLM", 8000, "HOSTED_VLLM_API_KEY", "VLLM_API_KEY"),
    "llama-server": _local("llama.cpp's server", 8080, "LLAMA_API_KEY"),
    "llamafile": _local("llamafile", 8080),
    "jan": _local("Jan", 1337),
    "localai": _local("LocalAI", 8080, "LOCALAI_API_KEY"),
    "text-generation-webui": _local("text-generation-webui", 5000),
    "tabbyapi": _local("TabbyAPI", 5000, "TABBY_API_KEY"),
    "koboldcpp": _local("KoboldCpp", 5001),
    "mlx-lm": _local("mlx-lm", 8080),
    "sglang": _local("SGLang", 30000),
    "tgi": _local("Text Generation Inference", 3000),
    "litellm": _paid(_local("LiteLLM's proxy", 4000, "LITELLM_MASTER_KEY", "LITELLM_API_KEY"), "litellm"),
}
VENDORS = {name: _with_defaults(row) for name, row in VENDORS.items()}
