"""`-T`: a template applied to a command line. What the command line says wins over the template, the template over the profile."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ...config.paths import expand_home
from ...config.template import Template
from ...config.template_text import INPUT
from ...config.templates import find_template
from ...core.errors import UsageError
from ...core.warnings import warn_once
from ..options import ConversationOptions
from ..resources import is_resource
from .mixed_up import load_named

if TYPE_CHECKING:
    from ...tools.schema_source import ChosenSchema
    from ..conversation_setup import OpenConversation

__all__ = ["Applied", "apply_template", "place_of", "values_of"]

_REGISTERED = re.compile(r"[\w-]+")
"""A tool under the name that an installed package registered."""
_URL = re.compile(r"https?://", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Applied:
    """The options with those of the template, and the template's values.

    `template` is None for a prompt of an MCP server, which is fetched when the conversation is open. `settings` are the
    provider's, those that the template has.
    """

    options: ConversationOptions
    values: Mapping[str, str]
    template: Template | None
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def schema(self) -> ChosenSchema | None:
        """What the answer must fit.

        Raises:
            UsageError: it is not valid.
        """
        if self.template is None or not self.template.schema:
            return None
        from ...tools.schema_source import choose_schema

        schema = self.template.schema
        try:
            return choose_schema(schema if isinstance(schema, str) else json.dumps(schema), from_template=True)
        except UsageError as error:
            raise UsageError(f"{self.template.path}, output.schema: {error}", error.hint) from error

    @property
    def needs_input(self) -> bool:
        """Whether a text must be typed or piped in; a file does in its place."""
        return self.template is not None and self.template.needs_input and not self.options.attach

    def fill(self, text: str) -> tuple[ConversationOptions, str]:
        """The options and the message for this input; the message is the input where a prompt is still to be fetched.

        Raises:
            UsageError: the input is missing.
        """
        if self.template is None:
            return self.options, text
        filled = self.template.fill(self.values, text, may_be_empty=bool(self.options.attach))
        return self._with_system(filled.system), filled.text

    def without_input(self) -> ConversationOptions:
        """The options before the input is known.

        Raises:
            UsageError: the instructions have it.
        """
        if self.template is None:
            return self.options
        if self.needs_input and INPUT in self.template.system.names:
            self.template.fill(self.values)  # raises
        return self._with_system(self.template.fill(self.values, "-").system)

    def _with_system(self, system: str | None) -> ConversationOptions:
        if system is None or self.options.system is not None:
            return self.options
        return replace(self.options, system=f"@{system}" if system.startswith("@") else system)  # @ would name a file

    async def fetch(self, opened: OpenConversation, text: str) -> str:
        """The message as it is sent: a prompt of an MCP server with the input below it, else the message as it is.

        Raises:
            UsageError: the server or the prompt is unknown, or a value is missing.
            ToolError: the server failed.
        """
        if self.template is not None:
            return text
        from .mcp_prompt import fetch_prompt

        prompt = await fetch_prompt(opened, self.options.template, self.values)
        return "\n\n".join(part for part in (prompt, text) if part.strip())


def apply_template(
    options: ConversationOptions, given: Collection[str] = (), *, values_follow: bool = False
) -> Applied:
    """The template that the options name, applied to them.

    `given`: the options that stand on the command line itself; a profile and a model may also come from the environment.
    `values_follow`: the items of a batch bring the values that are missing.

    Raises:
        UsageError: the template is unknown or has an error, or a value is missing or isn't `name=value`.
    """
    values = values_of(options.values or ())
    if not options.template:
        raise UsageError("-P gives a value to a template, and there is none.", "Name it: -T NAME")
    if find_template(options.template) is None and ":" in options.template:
        return Applied(options, values, None)
    template = load_named(options.template)
    if not values_follow:
        template.check(values)
    for line in template.unused(values):
        warn_once(line)
    is_same = not template.profile or "profile" not in given or options.profile == template.profile
    if template.profile and "profile" not in given:
        options = replace(options, profile=template.profile)
    if template.model and is_same and "model" not in given:  # a model belongs to its profile, and so do settings
        options = replace(options, model=template.model)
    return Applied(_handed_over(template, options), values, template, template.config if is_same else {})


def _handed_over(template: Template, options: ConversationOptions) -> ConversationOptions:
    """The options, with what the template says as if it stood on the command line before the rest.

    Raises:
        UsageError: a tool can't be loaded or may not be, or the template has what can't be sent.
    """
    if template.attachments:
        files = [_attachment(name, template) for name in template.attachments]
        options = replace(options, attach=[*files, *(options.attach or ())])
    if template.tools and not options.no_tools:
        from ...tools.loading import find_tools

        tools = [_tool(name, template) for name in template.tools]
        try:
            find_tools(tools, here=False)  # a module in the current folder is not what was meant
        except UsageError as error:
            raise UsageError(
                f"{template.path}, tools: {error}", error.hint, code=error.code, data=error.data
            ) from error
        options = replace(options, tools=[*dict.fromkeys([*tools, *(options.tools or ())])])
    return options


def _tool(name: str, template: Template) -> str:
    """The name of a tool as `-t` takes it. A template from elsewhere must not have code run that comes with it."""
    if not template.is_trusted and not _REGISTERED.fullmatch(name):
        raise UsageError(
            f'{template.path} offers the tool "{name}", and a template outside of your own must not load code.',
            f"Name it yourself: -t {name}, or import the template.",
        )
    return place_of(name, template) if name.endswith(".py") or "/" in name else name


def _attachment(name: str, template: Template) -> str:
    """An attachment as `-a` takes it. A template from elsewhere has no say in what an MCP server or stdin gives."""
    if is_resource(name) or name == "-":
        if template.is_trusted:
            return name
        raise UsageError(
            f'{template.path} attaches "{name}", and a template outside of your own only gets files next to it.',
            f"Attach it yourself: -a {name}, or import the template.",
        )
    return place_of(name, template)


def place_of(name: str, template: Template) -> str:
    """A file that a template names, as an absolute path: it is relative to the template's file. A URL stays one.

    Raises:
        UsageError: the template isn't the user's own, and the file isn't next to it or below.
    """
    if _URL.match(name) or template.path is None:
        return name
    folder = template.path.resolve().parent
    path = (folder / expand_home(name)).resolve()
    if not template.is_trusted and not path.is_relative_to(folder):
        raise UsageError(
            f'{template.path} names the file "{name}", and a template outside of your own only gets files next to it.',
            "Name it yourself, or import the template.",
        )
    return str(path)


def values_of(pairs: Sequence[str]) -> dict[str, str]:
    """The values that `-P name=value` gives; the last one of a name counts.

    Raises:
        UsageError: one isn't `name=value`.
    """
    values = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise UsageError(f'"{pair}" isn\'t a name and a value.', "Write -P name=value.")
        values[name.strip()] = value
    return values
