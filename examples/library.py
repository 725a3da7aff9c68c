"""Hold a conversation from a program, and watch every step: python examples/library.py [PROFILE]"""

from __future__ import annotations

import asyncio
import sys

from asstproxy import Record, Store, start_conversation


def watch(record: Record) -> None:
    """Any callable can be a view."""
    print(f"{record.at}  {record.state:<24} {record.event.type}", file=sys.stderr)


async def main(profile: str) -> None:
    """Ask twice; keep the session."""
    session = Store().create()
    user = start_conversation(profile, instructions="Answer briefly.", session=session)
    user.conversation.subscribe(watch)
    for question in ("What is the capital of France?", "And of Spain?"):
        user.send_user_message(question)
        print(await user.get_assistant_message())
    await user.aclose()
    session.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:] or ["local"]))
