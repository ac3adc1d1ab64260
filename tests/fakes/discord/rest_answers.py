"""REST for answers to interactions: the first answer, the original message, followups; all by the interaction's token."""

from typing import Any

from tests.fakes.discord import payloads, posting, refusals
from tests.fakes.discord.interactions import ALLOWED, Answers, Callback, Interaction
from tests.fakes.discord.records import LOADING, Json, Message, Type, parts
from tests.fakes.discord.routes import NOTHING, Answer, Call, Routes

ANSWERS = Routes()
MAX_CHOICES = 25
MAX_IN_MODAL = 5


def of_interaction(call: Call) -> Interaction | None:
    """The interaction whose webhook the path names; None where it names a webhook of a channel."""
    found = call.world.interactions.get(call.parameters["token"])
    if call.parameters["webhook"] != str(call.world.application_id):
        return None
    if found is None:
        raise refusals.wrong_webhook_token()
    found.check_later()
    return found


@ANSWERS.on("POST", "/interactions/{interaction}/{token}/callback", needs_token=False)
def first(call: Call) -> Answer:
    asked = call.world.interactions.get(call.parameters["token"])
    if asked is None or asked.id != call.id("interaction"):
        raise refusals.unknown("Interaction")
    asked.check_first()
    kind, data = _kind(asked, call.body), call.body.get("data") or {}
    if kind is Answers.CHOICES:
        _check_choices(data.get("choices") or [])
    elif kind is Answers.MODAL:
        _check_modal(data)
    else:
        _answer(asked, kind, data, call.files)
    asked.callback = Callback(kind, data, call.world.clock.now() - asked.asked)
    call.world.touch()
    if call.exchange.query.get("with_response") not in {"1", "true"}:
        return NOTHING
    return 200, {"interaction": asked.as_answer()} | _resource(asked, kind)


def _kind(asked: Interaction, body: Json) -> Answers:
    try:
        kind = Answers(body.get("type", 0))
    except ValueError:
        raise refusals.invalid("type", "BASE_TYPE_CHOICES", "Unknown type of answer.") from None
    updates = kind in (Answers.UPDATE, Answers.DEFERRED_UPDATE) and asked.source is None
    if kind not in ALLOWED[asked.asks] or updates:
        raise refusals.invalid("type", "INTERACTION_APPLICATION_COMMAND_CALLBACK_TYPE_INVALID", "Not for this interaction.")
    return kind


def _resource(asked: Interaction, kind: Answers) -> Json:
    """What the answer made, for answers that made it at once; a deferred one has made nothing to show yet."""
    if kind not in (Answers.MESSAGE, Answers.UPDATE):
        return {}
    assert asked.original is not None
    return {"resource": {"type": int(kind), "message": payloads.message(asked.world, asked.original)}}


def _check_choices(choices: list[Json]) -> None:
    if len(choices) > MAX_CHOICES:
        raise refusals.invalid("data.choices", "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
    for number, each in enumerate(choices):
        if not 1 <= len(each["name"]) <= 100 or len(str(each["value"])) > 100:
            raise refusals.invalid(
                f"data.choices.{number}.name", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length."
            )


def _check_modal(data: Json) -> None:
    top: list[Json] = data.get("components") or []
    if not 1 <= len(data.get("title") or "") <= 45:
        raise refusals.invalid("data.title", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 45 in length.")
    if not 1 <= len(data.get("custom_id") or "") <= 100:
        raise refusals.invalid("data.custom_id", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")
    if not 1 <= len(top) <= MAX_IN_MODAL:
        raise refusals.invalid("data.components", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.")
    for each in parts(top):
        if each["type"] == 4 and not len(each.get("value") or "") <= (each.get("max_length") or 4000) <= 4000:
            raise refusals.invalid("data.components.0.value", "BASE_TYPE_MAX_LENGTH", "Must be 4000 or fewer in length.")
        if len(each.get("label") or "") > 45:
            raise refusals.invalid("data.components.0.label", "BASE_TYPE_MAX_LENGTH", "Must be 45 or fewer in length.")


def _answer(asked: Interaction, kind: Answers, data: Json, files: posting.Files) -> None:
    if kind is Answers.MESSAGE:
        asked.original = _new(asked, data, files, asked.type)
    elif kind is Answers.DEFERRED:
        message = Message(asked.world.new_id(), asked.channel, asked.world.bot, type=asked.type, **_about(asked))
        message.flags = LOADING | (data.get("flags") or 0)
        asked.original = posting.create(asked.world, message)
    elif kind is Answers.UPDATE:
        assert asked.source is not None
        asked.original = posting.edit(asked.world, asked.source, data, files)
    elif kind is Answers.DEFERRED_UPDATE:
        asked.original = asked.source


def _about(asked: Interaction) -> Json:
    own = asked.world.application_id
    return {"application_id": own, "webhook_id": own, "metadata": asked.metadata}


def _new(asked: Interaction, body: Json, files: posting.Files, kind: Type) -> Message:
    message = Message(asked.world.new_id(), asked.channel, asked.world.bot, type=kind, **_about(asked))
    posting.fill(asked.world, message, body, files)
    return posting.create(asked.world, message)


def _edit(asked: Interaction, message: Message, body: Json, files: posting.Files) -> Message:
    """Edit a message; one that said that the application is thinking says so no more."""
    before, message.flags = message.flags, message.flags & ~LOADING
    try:
        posting.edit(asked.world, message, body, files)
    except refusals.Refusal:
        message.flags = before
        raise
    if message is asked.original:
        message.metadata = asked.metadata or message.metadata
    return message


def follow(call: Call, asked: Interaction) -> Answer:
    """A followup; while the original message says that the application is thinking, it becomes that message."""
    if asked.original is not None and asked.original.is_loading and not asked.original.is_deleted:
        body = {key: value for key, value in call.body.items() if key != "flags"}
        return 200, payloads.message(call.world, _edit(asked, asked.original, body, call.files))
    body = call.body | {"flags": (call.body.get("flags") or 0) & ~LOADING}
    message = _new(asked, body, call.files, Type.REPLY)
    if asked.original is not None and not asked.original.is_deleted:
        message.referenced = asked.original
    asked.followups.append(message)
    call.world.touch()
    return 200, payloads.message(call.world, message)


def find(call: Call, asked: Interaction) -> Message:
    """The message that the path names, `@original` among them. Raises Refusal."""
    wanted = call.parameters["message"]
    known: list[Any] = [asked.original, *asked.followups]
    found = asked.original if wanted == "@original" else next((each for each in known if each and str(each.id) == wanted), None)
    if found is None or found.is_deleted:
        raise refusals.unknown("Message")
    return found


def get(call: Call, asked: Interaction) -> Answer:
    return 200, payloads.message(call.world, find(call, asked))


def edit(call: Call, asked: Interaction) -> Answer:
    return 200, payloads.message(call.world, _edit(asked, find(call, asked), call.body, call.files))


def delete(call: Call, asked: Interaction) -> Answer:
    posting.delete(call.world, [find(call, asked)])
    return NOTHING
