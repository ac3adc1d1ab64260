"""A reply under watch while it is written: what is found, and how much of it may be posted. It knows no post and no engine.

    |-- MARGIN --|------- judged: begins here ------|-- HELD_BACK --|
    from         from + MARGIN                      safe_until      end of the reply so far

All counts are characters of folded text, in which white space, emphasis and invisible characters hardly count. A match is
at most MATCH long, and what stands INTIMATE_AROUND before and after it may excuse it; nothing else is looked at.
"""

from dataclasses import dataclass, field

from bot.safety.concern import Concern, first_beyond
from bot.safety.fold import Folded, fold
from bot.safety.judgement import Rules, concerns_in
from bot.safety.minors import lead_in
from bot.safety.rule import INTIMATE_AROUND, MATCH

STEP = 48
"""How much more of the reply has to be there before it is looked at again."""

HELD_BACK = MATCH + INTIMATE_AROUND + STEP
"""The bound: whatever is found begins within so many characters of the end of the text at which it is found."""

MARGIN = MATCH
_REACH = MARGIN + HELD_BACK + MATCH
"""What is read again at each look, at least; twice as much at most."""


@dataclass(slots=True)
class Watch:
    """Judges one reply as it grows. `before` is what stands before it: the end of the last posts.

    After a concern was found it stays found; offsets are those of the reply's own text.
    """

    rules: Rules
    before: str = ""
    _text: str = field(init=False)
    _lead: int = field(init=False)
    _seen: int = field(init=False, default=0)
    _from: int = field(init=False, default=0)
    _safe: int = field(init=False, default=0)
    _found: Concern | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._text = lead_in(self.before)
        self._lead = len(self._text)

    @property
    def safe_until(self) -> int:
        """How much of the reply's text may be posted: nothing that is found later begins before this offset."""
        return max(0, self._safe - self._lead)

    def feed(self, text: str) -> Concern | None:
        """Take the next piece; the concern that is certain by now, whatever follows."""
        if self._found is None:
            self._text += text
            if len(self._text) >= self._seen + STEP:
                self._look(is_whole=False)
        return self._found

    def finish(self) -> Concern | None:
        """The reply is over: what stands at its very end is judged too. Without a concern all of it may be posted."""
        if self._found is None:
            self._look(is_whole=True)
        return self._found

    def _look(self, *, is_whole: bool) -> None:
        self._seen = len(self._text)
        window = self._text[self._from :]
        folded = fold(window)
        # What begins in the margin was judged when all that stands before it was still in view.
        beyond = folded.places[MARGIN] if self._from else 0
        certain = (each for each in concerns_in(window, self.rules, is_whole=is_whole) if each.start >= beyond)
        found = first_beyond(certain, max(0, self._lead - self._from))
        if found:
            begins = max(self._from, self._lead) - self._lead
            self._found = Concern(found.reason, begins + found.start, begins + found.end)
        elif is_whole:
            self._safe = len(self._text)
        else:
            self._move_on(folded)

    def _move_on(self, folded: Folded) -> None:
        known = len(folded.text)
        if known > HELD_BACK:
            self._safe = self._from + folded.places[known - HELD_BACK]
        if known > 2 * _REACH:
            # From a word's beginning, where there is one: half a word could look like another.
            at = known - _REACH
            space = max(folded.text.rfind(sign, at - MATCH // 2, at) for sign in " \n")
            self._from += folded.places[space + 1 if space > 0 else at]
