"""The pilot's chat page in Streamlit, on the library: `pip install streamlit && streamlit run examples/streamlit_chat.py`.

It shows how little a front end needs: send a message, read the records. For daily use there is `asst web`, which survives a reload.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import streamlit as st

from asstproxy import UserProxy, start_conversation
from asstproxy.core.events import ChunkReceived, ToolFinished, ToolStarted
from asstproxy.tools.stocks import get_stock_price


async def show(user: UserProxy, question: str, write: Callable[[str], object], path: Callable[[str], object]) -> str:
    """Draw an exchange while it runs; returns the answer."""
    answer, states = "", [""]
    async for record in user.stream(question):
        if states[-1] != record.state:
            states.append(str(record.state))
            path(" ▸ ".join(states[1:]))
        match record.event:
            case ChunkReceived(text=text):
                answer += text
                write(answer)
            case ToolStarted(name=name, arguments=arguments):
                st.chat_message("System", avatar="🔧").code(f"{name}({arguments})")
            case ToolFinished(result=result):
                st.chat_message("System", avatar="🔧").code(result.error or result.output)
    return answer


st.title("asst")
if (
    "user" not in st.session_state
):  # Streamlit runs this file again at every message; these live as long as the browser tab
    st.session_state.user = start_conversation("gpt", tools=[get_stock_price])
    st.session_state.loop, st.session_state.said = asyncio.new_event_loop(), []
for role, text in st.session_state.said:
    st.chat_message(role).markdown(text)
if question := st.chat_input("Ask something"):
    st.chat_message("user").markdown(question)
    with st.chat_message("assistant"):
        states, body = st.empty(), st.empty()
        answered = show(st.session_state.user, question, body.markdown, states.caption)
        said = st.session_state.loop.run_until_complete(answered)
    st.session_state.said += [("user", question), ("assistant", said)]
