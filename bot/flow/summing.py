"""Having the model sum up what it can no longer see. It stores nothing and decides nothing about when."""

from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from bot.errors import Refused
from bot.ids import SessionId
from bot.ports.engine import Engine, Finished, GenerationRequest, Segment, TextDelta
from bot.prompt.format import PromptFormat
from bot.prompt.guard import clean, neutralise
from bot.sampling import SamplingSettings
from bot.story.session import Session
from bot.story.turn import Role, Turn

MOST_TOKENS = 300
SHARE_OF_CONTEXT = 2
"""At most one part in so many of the context is story to be summed up; the newest of it counts most."""

CHARACTERS = 2
"""Characters of a token at least, so that what is left of a turn that is too long surely fits."""

CALM = 0.5
"""The temperature of a summary: it should tell what was, not what could have been."""

TASK = "Sum up the story below in one paragraph of at most 150 words: who did what, where, and what is still open."


@dataclass(frozen=True, slots=True)
class Summary:
    """A summary, and the tokens that the model read and wrote for it."""

    text: str
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Summariser:
    """Asks the engine for summaries."""

    engine: Engine
    prompt_format: PromptFormat
    sampling: SamplingSettings
    roll: Callable[[], int]

    async def sum_up(self, session: Session, turns: Sequence[Turn]) -> Summary:
        """A summary of these turns, and of the summary of what came before them. Raises Refused when none came, EngineError."""
        told = [f"{turn.name}: {turn.text.strip()}" for turn in turns if turn.role is not Role.ASIDE and turn.text.strip()]
        before = [session.memory.summary] if session.memory.summary else []
        story = await self._fitting(before + told)
        summary = await self._asked(session, self._prompt("\n\n".join(story)))
        if not summary.text:
            raise Refused("The model wrote no summary; write one yourself, or try again.")
        return summary

    async def _fitting(self, parts: list[str]) -> list[str]:
        """The newest parts, as many as there is room for."""
        room = (await self.engine.capabilities()).context // SHARE_OF_CONTEXT
        counts = await self.engine.count([Segment(part) for part in parts])
        kept = len(parts)
        while kept and sum(counts[kept - 1 :]) <= room:
            kept -= 1
        return parts[kept:] or [parts[-1][-CHARACTERS * room :]]

    def _prompt(self, story: str) -> tuple[Segment, ...]:
        fmt = self.prompt_format
        words = neutralise(f"{TASK}\n\n{story}", fmt)
        parts = (Segment(fmt.system_before, trusted=True), Segment(words), Segment(fmt.system_after, trusted=True))
        opening = (Segment(fmt.character_before, trusted=True), Segment("Summary:"))
        return tuple(part for part in (*parts, *opening) if part.text)

    async def _asked(self, session: Session, segments: tuple[Segment, ...]) -> Summary:
        request = GenerationRequest(
            session=SessionId(f"{session.id}/summary"),
            segments=segments,
            max_tokens=MOST_TOKENS,
            sampling=replace(self.sampling, temperature=CALM),
            seed=self.roll(),
            stop=tuple(
                dict.fromkeys((*self.prompt_format.stop_texts, *(f"\n{start}" for start in self.prompt_format.header_starts)))
            ),
            adapter=session.settings.adapter,
            keeps=False,
        )
        async with aclosing(self.engine.generate(request)) as stream:
            items = [item async for item in stream]
        text = "".join(item.text for item in items if isinstance(item, TextDelta))
        usages = [item.usage for item in items if isinstance(item, Finished)]
        return Summary(clean(text, cut=True), sum(usage.prefilled_tokens + usage.completion_tokens for usage in usages))
