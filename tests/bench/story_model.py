"""`make bench-story`: plays short scenes with a model and tells how long its replies become, how they end, for whom it speaks.

It writes the table of lengths that belongs to the model. (`bench_story` is another matter: one story of 1,000 posts.)
"""

import argparse
import asyncio
import json
import os
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from adapters import wiring
from adapters.clock import SystemClock
from adapters.config import DEMO_MODEL, ModelConfig
from adapters.llama.engine import open_engine
from adapters.llama.loading import describe
from bot.engine.threaded import SharingSettings
from bot.errors import UnderstudyError
from bot.ports.engine import EngineCapabilities
from bot.prompt.format import PromptFormat
from bot.sampling import PRESETS
from bot.story.settings import Length
from tests.bench.model_scenes import PAIRS, PARTIES, Scene
from tests.bench.play_scenes import OWN_TURNS, WAYS, Play, Theatre
from tests.bench.replies import Ending, Figures, Reply, as_json, figures, length_table

NO_MODIFIER = "none"
CONTEXT = 4096
PARTY_LENGTH = Length.MEDIUM
"""The modifier of the scenes with several players, where the format knows any: what a new story begins with."""

PARTY_TIMES = 4
"""How often a lap plays each of them in each way: there are fewer of them, and rare endings to be counted."""

QUICK_SCENES, QUICK_ROUNDS = 1, 2


@dataclass(frozen=True, slots=True)
class Plan:
    """All that is to be played, in order, and how many rounds of each scene."""

    plays: tuple[Play, ...]
    rounds: int

    @property
    def replies(self) -> int:
        """How many replies that makes, if time allows."""
        return sum(len(play.scene.rounds[: self.rounds]) for play in self.plays)


def plan_of(fmt: PromptFormat, laps: int, *, is_quick: bool) -> Plan:
    """Laps over all scenes: each modifier on each scene, each way of naming on each scene with several players.

    Scene by scene, so that all modifiers and ways have about as many replies whenever time is over.
    """
    pairs, parties = (PAIRS[:QUICK_SCENES], PARTIES[:QUICK_SCENES]) if is_quick else (PAIRS, PARTIES)
    lengths = (*Length, None) if fmt.character_before_with_length else (None,)
    times = 1 if is_quick else PARTY_TIMES
    plays = (play for lap in range(laps) for play in _lap(lap, pairs, parties * times, lengths))
    return Plan(tuple(plays), QUICK_ROUNDS if is_quick else 99)


def _lap(lap: int, pairs: Sequence[Scene], parties: Sequence[Scene], lengths: Sequence[Length | None]) -> Iterator[Play]:
    dice = random.Random(lap)  # noqa: S311  seeds of replies are no secret
    for number in range(max(len(pairs), len(parties))):
        for pair in pairs[number : number + 1]:
            yield from (Play(pair, length, OWN_TURNS, dice.getrandbits(30)) for length in lengths)
        for party in parties[number : number + 1]:
            length = PARTY_LENGTH if len(lengths) > 1 else None
            yield from (Play(party, length, way, dice.getrandbits(30)) for way in WAYS)


async def measured(words: argparse.Namespace, progress: Progress) -> tuple[EngineCapabilities, PromptFormat, list[Reply]]:
    """What the model is, the format it was asked in, and all replies that it wrote in time. Raises UnderstudyErrors."""
    facts = describe(words.model)
    fmt = wiring.prompt_format(ModelConfig(format=words.format, path=str(words.model)), facts)
    plan, clock = plan_of(fmt, words.laps or (1 if words.quick else 3), is_quick=words.quick), SystemClock()
    engine = open_engine(
        words.model,
        context=words.context,
        slots=words.slots,
        threads=words.threads,
        gpu_layers=words.gpu_layers,
        sharing=SharingSettings(queue_limit=2 * words.slots),
    )
    try:
        until = clock.ticks() + 60 * words.minutes
        theatre = Theatre(engine, fmt, PRESETS[words.preset], clock, until, plan.rounds)
        return await engine.capabilities(), fmt, await _played(theatre, plan, words.slots, progress)
    finally:
        await engine.close()


async def _played(theatre: Theatre, plan: Plan, side_by_side: int, progress: Progress) -> list[Reply]:
    replies: list[Reply] = []
    bar = progress.add_task("replies", total=plan.replies)
    left = iter(plan.plays)

    def note(reply: Reply) -> None:
        replies.append(reply)
        progress.update(bar, advance=1)

    async def play_on() -> None:
        for play in left:
            if theatre.clock.ticks() >= theatre.until:
                break
            await theatre.play(play, note)

    await asyncio.gather(*(play_on() for _ in range(side_by_side)))
    return replies


def lengths_of(replies: Sequence[Reply]) -> dict[str, Figures]:
    """The figures of each modifier, over the scenes with one player."""
    own = [reply for reply in replies if _is_pair(reply)]
    names = [NO_MODIFIER if length is None else str(length) for length in (*Length, None)]
    found = {name: [reply for reply in own if (reply.length or NO_MODIFIER) == name] for name in names}
    return {name: figures(some) for name, some in found.items() if some}


def ways_of(replies: Sequence[Reply]) -> dict[str, Figures]:
    """The figures of each way of naming, over the scenes with several players."""
    found = {way.name: [reply for reply in replies if reply.way == way.name and not _is_pair(reply)] for way in WAYS}
    return {name: figures(some) for name, some in found.items() if some}


def _is_pair(reply: Reply) -> bool:
    return any(scene.name == reply.scene for scene in PAIRS)


def shown(title: str, first: str, rows: dict[str, Figures]) -> Table:
    """Figures as a table for people."""
    caption = "ends: the model's own, at a header, where it speaks for a player, cut, before the first word"
    table = Table(title=f"{title}: tokens, and how replies end", caption=caption)
    table.add_column(first, no_wrap=True)
    for name in ("replies", "median", "10 %", "90 %", "95 %", *Ending):
        table.add_column(name, justify="right", no_wrap=True)
    for name, row in rows.items():
        sizes = (row.replies, row.median, row.p10, row.p90, row.p95)
        table.add_row(name, *map(str, sizes), *(f"{getattr(row, ending):.0%}" for ending in Ending))
    return table


def report(words: argparse.Namespace, known: EngineCapabilities, fmt: PromptFormat, replies: Sequence[Reply]) -> None:
    """Print the tables and write the files that were asked for. Raises ValueError when too little is known for a table."""
    # Where nobody watches, what is written to a file shall not be cut to a terminal's width.
    console = Console(width=None if sys.stdout.isatty() else 110)
    rows, ways = lengths_of(replies), ways_of(replies)
    console.print(shown(f"{known.model}, by length", "length", rows))
    console.print(shown(f"{known.model}, three players", "named by", ways))
    if words.json:
        about = {"model": known.model, "fingerprint": known.fingerprint, "context": known.context}
        about |= {"format": fmt.name, "preset": words.preset, "quick": words.quick}
        found = {"lengths": rows, "ways": ways}
        figured = {what: {name: asdict(row) for name, row in some.items()} for what, some in found.items()}
        words.json.write_text(json.dumps({**about, **figured, "replies": as_json(replies)}, indent=1) + "\n", encoding="utf-8")
    if words.table:
        table = length_table([reply for reply in replies if _is_pair(reply)], known.model, known.fingerprint)
        words.table.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


def parse(words: list[str]) -> argparse.Namespace:
    """The options. Ends the program when they make no sense."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.story_model", description=__doc__)
    parser.add_argument("--model", type=Path, default=DEMO_MODEL, help="a GGUF file (the demo model if none is named)")
    parser.add_argument("--format", default="auto", choices=("auto", "limarp", "alpaca", "chatml", "gguf"))
    parser.add_argument("--preset", default="limarp", choices=sorted(PRESETS), help="how tokens are drawn")
    parser.add_argument("--context", type=int, default=CONTEXT, help="tokens; a reply may take half of it here")
    parser.add_argument("--slots", type=int, default=4, help="scenes played side by side")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--gpu-layers", type=int, default=-1)
    parser.add_argument("--minutes", type=float, default=60.0, help="when to stop, whatever is left to play")
    parser.add_argument("--laps", type=int, default=0, help="how often to go through all scenes (3; 1 with --quick)")
    parser.add_argument("--quick", action="store_true", help="one scene of each kind, two rounds: does it run?")
    parser.add_argument("--json", type=Path, help="write all figures and replies to this file")
    parser.add_argument("--table", type=Path, help="write the table of lengths for [model] lengths to this file")
    return parser.parse_args(words)


def main(words: list[str]) -> int:
    """Measure, print and write; 1 when that cannot be done."""
    given = parse(words)
    given = argparse.Namespace(**{**vars(given), "minutes": max(given.minutes, 0.0), "slots": max(given.slots, 1)})
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    try:
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            known, fmt, replies = asyncio.run(measured(given, progress))
        report(given, known, fmt, replies)
    except (UnderstudyError, ValueError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
