"""The hub: everything that a person sees or keeps is a subscriber of one stream of records."""

from __future__ import annotations

from collections.abc import Callable

from .errors import OutputError
from .events import Record
from .redact import redacting_logger

__all__ = ["Hub", "Subscriber"]

Subscriber = Callable[[Record], None]
_log = redacting_logger(__name__)


class Hub:
    """Gives every record to plain callables, in the order in which they subscribed.

    Subscribers are held strongly: a lambda, or the method of an object that nothing else refers to, stays subscribed.
    """

    def __init__(self) -> None:
        self._subscribers: tuple[tuple[Subscriber, bool], ...] = ()

    def subscribe(self, subscriber: Subscriber, *, essential: bool = False) -> Callable[[], None]:
        """Call `subscriber` with every record from now on; returns the function that ends this.

        An *essential* subscriber (the journal) fails the exchange when it raises. Any other that raises is logged and
        dropped: a broken view must not stop a conversation.
        """
        entry = (subscriber, essential)
        self._subscribers = (*self._subscribers, entry)

        def unsubscribe() -> None:
            self._subscribers = tuple(other for other in self._subscribers if other is not entry)

        return unsubscribe

    def publish(self, record: Record, *, ending: bool = False) -> None:
        """Give the record to every subscriber.

        `ending`: the record ends an exchange that failed; every subscriber gets it, whatever fails now.

        Raises:
            OutputError: a view cannot write its output.
            BrokenPipeError: the same, from a view of a program.
            Exception: what an essential subscriber raised; those that subscribed after it have not got the record.
        """
        for entry in self._subscribers:
            subscriber, essential = entry
            try:
                subscriber(record)
            except Exception as error:
                if ending:
                    continue
                if essential or isinstance(error, BrokenPipeError | OutputError):
                    raise
                _log.exception("a subscriber failed and is dropped: %r", subscriber)
                self._subscribers = tuple(other for other in self._subscribers if other is not entry)
