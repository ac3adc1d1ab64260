"""What the operator decided about Discord, as the adapter needs it. It knows no file and no environment."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The token of the bot, its shards, who may begin stories where, and how posts are gathered.

    `shard_ids` None: all of `shard_count` (None: as many as Discord advises). Empty `guilds`, `start_channels` and
    `start_roles` mean all; a channel counts for its threads too. Times are in seconds but for `catch_up_hours`.
    """

    token: str = field(repr=False)
    shard_count: int | None = None
    shard_ids: tuple[int, ...] | None = None
    operators: frozenset[int] = frozenset()
    guilds: frozenset[int] = frozenset()
    start_channels: frozenset[int] = frozenset()
    start_roles: frozenset[int] = frozenset()
    message_content: bool = True
    adult_direct_messages: bool = False
    join_seconds: float = 3.0
    join_limit_seconds: float = 120.0
    knows_proxies: bool = True
    catch_up_hours: float = 24.0
    catch_up_messages: int = 500
    http_proxy: str = ""
