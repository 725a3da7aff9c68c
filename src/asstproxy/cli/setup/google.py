"""The steps of `asst setup gemini`: a key of AI Studio, or a project of Google Cloud (Agent Platform)."""

from __future__ import annotations

import os
from typing import Any

from ...config.credentials import key_source
from ...config.profiles import Profile
from ...providers.gemini.endpoint import GeminiOptions, is_vertex
from .keys import Key
from .profile_draft import Answers
from .prompts import ask, choose, say

__all__ = ["google_steps"]


def google_steps(answers: Answers, table: dict[str, Any], values: dict[str, Any], key: Key) -> None:
    """Find out which of Google's two ways is meant; a project needs no key.

    Raises:
        NotSetUpError: the profile has an error.
    """
    merged = {name: value for name, value in {**table, **values}.items() if value is not None}
    options = Profile("gemini", "gemini", options=merged).read(GeminiOptions)
    project = options.project or os.environ.get("GOOGLE_CLOUD_PROJECT") or ""
    vertex = is_vertex(options)
    undecided = options.vertex is None and not vertex and not options.base_url
    if answers.asking and undecided and not answers.key_stdin and key_source(key.variable) is None:
        ways = [("key", "a key of Google AI Studio, with a free tier"), ("project", "a project of Google Cloud")]
        if choose("How is Google asked", ways, "key") == "project":
            vertex = True
            project = ask("Project", project)
            location = ask("Location", options.location or os.environ.get("GOOGLE_CLOUD_LOCATION") or "global")
            values |= {"vertex": True, "project": project or None, "location": location}
    if vertex and not options.api_key_env and (project or not os.environ.get("GOOGLE_API_KEY")):
        say(f"Google Cloud: project {project or '(that of the login)'}, with the login of this machine.")
        key.variable = ""
    if answers.managed:
        from .managed import load_managed

        merged = {name: value for name, value in {**table, **values}.items() if value is not None}
        load_managed(
            Profile("gemini", "gemini", tools=tuple(merged.get("tools", ())), options=merged), answers.managed, values
        )
