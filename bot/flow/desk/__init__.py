"""The desk: what is answered at once, beside the walk. It reads stories, and changes what belongs to no single one."""

from bot.flow.desk.answer import Answer
from bot.flow.desk.desk import Desk

__all__ = ["Answer", "Desk"]
