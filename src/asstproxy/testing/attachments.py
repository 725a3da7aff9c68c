"""Tests: the files that go with a message."""

# ruff: noqa: S101 - these are tests

from __future__ import annotations

import base64
import hashlib
import io
import json
import unittest

from ..core.attachment import AttachedFile, Attachment
from ..core.roles import AcceptsAttachments
from .backend import Backend, Text
from .harness import ContractBase, provider_test

__all__ = ["AttachmentTests"]

_DATA = b"\x00\xffthe bytes of a file, which no model in a test looks at"


def _file(media_type: str) -> AttachedFile:
    name = f"attached.{media_type.partition('/')[2]}"
    return AttachedFile(Attachment(hashlib.sha256(_DATA).hexdigest(), media_type, name, len(_DATA)), io.BytesIO(_DATA))


class AttachmentTests(ContractBase):
    """A provider sends the files that it accepts, and copes with those that another one was sent."""

    @provider_test
    async def test_attachment_is_sent(self, backend: Backend) -> None:
        """The model gets the bytes of a file of each media type that the provider accepts, and the text, in this exchange and in
        the next.
        """
        proxy = backend.proxy()
        accepted = await proxy.accepts(proxy.model) if isinstance(proxy, AcceptsAttachments) else {}
        await proxy.aclose()
        if not accepted:
            raise unittest.SkipTest("the provider sends no files")
        for media_type in accepted:
            proxy = backend.proxy()
            backend.will_reply(Text("I see a file."), Text("It is still here."))
            client = self.client(backend, proxy)
            assert await client.expect_answer("what is this?", _file(media_type)) == "I see a file."
            body = json.dumps(backend.received()[-1].body, ensure_ascii=False)
            assert base64.b64encode(_DATA).decode() in body, f"A file of the type {media_type} must be in {body}"
            assert "what is this?" in body, f"The text must be in {body}"
            assert await client.expect_answer("and now?") == "It is still here."
            await proxy.aclose()

    @provider_test
    async def test_attachment_that_is_not_accepted_is_named(self, backend: Backend) -> None:
        """Of a file in the history that the provider does not accept, the model sees the name; the request works."""
        proxy = backend.proxy()
        backend.will_reply(Text("Fine."))
        client = self.client(backend, proxy)
        client.remember("look at this", _file("application/x-nothing-reads-this"), "I saw it.")
        assert await client.expect_answer("what was it?") == "Fine."
        if isinstance(proxy, AcceptsAttachments):
            text = backend.received()[-1].text
            assert "attached.x-nothing-reads-this" in text, f"The name of the file must be in {text}"
        await proxy.aclose()
