"""The stories that the workload plays, 1,500 tokens each, and the turns that they grow by. It asks no server for anything."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from adapters.llama import library
from adapters.llama.library import low
from adapters.llama.tokens import Vocabulary
from bot.ids import AuthorId, ChannelKey, Place, Platform, SessionId
from bot.ports.engine import Segment
from bot.prompt.build import Prompt, build
from bot.prompt.format import FORMATS
from bot.story import acts as story
from bot.story.card import CharacterCard
from bot.story.persona import Persona
from bot.story.policy import Rating
from bot.story.session import Session, with_turn
from bot.story.settings import Length, SessionSettings
from bot.story.turn import VariantState
from tests.bench.prose import prose

FORMAT = FORMATS["limarp"]
POST, REPLY = 60, 120
HEAD = 100
WHOLE = 1_500
"""Tokens of a story before the first round: head and turns."""

HEADERS = 20
"""About what the headers and names of a post and its reply come to."""


def opened(number: int, length: Length | None, whole: int, *, name: str = "Mira") -> Session:
    """A thread's story before the first round. `name` stands first in the prompt: with another one, no cache can know it."""
    seed = f"thread {number}"
    tobias = Persona(AuthorId("author"), "Tobias", prose(f"{seed} player", HEAD // 4))
    session = Session(
        id=SessionId(f"{name}-{number}"),
        place=Place(Platform("bench"), ChannelKey(f"{name}-{number}")),
        character=CharacterCard(f"{name}{number}", prose(f"{seed} character", HEAD // 4), "", Rating.GENERAL),
        scenario=prose(f"{seed} scenario", HEAD // 4),
        personas=(tobias,),
        rating=Rating.GENERAL,
        settings=SessionSettings(length),
    )
    for turn in range((whole - HEAD) // (POST + REPLY + HEADERS)):
        session = answered(posted(session, f"{seed} {turn}"), prose(f"{seed} {turn} reply", REPLY))
    return session


def posted(session: Session, seed: str) -> Session:
    """The story with one more post of its player, and an open reply behind it."""
    return story.open_reply(story.add_post(session, session.personas[0], prose(seed, POST)), seed=1)


def answered(session: Session, text: str, token_ids: tuple[int, ...] = ()) -> Session:
    """The story with its open reply written. As the story is kept: the ids only where they spell a space and the text."""
    turn = session.turns[-1]
    ids = token_ids if text.startswith(" ") else ()
    variant = replace(turn.variant, text=text.strip(), token_ids=ids, state=VariantState.WHOLE)
    return with_turn(session, turn.with_variant(variant))


def prompt_of(session: Session) -> Prompt:
    """The prompt for the reply that is open."""
    return build(session, FORMAT)


@dataclass(slots=True)
class Counter:
    """Counts the tokens of prompts by a model's own vocabulary, alike for every server."""

    vocabulary: Vocabulary

    def new_tokens(self, session: Session, prompt: Prompt) -> int:
        """What no cache can know: the last reply where its header changes, what ends it, the post, and all headers."""
        (_, reply), (_, post) = prompt.turns[-2:]
        was_modified = session.turns[-3].variant.length is not None and not FORMAT.keeps_old_modifiers
        said = next(index for index, segment in enumerate(reply) if _says(segment, session))
        # Where its text is not by ids, what ends a reply is joined to it.
        ended = reply if was_modified else reply[said + 1 :] or (Segment(FORMAT.character_after, trusted=True),)
        return self.tokens((*ended, *post, *prompt.tail))

    def tokens(self, segments: Sequence[Segment]) -> int:
        """How many tokens these are, but for the one that begins a prompt."""
        return sum(len(each.token_ids or self._tokenised(each)) for each in segments)

    def _tokenised(self, segment: Segment) -> tuple[int, ...]:
        return self.vocabulary.tokenize(segment.text, special=segment.trusted, first=False)


def _says(segment: Segment, session: Session) -> bool:
    """Whether this segment holds what the last reply says."""
    return session.turns[-3].text in segment.text


def counter(path: Path) -> Counter:
    """A counter by this model file; it keeps the file's vocabulary in memory until the program ends."""
    library.start()
    params = low.llama_model_default_params()
    params.vocab_only = True
    model = low.llama_model_load_from_file(str(path).encode(), params)
    if not model:
        raise RuntimeError(f"{path} holds no vocabulary")
    return Counter(Vocabulary(model))
