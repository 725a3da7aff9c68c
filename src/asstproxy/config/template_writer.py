"""Writing a template as the file that `template_file` reads."""

from __future__ import annotations

from typing import Any

from .template import Template, Variable

__all__ = ["template_text"]


def template_text(template: Template) -> str:
    """The text of the file. Reading it gives the same template."""
    import yaml

    from .yaml_reader import is_more_than_text

    def literal(dumper: Any, text: str) -> Any:
        style = (
            "|" if "\n" in text else "'" if is_more_than_text(text) else None
        )  # PyYAML quotes by the rules of YAML 1.1
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    dumper: Any = type("_Dumper", (yaml.SafeDumper,), {})
    dumper.add_representer(str, literal)
    values = _front_matter(template)
    body = template.body.source.strip("\n")
    if not values and not body.startswith("---"):
        return f"{body}\n"
    head = (
        yaml.dump(values, Dumper=dumper, sort_keys=False, allow_unicode=True, width=120, default_flow_style=False)
        if values
        else ""
    )
    return f"---\n{head}---\n\n{body}\n" if body else f"---\n{head}---\n"


def _front_matter(template: Template) -> dict[str, Any]:
    declared = {name: one for name, one in template.variables.items() if _is_declared(one)}
    default = {name: one.default for name, one in template.variables.items() if one.default and name not in declared}
    defaults_of_declared = {name: one.default for name, one in declared.items() if one.default}
    given = {
        "schema": {"type": "object", "properties": {name: _property(one) for name, one in declared.items()}}
        | ({"required": required} if (required := [n for n, one in declared.items() if one.default is None]) else {})
        if declared
        else None,
        "default": {**default, **defaults_of_declared},
    }
    values: dict[str, Any] = {
        "description": template.description,
        "profile": template.profile,
        "model": template.model,
        "config": dict(template.config),
        "system": template.system.source,
        "tools": list(template.tools),
        "attachments": list(template.attachments),
        "input": {key: value for key, value in given.items() if value},
        "output": {"schema": template.schema} if template.schema else None,
    }
    return {key: value for key, value in values.items() if value}


def _is_declared(variable: Variable) -> bool:
    return bool(variable.about or variable.choices or variable.kind != "string" or variable.default == "")


def _property(variable: Variable) -> dict[str, Any]:
    return {
        key: value
        for key, value in {
            "type": variable.kind if not variable.choices else None,
            "description": variable.about,
            "enum": list(variable.choices),
        }.items()
        if value
    }
