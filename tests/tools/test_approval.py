"""Approval: no call that needs a person's yes runs without one, whatever the answer is like, and all is in the records."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AfterValidator

from asstproxy import UsageError, UserProxy, tool
from asstproxy.core.events import (
    ApprovalGiven,
    ApprovalRequested,
    Decision,
    Event,
    ToolCall,
    ToolFinished,
    ToolResult,
    ToolsExecuted,
    ToolStarted,
)
from asstproxy.providers.scripted import say
from asstproxy.tools import Approver, Question, Tool, approve_all, as_tool
from asstproxy.tools.approval import Approvals
from core.stage import Stage, calling

ran: list[str] = []


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    ran.clear()


@tool(approval="ask")
def delete(path: str) -> str:
    """Delete a file."""
    ran.append(path)
    return "deleted"


@tool(approval="always-ask")
def pay(path: str) -> str:
    """Pay for it."""
    ran.append(path)
    return "paid"


@tool(read_only=True)
def look(path: str) -> str:
    """Look at it."""
    ran.append(path)
    return "seen"


TOOLS = [delete, pay, look]
Answer = Callable[[Question], Decision | None]


class Person:
    """Answers every question alike, and remembers them."""

    def __init__(self, answer: Answer) -> None:
        self.answer, self.asked = answer, list[Question]()

    async def __call__(self, questions: Sequence[Question]) -> Sequence[Decision]:
        self.asked += questions
        return [said for question in questions if (said := self.answer(question)) is not None]


def stage_of(*rounds: list[tuple[str, str]], approve: Approver | None = None) -> Stage:
    """Rounds of calls (tool, path), then an answer."""
    replies = [calling(*((name, json.dumps({"path": path})) for name, path in calls)) for calls in rounds]
    return Stage(*replies, say("done"), tools=TOOLS, approve=approve)


async def test_the_question_has_the_tool_and_the_exact_arguments() -> None:
    """Description, approval and what the tool would get, pretty or in one line."""
    person = Person(lambda question: question.yes())
    stage = stage_of([("delete", "a  b\n"), ("look", "c")], approve=person)
    await stage.conversation.exchange("go")
    (question,) = person.asked
    assert (question.tool.name, question.tool.description) == ("delete", "Delete a file.")
    assert question.arguments == '{\n  "path": "a  b\\n"\n}'
    assert question.arguments_line == '{"path": "a  b\\n"}'
    assert await question.problem('{"path": 3}') == "Invalid arguments: path: Input should be a valid string."
    assert await question.problem('{"path": "x"}') is None
    assert ran == ["a  b\n", "c"]
    stage.assert_conforms()


async def test_no_is_told_with_its_reason() -> None:
    """The call never starts; that it ended, and how, is in the records."""
    stage = stage_of([("delete", "a")], approve=Person(lambda question: question.no("Not that one.")))
    await stage.conversation.exchange("go")
    refused = ToolResult("c0", error="The person refused this call. Not that one.")
    assert stage.script.results == [(refused,)]
    assert stage.published(ApprovalGiven) == [
        ApprovalGiven((Decision("c0", approved=False, reason="Not that one.", by="person"),))
    ]
    assert stage.published(ToolStarted) == []
    assert stage.published(ToolFinished) == [ToolFinished(refused, 0.0)]
    assert ran == []
    stage.assert_conforms()


async def test_always_holds_for_this_tool_and_as_long_as_the_program_goes_on() -> None:
    """Other tools are still asked about, and a session that goes on in another program asks again."""
    person = Person(lambda question: question.yes(always=True))
    stage = stage_of(
        [("delete", "a")], [("delete", "b"), ("pay", "c")], [("delete", "d"), ("pay", "e")], approve=person
    )
    await stage.conversation.exchange("go")
    assert [question.call.arguments[10:11] for question in person.asked] == ["a", "c", "e"]
    assert ran == ["a", "b", "c", "d", "e"]
    assert [d.always for said in stage.published(ApprovalGiven) for d in said.decisions] == [True, False, False]
    again = Stage(calling(("delete", '{"path": "f"}')), say("done"), tools=TOOLS, past=stage.records)
    await again.conversation.exchange("more")
    assert again.published(ApprovalRequested)
    assert ran[5:] == []


async def test_always_for_one_call_lets_its_neighbour_run() -> None:
    """Unless the neighbour was refused."""
    for neighbour, expected in ((None, ["a", "b"]), (False, ["a"])):
        ran.clear()

        async def approve(questions: Sequence[Question], neighbour: bool | None = neighbour) -> Sequence[Decision]:
            first, second = questions
            return [first.yes(always=True), *([] if neighbour is None else [second.no()])]

        stage = stage_of([("delete", "a"), ("delete", "b")], approve=approve)
        await stage.conversation.exchange("go")
        assert ran == expected


async def test_always_is_for_one_tool_of_one_source_with_one_schema() -> None:
    """It ends when the source, the description or the parameters change; the same tool loaded again keeps it."""
    first = as_tool(delete, source="a.py:delete")
    approvals = Approvals()
    approvals.apply(_approved("1", always=True), [ToolCall("1", "delete", "{}")], {"delete": first})
    assert not approvals.needs_approval(as_tool(delete, source="a.py:delete"))
    for changed in (
        replace(first, source="b.py:delete"),
        replace(first, source="mcp:files"),
        replace(first, description="Delete everything."),
        replace(first, parameters={"type": "object", "properties": {"all": {"type": "boolean"}}}),
    ):
        assert approvals.needs_approval(changed)


async def test_who_decided_is_recorded() -> None:
    """The person, an earlier always, `--yes`, or nobody; a call that needs no approval names nobody."""
    stage = stage_of(
        [("delete", "a"), ("look", "b")], [("delete", "c")], approve=Person(lambda one: one.yes(always=True))
    )
    await stage.conversation.exchange("go")
    assert [(event.name, event.approved_by) for event in stage.published(ToolStarted)] == [
        ("delete", "person"),
        ("look", ""),
        ("delete", "always"),
    ]
    for approve, by in ((approve_all, "option"), (None, "nobody"), (fails, "nobody")):
        stage = stage_of([("delete", "a")], approve=approve)
        await stage.conversation.exchange("go")
        assert [decision.by for given in stage.published(ApprovalGiven) for decision in given.decisions] == [by]


def test_the_question_names_where_the_tool_comes_from() -> None:
    """A file or package as it was named, an MCP server as one."""
    call = ToolCall("1", "delete", "{}")
    for source, words in (("a.py:delete", "a.py:delete"), ("mcp:time", "MCP server time"), ("", "")):
        assert Question(call, as_tool(delete, source=source)).source == words


async def test_a_tool_that_was_withdrawn_is_asked_about_again() -> None:
    """What was said for always was said about that tool, not about another of its name."""
    user = UserProxy([delete], approve_all)
    given = await user.execute_tools([ToolCall("1", "delete", '{"path": "a"}')], _approved("1", always=True), print)
    assert isinstance(given, ToolsExecuted)
    assert isinstance(await user.execute_tools([ToolCall("2", "delete", '{"path": "b"}')], None, print), ToolsExecuted)
    user.withdraw("delete")
    assert user.tools == {}
    user.offer([delete])
    asked = await user.execute_tools([ToolCall("3", "delete", '{"path": "c"}')], None, print)
    assert isinstance(asked, ApprovalRequested)


def _approved(call_id: str, **more: Any) -> ApprovalGiven:
    return ApprovalGiven((Decision(call_id, approved=True, **more),))


async def test_edited_arguments_are_run_and_the_assistant_is_told() -> None:
    """It must not believe that its own were."""
    stage = stage_of([("delete", "a"), ("pay", "b")], approve=Person(_edit))
    await stage.conversation.exchange("go")
    assert ran == ["mine"]
    assert stage.script.results == [
        (
            ToolResult("c0", 'The person changed the arguments to {"path": "mine"}.\ndeleted'),
            ToolResult(
                "c1",
                error='The person changed the arguments to {"path": 3}. '
                "Invalid arguments: path: Input should be a valid string.",
            ),
        )
    ]
    assert [event.arguments for event in stage.published(ToolStarted)] == ['{"path": "mine"}', '{"path": 3}']


def _edit(question: Question) -> Decision:
    return question.yes(arguments='{"path": "mine"}' if question.tool.name == "delete" else '{"path": 3}')


async def test_nobody_is_asked_about_a_call_that_fails_anyway() -> None:
    """Arguments that do not fit and unknown tools are errors at once."""
    person = Person(lambda question: question.yes())
    replies = calling(("delete", '{"path": 1}'), ("delete", "{"), ("gone", "{}"))
    stage = Stage(replies, say("sorry"), tools=TOOLS, approve=person)
    await stage.conversation.exchange("go")
    assert person.asked == []
    assert [bool(result.error) for result in stage.script.results[0]] == [True] * 3
    assert stage.published(ApprovalRequested) == []


async def test_arguments_that_begin_to_fit_later_do_not_run_unasked() -> None:
    """What was no question when it was looked at is not approved by that."""
    looked: list[int] = []

    def only_later(value: int) -> int:
        looked.append(value)
        if len(looked) == 1:
            raise ValueError("not yet")
        return value

    @tool(approval="ask")
    def wait(value: Annotated[int, AfterValidator(only_later)]) -> None:
        ran.append("ran")

    stage = Stage(calling(("wait", '{"value": 1}')), say("sorry"), tools=[wait], approve=approve_all)
    await stage.conversation.exchange("go")
    problem = "Invalid arguments: value: Value error, not yet."
    assert stage.script.results == [(ToolResult("c0", error=problem),)]
    assert ran == []
    assert looked == [1]


async def test_arguments_are_validated_once() -> None:
    """What the person approved is what the tool gets: code of the types doesn't run again, and what it printed is kept."""
    looked: list[int] = []

    def look_at(value: int) -> int:
        sys.stdout.write("looking\n")
        looked.append(value)
        return len(looked)

    @tool(approval="ask")
    def wait(value: Annotated[int, AfterValidator(look_at)]) -> int:
        sys.stdout.write("waiting\n")
        return value

    stage = Stage(
        calling(("wait", '{"value": 7}'), ("wait", '{"value": 8}')), say("ok"), tools=[wait], approve=approve_all
    )
    await stage.conversation.exchange("go")
    assert [result.output for result in stage.script.results[0]] == [str(looked.index(7) + 1), str(looked.index(8) + 1)]
    assert sorted(looked) == [7, 8]
    assert [event.printed for event in stage.published(ToolFinished)] == ["looking\nwaiting\n"] * 2


async def test_two_calls_of_one_id_are_not_approved_by_one_yes() -> None:
    """The second is an error; the person was asked about the first."""
    person = Person(lambda question: question.yes(always=True))
    user = UserProxy(TOOLS, person)
    calls = [ToolCall("1", "delete", '{"path": "a"}'), ToolCall("1", "pay", '{"path": "b"}')]
    said: list[Event] = []
    asked = await user.execute_tools(calls, None, said.append)
    assert asked == ApprovalRequested((calls[0],))
    done = await user.execute_tools(calls, await user.ask_approval(asked.calls), said.append)
    assert done == ToolsExecuted((ToolResult("1", "deleted"), ToolResult("1", error="Two calls have this call_id.")))
    assert ran == ["a"]


async def fails(questions: Sequence[Question]) -> Sequence[Decision]:
    """The terminal is gone."""
    raise EOFError("gone")


async def test_a_question_that_fails_is_a_no() -> None:
    """The exchange goes on, and the reason is in the records."""
    stage = stage_of([("delete", "a"), ("look", "b")], approve=fails)
    await stage.conversation.exchange("go")
    assert ran == ["b"]
    (given,) = stage.published(ApprovalGiven)
    assert given.decisions[0].reason == "Nobody can be asked. (EOFError: gone)"
    stage.assert_conforms()


async def test_with_nobody_to_ask_the_assistant_learns_that_it_was_no_persons_no() -> None:
    """It may tell the person what to do."""
    stage = stage_of([("pay", "a")])
    await stage.conversation.exchange("go")
    assert stage.script.results[0][0].error == "This call needs a person's approval. Nobody can be asked."


decisions = st.lists(
    st.builds(
        Decision,
        call_id=st.sampled_from(["c0", "c1", "c2", "other"]),
        approved=st.booleans(),
        reason=st.sampled_from(["", "why"]),
        arguments=st.none() | st.sampled_from(['{"path": "edited"}', "{"]),
        always=st.booleans(),
    ),
    max_size=4,
)


@given(st.lists(st.tuples(st.sampled_from(["delete", "pay", "look"]), st.sampled_from("ab")), max_size=3), decisions)
async def test_nothing_runs_without_its_yes(calls: list[tuple[str, str]], said: list[Decision]) -> None:
    """For any calls and any answers: what ran was harmless, or approved by its own decision or by an always."""
    ran.clear()
    person = Person(lambda _: None)

    async def approve(questions: Sequence[Question]) -> Sequence[Decision]:
        await person(questions)
        return said

    stage = stage_of(calls or [("look", "a")], approve=approve)
    await stage.conversation.exchange("go")
    stage.assert_conforms()
    answers = {decision.call_id: decision for decision in said}
    always = {
        question.tool.name
        for question in person.asked
        if (answer := answers.get(question.call.call_id)) and answer.approved and answer.always and question.may_always
    }
    names = {call.call_id: call.name for event in stage.published(ApprovalRequested) for call in event.calls}
    for started in stage.published(ToolStarted):
        answer = answers.get(started.call_id)
        assert started.name == "look" or (answer and answer.approved) or started.name in always
        assert started.name == "look" or started.call_id in names
    assert len(stage.published(ToolFinished)) == max(1, len(calls))


def test_tools_are_offered_all_or_none() -> None:
    """Two of one name are refused with where they come from, and too many with how many are taken."""
    user = UserProxy([look])
    same = as_tool(delete, source="a.py:delete"), as_tool(delete, source="b.py:delete")
    with pytest.raises(UsageError, match=r"Two tools are named 'delete' \(a.py:delete and b.py:delete\)"):
        user.offer(same)
    with pytest.raises(UsageError, match="129 tools are too many: providers take 128"):
        user.offer(Tool(f"t{n}", "", {"type": "object"}, print) for n in range(128))
    assert list(user.tools) == ["look"]


async def test_what_the_tools_needed_is_closed_with_the_conversation() -> None:
    """All of it, the last one first, also when one of them fails."""
    stage = Stage(say("hello"))
    closed: list[int] = []

    async def close(number: int) -> None:
        closed.append(number)
        if number == 2:
            raise OSError("gone")

    for number in (1, 2, 3):
        stage.user.add_cleanup(functools.partial(close, number))
    await stage.conversation.aclose()
    await stage.conversation.aclose()
    assert closed == [3, 2, 1]
