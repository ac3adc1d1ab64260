"""Every figure of the bot, with what it means. No label names a player, a place or a session: there is no end of those.

What `bot.metrics.Metrics` counts under a name is shown as the figure that stands here beside the name.
"""

from collections.abc import Mapping

from adapters.metrics.figures import Figure, Kind
from bot.limits import LABELS

PREFIX = "understudy"


def _counter(name: str, told: str, *labels: str, known: tuple[str, ...] = ()) -> Figure:
    return Figure(f"{PREFIX}_{name}_total", Kind.COUNTER, told, labels, known)


def _gauge(name: str, told: str, *labels: str) -> Figure:
    return Figure(f"{PREFIX}_{name}", Kind.GAUGE, told, labels)


def _durations(name: str, told: str, *labels: str) -> Figure:
    return Figure(f"{PREFIX}_{name}", Kind.HISTOGRAM, told, labels)


WRITTEN = ("end", "stop", "length", "deadline", "guarded")
UNWRITTEN = ("stopped", "taken_back", "refused", "closed", "too_long", "broken", "failed")

COUNTED: Mapping[str, Figure] = {
    "events": _counter(
        "events",
        "Events that came in and were stored: post, command, edited, deleted.",
        "kind",
        known=("post", "command", "edited", "deleted"),
    ),
    "duplicate_events": _counter("duplicate_events", "Events that came in more than once."),
    "refused_posts": _counter("refused_posts", "Posts that may not be part of a story, by the reason.", "reason"),
    "turns": _counter(
        "turns",
        "Replies, by what came of them. Written: end, stop, length, deadline, guarded. Not, or not whole: stopped (by a "
        "player), taken_back (the story moved on), refused (their words), closed (the age gate), too_long, broken (the "
        "engine), failed (a defect).",
        "outcome",
        known=(*WRITTEN, *UNWRITTEN),
    ),
    "tokens": _counter(
        "tokens",
        "Tokens of replies: prompt (all), cached (of those, found in the cache), read (of those, read anew), written.",
        "kind",
        known=("prompt", "cached", "read", "written"),
    ),
    "empty_draws": _counter("empty_draws", "Replies that the model ended before the first word, drawn again."),
    "guard_stops": _counter("guard_stops", "Replies stopped as the model began a player's line or a header.", "guard"),
    "refused_replies": _counter("refused_replies", "Replies that were stopped for their words, by the reason.", "reason"),
    "limited": _counter(
        "limited",
        "Replies that the model was not asked for, by the limit that was reached: "
        f"{', '.join(LABELS)}, or engine_queue (the engine's own queue, full again and again).",
        "limit",
        known=(*LABELS, "engine_queue"),
    ),
    "deliveries": _counter(
        "deliveries",
        "Posts on their way: settled, uncertain (tried again), abandoned.",
        "outcome",
        known=("settled", "uncertain", "abandoned"),
    ),
    "failures": _counter("failures", "Defects that were met; the log says where."),
    "matrix_sync_errors": _counter("matrix_sync_errors", "Syncs that failed, by the homeserver's code.", "code"),
    "matrix_invitations_refused": _counter("matrix_invitations_refused", "Invitations from people who may not invite the bot."),
    "matrix_defects": _counter("matrix_defects", "Events of Matrix that could not be dealt with."),
    "matrix_store_waits": _counter("matrix_store_waits", "Times that Matrix had to wait for the store."),
    "matrix_sealed": _counter("matrix_sealed", "Encrypted events that came without their key."),
    "matrix_sealed_given_up": _counter("matrix_sealed_given_up", "Encrypted events whose key never came."),
    "matrix_gaps_cut": _counter("matrix_gaps_cut", "Absences too long to be read up on as a whole."),
    "matrix_gap_failures": _counter("matrix_gap_failures", "Tries to read up on an absence that failed."),
    "matrix_key_failures": _counter("matrix_key_failures", "Chores of encryption that failed, by the chore.", "chore"),
}
"""Counters, by what they are called inside."""

TIMED: Mapping[str, Figure] = {
    "walk_seconds": _durations(
        "walk_seconds",
        "Seconds from a post's arrival until its reply was decided on, had its first token, its first post on the platform, "
        "was finished, and was delivered.",
        "station",
    ),
    "event_loop_lag_seconds": _durations("event_loop_lag_seconds", "Seconds by which the event loop was late."),
}
"""Durations, likewise."""

INFO = _gauge("info", "1, with the version that runs.", "version")
CONNECTED = _gauge("connected", "1 where a part can be reached, 0 where it cannot: store, engine, discord, matrix.", "part")
BREAKS = _counter("connection_breaks", "Times that a connection to a platform failed or broke.", "part")
SHARDS = _gauge("discord_shards_connected", "Shards that are connected to Discord's gateway.")
SYNC_LAG = _gauge(
    "matrix_sync_age_seconds", "Seconds since the homeserver answered a sync; up to 30 and a bit where nothing happens."
)
SESSIONS = _gauge("sessions", "Stories that are in a place.")
ENDED = _gauge("sessions_ended", "Stories that are in the bin.")
INBOX = _gauge("inbox_waiting", "Events that are stored and not handled.")
LANES = _gauge("lanes_waiting", "Events and other work that wait for their turn in their place.")
WRITING = _gauge("replies_writing", "Replies that are asked for or being written.")
OUTBOX = _gauge("outbox_waiting", "Posts that are stored and not delivered.")
OUTBOX_AGE = _gauge(
    "outbox_oldest_seconds", "For how long the post that has been the oldest of its place for longest has been so, in this run."
)
ERRORS = _counter(
    "errors", "Warnings and errors in the log, by level and kind: an error's name, or the action.", "level", "kind"
)

SHOWN = (INFO, CONNECTED, BREAKS, SHARDS, SYNC_LAG, SESSIONS, ENDED, INBOX, LANES, WRITING, OUTBOX, OUTBOX_AGE, ERRORS)
"""What is asked for when it is shown."""

ALL = (*COUNTED.values(), *TIMED.values(), *SHOWN)
