"""Encrypts an event for everybody in its room, after seeing that they have the key. It sends no event and knows no post.

The traps avoided: nio's own sending passes over every failure on this way (unknown members, devices that were not asked for,
keys that were not claimed or not delivered) and marks the key as shared all the same, so that people cannot read what comes
then. It also escapes all but ASCII before it encrypts, which makes three bytes of one in many languages.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import uuid4

from nio import AsyncClient, JoinedMembersResponse, KeysClaimResponse, KeysQueryResponse
from nio.crypto import Olm, OutboundGroupSession
from nio.rooms import MatrixRoom

from adapters.matrix.errors import Attempt, accepted
from adapters.matrix.line import Line
from adapters.matrix.posting.asking import Content, ask, still, written
from bot.errors import PostRefused, TryLater
from bot.ports.clock import Clock

log = logging.getLogger(__name__)

ENCRYPTED = "m.room.encrypted"
ALGORITHM = "m.megolm.v1.aes-sha2"
ONE_TIME_KEY = "signed_curve25519"

OURS = "dev.understudy."
"""What the names begin with that stay readable outside: they hold hashes, and are found also by a device without the key."""

ROUNDS = 4
"""How often the room may change while its key is shared, before that is given up for now."""

SOON = 2.0

UNREACHED = 300.0
"""Seconds for which users that nobody answers for, and devices that have no key to give, are not asked for again."""

Key = TypeVar("Key")
Device = tuple[str, str]
"""A user's id and a device's."""

LISTS = Attempt(act="find out who is here", changes=False)
KEYS = Attempt(act="find out by what keys people here can be reached", changes=False)
SHARES = Attempt(act="give people here the key of my messages", changes=False)
"""None of these changes the room: each may be repeated, and what fails has not shown anything."""

# What nio and the library below it raise over keys that others made and that are none.
BAD_KEY = (ValueError, LookupError, TypeError, AttributeError, StopIteration)


@dataclass(slots=True)
class Sealing:
    """The encryption of one account's events. One call at a time."""

    line: Line
    clock: Clock
    _silent: dict[str, float] = field(default_factory=dict)
    _keyless: dict[Device, float] = field(default_factory=dict)

    async def prepare(self, client: AsyncClient, room: str) -> None:
        """See that everybody in the room has the key of what comes next. Raises the errors of a courier.

        Nothing may be awaited between this and `sealed`.
        """
        olm, known = _encryption(client), client.rooms.get(room)
        if known is None:
            raise TryLater(SOON)
        known.encrypted = True  # whatever the homeserver says by now
        for _ in range(ROUNDS):
            if await self._is_shared(client, olm, known):
                return
        raise TryLater(SOON)

    async def _is_shared(self, client: AsyncClient, olm: Olm, room: MatrixRoom) -> bool:
        """Do what is missing; whether nothing was, and nothing changed meanwhile."""
        if not room.members_synced:
            listed = await self._ask(client, LISTS, "GET", "rooms", room.room_id, "joined_members")
            answer = JoinedMembersResponse.from_dict(dict(listed), room.room_id)
            await client.receive_response(accepted(answer, JoinedMembersResponse, LISTS))
        await self._ask_for_devices(client, olm, room)
        await self._claim(client, olm, room)
        session = _usable(olm, room)
        if not _unserved(olm, room, session):
            session.shared = True
            return True
        session.shared = False
        sharing = olm.share_group_session_parallel(room.room_id, list(room.users), ignore_unverified_devices=True)
        for devices, messages in sharing:
            await self._ask(client, SHARES, "PUT", "sendToDevice", ENCRYPTED, str(uuid4()), body=messages)
            session.users_shared_with.update(devices)
        return False

    async def _ask_for_devices(self, client: AsyncClient, olm: Olm, room: MatrixRoom) -> None:
        now = self.clock.ticks()
        wanted = {user for user in olm.users_for_key_query & set(room.users) if self._silent.get(user, now) <= now}
        if not wanted:
            return
        answer = await self._ask(
            client, KEYS, "POST", "keys", "query", body={"device_keys": {user: [] for user in sorted(wanted)}}
        )
        for user, devices in _objects(answer.get("device_keys")):
            if user in wanted:
                sound = {device: keys for device, keys in _objects(devices) if _is_sound(user, device, keys)}
                await _receive(client, KeysQueryResponse({user: sound}, {}), f"the keys of {user}")
                if len(sound) < len(devices):
                    olm.users_for_key_query.add(user)  # nio takes what is left out for a device that is gone
        self._silent = _current(self._silent, now) | dict.fromkeys(wanted & olm.users_for_key_query, now + UNREACHED)

    async def _claim(self, client: AsyncClient, olm: Olm, room: MatrixRoom) -> None:
        now = self.clock.ticks()
        missing = [each for each in _devices(olm, room) if not _can_reach(olm, each) and self._keyless.get(each, now) <= now]
        if not missing:
            return
        wish: dict[str, dict[str, str]] = {}
        for user, device in missing:
            wish.setdefault(user, {})[device] = ONE_TIME_KEY
        answer = await self._ask(client, KEYS, "POST", "keys", "claim", body={"one_time_keys": wish})
        for user, devices in _objects(answer.get("one_time_keys")):
            for device, keys in _objects(devices):
                if (user, device) in missing and keys:
                    await _receive(client, KeysClaimResponse({user: {device: dict(keys)}}, {}), f"a key of {user}")
        keyless = [each for each in missing if not _can_reach(olm, each)]
        self._keyless = _current(self._keyless, now) | dict.fromkeys(keyless, now + UNREACHED)

    async def _ask(self, client: AsyncClient, attempt: Attempt, *call: str, body: Content | None = None) -> Content:
        """Ask as long as the client is the one that is used: what comes back changes its keys."""
        answer = await ask(still(self.line, client), attempt, *call, body=body)
        still(self.line, client)
        return answer


def sealed(client: AsyncClient, room: str, kind: str, content: Content) -> Content:
    """The content of an m.room.encrypted event that holds this one. `prepare` its room first.

    What it belongs to, and our own marks, stay readable outside: homeservers need the one, and other devices of ours the other.
    """
    olm = _encryption(client)
    session = olm.outbound_group_sessions[room]
    plain = written({"type": kind, "content": content, "room_id": room})
    ciphertext: str = session.encrypt(plain)  # type: ignore[no-untyped-call]  # nio's
    return {
        "algorithm": ALGORITHM,
        "sender_key": olm.account.identity_keys["curve25519"],
        "ciphertext": ciphertext,
        "session_id": session.id,
        "device_id": olm.device_id,
        **{name: value for name, value in content.items() if name == "m.relates_to" or name.startswith(OURS)},
    }


def _encryption(client: AsyncClient) -> Olm:
    """The client's keys. Raises PostRefused where it has none: nothing may go into an encrypted room in clear."""
    if client.olm is None:
        raise PostRefused(
            "This room is encrypted, and I have no keys; the operator can mend that by `understudy matrix login`."
        )
    return client.olm


def _usable(olm: Olm, room: MatrixRoom) -> OutboundGroupSession:
    """The room's key, a new one where it is used up or a device has it that is here no longer."""
    session = olm.outbound_group_sessions.get(room.room_id)
    if session is None or session.expired or session.users_shared_with - set(_devices(olm, room)):
        olm.create_outbound_group_session(room.room_id)
    return olm.outbound_group_sessions[room.room_id]


def _unserved(olm: Olm, room: MatrixRoom, session: OutboundGroupSession) -> list[Device]:
    served = session.users_shared_with | session.users_ignored
    return [each for each in _devices(olm, room) if each not in served and _can_reach(olm, each)]


def _devices(olm: Olm, room: MatrixRoom) -> Iterator[Device]:
    """The devices of everybody in the room but this one."""
    for user in room.users:
        for device in olm.device_store.active_user_devices(user):
            if device.id != olm.device_id:
                yield user, device.id


def _can_reach(olm: Olm, device: Device) -> bool:
    user, name = device
    return olm.session_store.get(olm.device_store[user][name].curve25519) is not None


async def _receive(client: AsyncClient, answer: KeysQueryResponse | KeysClaimResponse, what: str) -> None:
    """Let nio take keys that others made. Those of one must not keep all others from reading along."""
    try:
        await client.receive_response(answer)
    except BAD_KEY as error:
        log.warning("%s cannot be used (%s)", what, type(error).__name__, extra={"action": "leave_out_device"})


def _current(until: dict[Key, float], now: float) -> dict[Key, float]:
    return {each: time for each, time in until.items() if time > now}


def _is_sound(user: str, device: str, keys: Mapping[str, object]) -> bool:
    answer = KeysQueryResponse.from_dict({"device_keys": {user: {device: keys}}})
    return isinstance(answer, KeysQueryResponse) and keys.get("user_id") == user and keys.get("device_id") == device


def _objects(value: object) -> Iterable[tuple[str, dict[str, object]]]:
    """What is an object of objects, part by part; what is not in order is not there."""
    if not isinstance(value, Mapping):
        return ()
    return ((name, dict(each)) for name, each in value.items() if isinstance(name, str) and isinstance(each, Mapping))
