"""What was rolled: the result that is stored with a turn and told to the model as a fact."""

from dataclasses import dataclass


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
        purpose = f" for {self.reason}" if self.reason else ""
        return f"{self.name} rolls {self.expression}{purpose}: {self.total}."
