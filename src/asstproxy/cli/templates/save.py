"""`asst ask … --save-template NAME`: the command line as a template."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from ...config.paths import expand_home
from ...config.profiles import load_config
from ...config.template import Template, Variable
from ...config.template_text import INPUT, TemplateText, escape, parse_text
from ...config.templates import check_template_name, load_template, save_template, template_file
from ...core.errors import UsageError
from ...files import is_address
from ...text.safe_text import clean_line
from ..assistant_setup import settings_for
from ..attach import STDIN
from ..options import ConversationOptions
from ..resources import is_resource
from ..setup.instructions import checked_tools, instructions_of
from .apply import place_of, values_of

if TYPE_CHECKING:
    from ...tools.schema_source import ChosenSchema

__all__ = ["save_command_line"]

_KEPT = frozenset(
    {"profile", "model", "system", "tools", "attach", "settings", "schema", "schema_multi"}
    | {"template", "values", "prompt", "save_template"}
)
"""Options that a template can have, by the names of their parameters."""


def save_command_line(
    name: str,
    words: Sequence[str],
    options: ConversationOptions,
    schema: ChosenSchema | None,
    *,
    given: Collection[str],
) -> None:
    """Save the options of the command line as a new template: with `-T`, the named template as it is changed here.

    `schema` is what the answer must fit.

    Raises:
        UsageError: the name is invalid or used, a part can't be read, or there is nothing to save.
        NotSetUpError: the file can't be written.
    """
    check_template_name(name)
    if template_file(name).exists():
        raise UsageError(f"The template '{name}' exists.", code="template_exists", data={"name": name})
    template = _changed(_base(name, options), options, given)
    if schema is not None:
        template = replace(template, schema=schema.schema)
    text = " ".join(word for word in words if word != "-")
    if text and template.body:
        template = _with_default(template, INPUT, text)
    elif text:
        template = replace(template, body=parse_text(text, "the message"))
    for key, value in values_of(options.values or ()).items():
        if key not in template.names:
            raise UsageError(template.unused({key: value})[0])
        template = _with_default(template, key, value)
    if template == Template(name):
        raise UsageError("Nothing to save.", "Give a message, or options such as -p, -m, -s and -t.")
    path = save_template(template)
    others = sorted(f"--{one.replace('_', '-')}" for one in set(given) - _KEPT)
    sys.stderr.write(clean_line(f"Saved the template {name}: {path}") + "\n")
    if others:
        sys.stderr.write(f"Not saved, since a template can't have them: {', '.join(others)}.\n")


def _base(name: str, options: ConversationOptions) -> Template:
    """The template that `-T` names, under the new name; what its file names relatively has absolute paths then."""
    if not options.template:
        return Template(name)
    if options.template.partition(":")[1] and "/" not in options.template:
        raise UsageError("A prompt of an MCP server stays at its server.", "Leave out -T, or --save-template.")
    template = load_template(options.template)
    return replace(
        template,
        name=name,
        path=None,
        is_trusted=True,
        tools=tuple(place_of(one, template) if _is_file(one) else one for one in template.tools),
        attachments=tuple(place_of(one, template) for one in template.attachments),
    )


def _is_file(tool: str) -> bool:
    return "/" in tool or ".py" in tool


def _changed(template: Template, options: ConversationOptions, given: Collection[str]) -> Template:
    if "profile" in given and options.profile != template.profile:
        other = bool(template.profile)
        template = replace(
            template,
            profile=options.profile,
            model="" if other else template.model,
            config={} if other else template.config,
        )
    if "model" in given:
        template = replace(template, model=options.model)
    if options.settings:
        profile = load_config().profile(template.profile or options.profile)
        given_here = settings_for(msgspec.structs.replace(profile, settings={}), options)
        template = replace(template, config={**template.config, **given_here})
    if options.system is not None:
        text = instructions_of(options.system)
        is_file = options.system.startswith("@") and not options.system.startswith("@@")
        system = TemplateText(escape(text), (text,)) if is_file else parse_text(text, "--system")
        template = replace(template, system=system)
    if options.attach:
        if STDIN in options.attach:
            raise UsageError("A template can't keep what is on stdin.", "Leave out -a -.")
        files = [
            one if is_address(one) or is_resource(one) else str(expand_home(one).resolve()) for one in options.attach
        ]
        template = replace(template, attachments=tuple(dict.fromkeys([*template.attachments, *files])))
    if options.tools:
        template = replace(template, tools=tuple(dict.fromkeys([*template.tools, *checked_tools(options.tools)])))
    return template


def _with_default(template: Template, name: str, value: str) -> Template:
    variable = replace(template.variables.get(name, Variable()), default=value)
    return replace(template, variables={**template.variables, name: variable})
