"""Where things are kept: the config, data and cache folders, each of them private to the user."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["cache_dir", "config_dir", "data_dir", "private_dir"]


def _dir(variable: str, kind: str) -> Path:
    chosen = os.environ.get(variable)
    if chosen:
        return Path(chosen).expanduser()
    import platformdirs

    return Path(getattr(platformdirs, f"user_{kind}_dir")("asst", appauthor=False))


def config_dir() -> Path:
    """Profiles and credentials: `ASST_CONFIG_DIR`, or the user config dir."""
    return _dir("ASST_CONFIG_DIR", "config")


def data_dir() -> Path:
    """Sessions: `ASST_DATA_DIR`, or the user data dir."""
    return _dir("ASST_DATA_DIR", "data")


def cache_dir() -> Path:
    """What may be deleted: `ASST_CACHE_DIR`, or the user cache dir."""
    return _dir("ASST_CACHE_DIR", "cache")


def private_dir(path: Path) -> Path:
    """The folder, made for the user alone (0700) if it is not there.

    Raises:
        OSError: it cannot be made.
    """
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):  # not `parents=True`, which makes them for everybody
        folder.mkdir(mode=0o700, exist_ok=True)
    path.mkdir(exist_ok=True)
    return path
