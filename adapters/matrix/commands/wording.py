"""What a message says, as a story tells it. Pure."""

from adapters.matrix.heard import Rewritten, Said


def words(heard: Said | Rewritten) -> str:
    """The text of a message; what somebody does, and does not say, stands in asterisks as elsewhere."""
    text = heard.text.strip()
    if not heard.is_emote or not text or "*" in text:
        return text
    return "\n".join(f"*{line.strip()}*" if line.strip() else "" for line in text.split("\n"))
