"""Rate limits: buckets by route with their headers, hidden ones without, and one for all. It knows routes only by template."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.fakes.discord.records import Json

GENEROUS = (1000, 1.0)
WEBHOOK = "POST /webhooks/{webhook}/{token}"
KNOWN = {
    "POST /channels/{channel}/messages": (5, 5.0),
    "PATCH /channels/{channel}/messages/{message}": (5, 5.0),
    "DELETE /channels/{channel}/messages/{message}": (5, 1.0),
    WEBHOOK: (5, 2.0),
    "PATCH /webhooks/{webhook}/{token}/messages/{message}": (5, 2.0),
}
"""How many requests in how many seconds, as far as it is known; all else is generous."""
HIDDEN_WEBHOOK, HIDDEN_RENAME, GLOBAL = (30, 60.0), (2, 600.0), (50, 1.0)
MAJOR = ("channel", "guild", "webhook", "token")


@dataclass(slots=True)
class Bucket:
    used: int = 0
    resets: float = 0.0

    def take(self, now: float, limit: tuple[int, float]) -> float:
        """Count one request; seconds to wait where the bucket was empty, else 0."""
        if now >= self.resets:
            self.used, self.resets = 0, now + limit[1]
        if self.used >= limit[0]:
            return self.resets - now
        self.used += 1
        return 0.0


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as the limits see it: its route, the parameters of its path, and whether it renames a channel.

    `place` is the channel that a webhook posts to; `is_own` says whether it goes to an interaction's own webhook or is the
    answer to one, which the limit for all does not count.
    """

    route: str
    parameters: Mapping[str, str]
    place: str
    renames: bool
    is_own: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """The headers of an answer, and how long the client has to wait where it asked too often. `scope` as Discord names it."""

    headers: Mapping[str, str]
    wait_s: float = 0.0
    scope: str = "user"

    @property
    def body(self) -> Json:
        is_global = self.scope == "global"
        return {"message": "You are being rate limited.", "retry_after": round(self.wait_s, 3), "global": is_global, "code": 0}


@dataclass(slots=True)
class Limits:
    """Generous with headers from the start. `use_known` counts as Discord does; without headers clients cannot keep order."""

    known: bool = False
    shows_headers: bool = True
    limits: dict[str, tuple[int, float]] = field(default_factory=lambda: dict(KNOWN))
    hidden_webhook: tuple[int, float] = HIDDEN_WEBHOOK
    hidden_rename: tuple[int, float] = HIDDEN_RENAME
    overall: tuple[int, float] = GLOBAL
    _buckets: dict[str, Bucket] = field(default_factory=dict)

    def use_known(self) -> None:
        """Count from now on as Discord is known to count."""
        self.known = True

    def judge(self, asked: "Asked", now: float) -> Verdict:
        """Whether a request may pass at this time."""
        route, parameters = asked.route, asked.parameters
        limit = self.limits.get(route, GENEROUS) if self.known else GENEROUS
        major = ":".join(parameters[name] for name in MAJOR if name in parameters)
        bucket = self._bucket(f"{route} {major}")
        wait = bucket.take(now, limit)
        headers = self._headers(route, bucket, limit, now)
        if wait:
            return Verdict(headers, wait)
        if not self.known:
            return Verdict(headers)
        return Verdict(headers, *self._hidden(asked, major, now))

    def _hidden(self, asked: "Asked", major: str, now: float) -> tuple[float, str]:
        """What no header tells: seconds to wait, and the scope."""
        posts = asked.route == WEBHOOK and not asked.is_own
        if posts and (wait := self._bucket(f"hidden {asked.place}").take(now, self.hidden_webhook)):
            return wait, "shared"
        if asked.renames and (wait := self._bucket(f"rename {major}").take(now, self.hidden_rename)):
            return wait, "user"
        if not asked.is_own and (wait := self._bucket("all").take(now, self.overall)):
            return wait, "global"
        return 0.0, "user"

    def _bucket(self, key: str) -> Bucket:
        return self._buckets.setdefault(key, Bucket())

    def _headers(self, route: str, bucket: Bucket, limit: tuple[int, float], now: float) -> dict[str, str]:
        if not self.shows_headers:
            return {}
        return {
            "X-RateLimit-Limit": str(limit[0]),
            "X-RateLimit-Remaining": str(limit[0] - bucket.used),
            "X-RateLimit-Reset": f"{bucket.resets:.3f}",
            "X-RateLimit-Reset-After": f"{bucket.resets - now:.3f}",
            "X-RateLimit-Bucket": hashlib.sha256(route.encode()).hexdigest()[:32],
        }
