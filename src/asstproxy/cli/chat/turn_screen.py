"""What is known of the chat's turns for their drawing: how much to show, what they cost, how full the context is."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence

from ...core.errors import AsstError
from ...core.events import Configured, Record, Started
from ...core.money import Cost
from ...core.script import SETTLED
from ...store.transcript import ExchangeEntry
from ..hints import hint_after
from ..render.detail import Detail
from ..turn_price import turn_price
from .last_turn import LastTurn

__all__ = ["TurnScreen"]


class TurnScreen:
    """Folds the records of the chat. `states`, `thoughts`: whether they are printed whole after every turn."""

    def __init__(self, *, states: bool = False) -> None:
        self.states = states
        self.thoughts = False
        self.last = LastTurn()
        self.window = 0
        self.cost: Cost | None = None
        self.short_id = ""
        self._model = ""  # the one that the person knows of
        self._started = ""
        self._looking: threading.Thread | None = None

    def __call__(self, record: Record) -> None:
        """Fold the next record."""
        self.last(record)
        match record.event:
            case Configured(model=model):
                self._model = model  # /model and the greeting say it
            case Started(model=model):
                self._started = model
            case _:
                pass
        if record.state in SETTLED and self._started:
            self._model, self._started = self._started, ""

    def detail(self, model: str = "") -> Detail:
        """How the next turn is drawn. `model`: the assistant's own, if the configuration names none."""
        return Detail(
            states=self.states,
            thoughts=self.thoughts,
            model=self._model or model,
            hint=lambda event: hint_after(event, chat=True),
            cost=turn_price,
            again="/retry",
            thoughts_command="/thoughts",
        )

    def look_up(
        self, exchanges: Sequence[ExchangeEntry], who: Configured, done: Callable[[], None] = lambda: None
    ) -> None:
        """Find out, in a thread, what these cost so far and how large the model's context is: that takes 0.2 s at first."""
        if self._looking is not None and self._looking.is_alive():
            return
        entries = list(exchanges)

        def look() -> None:
            from ..exchange_cost import exchange_cost, prices

            with contextlib.suppress(AsstError):  # of prices.toml; `/usage` says it
                self.window = prices().rates(who.provider, who.model, profile=who.profile).context or 0
                self.cost = sum(map(exchange_cost, entries), Cost())
            done()

        self._looking = threading.Thread(target=look, name="asst prices", daemon=True)
        self._looking.start()
