"""Every program that is run against the stub, as its users would run it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from process import Program
from rivals import Place
from serving import Stub

__all__ = ["MODEL", "Programs"]

RAW = Path(__file__).with_name("raw")
MODEL = "stub"
PROMPT = "How many?"
SGPTRC = """\
API_BASE_URL={url}
DEFAULT_MODEL={model}
OPENAI_API_KEY=sk-bench
PRETTIFY_MARKDOWN=true
"""
LLM_MODEL = """\
- model_id: {model}
  model_name: {model}
  api_base: {url}
"""


class Programs:
    """The commands; only those whose environment is there."""

    def __init__(self, places: Mapping[str, Place], stub: Stub) -> None:
        self.places, self._stub = places, stub

    def commands(self, **named: tuple[str, ...]) -> dict[str, Program]:
        """`asst_help=("asst", "asst", "--help")`: a name, the place, the command and its arguments."""
        return {
            name: Program([self.places[place].command(command), *arguments], self.places[place].env())
            for name, (place, command, *arguments) in named.items()
            if place in self.places
        }

    def asst(self, *options: str, answer: str = "w200", rate: float = 0, tty: bool = False) -> dict[str, Program]:
        """`asst ask` with the profile `gpt`."""
        place = self.places["asst"]
        env = place.env(OPENAI_BASE_URL=self._stub.url(answer, rate))
        return {"asst": Program([place.command("asst"), "ask", "-p", "gpt", *options, PROMPT], env, tty)}

    def asst_over_chat(self, answer: str = "w200") -> dict[str, Program]:
        """`asst ask` with a profile of `chat-completions`, which lies in the file that every `asst` here reads."""
        place = self.places["asst"]
        file = place.home / "config" / "config.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        url = self._stub.url(answer)
        file.write_text(f'[profiles.chat]\nprovider = "chat-completions"\nmodel = "{MODEL}"\nbase_url = "{url}"\n')
        return {"asst_chat": Program([place.command("asst"), "ask", "-p", "chat", PROMPT], place.env())}

    def llm(self, answer: str = "w200", *, tty: bool = False) -> dict[str, Program]:
        """`llm` on Chat Completions, which is its faster way."""
        if (place := self.places.get("llm")) is None:
            return {}
        folder = place.home / "llm"
        folder.mkdir(exist_ok=True)
        models = folder / "extra-openai-models.yaml"
        models.write_text(LLM_MODEL.format(model=MODEL, url=self._stub.url(answer)))
        return {"llm": Program([place.command("llm"), "-m", MODEL, PROMPT], place.env(), tty)}

    def shell_gpt(self, answer: str = "w200") -> dict[str, Program]:
        """`sgpt` without Markdown: its faster way."""
        if (place := self.places.get("sgpt")) is None:
            return {}
        folder = place.home / ".config" / "shell_gpt"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".sgptrc").write_text(SGPTRC.format(url=self._stub.url(answer), model=MODEL))
        return {"sgpt": Program([place.command("sgpt"), "--no-md", "--no-cache", PROMPT], place.env())}

    def clai(self, answer: str = "w200") -> dict[str, Program]:
        """`clai` on Chat Completions, once."""
        if (place := self.places.get("clai")) is None:
            return {}
        env = place.env(OPENAI_BASE_URL=self._stub.url(answer))
        return {"clai": Program([place.command("clai"), "-m", f"openai-chat:{MODEL}", PROMPT], env)}

    def raw(self, script: str, answer: str = "w200", rate: float = 0) -> dict[str, Program]:
        """A small script in `raw/`: what the protocol costs without a program around it."""
        if (place := self.places.get("raw")) is None:
            return {}
        argv = [str(place.python), str(RAW / f"{script}.py"), self._stub.url(answer, rate), MODEL, PROMPT]
        return {script: Program(argv, place.env())}

    def chats(self) -> dict[str, Program]:
        """The chats; they are ready when their prompt is on the screen."""
        self.llm()  # writes the file that names the model
        chats: dict[str, Program] = {}
        for name, argv, prompt in (
            ("asst", ["asst", "chat", "-p", "gpt"], "›"),
            ("clai", ["clai", "-m", f"openai-chat:{MODEL}"], "➤"),
            ("llm", ["llm", "chat", "-m", MODEL], "\n> "),
        ):
            if place := self.places.get(name):
                env = place.env(OPENAI_BASE_URL=self._stub.url("w200"))
                chats[name] = Program([place.command(argv[0]), *argv[1:]], env, tty=True, until=prompt)
        return chats
