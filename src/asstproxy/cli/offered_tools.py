"""The tools of a conversation in the command line: those of its profile, of the MCP servers, and of `--tool`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from ..config.profiles import Profile
from ..core.errors import UsageError
from ..user import UserProxy
from .error_output import print_warning
from .options import ConversationOptions

if TYPE_CHECKING:
    from ..tools import Tool
    from ..tools.toolbox import ServerState, Toolbox

__all__ = ["Approval", "OfferedTools"]

Approval = Literal["ask", "allow", "block"]


class OfferedTools:
    """The tools that a user proxy offers. They may be replaced.

    `behind`: MCP servers start while the conversation goes on; `take_in` offers their tools once they are ready.
    """

    def __init__(self, user: UserProxy, *, behind: bool = False) -> None:
        self._user, self._behind = user, behind
        self._box: Toolbox | None = None
        self._noticed = set[str]()
        self._blocked: dict[str, Tool] = {}
        self._asking = set[str]()  # tools that ask although their code says they need not
        self.waits = False
        """Whether the next message should wait for MCP servers that are still starting."""
        self.on_change: Callable[[], object] = lambda: None
        """Called when an MCP server is ready or has failed."""
        user.add_cleanup(self._close)

    @property
    def toolbox(self) -> Toolbox | None:
        """What they come from, MCP servers, too; None without tools."""
        return self._box

    @property
    def servers(self) -> Sequence[ServerState]:
        """How each MCP server stands, for a toolbar."""
        return self._box.states if self._box is not None else ()

    @property
    def count(self) -> int:
        """How many tools the next message brings along."""
        if self._box is None or not self._box.states:
            return len(self._user.tools)
        return sum(tool.name not in self._blocked for tool in self._box.tools)

    async def offer(self, profile: Profile, options: ConversationOptions) -> None:
        """Offer these in place of those that are offered, whose MCP servers are stopped.

        Raises:
            AsstError: a tool can't be loaded; what was offered still is.
        """
        user, before = self._user, list(self._user.tools.values())
        if options.no_tools or not (profile.tools or options.tools or "mcp" in profile.options):
            _withdraw(user, before)
            await self._close()
            return
        from ..tools.toolbox import open_toolbox, start_toolbox

        try:
            if self._behind:
                box = start_toolbox(profile, tuple(options.tools or ()))
            else:
                box = await open_toolbox(profile, tuple(options.tools or ()))
        except UsageError as error:
            from .templates.mixed_up import template_meant

            raise template_meant(error, options.tools or ()) from error
        _withdraw(user, before)
        try:
            user.offer(box.tools)
        except UsageError:
            user.offer(before)
            await box.aclose()
            raise
        await self._close()
        self._box, self.waits = box, box.is_starting
        box.on_change = self._changed
        self._noticed.clear()
        self._blocked.clear()
        self._asking.clear()
        for notice in self.new_notices():
            print_warning(notice)

    def take_in(self) -> bool:
        """Offer what has come in since, and no longer what was withdrawn; whether anything changed."""
        user, box = self._user, self._box
        self.waits = self.waits and box is not None and box.is_starting
        if box is None or not box.states:
            return False
        before = list(user.tools)
        wanted = {tool.name: self._as_changed(tool) for tool in box.tools if tool.name not in self._blocked}
        for name in before:
            if name not in wanted:
                user.withdraw(name)
        user.offer([tool for name, tool in wanted.items() if name not in user.tools])
        return list(user.tools) != before

    def new_notices(self) -> Sequence[str]:
        """One line about each tool or server that is missing, once."""
        notices = self._box.notices if self._box is not None else []
        new = [notice for notice in notices if notice not in self._noticed]
        self._noticed.update(new)
        return new

    # ---- what may run, in this session ---------------------------------------------------------------------------------

    @property
    def all(self) -> Sequence[Tool]:
        """Those that are offered, and those that the person blocked."""
        return [*self._user.tools.values(), *self._blocked.values()]

    def approval(self, tool: Tool) -> str:
        """When the tool runs, in words: `after asking`, `without asking`, `blocked`."""
        if tool.name in self._blocked:
            return "blocked"
        return "after asking" if self._user.approvals.needs_approval(tool) else "without asking"

    def named(self, name: str) -> Tool:
        """The tool of that name.

        Raises:
            UsageError: there is none.
        """
        for tool in self.all:
            if tool.name == name:
                return tool
        from ..core.near_names import did_you_mean

        near = did_you_mean(name, [one.name for one in self.all])
        raise UsageError(f'No such tool: "{name}".', near or "/tools lists them.")

    def change(self, name: str, to: Approval) -> None:
        """Change when a tool runs, for this session.

        Raises:
            UsageError: the tool is unknown, or always asks.
        """
        tool = self.named(name)
        if to == "allow" and tool.approval == "always-ask":
            raise UsageError(
                f"{name} always asks: it was declared so.", f"To keep it from running: /tools {name} block"
            )
        user, was_blocked = self._user, self._blocked.pop(name, None) is not None
        if to == "block":
            if not was_blocked:
                user.withdraw(name)
            self._blocked[name] = tool
            return
        if to == "ask" and tool.approval == "never":
            self._asking.add(name)
            user.withdraw(name)
            was_blocked = True
        if was_blocked:
            user.offer([self._as_changed(tool)])
        if to == "allow":
            user.approvals.allow(user.tools[name])
        else:
            user.approvals.forget(user.tools[name])

    def _as_changed(self, tool: Tool) -> Tool:
        return replace(tool, approval="ask") if tool.name in self._asking and tool.approval == "never" else tool

    # ---- the end -------------------------------------------------------------------------------------------------------

    def _changed(self) -> None:
        self.on_change()

    async def _close(self) -> None:
        box, self._box = self._box, None
        if box is not None:
            await box.aclose()


def _withdraw(user: UserProxy, tools: Sequence[Tool]) -> None:
    for tool in tools:
        user.withdraw(tool.name)
