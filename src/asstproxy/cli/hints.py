"""What to do next, in commands and options of `asst`: everything below reports codes and kinds, and this table words them."""

from __future__ import annotations

from collections import defaultdict

from ..core.errors import AsstError, may_pass
from ..core.events import ErrorOccurred, Event, Unknown

__all__ = ["CHAT_HINTS", "HINTS", "hint_after", "hint_for", "setup_command"]

HINTS: dict[str, str] = {
    # core
    "no_exchange_to_attach": "Try again: asst ask --retry",
    # user
    "answer_incomplete": "Try again: asst ask --retry",
    "schema_mismatch": "Ask again, or make the schema simpler.",
    "attachment_not_read": "Send it to another: -p gpt",
    "recording_not_read": "Send it to another: -p gemini",
    # config
    "config_not_editable": "Edit it yourself: asst setup edit",
    "key_missing": "Run: export {variable}=…, or {setup}",
    "model_is_sent": "Use -m MODEL.",
    "stream_is_sent": "For an answer in one piece: --no-stream",
    "message_is_sent": "Write the message after the options.",
    "keyring_refused": "Leave out --keyring: the key is then saved in credentials.toml.",
    "template_exists": "Choose another name, or edit it: asst templates edit {name}",
    "template_input_missing": 'Give it after the options, -T {name} "…", or pipe it in.',
    "template_unknown": "List them: asst templates list",
    "template_value_missing": "Add {values}",
    "nothing_set_up": "Run: asst setup local --yes, or asst setup gpt.",
    "nothing_chosen": "Run: asst setup local --yes, or asst setup gpt. {variable} is set: asst ask -p {provider} works now.",
    "mcp_server_unknown": "Saved: {known}. To add it: asst mcp add {name}",
    "profile_unknown": "Known: {known}. Or run: asst setup",
    # store
    "data_dir_not_readable": "Fix its permissions, or set ASST_DATA_DIR.",
    "data_dir_not_writable": "Set ASST_DATA_DIR, or use --no-save.",
    "disk_full": "Free some space, or use --no-save.",
    "no_sessions": 'Start one: asst ask "…", or asst chat',
    "session_in_use": "--wait waits for it, --fork continues in a copy.",
    "session_newer": "Upgrade asst, or continue in a copy: --fork",
    "session_not_found": "See: asst sessions list",
    "session_not_writable": "Read it: asst sessions show, export; or copy it: asst sessions fork",
    "session_unreadable": "See: asst sessions list",
    "session_too_short": "See: asst sessions show {session}",
    # tools
    "arguments_not_json": "--args takes one JSON object.",
    "argument_not_a_pair": "Write --arg name=value.",
    "tool_unknown": "List them: asst tools list",
    # export
    "export_suffix_unknown": "Use .json, .md, .html or .mmd, or name the format: -f json",
    # batches
    "batch_changed": "Use the same options, or choose another output: -o OUT.jsonl. To ask failed items otherwise: --retry-failed",
    "batch_form": "Add --format {form}, or choose another output: -o OUT.jsonl",
    "batch_in_use": "Watch it: asst batch status {out}",
    "batch_input_not_file": "Pipe it in, and name it -",
    "batch_not_objects": "For lines of text: --lines",
    "batch_queued": "Add --queue ADDRESS, or choose another output: -o OUT.jsonl",
    "batch_tools": "Offer tools of your own: -t NAME",
    "batch_prompt_missing": 'Add "prompt" to each item: the template puts it in place of {{{{input}}}}.',
    "batch_without_prompt": "Variables need a template: -T NAME",
    # providers
    "batch_api_missing": "Leave out --provider-batch.",
    "batch_sent": "Collect them first: asst batch fetch {out}",
    "batch_lost": "Drop it, so that its items are asked again: asst batch cancel {out}",
    "assistant_missing": "Create one: {setup}",
    "assistants_shut_down": "Move the profile to OpenAI's Responses API: asst setup gpt --name {profile} --move",
    "base_url_missing": "Run: {setup} --base-url URL",
    "price_unknown": "Add it to {file}, or leave out --max-cost.",
    "cost_unlimited": "Leave out --max-cost.",
    "model_not_named": "Choose one: -m MODEL. This lists them, and saves your choice: {setup}",
    "place_missing": "Run: {setup} --{option} …, or: export {variable}=…",
    "speaks_chat_completions": "Run: asst setup {provider} --base-url {base_url}",
    "local_model_missing": "Run: asst setup local --yes",
    "model_missing": "Name one: --model NAME",
    "local_model_unusable": "Choose another model: asst setup local",
}
"""By the code of an error; `{names}` are in its data, and `{setup}` is the command that changes its profile."""

AFTER = ("speaks_chat_completions",)
"""The codes whose command follows the error's own hint once it has settled an exchange."""

CHAT_HINTS: dict[str, str] = {
    "model_is_sent": "Use /model NAME.",
    "export_suffix_unknown": "Use .json, .md, .html or .mmd.",
    "attachment_not_read": "Send it to another: /profile gpt",
    "recording_not_read": "Send it to another: /profile gemini",
    "no_exchange_to_attach": "Try again: /retry",
    "profile_unknown": "Known: {known}. Choose one: /profile",
    "session_not_found": "Choose one: /sessions",
    "tool_unknown": "List them: /tools",
    "model_not_named": "Choose one: /model NAME",
}
"""The same, where the chat has a command of its own."""


def hint_for(error: AsstError, *, chat: bool = False) -> str:
    """What to do after this error: the command that helps, else what the error itself says."""
    if error.code == "profile_unknown" and _is_provider(name := error.data["profile"]):
        return f"Set it up: asst setup {name}"
    template = (CHAT_HINTS.get(error.code) if chat else None) or HINTS.get(error.code)
    if not template:
        return error.hint
    setup = setup_command(error.data.get("profile", ""), error.data.get("provider", ""))
    hint = template.format_map(defaultdict(lambda: "…", error.data | {"setup": setup}))
    if (url := error.data.get("keys_url")) and hint.startswith("Run: "):
        return f"Create a key ({url}), then run: {hint.removeprefix('Run: ')}"
    return hint


def _is_provider(name: str) -> bool:
    from ..providers.registry import provider_names

    return name in provider_names()


def setup_command(profile: str, provider: str) -> str:
    """The command that changes a profile."""
    return f"asst setup {provider}{'' if profile == provider else f' --name {profile}'}"


def hint_after(event: Event | Unknown, *, session: str = "", chat: bool = False) -> str:
    """What to do, beyond its own hint, after an exchange that this event settled; empty if there is nothing to add.

    `session` is the id of the session that has it; without one the message isn't saved and can't be sent again.
    """
    if not isinstance(event, ErrorOccurred):
        return ""
    if event.code in AFTER:
        return HINTS[event.code].format_map(defaultdict(lambda: "…", event.data))
    if may_pass(event.kind):
        if chat:
            return "Try again: /retry"
        return f"Try again: asst ask --retry --session {session}" if session else ""
    if event.kind == "context_length":
        if chat:
            return "/compact summarises older turns, /clear starts fresh."
        return f"To continue from an earlier point: asst sessions fork {session} --at N" if session else ""
    return ""
