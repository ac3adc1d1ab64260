"""A Discord on loopback that speaks the real gateway and REST protocol. Nothing outside of the tests knows it."""

from tests.fakes.discord.asking import NotOffered
from tests.fakes.discord.exchange import Exchange
from tests.fakes.discord.faults import Fault
from tests.fakes.discord.interactions import Answers, Interaction
from tests.fakes.discord.loopback import LoopbackDiscord
from tests.fakes.discord.records import Channel, Guild, Kind, Message, Role, User, Webhook

__all__ = [
    "Answers",
    "Channel",
    "Exchange",
    "Fault",
    "Guild",
    "Interaction",
    "Kind",
    "LoopbackDiscord",
    "Message",
    "NotOffered",
    "Role",
    "User",
    "Webhook",
]
