"""Chats and stories to test with: a file as SillyTavern writes it, and values that hypothesis draws."""

import json
from typing import Any

from hypothesis import strategies as st

from bot.story.turn import Role, Turn, Variant

HEADER: dict[str, Any] = {
    "chat_metadata": {
        "integrity": "1e6905db-bab6-4901-913b-06d18cab5a8f",
        "tainted": False,
        "note_prompt": "It rains without end.",
        "note_interval": 1,
        "note_depth": 6,
        "note_position": 1,
        "note_role": 0,
        "scenario": "The inn is flooded.",
        "timedWorldInfo": {},
    },
    "user_name": "unused",
    "character_name": "unused",
}
GREETING: dict[str, Any] = {
    "name": "Mira",
    "is_user": False,
    "is_system": False,
    "send_date": "2025-09-26T07:04:12.006Z",
    "mes": "*She turns.* We are full.",
    "extra": {"api": "koboldcpp", "model": "AshhLimaRP", "token_count": 24, "reasoning": ""},
    "swipes": ["Go away.", "*She turns.* We are full.", "Well?"],
    "swipe_id": 1,
    "swipe_info": [
        {"send_date": "2025-09-26T07:04:12.006Z", "gen_started": None, "gen_finished": None, "extra": {}} for _ in range(3)
    ],
    "gen_started": "2025-09-26T07:04:10.114Z",
}
POST: dict[str, Any] = {
    "name": "Tobias",
    "is_user": True,
    "is_system": False,
    "send_date": "2025-09-26T07:06:02.345Z",
    "mes": '"Is there a room left?"',
    "extra": {"isSmallSys": False},
    "force_avatar": "tobias.png",
}
HIDDEN: dict[str, Any] = {
    "name": "Tobias",
    "is_user": True,
    "is_system": True,
    "send_date": 1758870000000,
    "mes": "Back in five minutes.",
    "extra": {},
}


def a_file(*lines: dict[str, Any]) -> bytes:
    """A chat file of these lines, without a newline at its end, as SillyTavern writes it."""
    return "\n".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) for line in lines).encode()


# Control characters, halves of letters and bidirectional overrides do not stay in a story, and neither do other line ends.
texts = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cf", "Zl", "Zp"), include_characters="\n\t"), max_size=80)
names = st.from_regex(r"[A-Z][a-zé']{0,8}( [A-Z][a-z]{1,6})?", fullmatch=True)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def messages(draw: st.DrawFn) -> dict[str, Any]:
    """A message with any of the keys that SillyTavern writes, and some that it may write one day."""
    shown = draw(texts)
    line: dict[str, Any] = {"name": draw(names), "is_user": draw(st.booleans()), "is_system": draw(st.booleans()), "mes": shown}
    if draw(st.booleans()):
        before, after = draw(st.lists(texts, max_size=3)), draw(st.lists(texts, max_size=3))
        line |= {"swipes": [*before, shown, *after], "swipe_id": len(before)}
        line |= draw(st.dictionaries(st.just("swipe_info"), st.lists(values, max_size=2)))
    line |= draw(st.dictionaries(st.sampled_from(["send_date", "extra", "title", "gen_id", "über"]), values))
    return line


@st.composite
def turns(draw: st.DrawFn) -> tuple[Turn, ...]:
    """Finished turns of a story, with several variants."""
    made = []
    for number in range(draw(st.integers(0, 6))):
        variants = tuple(Variant(text) for text in draw(st.lists(texts, min_size=1, max_size=4)))
        role = draw(st.sampled_from(Role))
        made.append(Turn(number, role, draw(names), variants, draw(st.integers(0, len(variants) - 1))))
    return tuple(made)
