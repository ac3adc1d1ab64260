"""How long a text is in the unit of its place. It knows no marks and no borders."""

from bot.posts import LengthUnit

SHORTEST_POST = 8
"""The least length of posts that texts can be cut to, in either unit: any character fits."""

_CONTINUATION = bytes(range(0x80, 0xC0))


class Ruler:
    """Measures in one unit. Lone surrogates, which no encoding takes, count three bytes."""

    def __init__(self, unit: LengthUnit) -> None:
        self._bytes = unit is LengthUnit.BYTES

    def measure(self, text: str) -> int:
        """The length of a text."""
        return len(text.encode("utf-8", "surrogatepass")) if self._bytes else len(text)

    def fitting(self, text: str, length: int) -> int:
        """How many characters at the beginning of a text are together not longer than `length`."""
        if not self._bytes:
            return min(max(length, 0), len(text))
        data = text[: max(length, 0)].encode("utf-8", "surrogatepass")
        while length > 0 and length < len(data) and data[length] & 0xC0 == 0x80:  # noqa: PLR2004  a continuation byte
            length -= 1
        return len(data[: max(length, 0)].translate(None, _CONTINUATION))
