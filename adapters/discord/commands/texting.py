"""Long texts: asked for in a modal with the present text in it, or handed out as a file where they are too long for one."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from adapters.discord.commands import editing, forms
from adapters.discord.commands.asking import Asker
from adapters.discord.commands.editing import Stories
from adapters.discord.commands.replying import Reply
from adapters.discord.commands.tree import FIELD_TEXT, TEXT_FILE, command_name, spec_of, takes_text_file
from adapters.discord.commands.walls import Opens
from bot import texts
from bot.commands.parse import check
from bot.commands.spec import CommandSpec
from bot.errors import CourierError, Refused
from bot.flow.decide import circle
from bot.flow.desk import Answer
from bot.ids import AuthorId, MessageId, Place
from bot.ports.store import Store
from bot.posts import ChannelLimits
from bot.story.session import Session

Values = Mapping[str, str | int]

GUARDED = frozenset({"edit", "summary edit"})
"""Commands whose text takes the place of another that may have changed since it was shown: nothing is lost unseen."""

FREE = frozenset({"report"})
"""Commands with a text that need no story."""


@dataclass(frozen=True, slots=True)
class Texting:
    """Asks for texts, and judges what comes back. All raise Refused and StoreUnavailable."""

    store: Store
    courier: Opens
    operators: Collection[AuthorId] = ()
    _stories: Stories = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_stories", Stories(self.store))

    async def ask(self, reply: Reply, asker: Asker, spec: CommandSpec, values: Values) -> None:
        """Ask for a command's long text; where the present one is too long for a field, it goes out as a file instead."""
        values = await self.completed(asker.place, spec, values)
        # What is wrong with the other options is said before anybody writes a long text for nothing.
        text = forms.asks_for(spec)
        checked = check(spec, {**values, **({text.name: "-"} if text else {})})
        values = {name: checked[name] for name in values if name in checked}
        present = await self._present(asker, spec, values)
        if len(present) > FIELD_TEXT and takes_text_file(spec):
            await reply.say(_handed_out(spec, present))
            return
        was = forms.mark(present) if spec.name in GUARDED else ""
        await reply.ask(forms.form(spec, values, present, _title(spec, values), was=was))

    async def completed(self, place: Place, spec: CommandSpec, values: Values) -> dict[str, str | int]:
        """The values with what goes without saying: an edit is of the newest post, help knows slash commands by their names."""
        whole = dict(values)
        if spec.name == "edit" and "turn" not in whole:
            whole["turn"] = (await self._stories.turn(place)).number
        if spec.name == "help" and (topic := spec_of(str(whole.get("command", "")).strip().removeprefix("/").casefold())):
            whole["command"] = topic.name
        return whole

    async def checked(self, asker: Asker, filled: forms.Filled) -> tuple[Values, Answer | None]:
        """What a modal brought; with an answer in its stead when the story holds another text by now than was shown."""
        if filled.was and filled.was != forms.mark(await self._present(asker, filled.spec, filled.values)):
            text = forms.asks_for(filled.spec)
            return {}, _given_back(str(filled.values.get(text.name, "")) if text else "")
        return filled.values, None

    async def post_edited(self, place: Place, post: tuple[MessageId, str], text: str) -> tuple[Values, Answer | None]:
        """The edit of a turn that the edit of one of its posts is; or an answer in its stead, likewise."""
        pointed = await self._stories.post(place, post[0], await self.limits(place))
        if forms.mark(pointed.text) != post[1]:
            return {}, _given_back(text)
        if not text.strip():
            raise Refused("A post cannot be empty; /delete takes a whole reply out of the story.")
        return {"turn": pointed.turn.number, "text": pointed.replaced(text)}, None

    async def limits(self, place: Place) -> ChannelLimits:
        """What a place accepts. Raises Refused where that is not known now."""
        try:
            return await self.courier.limits(place)
        except CourierError as error:
            raise Refused(str(error)) from error

    async def _present(self, asker: Asker, spec: CommandSpec, values: Values) -> str:
        """The text that a command would replace; empty when there is none. Raises Refused where the command is not theirs."""
        session = await self.store.session_at(asker.place)
        if session is None:
            if spec.name in FREE:
                return ""
            raise Refused(texts.NO_SESSION)
        who = circle(session, asker.command(spec.name, {}), self.operators)
        if not who.may(spec.who):
            raise Refused(texts.NOT_YOURS[spec.who])
        return await self._text(asker, session, spec, values)

    async def _text(self, asker: Asker, session: Session, spec: CommandSpec, values: Values) -> str:
        match spec.name:
            case "persona set":
                persona = session.persona_of(asker.author) or await self.store.default_persona(asker.author)
                return persona.description if persona else ""
            case "scenario":
                return session.scenario
            case "note":
                return session.memory.note
            case "summary edit":
                return session.memory.summary
            case "edit":
                return (await self._stories.turn(asker.place, int(values["turn"]))).text
        return ""


def _title(spec: CommandSpec, values: Values) -> str:
    return f"Edit post {values['turn']}" if spec.name == "edit" else spec.help


def _handed_out(spec: CommandSpec, text: str) -> Answer:
    told = editing.TOO_LONG if spec.name == "edit" else editing.TOO_LONG_BUT_WHOLE
    sentence = told.format(count=len(text), most=FIELD_TEXT, command=command_name(spec.name), option=TEXT_FILE)
    return Answer(sentence, text.encode("utf-8", "replace"), "text.txt", "text/plain")


def _given_back(text: str) -> Answer:
    return Answer(editing.CHANGED, text.encode("utf-8", "replace"), "your-text.txt", "text/plain")
