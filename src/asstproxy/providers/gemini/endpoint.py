"""Google's address and credentials: the Gemini Developer API, or Agent Platform (formerly Vertex AI)."""

from __future__ import annotations

import os
import re
from typing import Literal

import msgspec

from ...config.base_url import choose_base_url, warn_of_plain_http
from ...config.profiles import Profile
from ...config.provider_info import BUILT_IN
from ...core.errors import NotSetUpError
from ..connection import PolledOptions, api_key, usual_key_variable

__all__ = ["Endpoint", "GeminiOptions", "address", "base_of", "endpoint", "host", "is_vertex", "needs_key"]

INFO = BUILT_IN["gemini"]
_VERSION = re.compile(r"/(v\d+(?:(?:alpha|beta)\d*)?)$")


class GeminiOptions(PolledOptions, frozen=True):
    """What a profile of this provider may hold.

    `vertex`: use Agent Platform, with application default credentials, or with the key in `api_key_env` if it is set.
    """

    api: Literal["generate", "interactions"] = "generate"
    transport: Literal["http", "sdk"] = "http"
    vertex: bool | None = None
    project: str = ""
    location: str = ""


class Endpoint(msgspec.Struct, frozen=True):
    """`base` may end in a version. Without a `key` (from `variable`), application default credentials are used."""

    vertex: bool
    base: str
    key: str | None = None
    variable: str = ""
    project: str = ""
    location: str = ""

    @property
    def url(self) -> str:
        """The URL to which the paths of the API are relative."""
        versioned = f"{self.root}/{self.version}"
        return f"{versioned}/projects/{self.project}/locations/{self.location}" if self.project else versioned

    @property
    def root(self) -> str:
        """The base without a version."""
        return _VERSION.sub("", self.base)

    @property
    def version(self) -> str:
        """The version of the API: that of the base, else the one that has everything."""
        given = _VERSION.search(self.base)
        return given[1] if given else "v1beta1" if self.vertex else "v1beta"

    @property
    def models(self) -> str:
        """Where the API has Google's models."""
        return "/publishers/google/models" if self.vertex else "/models"


def needs_key(profile: Profile) -> bool:
    """Whether this profile needs a key: Agent Platform uses the login of this machine, unless a key is named.

    Raises:
        NotSetUpError: an option of the profile has the wrong type.
    """
    options = profile.read(GeminiOptions)
    return not is_vertex(options) or _has_vertex_key(options)


def address(profile: Profile) -> str:
    """The URL that is asked for this profile.

    Raises:
        NotSetUpError: an option of the profile has the wrong type.
    """
    return base_of(profile.read(GeminiOptions), profile)


def endpoint(options: GeminiOptions, profile: Profile) -> Endpoint:
    """The endpoint: from the profile, else from Google's environment variables.

    Raises:
        NotSetUpError: a key or a project is missing, or the location is wrong.
    """
    place = _endpoint(options, profile)
    warn_of_plain_http(place.base, f"'{profile.name}'")
    return place


def base_of(options: GeminiOptions, profile: Profile) -> str:
    """The address to ask, without a trailing slash. No key is needed to know it.

    Raises:
        NotSetUpError: it can't be the address of an API.
    """
    if is_vertex(options):
        return choose_base_url(profile, ("GOOGLE_VERTEX_BASE_URL",), host(_location(options)))
    return choose_base_url(profile, ("GOOGLE_GEMINI_BASE_URL",), INFO.base_url)


def _location(options: GeminiOptions) -> str:
    return options.location or os.environ.get("GOOGLE_CLOUD_LOCATION") or "global"


def _project(options: GeminiOptions) -> str:
    return options.project or os.environ.get("GOOGLE_CLOUD_PROJECT") or ""


def _has_vertex_key(options: GeminiOptions) -> bool:
    return bool(options.api_key_env or (not _project(options) and os.environ.get("GOOGLE_API_KEY")))


def _endpoint(options: GeminiOptions, profile: Profile) -> Endpoint:
    base = base_of(options, profile)
    if not is_vertex(options):
        variable = options.api_key_env or usual_key_variable(INFO)
        return Endpoint(vertex=False, base=base, key=api_key(profile, options, INFO), variable=variable)
    location = _location(options)
    if not re.fullmatch(r"[a-z0-9-]+", location):
        raise NotSetUpError(
            f"Invalid Google Cloud location: '{location}'.", "Set location to global, us, eu or a region."
        )
    project = _project(options)
    if _has_vertex_key(options):
        variable = options.api_key_env or "GOOGLE_API_KEY"
        key = profile.secret(variable)
        return Endpoint(vertex=True, base=base, key=key, variable=variable, project=project, location=location)
    if not project:
        from .auth import default_project

        project = default_project()
    return Endpoint(vertex=True, base=base, project=project, location=location)


def is_vertex(options: GeminiOptions) -> bool:
    """Whether Agent Platform is used: as the profile says, else as Google's environment variables do."""
    if options.vertex is not None:
        return options.vertex
    for name in ("GOOGLE_GENAI_USE_ENTERPRISE", "GOOGLE_GENAI_USE_VERTEXAI"):  # the new name wins
        if name in os.environ:
            return os.environ[name].strip().lower() in ("true", "1")
    return bool(options.project)


def host(location: str) -> str:
    """The address of Agent Platform for this location."""
    if location == "global":
        return "https://aiplatform.googleapis.com"
    if location in ("us", "eu"):
        return f"https://aiplatform.{location}.rep.googleapis.com"
    return f"https://{location}-aiplatform.googleapis.com"
