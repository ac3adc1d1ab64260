"""`understudy matrix doctor`: looks at an account from all sides, beside a bot that may be running, and changes nothing.

It asks as the bot's own device, but never where the homeserver would take the answer for received: messages to the device
wait for the bot.
"""

import json
import secrets
import stat
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlencode

from adapters.matrix.ears.synced import Synced, synced
from adapters.matrix.keeping import LOG_IN, Account, Folder
from adapters.matrix.key_store import Unfinished, device_account
from adapters.matrix.rooms import marked_for_adults
from adapters.matrix.trust.asking import DEACTIVATED, UNKNOWN_TOKEN, Denied, Homeserver
from adapters.matrix.trust.bootstrap import look
from adapters.matrix.trust.discovery import versions
from adapters.matrix.trust.findings import Facts
from bot.errors import Refused

STATE = (
    "m.room.create",
    "m.room.encryption",
    "m.room.history_visibility",
    "m.room.join_rules",
    "m.room.name",
    "m.room.power_levels",
    "m.room.tombstone",
)
UNKNOWN = f"The homeserver does not know the login any more: {LOG_IN}. Understudy goes on by itself then."
NO_ACCOUNT = "The account was deactivated. Make another one, and log in with that."


async def examine(
    folder: Folder, marks: Mapping[str, str] | None = None, *, adults_in_public: bool = False, proxy: str = ""
) -> Facts:
    """All that can be seen of the account in a folder. `marks` are the bookmarks of its places. Never raises Refused."""
    facts = Facts(folder=folder.path, for_adults=marked_for_adults(marks or {}), adults_in_public=adults_in_public)
    try:
        account = folder.account()
    except Refused as damaged:
        return replace(facts, account_trouble=str(damaged))
    if account is None:
        return facts
    facts = _with_files(replace(facts, account=account), folder, account)
    try:
        facts = replace(facts, versions=tuple(await versions(account.homeserver, proxy)))
    except Refused as trouble:
        return replace(facts, homeserver_trouble=str(trouble))
    async with Homeserver(account.homeserver, account.access_token, proxy) as home:
        return await _with_answers(facts, home, account)


def _with_files(facts: Facts, folder: Folder, account: Account) -> Facts:
    paths = [folder.path, folder.account_file, folder.keys, *sorted(folder.keys.glob("*"))]
    is_open = [path for path in paths if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077]
    facts = replace(facts, open_files=tuple(str(path) for path in is_open))
    try:
        return replace(facts, own=device_account(folder, account, changes_nothing=True).identity_keys)
    except Refused as trouble:
        return replace(facts, store_trouble=str(trouble), is_store_unfinished=isinstance(trouble, Unfinished))


async def _with_answers(facts: Facts, home: Homeserver, account: Account) -> Facts:
    try:
        who = await home.ask("GET", "/account/whoami")
        facts = replace(facts, who=(str(who.get("user_id")), str(who.get("device_id"))))
        if facts.who != (account.user_id, account.device_id):
            return facts
        return replace(facts, there=await look(home, account), news=await _news(home))
    except Denied as refusal:
        sentences = {UNKNOWN_TOKEN: UNKNOWN, DEACTIVATED: NO_ACCOUNT}
        return replace(facts, who=None, login_trouble=sentences.get(refusal.code, str(refusal)))
    except Refused as trouble:
        return replace(facts, who=None, login_trouble=str(trouble))


async def _news(home: Homeserver) -> Synced:
    """All rooms with their state, invitations, and how many keys are left."""
    nothing: dict[str, list[str]] = {"types": []}
    wanted = {
        "presence": nothing,
        "account_data": nothing,
        "room": {
            "timeline": nothing,
            "ephemeral": nothing,
            "account_data": nothing,
            # Synapse answers the same question from memory for two minutes: with a type that nobody has, no two are.
            "state": {"types": [*STATE, f"dev.understudy.{secrets.token_hex(8)}"]},
        },
    }
    query = urlencode({"filter": json.dumps(wanted), "timeout": "0", "set_presence": "offline"})
    try:
        return synced(await home.ask("GET", f"/sync?{query}"))
    except ValueError:
        raise Refused(f"The homeserver {home.address} answers a sync with what makes no sense.") from None
