"""What tests of the account need: a folder with an account in it, and a bot that does what is due about its keys."""

from pathlib import Path

from nio import SyncResponse

from adapters.matrix.client import Client, first_client, new_client
from adapters.matrix.keeping import Account, Folder
from adapters.matrix.settings import Settings
from tests.homeserver.server import Login


def account_of(login: Login, pickle_key: str = "only-for-tests") -> Account:
    return Account(
        homeserver=login.homeserver,
        user_id=login.user_id,
        device_id=login.device_id,
        access_token=login.access_token,
        pickle_key=pickle_key,
    )


def kept(login: Login, path: Path) -> tuple[Account, Folder]:
    """An account that was kept, with an empty key store."""
    account, folder = account_of(login), Folder(path / "matrix")
    folder.keep(account)
    return account, folder


def settings(folder: Folder) -> Settings:
    return Settings(folder=folder.path)


def first(account: Account, folder: Folder) -> Client:
    return first_client(account, folder, settings(folder))


def again(account: Account, folder: Folder) -> Client:
    return new_client(account, folder, settings(folder))


async def synced(client: Client) -> SyncResponse:
    """What is new, after which the chores of keys are done."""
    answer = await client.sync(0, full_state=not client.rooms)
    assert isinstance(answer, SyncResponse), answer
    if client.should_upload_keys:
        await client.keys_upload()
    if client.should_query_keys:
        await client.keys_query()
    if client.should_claim_keys:
        await client.keys_claim(client.get_users_for_key_claiming())
    await client.send_to_device_messages()
    return answer


async def joined(client: Client, room: str) -> None:
    await client.join(room)
    await synced(client)


def read(answer: SyncResponse, room: str) -> list[str | None]:
    """The texts of a room's new events; None for what could not be read."""
    events = answer.rooms.join[room].timeline.events if room in answer.rooms.join else []
    shown = (event for event in events if event.source["type"] in {"m.room.message", "m.room.encrypted"})
    return [event.source["content"].get("body") for event in shown]
