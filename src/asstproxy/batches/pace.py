"""The pace of a batch: how many requests run at a time, and when the next one may start.

Every request passes the gate. A refusal (429) closes it for all until the time that the provider names, and halves the number
of requests at a time; each success lets it grow again. Requests and tokens per minute are held over a sliding window.

How long an answer is, nobody knows before it is there: a request counts with the length of the longest ones of late. Until one
is known, a request counts for all tokens of a minute, so that the first one goes out alone.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque

__all__ = ["MOST", "START", "Pace", "Pass"]

MOST, START = 64, 8
"""Requests at a time: the most, and at first, if nobody says."""
MINUTE = 60.0
PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds of pause after a refusal that names no time: the first one, which doubles while nothing is answered, and the last."""
LONGEST_WAIT = 3600.0
"""Seconds that a provider may ask to wait for."""
GIVES_UP = 7200.0
"""Seconds without any answer after which a refusal is final."""


class Pass:
    """What one request got at the gate: when, in which era, and the tokens that count for it, `sent` of which it sends.

    `is_guess`: they are the tokens of a minute, since the length of an answer isn't known yet.
    """

    __slots__ = ("at", "era", "is_counted", "is_guess", "sent", "tokens")

    def __init__(self, at: float, era: int, sent: int, tokens: int, *, is_guess: bool = False) -> None:
        self.at, self.era, self.sent, self.tokens, self.is_guess = at, era, sent, tokens, is_guess
        self.is_counted = False  # within the sliding window

    def used(self, tokens: int | None) -> int | None:
        """The tokens that count now that it is over; None: those that did. A provider may report none at all."""
        return self.sent if tokens is None and self.is_guess else tokens


class Pace:
    """Lets requests pass. `most` at a time, `start` of them at first; `rpm` and `tpm` are requests and tokens a minute.

    An *era* ends with each halving: requests of the era before, which were on their way then, don't halve again.
    """

    def __init__(self, most: int, start: int | None = None, *, rpm: int | None = None, tpm: int | None = None) -> None:
        self.limit = min(start or most, most)
        self.refusals = 0
        self._most, self._rpm, self._tpm = most, rpm, tpm
        self._running = 0
        self._era, self._grown, self._is_slow = 0, 0, False
        self._peak = 0  # of those that ran at a time in this era
        self._not_before = 0.0
        self._refused_since: float | None = None  # the first refusal since the last answer
        self._eras_refused = 0  # since then
        self._waiting: deque[tuple[asyncio.Future[Pass], int]] = deque()
        self._window: deque[Pass] = deque()
        self._window_tokens = 0
        self._timer: asyncio.TimerHandle | None = None
        self._answer_tokens: float | None = None  # of an answer: rises at once, falls slowly

    @property
    def pause(self) -> float:
        """Seconds for which the provider has asked everybody to wait, from now on."""
        return max(self._not_before - time.monotonic(), 0.0)

    @property
    def window_pause(self) -> float:
        """Seconds until the next request may start, because of the limits for a minute."""
        return (
            max(self._timer.when() - asyncio.get_running_loop().time(), 0.0) if self._timer and not self.pause else 0.0
        )

    async def enter(self, tokens: int = 0) -> Pass:
        """Wait until a request may start; `tokens` is how many it sends, about."""
        if not self._waiting and self._wait(tokens) == 0:
            return self._admit(tokens)
        future: asyncio.Future[Pass] = asyncio.get_running_loop().create_future()
        self._waiting.append((future, tokens))
        self._pump()
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self.leave(future.result())
            raise

    def leave(self, given: Pass, tokens: int | None = None) -> None:
        """A request is over; `tokens` are those that it used, if that is known."""
        self._running -= 1
        tokens = given.used(tokens)
        if tokens is not None:
            if tokens:  # a request that failed says nothing about the length of answers
                answer, before = max(tokens - given.sent, 0), self._answer_tokens or 0.0
                self._answer_tokens = max(float(answer), before + (answer - before) * 0.1)
            if given.is_counted:
                self._window_tokens += tokens - given.tokens
                given.tokens = tokens
        self._pump()

    def succeeded(self, given: Pass) -> None:
        """A request was answered: more may run at a time, up to twice as many as ever did since the last refusal."""
        if given.era != self._era:
            return
        self._refused_since, self._eras_refused = None, 0
        if self.limit >= min(self._most, 2 * self._peak):
            return
        self._grown += 1
        if not self._is_slow or self._grown >= self.limit:
            self._grown = 0
            self.limit += 1

    def refused(self, given: Pass, retry_after: float | None) -> bool:
        """A request was refused: nobody asks before that time (in seconds), and fewer ask at a time.

        Returns whether it is worth asking again then.
        """
        now = time.monotonic()
        self.refusals += 1
        if self._refused_since is None:
            self._refused_since = now
        if retry_after is not None and not 0 <= retry_after <= LONGEST_WAIT:
            return False
        pause = min(PAUSE * 2.0 ** min(self._eras_refused, 10), LONGEST_PAUSE) if retry_after is None else retry_after
        self._not_before = max(self._not_before, now + pause)
        if given.era == self._era:
            self._era += 1
            self._eras_refused += 1
            self._is_slow, self._grown, self._peak = True, 0, 0
            self.limit = max(self.limit // 2, 1)
        return now - self._refused_since < GIVES_UP

    def _wait(self, tokens: int) -> float | None:
        """Seconds until a request may start; None: when another one is over."""
        if self._running >= self.limit:
            return None
        now = time.monotonic()
        wait = self._not_before - now
        if self._rpm is not None or self._tpm is not None:
            wait = max(wait, self._window_wait(now, self._counted(tokens)))
        return max(wait, 0.0)

    @property
    def _knows_answers(self) -> bool:
        return self._answer_tokens is not None

    def _counted(self, sent: int) -> int:
        """The tokens that count for a request that sends so many, until it is over."""
        if self._answer_tokens is None:
            return max(sent, self._tpm or 0)
        return sent + int(self._answer_tokens)

    def _window_wait(self, now: float, tokens: int) -> float:
        window = self._window
        while window and window[0].at <= now - MINUTE:
            gone = window.popleft()
            gone.is_counted = False
            self._window_tokens -= gone.tokens
        wait = 0.0
        if self._rpm is not None and len(window) >= self._rpm:
            wait = window[len(window) - self._rpm].at + MINUTE - now
        if self._tpm is not None and window:
            excess = self._window_tokens + min(tokens, self._tpm) - self._tpm
            for one in window:
                if excess <= 0:
                    break
                excess -= one.tokens
                wait = max(wait, one.at + MINUTE - now)
        return wait

    def _admit(self, tokens: int) -> Pass:
        self._running += 1
        self._peak = max(self._peak, self._running)
        is_guess = not self._knows_answers and self._tpm is not None
        given = Pass(time.monotonic(), self._era, tokens, self._counted(tokens), is_guess=is_guess)
        if self._rpm is not None or self._tpm is not None:
            given.is_counted = True
            self._window.append(given)
            self._window_tokens += given.tokens
        return given

    def _pump(self) -> None:
        """Admit those that may start now; for the others, come back in time."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiting:
            future, tokens = self._waiting[0]
            if future.done():
                self._waiting.popleft()
                continue
            wait = self._wait(tokens)
            if wait is None:
                return
            if wait > 0:
                self._timer = asyncio.get_running_loop().call_later(wait, self._pump)
                return
            self._waiting.popleft()
            future.set_result(self._admit(tokens))
