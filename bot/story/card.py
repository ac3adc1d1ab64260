"""A character that the model plays."""

from dataclasses import dataclass

from bot.story.lorebook import Lorebook
from bot.story.policy import Rating


@dataclass(frozen=True, slots=True)
class CharacterCard:
    """A character, with the fields of the character card specifications (V1 to V3).

    An empty greeting means that the player opens the scene; `alternate_greetings` are shown as further variants of it.
    `examples` are dialogues that show how the character speaks, divided by lines of `<START>`. `system_prompt` takes the
    place of the format's rule, and `post_history` stands after the newest post; in both, `{{original}}` is what would stand
    there without. `nickname`, where there is one, is what `{{char}}` becomes. `source` is the JSON that it was read from, so
    that what other programs keep in a card survives; it is never told to the model.
    """

    name: str
    description: str
    greeting: str = ""
    rating: Rating = Rating.UNRATED
    personality: str = ""
    scenario: str = ""
    alternate_greetings: tuple[str, ...] = ()
    examples: str = ""
    system_prompt: str = ""
    post_history: str = ""
    nickname: str = ""
    book: Lorebook | None = None
    source: str = ""

    @property
    def spoken_name(self) -> str:
        """What the others call the character."""
        return self.nickname or self.name
