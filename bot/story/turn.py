"""One turn of a story: a player's post or a character's reply with all its variants."""

from dataclasses import dataclass, replace
from enum import StrEnum

from bot.ids import AuthorId, EventId
from bot.story.dice import DiceRoll
from bot.story.settings import Length


class Role(StrEnum):
    """Which side of the story a turn belongs to. An aside is talk of the players beside it, which the model never reads."""

    PLAYER = "player"
    CHARACTER = "character"
    ASIDE = "aside"


class VariantState(StrEnum):
    """How far a variant has come."""

    WRITING = "writing"
    WHOLE = "whole"
    STOPPED = "stopped"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Variant:
    """One version of a turn's text.

    `token_ids` are the ids the model itself wrote, set only while they spell exactly a space and `text`; `length` is the
    modifier that was asked for and `seed` what the sampler drew with: rolled once and stored, so that the prompt and
    the reply can be made again. `is_cut` says that it ended for want of room, so that it can be continued.
    `begun` is how many characters of `text` stood already when its writing last began: the rest is what that writing brought.
    """

    text: str
    state: VariantState = VariantState.WHOLE
    token_ids: tuple[int, ...] = ()
    length: Length | None = None
    seed: int = 0
    is_cut: bool = False
    begun: int = 0


@dataclass(frozen=True, slots=True)
class Turn:
    """A place in the story. `number` grows along the story and is never used twice in a session.

    `posts` is the ordered set of posts in which the selected variant is shown (empty for a player's turn, whose post is
    the player's own); `variants` is never empty; `selected` counts from 0. `sources` are the platform's own messages that
    a player's turn was made of, so that it follows when they change; `rolls` are the dice that were rolled with it.
    `extras` is JSON that another program kept with the post: it goes back out with the turn and is not understood.
    """

    number: int
    role: Role
    name: str
    variants: tuple[Variant, ...]
    selected: int = 0
    author: AuthorId | None = None
    posts: tuple[str, ...] = ()
    sources: tuple[EventId, ...] = ()
    rolls: tuple[DiceRoll, ...] = ()
    extras: str = ""

    @property
    def variant(self) -> Variant:
        """The variant that is shown, and that the model reads."""
        return self.variants[self.selected]

    @property
    def text(self) -> str:
        """The text that is shown, and that the model reads."""
        return self.variant.text

    @property
    def is_writing(self) -> bool:
        """Whether its shown variant is not finished yet."""
        return self.variant.state is VariantState.WRITING

    def with_variant(self, variant: Variant) -> "Turn":
        """This turn with its selected variant replaced."""
        variants = (*self.variants[: self.selected], variant, *self.variants[self.selected + 1 :])
        return replace(self, variants=variants)

    def with_new_variant(self, variant: Variant) -> "Turn":
        """This turn with one more variant, selected."""
        return replace(self, variants=(*self.variants, variant), selected=len(self.variants))
