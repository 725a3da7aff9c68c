"""Writing profiles: one table of the user's file changes, the rest of it stays as it is, comments and all."""

from __future__ import annotations

import os
from typing import Any

from .config import config_file, load_config
from .errors import NotSetUpError
from .locations import private_dir

__all__ = ["write_profile"]


def write_profile(name: str, values: dict[str, Any], *, default: bool = False) -> tuple[str, str]:
    """Set these keys of a profile (None takes a key out); the whole file's text before and after.

    `tomlkit`, not `tomli-w`: a file that a person has edited keeps its comments, its order and the keys we do not know.

    Raises:
        NotSetUpError: the file has an error (it is not touched then), or cannot be written.
    """
    import tomlkit

    load_config()
    path = config_file()
    try:
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        document = tomlkit.parse(before)
        profiles = document.setdefault("profiles", tomlkit.table(is_super_table=True))
        table = profiles.setdefault(name, tomlkit.table())
        for key, value in values.items():
            if value is not None:
                table[key] = value
            elif key in table:
                del table[key]
        if default:
            document["default"] = name
        after = tomlkit.dumps(document)
        private_dir(path.parent)
        temporary = path.with_suffix(f".{os.getpid()}.tmp")
        temporary.write_text(after, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise NotSetUpError(f"{path} cannot be written: {error.strerror}.", "Set ASST_CONFIG_DIR.") from error
    return before, after
