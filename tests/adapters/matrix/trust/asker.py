"""Somebody who logs in, by a script."""

from dataclasses import dataclass, field

from bot.errors import Refused


@dataclass
class ScriptedAsker:
    """Answers with what is in its lists, in order; refuses what is in none. Keeps what it was asked and told."""

    texts: list[str] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    can_answer: bool = True
    asked: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def text(self, question: str) -> str:
        return self._next(self.texts, question)

    def secret(self, question: str) -> str:
        return self._next(self.secrets, question)

    def tell(self, sentence: str) -> None:
        self.told.append(sentence)

    def _next(self, answers: list[str], question: str) -> str:
        self.asked.append(question)
        if not self.can_answer or not answers:
            raise Refused(f"Nobody answers: {question}")
        return answers.pop(0)

    @property
    def said(self) -> str:
        return "\n".join(self.told)
