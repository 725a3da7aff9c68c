"""Providers: each speaks one API on behalf of an assistant. `registry` finds them by name."""

from .registry import connect

__all__ = ["connect"]
