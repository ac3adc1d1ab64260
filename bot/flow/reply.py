"""One reply on its way into the store: posts as they become sure, and how it ends. It knows no engine.

Rule 1: `session` is always the session as it is stored, so that whatever comes next builds on what was stored last.
Rule 2: nothing here waits for anybody but the store: a step that stores something is never given up half-way.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from bot import texts
from bot.chunking.chunker import cut
from bot.flow.gate import fault
from bot.flow.scribe import Scribe
from bot.flow.walks import Walk
from bot.flow.wishes import notice, removals_for, wishes_for
from bot.ids import Place
from bot.ports.store import Change, Store, Wish
from bot.story.acts import give_up
from bot.story.session import Session, with_turn
from bot.story.settings import Length
from bot.story.turn import Turn, Variant, VariantState


@dataclass(frozen=True, slots=True)
class Ending:
    """How a reply ended: what state it is in, and whether it is trimmed to its last whole sentence.

    `is_cut` says that there was no room for more. `silent` and `unchanged` are said (unless empty) when nothing, or nothing
    new, was written.
    """

    state: VariantState
    cut_short: bool
    is_cut: bool = False
    silent: str = ""
    unchanged: str = ""


@dataclass(slots=True)
class Reply:
    """The open turn of a session while it is written. `heard` is called whenever the model has said something.

    `spent` are the tokens that it has cost since it was stored last.
    """

    session: Session
    scribe: Scribe
    store: Store
    wake: Callable[[Place], None]
    heard: Callable[[], None]
    walk: Walk
    spent: int = 0

    @property
    def turn(self) -> Turn:
        """The turn that is being written."""
        return self.session.writing or self.session.turns[-1]

    async def keep(self) -> None:
        """Store the posts that have become sure, so that they can leave while the rest is written."""
        turn = self.turn
        variant = replace(turn.variant, text=self.scribe.kept, token_ids=())
        posts = (*self.scribe.posts, *turn.posts[len(self.scribe.posts) :])
        after = with_turn(self.session, replace(turn.with_variant(variant), posts=posts))
        await self.save(after, wishes_for(self.session, turn, posts))

    async def finish(self, ending: Ending) -> None:
        """The reply is over."""
        text, ids = self.scribe.finish(cut=ending.cut_short)
        if self.scribe.concern:
            await self.take_back(texts.STOPPED_TEXT.format(fault=fault(self.scribe.concern)))
            return
        said = ending.unchanged if text == self.scribe.variant.text else ""
        await self._close(Variant(text, ending.state, ids, is_cut=ending.is_cut), said, ending.silent)

    async def begin_again(self, length: Length) -> None:
        """Nothing that was written so far counts; it is asked for once more in another length."""
        self.scribe.start_over()
        turn = self.turn
        await self.save(with_turn(self.session, turn.with_variant(replace(turn.variant, length=length))))

    async def count_impersonation(self) -> None:
        """The model began to speak for a player, and was stopped."""
        table = self.session.table
        await self.save(replace(self.session, table=replace(table, impersonations=table.impersonations + 1)))

    async def break_off(self, reason: str) -> None:
        """The reply cannot be written on: what there is stays, and the place is told why."""
        text, ids = self.scribe.finish(cut=True)
        if self.scribe.concern:
            await self.take_back(texts.STOPPED_TEXT.format(fault=fault(self.scribe.concern)))
            return
        kept, nothing = texts.BROKEN.format(reason=reason), texts.NOTHING_WRITTEN.format(reason=reason)
        await self._close(Variant(text, VariantState.BROKEN, ids), kept, nothing)

    async def take_back(self, sentence: str = "") -> None:
        """Nothing of what was written stays, and what was shown before is shown again; the place is told why, if need be."""
        # What an earlier run kept of this same writing goes as well: only what stood before it was begun comes back.
        began = self.scribe.variant
        stood = began.text[: began.begun]
        if not stood:
            await self._give_up(sentence)
            return
        posts = tuple(chunk.text for chunk in cut(stood, self.scribe.limits))
        ids = began.token_ids if stood == began.text else ()
        variant = replace(began, text=stood, token_ids=ids, state=VariantState.WHOLE, begun=0)
        after = with_turn(self.session, replace(self.turn.with_variant(variant), posts=posts))
        await self.save(after, (*wishes_for(self.session, self.turn, posts), *self._said(sentence)))

    async def save(self, after: Session, wishes: tuple[Wish, ...] = ()) -> None:
        """Store the session as it shall be, with what its place must come to show."""
        self.walk.expects(wishes)
        self.session = await self.store.save(Change(self.session, after, wishes, spent=self.spent))
        self.spent = 0
        if wishes:
            self.wake(self.session.place)

    async def _close(self, written: Variant, said: str, silent: str) -> None:
        if not written.text:
            await self._give_up(silent)
            return
        turn, posts = self.turn, tuple(self.scribe.posts)
        variant = replace(written, length=turn.variant.length, seed=turn.variant.seed)
        after = with_turn(self.session, replace(turn.with_variant(variant), posts=posts))
        await self.save(after, (*wishes_for(self.session, turn, posts), *self._said(said)))

    async def _give_up(self, sentence: str) -> None:
        """Nothing was written: the story falls back to the variant that is shown, or to having no reply."""
        turn, limits = self.turn, self.scribe.limits
        cuts = [tuple(chunk.text for chunk in cut(variant.text, limits)) for variant in turn.variants[:-1]]
        after = give_up(self.session, cuts.index(turn.posts) if turn.posts in cuts else None)
        wishes: tuple[Wish, ...] = self._said(sentence)
        if cuts and after.last is not None:
            posts = cuts[after.last.selected]
            wishes = (*wishes_for(self.session, after.last, posts), *wishes)
            after = with_turn(after, replace(after.last, posts=posts))
        elif turn.posts:
            wishes = (*removals_for(self.session, turn), *wishes)
        await self.save(after, wishes)

    def _said(self, sentence: str) -> tuple[Wish, ...]:
        about = f"{self.turn.number}/{self.session.version}"
        return (notice(self.session, sentence, about),) if sentence else ()
