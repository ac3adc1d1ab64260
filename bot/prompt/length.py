"""How long a reply may become. It knows the modifiers' names; what a model makes of them is its own."""

from collections.abc import Mapping
from types import MappingProxyType

from bot.story.settings import Length

SHARE_OF_CONTEXT = 4

# No table of the modifiers' lengths was ever published, and a model follows them on average only. These are caps against
# replies that never end, well above what each word asks for, and no targets.
_CAPS: Mapping[Length, int] = MappingProxyType(
    {
        Length.MICRO: 96,
        Length.TINY: 160,
        Length.SHORT: 256,
        Length.MEDIUM: 400,
        Length.LONG: 640,
        Length.MASSIVE: 900,
        Length.HUGE: 1_200,
        Length.ENORMOUS: 1_600,
        Length.HUMONGOUS: 2_400,
        Length.UNLIMITED: 4_096,
    }
)
_CAP_WITHOUT_MODIFIER = 1_024


def reply_budget(length: Length | None, context: int) -> int:
    """The most tokens that a reply may have: the modifier's cap, and never more than a quarter of the context."""
    cap = _CAP_WITHOUT_MODIFIER if length is None else _CAPS[length]
    return max(1, min(cap, context // SHARE_OF_CONTEXT))


def shorter(length: Length | None) -> Length:
    """The next shorter modifier; of none, the one below the middle."""
    scale = tuple(Length)
    return Length.SHORT if length is None else scale[max(scale.index(length) - 1, 0)]


def longer(length: Length | None) -> Length:
    """The next longer modifier; of none, the one above the middle."""
    scale = tuple(Length)
    return Length.LONG if length is None else scale[min(scale.index(length) + 1, len(scale) - 1)]
