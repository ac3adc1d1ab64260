"""One request to the loopback Discord and its answer, for whoever checks them. It knows neither routes nor state."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Exchange:
    """What was asked and what was answered.

    `path` is without `/api/v10` and `query` is parsed. `body` is the parsed JSON (`payload_json` of a multipart body), or None;
    `files` are the names of the files that came with it. `status` is 0 until it is answered, and stays 0 where the connection
    was cut; `answer` is the parsed JSON or None. `fault` names the scripted fault that hit it.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    files: tuple[str, ...] = ()
    status: int = 0
    answer: Any = None
    time: float = 0.0
    fault: str = ""

    @property
    def route(self) -> str:
        """Method and path as one text, as patterns of faults are written: `POST /webhooks/*`."""
        return f"{self.method} {self.path}"
