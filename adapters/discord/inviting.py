"""What the bot asks of a server that takes it in: each permission with its reason, and the link that asks for them."""

from dataclasses import dataclass

import discord


@dataclass(frozen=True, slots=True)
class Wanted:
    """A permission by its name in discord.py and in Discord's own settings, and why the bot wants it."""

    flag: str
    name: str
    why: str


WANTED = (
    Wanted("view_channel", "View Channels", "to see the channels and threads where stories are played"),
    Wanted("send_messages", "Send Messages", "to post in channels and direct threads"),
    Wanted("send_messages_in_threads", "Send Messages in Threads", "to post in threads and forum posts"),
    Wanted("create_public_threads", "Create Public Threads", "to open a thread for a story, a branch or a next part"),
    Wanted("manage_webhooks", "Manage Webhooks", "so that characters have their own names and faces"),
    Wanted("read_message_history", "Read Message History", "to read what was posted while it was away, and never post twice"),
    Wanted("add_reactions", "Add Reactions", "to mark posts that wait, are no part of the story, or could not be answered"),
    Wanted("attach_files", "Attach Files", "to hand out stories and characters as files"),
    Wanted("manage_threads", "Manage Threads", "to take away a thread whose story could not begin"),
)


def invite_link(application: int) -> str:
    """The address at which whoever runs a server lets the bot in, with the permissions above and its commands."""
    wanted = discord.Permissions(**{each.flag: True for each in WANTED})
    return discord.utils.oauth_url(application, permissions=wanted, scopes=("bot", "applications.commands"))
