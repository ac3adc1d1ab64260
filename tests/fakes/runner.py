"""A model without weights: it counts what it is given, draws by arithmetic, and objects to every broken rule."""

import json
import zlib
from collections.abc import Sequence

from bot.errors import RunnerFailed, UnknownToken
from bot.ports.runner import RunnerShape, SlotState, Stretch
from bot.sampling import SamplingSettings

BEGIN, END = 256, 257
LETTERS = b"abcdefghijklmnopqrstuvwxyz ,.\n"


class CountingRunner:
    """Bytes are its tokens.

    With `says`, every reply is that text and an end; without, letters that depend on the last token, its position, the
    seed and how all tokens before were divided into stretches, as a real model's do; and no end. `handed` counts the
    tokens of all steps, `steps` the steps and `sizes` what each was of. The step of number `fails_at` (from 1) raises
    RunnerFailed. `cuts` False makes it a model that can only forget a whole slot, `exact` False one that promises no
    exactness. `seconds` is how long a step takes on `clock`: for each stretch and for each of its tokens. "</s>" in a
    trusted text is the end token.
    """

    def __init__(  # noqa: PLR0913 - a fake's knobs, each named where it is used
        self,
        *,
        slots: int = 2,
        context: int = 512,
        batch: int = 32,
        says: str | None = None,
        fails_at: int = 0,
        cuts: bool = True,
        chunk: int | None = None,
        adapters: tuple[str, ...] = (),
        exact: bool = True,
        identity: str = "counting",
        seconds: tuple[float, float] = (0.0, 0.0),
        neighbours: bool = False,
    ) -> None:
        self._shape = RunnerShape(slots, context, batch, chunk or batch - slots + 1, neighbours=neighbours)
        self.adapters = adapters
        self.is_exact = exact
        self.identity = identity
        self.seconds = seconds
        self.now = 0.0
        self._read_as: list[list[int]] = [[] for _ in range(slots)]
        self._adapters: list[str | None] = [None] * slots
        self.sizes: list[tuple[tuple[int, int], ...]] = []
        self.adapters_of_steps: list[str] = []
        self._says: tuple[int, ...] | None = None if says is None else (*says.encode(), END)
        self._cuts = cuts
        self._held: list[list[int]] = [[] for _ in range(slots)]
        self._seeds: dict[int, int] = {}
        self._drawn: dict[int, int] = {}
        self.fails_at = fails_at
        self.handed = 0
        self.steps = 0
        self.tokenized = 0
        self.histories: list[tuple[int, ...]] = []
        self.closed = False

    @property
    def shape(self) -> RunnerShape:
        return self._shape

    def tokenize(self, text: str, *, special: bool, first: bool) -> tuple[int, ...]:
        self._check(not self.closed, "it is closed")
        self.tokenized += 1
        begin = (BEGIN,) if first else ()
        if not special:
            return (*begin, *text.encode(errors="replace"))
        stretches = [tuple(part.encode(errors="replace")) for part in text.split("</s>")]
        joined = stretches[0]
        for stretch in stretches[1:]:
            joined = (*joined, END, *stretch)
        return (*begin, *joined)

    def piece(self, token: int) -> bytes:
        self._check(not self.closed, "it is closed")
        if not 0 <= token <= END:
            raise UnknownToken(f"{token} is none of its tokens")
        return bytes((token,)) if token < BEGIN else b""

    def is_end(self, token: int) -> bool:
        return token == END

    def begin(self, slot: int, settings: SamplingSettings, seed: int, history: Sequence[int]) -> None:
        del settings
        self._check(0 <= slot < self._shape.slots, f"there is no slot {slot}")
        self._check(all(0 <= token <= END for token in history), f"unknown tokens in {history}")
        self.histories.append(tuple(history))
        self._seeds[slot] = seed
        self._drawn[slot] = 0

    def ticks(self) -> float:
        """The clock on which its steps take time."""
        return self.now

    def step(self, stretches: Sequence[Stretch], adapter: str = "") -> tuple[int | None, ...]:
        self._check(not self.closed, "it is closed")
        self._check(not adapter or adapter in self.adapters, f"there is no adapter {adapter!r}")
        self.steps += 1
        sizes = [len(stretch.tokens) for stretch in stretches]
        self._check(0 < sum(sizes) <= self._shape.batch and all(sizes), f"a step of {sizes} tokens")
        self._check(max(sizes) <= self._shape.chunk, f"a stretch of {max(sizes)} tokens")
        for place, stretch in enumerate(stretches):
            later = [other.slot for other in stretches[place + 1 :]]
            self._check(not (stretch.draws and stretch.slot in later), "a stretch draws that is not its slot's last")
            self._read(stretch, adapter)
        if self.steps == self.fails_at:
            raise RunnerFailed("it was told to fail in this step")
        self.handed += sum(sizes)
        self.sizes.append(tuple((stretch.slot, len(stretch.tokens)) for stretch in stretches))
        self.adapters_of_steps.append(adapter)
        self.now += sum(self.seconds[0] + self.seconds[1] * size for size in sizes)
        return tuple(self._draw(stretch.slot) if stretch.draws else None for stretch in stretches)

    def keep(self, slot: int, length: int) -> bool:
        self._check(0 <= slot < self._shape.slots, f"there is no slot {slot}")
        self._check(0 <= length <= len(self._held[slot]), f"slot {slot} does not hold {length} tokens")
        whole = self._cuts or length in (0, len(self._held[slot]))
        del self._held[slot][length if whole else 0 :], self._read_as[slot][length if whole else 0 :]
        if not self._held[slot]:
            self._adapters[slot] = None
        return whole

    def save(self, slot: int) -> SlotState:
        self._check(not self.closed, "it is closed")
        self._check(0 <= slot < self._shape.slots, f"there is no slot {slot}")
        state = [self.identity, self._held[slot], self._read_as[slot], self._adapters[slot]]
        return memoryview(json.dumps(state).encode())

    def restore(self, slot: int, state: SlotState, length: int) -> bool:
        self._check(not self.closed, "it is closed")
        self._check(0 <= slot < self._shape.slots, f"there is no slot {slot}")
        self._held[slot], self._read_as[slot], self._adapters[slot] = [], [], None
        try:
            identity, held, read_as, adapter = json.loads(bytes(state))
        except ValueError:
            return False
        self._check(identity == self.identity, f"a state of {identity} is restored")
        if len(held) != length or length > self._shape.context:
            return False
        self._held[slot], self._read_as[slot], self._adapters[slot] = held, read_as, adapter
        return True

    def exchange(self, one: int, other: int) -> None:
        self._check(not self.closed, "it is closed")
        self._check(all(0 <= slot < self._shape.slots for slot in (one, other)), f"there is no slot {one} or {other}")
        for lists in (self._held, self._read_as):
            lists[one], lists[other] = lists[other], lists[one]
        self._adapters[one], self._adapters[other] = self._adapters[other], self._adapters[one]
        for numbers in (self._seeds, self._drawn):
            moved = {one: numbers.pop(other, None), other: numbers.pop(one, None)}
            numbers |= {slot: number for slot, number in moved.items() if number is not None}

    def close(self) -> None:
        self.closed = True

    def held(self, slot: int) -> tuple[int, ...]:
        """What the slot holds."""
        return tuple(self._held[slot])

    def _read(self, stretch: Stretch, adapter: str) -> None:
        self._check(0 <= stretch.slot < self._shape.slots, f"there is no slot {stretch.slot}")
        held = self._held[stretch.slot]
        self._check(stretch.start == len(held), f"slot {stretch.slot} goes on at {len(held)}, not at {stretch.start}")
        self._check(all(0 <= token <= END for token in stretch.tokens), f"unknown tokens in {stretch.tokens}")
        self._check(len(held) + len(stretch.tokens) <= self._shape.context, f"slot {stretch.slot} is full")
        self._check(self._adapters[stretch.slot] in (None, adapter), f"slot {stretch.slot} was read with another adapter")
        self._adapters[stretch.slot] = adapter
        held.extend(stretch.tokens)
        self._read_as[stretch.slot].extend([len(held)] * len(stretch.tokens))

    def _draw(self, slot: int) -> int:
        self._check(slot in self._seeds, f"slot {slot} draws before `begin`")
        number = self._drawn[slot]
        self._drawn[slot] += 1
        if self._says is not None:
            return self._says[min(number, len(self._says) - 1)]
        held = self._held[slot]
        division = zlib.crc32(json.dumps(self._read_as[slot]).encode())
        return LETTERS[(held[-1] * 7 + len(held) * 3 + self._seeds[slot] * 5 + division) % len(LETTERS)]

    @staticmethod
    def _check(right: bool, complaint: str) -> None:  # noqa: FBT001 - reads as a sentence where it stands
        if not right:
            raise RunnerFailed(complaint)
