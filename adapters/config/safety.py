"""What the operator decides on which texts are taken and how long they are kept: frozen values with their bounds."""

from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

from adapters.config.kinds import CLOSED, ExistingFile, Whole
from bot.errors import Refused
from bot.flow.keeping import Keep
from bot.safety.blocklist import Blocklist


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class SafetyConfig:
    """The operator's block list: a file of one word or phrase a line."""

    block_list: ExistingFile | None = None

    @property
    def blocklist(self) -> Blocklist:
        """The list, read from its file. Raises Refused where that cannot be read, or a line of it cannot be used."""
        if self.block_list is None:
            return Blocklist()
        try:
            return Blocklist.from_lines(Path(self.block_list).read_text(encoding="utf-8").splitlines())
        except (OSError, ValueError) as error:
            raise Refused(f"The block list {self.block_list} cannot be read ({error}).") from error


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class PrivacyConfig:
    """For how many days a story that ended can be brought back, and an untouched one is kept (None: until it is ended).

    Likewise a report that nobody took off the list (None: until somebody does).
    """

    bin_days: Annotated[Whole, Field(ge=0, le=365)] = 7
    keep_days: Annotated[Whole, Field(ge=1, le=36_500)] | None = None
    report_days: Annotated[Whole, Field(ge=1, le=36_500)] | None = None

    @property
    def keep(self) -> Keep:
        """The same, for the bot."""
        return Keep(self.bin_days, self.keep_days, self.report_days)
