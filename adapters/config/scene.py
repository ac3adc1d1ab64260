"""A scene to play: who the character and the player are, what happens, and the first posts. Its tables in TOML."""

import tomllib
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass

from adapters.config.kinds import CLOSED, ExistingFile, Name, SomeText, StatedRating, Text
from bot.story.card import CharacterCard
from bot.story.policy import Rating

SAMPLE = Path(__file__).parents[1] / "scenes" / "lighthouse.toml"


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class Situation:
    """What happens, for whom it is made, and the post with which the player may open."""

    scenario: SomeText
    opening: Text = ""
    rating: StatedRating | None = None


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class Part:
    """Who the player is in the story."""

    name: Name
    description: SomeText


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class Character(Part):
    """Who the model plays. Without a greeting, the player opens the scene."""

    greeting: Text = ""
    rating: StatedRating | None = None

    @property
    def card(self) -> CharacterCard:
        """The character as the story knows it."""
        return CharacterCard(self.name, self.description.strip(), self.greeting.strip(), rated(self.rating))


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class Scene:
    """One scene, whole: the three tables [scene], [character] and [player]."""

    scene: Situation
    character: Character
    player: Part

    @property
    def rating(self) -> Rating:
        """The rating of a session of this scene."""
        return rated(self.scene.rating)


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class SceneChoice:
    """The section [scene] of a configuration: the file of a scene, or the situation itself."""

    file: ExistingFile | None = None
    scenario: SomeText | None = None
    opening: Text | None = None
    rating: StatedRating | None = None


def rated(stated: StatedRating | None) -> Rating:
    """What was stated, or that nothing was."""
    return Rating(stated) if stated else Rating.UNRATED


@cache
def sample_scene() -> Scene:
    """The scene that comes with the program."""
    return TypeAdapter(Scene).validate_python(tomllib.loads(SAMPLE.read_text(encoding="utf-8")))
