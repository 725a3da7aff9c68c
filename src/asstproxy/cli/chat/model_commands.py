"""`/model` and `/profile`: who answers, chosen from a list or by name."""

from __future__ import annotations

import asyncio

import msgspec

from ...config.profiles import Config, Profile, load_config
from ...providers.model_list import ModelInfo
from ...providers.registry import provider_info
from ...text.safe_text import clean_label, clean_line
from ..assistant_setup import connect_assistant
from ..conversation_setup import configure_as_asked
from ..model_choice import ModelTable, known_models, pick_model
from ..options import ConversationOptions
from ..picker import Table, pick
from ..render.theme import is_plain
from ..render.truncate import pad
from .chat_protocol import ChatCommands
from .waiting import show_while, stopping

__all__ = ["model_command", "profile_command"]

_QUOTED = 60
"""Characters of instructions that are quoted."""


async def model_command(chat: ChatCommands, name: str) -> None:
    """Switch to this model; without a name, to a choice from the provider's list."""
    profile, in_use = chat.opened.profile, _model_in_use(chat)
    if not name:
        task = asyncio.ensure_future(known_models(profile, in_use))
        vendor = provider_info(profile.provider).vendor or profile.provider
        with stopping(chat, task.cancel):
            await show_while(chat, task, lambda s: f"Asking {vendor} for its models · {s:.0f} s", after=0.3)
        if task.cancelled():
            return
        known = task.result()
        if known.problem:
            chat.warn(f"{known.problem} These are the models that asst knows:")
        if not known.models:
            chat.say(f"{vendor} lists no models. Choose one by its name: /model NAME")
            return
        picked = await _picked_model(chat, known.models, in_use)
        if picked is None or picked == in_use:
            chat.say(chat.opened.label)
            return
        name = picked
    options = ConversationOptions(model=name, settings=chat.opened.options.settings)
    await _switch(chat, profile, options)
    chat.say(chat.opened.label)


async def _picked_model(chat: ChatCommands, models: list[ModelInfo], in_use: str) -> str | None:
    if is_plain(chat.console):  # no redrawing: the list, and a name is typed after /model
        table = ModelTable(models, in_use)(chat.console.width)
        for line in (table.heading, *table.lines):
            chat.say(line)
        chat.say("Choose one: /model NAME")
        return None
    return await pick_model(models, in_use)


async def profile_command(chat: ChatCommands, name: str) -> None:
    """Switch to this profile, with its instructions and tools; without a name, to a choice from all."""
    config, in_use = load_config(), chat.opened.profile.name
    if not name:
        table = _profile_table(config, in_use)
        if is_plain(chat.console):
            for line in (table.heading, *table.lines):
                chat.say(line)
            chat.say("Choose one: /profile NAME")
            return
        picked = await pick(config.names, lambda _: table, in_use, words=table.lines)
        if picked is None or picked == in_use:
            chat.say(chat.opened.label)
            return
        name = picked
    profile = config.profile(name)
    await _switch(chat, profile, ConversationOptions(system=profile.instructions), tools=True)
    chat.say(_whole_label(chat))


def _profile_table(config: Config, in_use: str) -> Table:
    rows = []
    for name in config.names:
        table = config.tables.get(name, {})
        provider = str(table.get("provider", name))
        model = str(table.get("model", "")) or provider_info(provider).default_model
        title = provider_info(provider).title
        mark = "in use · " if name == in_use else "default · " if name == config.default else ""
        rows.append((clean_line(name), clean_line(model), f"{mark}{clean_line(title)}"))
    name_width = max(len(row[0]) for row in (("Profile",), *rows))
    model_width = max(len(row[1]) for row in (("", "Model"), *rows))
    lines = [
        f"{pad(a, name_width)}  {pad(b, model_width)}  {c}" for a, b, c in (("Profile", "Model", "Provider"), *rows)
    ]
    return Table(lines[0], lines[1:])


def _model_in_use(chat: ChatCommands) -> str:
    conversation = chat.opened.conversation
    return conversation.configured.model or conversation.assistant.model


async def _switch(chat: ChatCommands, profile: Profile, options: ConversationOptions, *, tools: bool = False) -> None:
    """Continue with another assistant, and with `tools` with those of the profile.

    The present one is closed once the new one is connected; if something of the new one is missing, nothing changes.
    """
    conversation, user = chat.opened.conversation, chat.opened.user
    before = conversation.configured
    configured = configure_as_asked(profile, options, before, before.tools)
    assistant = connect_assistant(profile, configured, chat.opened.options, chat.opened.budget)
    if tools:
        try:
            await chat.opened.tools.offer(profile, chat.opened.options)
        except BaseException:
            await assistant.aclose()
            raise
        configured = msgspec.structs.replace(configured, tools=tuple(user.tools))
    await conversation.assistant.aclose()
    conversation.configure(configured, assistant)
    chat.opened.profile = profile


def _whole_label(chat: ChatCommands) -> str:
    """Who answers, with which instructions and tools."""
    instructions = clean_label(chat.opened.conversation.configured.instructions, _QUOTED)
    starting = (f"{one.name} starting…" for one in chat.opened.tools.servers if one.phase == "starting")
    tools = ", ".join([*chat.opened.user.tools, *starting])
    return " · ".join(
        (
            chat.opened.label,
            f'instructions: "{instructions}"' if instructions else "no instructions",
            f"tools: {tools}" if tools else "no tools",
        )
    )
