"""The tickets: jobs of procrastinate. Its connector is made to outlast a restart of Postgres, and its log to say nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

import psycopg
from procrastinate import App, BaseRetryStrategy, PsycopgConnector, RetryDecision
from procrastinate.connector import Notify
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job

from .database import Database, patiently

__all__ = ["ConnectorException", "GiveBackError", "give_back", "made_app"]


class GiveBackError(Exception):
    """The item is still to be asked: its ticket is given back."""


class _GiveBack(BaseRetryStrategy):
    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision:  # noqa: ARG002 - procrastinate's
        return RetryDecision(retry_in={"seconds": 0})


class _Connector(PsycopgConnector):
    async def execute_query_async(self, query: Any, **arguments: Any) -> None:
        try:
            await patiently(
                lambda: super(_Connector, self).execute_query_async(query, **arguments), passing=_is_passing
            )
        except ConnectorException as error:
            if not isinstance(error.__cause__, psycopg.errors.RaiseException):
                raise  # else the ticket isn't ours any more, and needs no answer

    async def execute_query_one_async(self, query: Any, **arguments: Any) -> dict[str, Any]:
        return await patiently(
            lambda: super(_Connector, self).execute_query_one_async(query, **arguments), passing=_is_passing
        )

    async def execute_query_all_async(self, query: Any, **arguments: Any) -> list[dict[str, Any]]:
        return await patiently(
            lambda: super(_Connector, self).execute_query_all_async(query, **arguments), passing=_is_passing
        )

    async def listen_notify(self, on_notification: Notify, channels: Iterable[str]) -> None:
        channels = list(channels)
        await patiently(lambda: super(_Connector, self).listen_notify(on_notification, channels), passing=_is_passing)


def _is_passing(error: BaseException) -> bool:
    return isinstance(error, ConnectorException) and isinstance(error.__cause__, psycopg.OperationalError)


async def made_app(database: Database) -> App:
    """Procrastinate's app on our pool of connections, without tasks."""
    for name in ("procrastinate", "psycopg.pool"):
        logger = logging.getLogger(name)
        if logger.level == logging.NOTSET:  # what matters, we report
            logger.setLevel(logging.CRITICAL)
    app = App(connector=_Connector())
    await app.connector.open_async(database.pool)
    return app


def give_back() -> BaseRetryStrategy:
    """The strategy of our task: whatever went wrong, the ticket is given back."""
    return _GiveBack()
