"""What the command line asks of a batch: who answers, which items, and the figures at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ...batches.file_batch import accept
from ...batches.item import Item, check_all, require_text, with_template
from ...batches.ledger import Ledger, Status
from ...batches.output import OutputForm
from ...batches.reading import BrokenItemError, Input
from ...config.profiles import Profile, load_config
from ...config.who_answers import choose_profile
from ...core.errors import UsageError
from ...core.events import Configured
from ...core.money import dollars
from ...text.figures import duration, short_count
from ..conversation_setup import configure_as_asked
from ..error_output import print_warning
from ..event_loop import Signals
from ..options import ConversationOptions
from ..schema_option import schema_of

if TYPE_CHECKING:
    from ...tools.schema_source import ChosenSchema
    from .progress import Reported

__all__ = ["Request", "Setup", "accepted", "ended_by", "setup_of", "summary"]

SHOWN = 5
"""Broken lines that are named, of those that are skipped."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line asks for; `given` are the options that stand on it."""

    source: str
    out: Path
    options: ConversationOptions
    given: frozenset[str] = frozenset()
    lines: bool = False
    skips: bool = False
    concurrency: int | None = None
    rpm: int | None = None
    tpm: int | None = None
    limit: int | None = None
    ordered: bool = False
    form: OutputForm = "asst"
    retry_failed: bool = False
    provider_batch: bool = False
    schema: str = ""
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Setup:
    """Who is asked, and what every item goes through before."""

    options: ConversationOptions
    profile: Profile
    configured: Configured
    check: Callable[[Item], Item]
    schema: ChosenSchema | None
    schema_text: str


def setup_of(request: Request) -> Setup:
    """Who is asked, as the options and the template say.

    Raises:
        AsstError: the profile or the template is unknown, or an option is wrong.
    """
    options = request.options
    check: Callable[[Item], Item] = require_text
    if options.system is not None and options.system.startswith("@"):
        from ..setup.instructions import instructions_of

        options = replace(options, system=instructions_of(options.system))
    more: dict[str, Any] = {}
    schema = schema_of(request.schema)
    if options.template or options.values:
        from ..templates.apply import apply_template

        applied = apply_template(options, request.given, values_follow=True)
        if applied.template is None:
            raise UsageError(
                "A prompt of an MCP server can't be the template of a batch.", "Save it: asst templates new"
            )
        options, more = applied.options, dict(applied.settings)
        schema = schema or applied.schema
        check = with_template(applied.template, applied.values)
    attached = tuple(options.attach or ())
    checks = [check]
    if attached:
        checks.insert(0, lambda item: msgspec.structs.replace(item, attachments=(*attached, *item.attachments)))
    text = "" if schema is None else msgspec.json.encode(schema.schema, order="deterministic").decode()
    if text:
        checks.append(lambda item: msgspec.structs.replace(item, schema=text))
    profile = choose_profile(load_config(), options.profile)
    if more:
        profile = msgspec.structs.replace(profile, settings={**profile.settings, **more})
    return Setup(options, profile, configure_as_asked(profile, options, None, ()), check_all(checks), schema, text)


def ended_by(signals: Signals) -> Callable[[], None]:
    """What to call from time to time where the event loop waits: it raises CancelledError once a signal has arrived."""

    def look_for_signal() -> None:
        if signals.why_stop():
            raise asyncio.CancelledError

    return look_for_signal


def accepted(source: Input, request: Request, signals: Signals) -> Ledger:
    """The items of the input, once all of them are known to be askable; those that aren't may be skipped.

    Raises:
        UsageError: a line can't be asked.
        CancelledError: a signal arrived.
    """
    skipped = 0

    def skip(error: BrokenItemError) -> None:
        nonlocal skipped
        skipped += 1
        if skipped <= SHOWN:
            print_warning(f"{error} Skipped.")

    ledger = accept(source, skip if request.skips else None, turn=ended_by(signals))
    if skipped > SHOWN:
        print_warning(f"{skipped - SHOWN} more lines of {source.name} are broken. Skipped.")
    return ledger


def summary(batch: Reported, seconds: float) -> str:
    """`9,971 done · 29 failed · 5 min 58 s · 6.6M tokens · $1.96`."""
    progress, ledger = batch.progress, batch.ledger
    waiting, tokens = ledger.count(Status.WAITING), progress.input_tokens + progress.output_tokens
    failed = ledger.count(Status.FAILED)
    cost = dollars(progress.cost) if progress.cost else ""
    if not progress.is_cost_known:
        cost = f"{cost} + unknown" if cost else "price unknown"
    idle = not (progress.done or progress.failed or waiting or ledger.count(Status.SENT))
    parts = [
        f"{ledger.count(Status.DONE):,} done",
        f"{failed:,} failed" if failed else "",
        f"{waiting:,} not asked" if waiting else "",
        "nothing left to ask" if idle else duration(seconds),
        f"{short_count(tokens)} tokens" if tokens else "",
        cost,
    ]
    return " · ".join(filter(None, parts))
