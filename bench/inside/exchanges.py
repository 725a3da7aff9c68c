"""What an exchange costs when so many went before it in the session: `exchanges.py COUNT`.

Prints a JSON list of milliseconds, of CPU, one for each exchange; the answers are a kilobyte long.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

from asstproxy import Conversation
from asstproxy.providers.scripted import ScriptedProvider, say
from asstproxy.store.store import Store
from asstproxy.user import UserProxy

ANSWER = "The fox jumps over the dog. " * 36


async def main(count: int) -> None:
    """Hold the exchanges."""
    session = Store().create()
    conversation = Conversation(ScriptedProvider(*[say(ANSWER, pieces=40)] * count), UserProxy(), past=session.past)
    conversation.subscribe(session, essential=True)
    costs = []
    for number in range(count):
        began = time.process_time()
        await conversation.exchange(f"Question {number}?")
        costs.append(1000 * (time.process_time() - began))
    session.close()
    print(json.dumps(costs))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
