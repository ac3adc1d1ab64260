"""What was rolled: the result that is stored with a turn and told to the model as a fact."""

from dataclasses import dataclass

BRACKETS = str.maketrans("", "", "[]")


@dataclass(frozen=True, slots=True)
class DiceRoll:
    """One roll: the expression as it was understood, every die in words a player can check ("2d6 (3, 5) + 2"), and the sum.

    `reason` is what the player rolled for, in their words; `name` is who rolled, as the story calls them.
    """

    name: str
    expression: str
    detail: str
    total: int
    reason: str = ""

    @property
    def sentence(self) -> str:
        """The outcome as a sentence of the story."""
        # It stands in brackets in the prompt: nothing in it may close them or begin a line.
        reason = " ".join(self.reason.translate(BRACKETS).split()).rstrip(".:;,!? ")
        purpose = f" {reason}" if reason.startswith("to ") else f" for {reason}" if reason else ""
        return f"{self.name} rolls {self.expression}{purpose}: {self.total}."
