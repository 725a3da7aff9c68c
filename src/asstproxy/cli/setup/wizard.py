"""`asst setup PROVIDER`: find out, ask for the rest, check, show what changes, save.

Nothing is saved before everything is known, so that ending it earlier changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...config.credentials import find_key, require_keyring, store_key, temporary_key
from ...config.edit import set_profile
from ...config.provider_info import SERVER_QUESTIONS, SetupQuestion
from ...core.errors import AsstError, NotSetUpError, UsageError
from .instructions import ask_instructions
from .keys import check_variable, find_key_or_ask, found_addresses, is_declared, key_variable, refuse_foreign_key
from .models import RefusedKeyError, check_connection, choose_model, judge, only_model
from .profile_draft import ProfileDraft, checked_url, require_writable_config, start_draft
from .prompts import ask, ask_until, begin_step, choose, confirm, say
from .remote import provisioned
from .setup_options import SetupOptions
from .stages import run_stages
from .steps import SetupSteps, steps_of

__all__ = ["setup"]


def setup(
    provider: str,
    options: SetupOptions | None = None,
    steps: SetupSteps | None = None,
    answers: Mapping[str, str | bool] | None = None,
    *,
    has_before: bool = False,
) -> None:
    """Create or change a profile of this provider. `answers` are the provider's own options, by the keys of the profile.

    Raises:
        UsageError: an option is wrong.
        NotSetUpError: something is missing, or the provider refuses. Nothing was changed.
        GoBack: the person wants what came before (`has_before`): to choose another provider.
    """
    options, steps = options or SetupOptions(), steps or steps_of(provider)()
    require_writable_config()
    draft = start_draft(provider, options, answers or {})
    if options.keyring:
        require_keyring()
    for address in found_addresses(draft.info):
        say(f"Found: {address}.")

    def prepare() -> None:
        begin_step(f"{draft.name} · step 1 of 4 · assistant")
        _answer_questions(draft)
        steps.prepare(draft)

    def connect() -> None:
        begin_step(f"{draft.name} · step 2 of 4 · key")
        _find_key(draft)
        _check_until_accepted(draft, steps)

    def instruct() -> None:
        begin_step(f"{draft.name} · step 4 of 4 · instructions and tools")
        if options.asking:
            with temporary_key(draft.key.variable, draft.key.new):
                ask_instructions(draft.saved, draft.changes)

    def save() -> None:
        begin_step("")
        with temporary_key(draft.key.variable, draft.key.new), steps.provision(draft), provisioned(draft):
            _save(draft)

    run_stages(draft, (prepare, connect, instruct, save), has_before=has_before)


def _answer_questions(draft: ProfileDraft) -> None:
    """What the provider wants to know beyond key, address and model; without an answer, its default."""
    for question in draft.info.questions if is_declared(draft.provider) else SERVER_QUESTIONS:
        if question.key in draft.changes:
            continue
        saved = draft.saved.get(question.key)
        if draft.options.asking and question.asked:
            answer = _ask_question(question, question.default if saved is None else _as_text(saved))
        elif saved is None:
            answer = question.default
        else:
            continue
        if answer or saved is not None:
            draft.changes[question.key] = _as_value(question, answer)


def _ask_question(question: SetupQuestion, default: str) -> str:
    prompt = question.prompt.rstrip(".")
    if question.choices:
        return choose(prompt, [(choice, "") for choice in question.choices], default)
    check = {"base_url": checked_url, "api_key_env": check_variable}.get(question.key, str)
    return ask_until(prompt, default, lambda typed: typed and check(typed))


def _as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _as_value(question: SetupQuestion, answer: str) -> str | bool | None:
    if set(question.choices) == {"true", "false"} and answer:
        return answer == "true"
    return answer or None


def _find_key(draft: ProfileDraft) -> None:
    options, key = draft.options, draft.key
    if given := str(draft.merged.get("api_key_env") or ""):
        check_variable(given)
    key.keyring = options.keyring
    key.variable = key_variable(draft.profile)
    if options.key_stdin and not key.variable and draft.info.key_optional:
        key.variable = draft.info.key_variables[-1]
    if key.variable:
        find_key_or_ask(key, draft.profile, asking=options.asking, from_stdin=options.key_stdin)
    elif options.key_stdin:
        raise UsageError("This profile doesn't need a key.", "If its server wants one, add: --api-key-env NAME")


def _check_until_accepted(draft: ProfileDraft, steps: SetupSteps) -> None:
    """Check. If a key that was just typed is refused, ask for another one."""
    key, options = draft.key, draft.options
    while True:
        begin_step(f"{draft.name} · step 3 of 4 · model")
        try:
            with temporary_key(key.variable, key.new):
                if not options.no_check:
                    steps.adapt(draft)
                return _check(draft)
        except RefusedKeyError as error:
            if not options.asking or key.new is None or options.key_stdin:
                raise
            say(str(error), style="asst.bad")
            key.new = None
            begin_step("")  # it is still the step of the key, whose heading stands above
            find_key_or_ask(key, draft.profile, asking=True, from_stdin=False)


def _check(draft: ProfileDraft) -> None:
    """See that the key works and that the model exists; choose a model."""
    options, key, models = draft.options, draft.key, None
    if not options.no_check:
        value = find_key(key.variable) if key.variable else None
        if value and not draft.merged.get("base_url") and not found_addresses(draft.info):
            refuse_foreign_key(value, draft.info, key.variable)
        if value or not key.variable:
            models = check_connection(draft)
    at_server = draft.changes.get(draft.info.remote) and not options.model  # which has a model
    if draft.model_choice == "fixed" or at_server:
        return
    required = draft.model_choice == "required"
    model = draft.profile.model or draft.info.default_model
    if not model and models and (len(models) == 1 or not options.asking):
        draft.changes["model"] = only_model(models)
    elif options.asking and not options.model and not (required and model):
        draft.changes["model"] = choose_model(draft, models, model) or ask("Model") or None
    else:
        judge(model, models, draft.provider)
    nobody_chooses = (
        draft.info.key_variables
        and not draft.info.key_optional
        and not draft.info.default_model
        and is_declared(draft.provider)
    )
    if (required or nobody_chooses) and not draft.merged.get("model"):
        raise NotSetUpError("The server needs the name of a model.", "Name one: --model NAME")


def _save(draft: ProfileDraft) -> None:
    config, name, options, key = draft.config, draft.name, draft.options, draft.key
    default = options.default or not config.default
    if options.asking:
        say()
    if options.asking and not default and config.default != name:
        default = confirm(f"Make {name} the default profile (now: {config.default})?", default=False)
    change = set_profile(name, draft.changes, default=default)
    say(f"{change.path}:")
    for line in change.diff:
        say(f"  {line}", style={"+": "asst.good", "-": "asst.bad"}.get(line[:1], ""))
    if not change:
        say("  no changes")
    if key.new:
        say(f"{key.variable} goes into {'the keyring' if key.keyring else 'credentials.toml (0600)'}.")
    if options.asking and (change or key.new) and not confirm("Save this?", default=True):
        raise NotSetUpError("Nothing was changed.")
    change.write()
    if key.new:
        try:
            store_key(key.variable, key.new, keyring=key.keyring)
        except AsstError:
            change.undo()
            raise
    flag = "" if default or config.default == name else f"-p {name} "
    say(f'Try it: asst ask {flag}"What is the capital of France?"')
