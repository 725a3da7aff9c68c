"""What a worker needs to ask the items of one batch: who answers, and at which pace."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from ...config.credentials import find_key
from ...config.profiles import Profile, load_config
from ...config.vendors import VENDORS
from ...core.errors import AsstError, NotSetUpError
from ...core.roles import AssistantProxy
from ...providers.assembly import Asked, assemble
from ...providers.budget import Budget
from ...providers.prices import PriceTable
from ...tools.schema_source import ChosenSchema
from ..runner import Runner
from .claim import Claim
from .database import Database
from .money import with_shared_budget
from .spec import Spec, queue_of
from .throttle import SharedPace

__all__ = ["Serving", "profiles_here", "serving_of"]

START = 8
"""Requests at a time at first."""


async def profiles_here(names: Iterable[str]) -> dict[str, Profile]:
    """The profiles that this machine can ask, by the queues of their batches; of these names, or all that have what they need.

    Raises:
        NotSetUpError: one of the names is unknown, or lacks something; or no profile is set up.
    """
    config, named = load_config(), list(names)
    found: dict[str, Profile] = {}
    vendors = (name for name, vendor in VENDORS.items() if any(map(find_key, vendor.info.key_variables)))
    for name in named or dict.fromkeys((*config.names, *vendors)):
        try:
            profile = config.profile(name)
            answering = profile if profile.model else msgspec.structs.replace(profile, model="any")
            await assemble([Asked(answering, {})]).aclose()
        except AsstError:
            if named:
                raise
            continue
        found[queue_of(profile.name, profile.provider)] = profile
    if not found:
        raise NotSetUpError("No assistant is set up on this machine.", "Set one up.", code="nothing_set_up")
    return found


@dataclass(slots=True)
class Serving:
    """A batch that this worker asks items of, since its `run`. `active`: how many are in flight; `used`: when the last one was."""

    runner: Runner
    run: int
    active: int = 0
    used: float = field(default_factory=time.monotonic)


async def serving_of(database: Database, claim: Claim, profiles: Mapping[str, Profile], slots: int) -> Serving:
    """What it takes to ask the items of the batch of this claim.

    Raises:
        AsstError: they can't be asked here.
        psycopg.Error: the database failed.
    """
    row = await database.row("SELECT queue, spec, run, max_cost, tpm FROM batch WHERE id = %s", claim.batch)
    if row is None or row[0] not in profiles:
        raise NotSetUpError("The batch is for a profile that this machine doesn't have.")
    spec = msgspec.json.decode(row[1], type=Spec)
    configured = spec.configured
    profile = msgspec.structs.replace(profiles[row[0]], model=configured.model)
    limit = None if row[3] is None else float(row[3])

    def connect() -> AssistantProxy:
        asked = [Asked(profile, configured.settings)]
        if limit is None:
            return assemble(asked)
        budget = Budget(limit)
        return with_shared_budget(assemble(asked, budget), budget, database)

    runner = Runner(
        connect,
        configured,
        SharedPace(database, configured.provider, slots, min(START, slots), row[4]),
        prices=PriceTable(),
        schema=ChosenSchema(spec.schema) if spec.schema is not None else None,
        background=spec.background,
    )
    runner.assistant()
    return Serving(runner, row[2])
