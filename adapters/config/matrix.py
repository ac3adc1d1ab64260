"""What the operator decides about Matrix: frozen values with their bounds. It reaches nothing itself."""

from dataclasses import field
from typing import Annotated

from pydantic import Field, Strict, StringConstraints
from pydantic.dataclasses import dataclass

from adapters.config.kinds import CLOSED, Flag, Number, ProxyUrl, Whole

UserId = Annotated[str, Strict(), StringConstraints(pattern=r"^@[^:\s]+:[^\s@!$#]+$", max_length=255)]
ServerName = Annotated[str, Strict(), StringConstraints(pattern=r"^(\*|[A-Za-z0-9.:\[\]-]+)$", max_length=255)]
RoomId = Annotated[str, Strict(), StringConstraints(pattern=r"^![^\s]+$", max_length=255)]
Prefix = Annotated[str, Strict(), StringConstraints(pattern=r"^[!-~]+$", min_length=1, max_length=16)]


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class MatrixConfig:
    """The bot on Matrix. Its account is not configured: `understudy matrix login` keeps it in the data folder."""

    operators: tuple[UserId, ...] = ()
    users: tuple[UserId, ...] = ()
    servers: tuple[ServerName, ...] = ()
    rooms: tuple[RoomId, ...] = ()
    start_level: Annotated[Whole, Field(ge=0, le=100)] = 0
    prefix: Prefix = "!rp"
    adults_in_public: Flag = False
    catch_up_hours: Annotated[Number, Field(ge=0, le=720)] = 24.0
    catch_up_messages: Annotated[Whole, Field(ge=0, le=10_000)] = 500
    http_proxy: ProxyUrl | None = field(default=None, repr=False)
