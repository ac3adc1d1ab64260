"""What the operator decides about Discord: frozen values with their bounds. It reaches nothing itself."""

from dataclasses import field
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic.dataclasses import dataclass

from adapters.config.kinds import CLOSED, ExistingFile, Flag, Number, ProxyUrl, Token, Whole

MOST_SHARDS = 16_384

Snowflake = Annotated[Whole, Field(ge=1, lt=2**64)]
Snowflakes = tuple[Snowflake, ...]


def _shards(value: tuple[int, ...] | None) -> tuple[int, ...] | None:
    if value is not None and (not value or len(set(value)) != len(value)):
        raise ValueError("must name at least one shard, and none twice")
    return value


Shards = Annotated[tuple[Annotated[Whole, Field(ge=0, lt=MOST_SHARDS)], ...] | None, AfterValidator(_shards)]


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class DiscordConfig:
    """The bot on Discord. Without a token there is none. The token shows up in no representation."""

    token: Token = field(default="", repr=False)
    token_file: ExistingFile | None = None
    operators: Snowflakes = ()
    guilds: Snowflakes = ()
    start_channels: Snowflakes = ()
    start_roles: Snowflakes = ()
    message_content: Flag = True
    adult_direct_messages: Flag = False
    join_seconds: Annotated[Number, Field(ge=0.5, le=60)] = 3.0
    join_limit_seconds: Annotated[Number, Field(ge=1, le=600)] = 120.0
    proxies: Flag = True
    catch_up_hours: Annotated[Number, Field(ge=0, le=720)] = 24.0
    catch_up_messages: Annotated[Whole, Field(ge=0, le=10_000)] = 500
    shard_count: Annotated[Whole, Field(ge=1, le=MOST_SHARDS)] | None = None
    shards: Shards = None
    http_proxy: ProxyUrl | None = field(default=None, repr=False)
