"""Somebody whose client encrypts end to end: a plain client's acts and views. It knows nothing of our own adapter."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, cast

from nio import AsyncClient, AsyncClientConfig, EncryptionError, KeysQueryResponse, MegolmEvent, SyncResponse
from nio.crypto.attachments import decrypt_attachment, encrypt_attachment
from nio.store import SqliteMemoryStore

from tests.homeserver import trust
from tests.homeserver.contents import Content
from tests.homeserver.people import Person
from tests.homeserver.server import Login
from tests.homeserver.shown import Event

IN_CLEAR = ("m.reaction", "m.room.redaction")
WITHHELD = "m.room_key.withheld"
MEGOLM = "m.megolm.v1.aes-sha2"

Device = tuple[str, str]
"""A user's id and a device's."""


@dataclass(frozen=True, slots=True)
class Withheld:
    """That a device of `sender` keeps the key of its messages in `room` from this one, with Matrix's code for why."""

    sender: str
    room: str
    code: str


class Sealed(Person):
    """A device with keys, which are forgotten with it. Use it as `async with`: its keys are published on entering.

    With `exclude_insecure` it is as strict as Element that excludes insecure devices: a device which its owner's identity
    does not vouch for gets no key (it is told so by m.room_key.withheld), and what that device sent is unreadable here.
    """

    def __init__(self, login: Login, *, exclude_insecure: bool = False) -> None:
        super().__init__(login)
        self.withheld: list[Withheld] = []
        self._exclude_insecure = exclude_insecure
        config = AsyncClientConfig(store=SqliteMemoryStore, pickle_key="only for tests", max_limit_exceeded=0, max_timeouts=1)
        self._nio = AsyncClient(login.homeserver, login.user_id, login.device_id, config=config)
        self._nio.restore_login(login.user_id, login.device_id, login.access_token)
        if self._nio.olm is None or self._nio.store is None:
            raise RuntimeError("nio made no keys for this device")
        self._olm, self._store = self._nio.olm, self._nio.store
        self._signed: set[Device] = set()

    async def __aenter__(self) -> Self:
        await self.sync()
        return self

    async def close(self) -> None:
        await self._nio.close()  # type: ignore[no-untyped-call]  # nio has no annotation there
        self._store.database.close()
        await super().close()

    async def shields(self, user_id: str) -> Literal["none", "unsigned"]:
        """The shield at somebody's messages: `unsigned` (Element: "by a device not verified by its owner") or `none`.

        It stands for all devices of that user that have keys; without any, there is nothing to vouch for.
        """
        answer = await self._keys_of(user_id)
        return "none" if trust.all_devices(answer, user_id) <= trust.signed_devices(answer, user_id) else "unsigned"

    async def identity(self, user_id: str) -> str | None:
        """Somebody's master key, by which they are known to others; None without cross-signing."""
        return trust.identity(await self._keys_of(user_id), user_id)

    async def send(self, room: str, kind: str, content: Content) -> str:
        """Send any event, encrypted where the room is; returns its id."""
        await self.sync()
        if kind in IN_CLEAR or not self._is_encrypted(room):
            return await super().send(room, kind, content)
        await self._share_key(room)
        return await super().send(room, *self._nio.encrypt(room, kind, content))

    async def timeline(self, room: str) -> list[Event]:
        """All events that this person may see, oldest first, decrypted where this device may read them."""
        await self.sync()
        events = await super().timeline(room)
        if self._exclude_insecure:
            await self._judge({event["sender"] for event in events})
        return [self.opened(room, event) for event in events]

    async def event(self, room: str, event_id: str) -> Event:
        await self.sync()
        event = await super().event(room, event_id)
        if self._exclude_insecure:
            await self._judge({event["sender"]})
        return self.opened(room, event)

    async def open_file(self, content: Mapping[str, Any]) -> bytes:
        if "file" not in content:
            return await super().open_file(content)
        file = content["file"]
        sealed = await self.download(file["url"])
        return bytes(decrypt_attachment(sealed, file["key"]["k"], file["hashes"]["sha256"], file["iv"]))

    async def sync(self, seconds: float = 0) -> Content:
        """Wait at most so long for news since the last time, and return them; what is due about keys is done first."""
        news = await super().sync(seconds)
        for event in news.get("to_device", {}).get("events", []):
            if event["type"] == WITHHELD:
                said = event["content"]
                self.withheld.append(Withheld(event["sender"], said["room_id"], said["code"]))
        # Without news, nio would go on from its last answer, which is right; that it wants to be asked twice is not.
        await self._nio.receive_response(SyncResponse.from_dict(news))
        await self._do_chores()
        return news

    async def _stored(self, room: str, data: bytes, name: str, media_type: str) -> Content:
        await self.sync()
        if not self._is_encrypted(room):
            return await super()._stored(room, data, name, media_type)
        sealed, keys = encrypt_attachment(data)
        return {"file": {**keys, "url": await self.upload(sealed, "application/octet-stream", name)}}

    def _is_encrypted(self, room: str) -> bool:
        return bool(self._nio.rooms[room].encrypted)

    async def _do_chores(self) -> None:
        if self._nio.should_upload_keys:
            await self._nio.keys_upload()
        if self._nio.should_query_keys:
            await self._nio.keys_query()
        if self._nio.should_claim_keys:
            await self._nio.keys_claim(self._nio.get_users_for_key_claiming())
        await self._nio.send_to_device_messages()

    async def _share_key(self, room: str) -> None:
        """See that all devices that are served have the room's key. Where they are others than before, nio makes a new one."""
        await self._nio.joined_members(room)
        members = set(self._nio.rooms[room].users)
        await self._judge(members)
        devices = {device for user in members for device in self._devices(user)}
        if not self._olm.should_share_group_session(room):
            return
        await self._nio.share_group_session(room, ignore_unverified_devices=True)
        if self._exclude_insecure:
            await self._withhold(room, devices - self._signed)

    async def _judge(self, users: set[str]) -> None:
        """Ask for the users' keys; with insecure devices excluded, have nio pass over those without a signature."""
        answer = await self._keys_of(*users)
        await self._nio.receive_response(KeysQueryResponse.from_dict(answer))
        self._signed = {(user, device) for user in users for device in trust.signed_devices(answer, user)}
        if not self._exclude_insecure:
            return
        for device in {device for user in users for device in self._devices(user)}:
            known = self._nio.device_store[device[0]][device[1]]
            if device in self._signed:
                self._nio.unblacklist_device(known)
            else:
                self._nio.blacklist_device(known)

    async def _keys_of(self, *users: str) -> Content:
        return cast("Content", await self.wire.ask("POST", "/keys/query", {"device_keys": {user: [] for user in users}}))

    def _devices(self, user_id: str) -> set[Device]:
        """The devices of a user, this one aside."""
        devices = {(user_id, device.id) for device in self._nio.device_store.active_user_devices(user_id)}
        return devices - {(self.user_id, self.login.device_id)}

    async def _withhold(self, room: str, devices: set[Device]) -> None:
        if not devices:
            return
        content = {
            "algorithm": MEGOLM,
            "room_id": room,
            "session_id": self._olm.outbound_group_sessions[room].id,
            "sender_key": self._olm.account.identity_keys["curve25519"],
            "code": "m.unverified",
            "reason": "The sender has disabled encrypting to unverified devices.",
        }
        messages: dict[str, dict[str, Content]] = {}
        for user, device in devices:
            messages.setdefault(user, {})[device] = content
        await self.wire.ask("PUT", f"/sendToDevice/{WITHHELD}/{self.next_transaction()}", {"messages": messages})

    def opened(self, room: str, event: Event) -> Event:
        if event["type"] != "m.room.encrypted" or "ciphertext" not in event["content"]:
            return event
        sealed = MegolmEvent.from_dict(dict(event))
        if not isinstance(sealed, MegolmEvent):
            return event
        sealed.room_id = room
        try:
            opened = self._nio.decrypt_event(sealed)
        except EncryptionError:
            return event
        if self._exclude_insecure and not self._is_from_signed_device(sealed):
            return event
        return {**event, "type": opened.source["type"], "content": opened.source["content"]}

    def _is_from_signed_device(self, sealed: MegolmEvent) -> bool:
        if (sealed.sender, sealed.device_id) == (self.user_id, self.login.device_id):
            return True
        device = self._nio.device_store.device_from_sender_key(sealed.sender, sealed.sender_key)
        return device is not None and (sealed.sender, device.id) in self._signed
