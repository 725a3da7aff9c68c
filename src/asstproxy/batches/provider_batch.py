"""A batch from a file into a file, through the batch API of its provider: it can be left at any moment, and taken up again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from ..core.errors import AssistantError
from ..providers.batch_api import BatchApi
from .collecting import collect_all, collect_done, look
from .file_batch import refuse_foreign
from .job_book import JobBook
from .jobs import Job
from .journal import folder_of, open_journal
from .ledger import Ledger
from .output import Output, OutputForm
from .pace import Pace
from .packing import REQUESTS
from .past import load_past, require_same
from .result import Prices
from .runner import Progress
from .sending import Submission, send
from .stopping import Stopping

__all__ = ["ProviderBatch"]


@dataclass(slots=True)
class ProviderBatch:
    """`connect` makes the batch API of a profile with a model; `say` shows a line to the person.

    `run`, `fetch` and `cancel` raise:
        UsageError: the output belongs to another input, an item has changed since it was asked, or is asked in another way.
        NotSetUpError: a profile or its key is missing.
        SessionInUseError: another process works on this batch.
        AssistantError: the provider refuses, or doesn't have a batch any more.
        OSError: a file can't be written; what was written is whole.
    """

    out: Path
    connect: Callable[[str, str], BatchApi]
    ledger: Ledger = field(default_factory=Ledger)
    prices: Prices | None = None
    form: OutputForm = "asst"
    ordered: bool = False
    limit: int | None = None
    pace: Pace | None = None
    say: Callable[[str], None] = lambda _: None
    opened: Callable[[], None] = lambda: None
    progress: Progress = field(default_factory=Progress)
    stopping: Stopping = field(default_factory=Stopping)
    jobs: list[Job] = field(default_factory=list)
    """The batches that were at their provider when a method returned."""
    _apis: dict[tuple[str, str], BatchApi] = field(default_factory=dict)

    async def run(self, submission: Submission) -> None:
        """Send what is to be asked, wait, and collect the results."""
        refuse_foreign(self.out)
        api = self._api(submission.profile, submission.configured.model)
        async with self._open(submission) as book:
            await self._recover(book)
            if submission.retry_failed:
                book.output.reopen_failed(submission.limit)
            await send(book, submission, api, folder_of(self.out), self.stopping)
            await collect_all(book, self._of, self.stopping)

    async def fetch(self) -> None:
        """Collect what is done now."""
        async with self._open(None) as book:
            await self._recover(book)
            await collect_done(book, self._of)

    async def cancel(self) -> None:
        """Ask the provider to stop every batch. What it doesn't have is forgotten: its items are to be asked again."""
        async with self._open(None) as book:
            await self._recover(book)
            for job in book.open_jobs:
                api = self._of(job)
                try:
                    if not (await look(job, api, str(self.out))).is_over:
                        await api.cancel(job.token)
                except AssistantError as error:
                    if error.code != "batch_lost":
                        raise
                    await book.drop(job)

    @asynccontextmanager
    async def _open(self, submission: Submission | None) -> AsyncIterator[JobBook]:
        journal = open_journal(self.out, self.form, submission.asked if submission is not None else None)
        try:
            if submission is None:
                self.form = "openai" if journal.head.form == "openai" else "asst"
                past = load_past(journal, self.ledger, self.out, None)
            else:
                retries = submission.retry_failed
                require_same(journal.head, self.out, self.form, submission.asked, retry_failed=retries)
                past = load_past(journal, self.ledger, self.out, submission.source.name, retry_failed=retries)
            if submission is None:
                self.ordered = any(job.ordered for job in past.jobs.values())
            for left in folder_of(self.out).glob(f"{REQUESTS}-*.jsonl"):
                left.unlink(missing_ok=True)
            output = Output(self.out, self.form, self.ledger, ordered=self.ordered)
            book = JobBook(journal, output, self.ledger, past, self.prices, self.progress, self.say, self.ordered)
            try:
                self.opened()
                book.write_settled()
                yield book
            finally:
                self.jobs = book.open_jobs
                output.close()
        finally:
            journal.close()
            for api in self._apis.values():
                await api.aclose()

    def _of(self, job: Job) -> BatchApi:
        return self._api(job.profile, job.model)

    def _api(self, profile: str, model: str) -> BatchApi:
        if (profile, model) not in self._apis:
            self._apis[profile, model] = self.connect(profile, model)
        return self._apis[profile, model]

    async def _recover(self, book: JobBook) -> None:
        """Find out what became of the batches that were being sent when a process died."""
        for job in book.open_jobs:
            if job.state != "sending":
                continue
            api = self._of(job)
            if (token := await api.find(job.name, job.token)) is not None:
                await book.save(replace(job, state="sent", token=token))
                continue
            await book.drop(job)
            self.say(
                f"The last run ended while it sent a batch of {job.count:,} items. {api.vendor} doesn't have it, so they are"
                " to be sent again."
            )
