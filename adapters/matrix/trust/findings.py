"""What `understudy matrix doctor` finds: of what was seen of an account, what is well, and what to do about the rest. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from nio.crypto.sessions import IdentityKeys

from adapters.findings import Finding, Grade
from adapters.matrix.client import OldStore
from adapters.matrix.ears.synced import Event, RoomNews, Synced, content_of, is_state
from adapters.matrix.keeping import LOG_IN, Account
from adapters.matrix.publishing import SIGNED
from adapters.matrix.rooms import Room, told
from adapters.matrix.trust.asking import shown
from adapters.matrix.trust.bootstrap import FOREIGN, NO_IDENTITY, is_ours
from adapters.matrix.trust.identity import Standing

MESSAGE, SEALED = "m.room.message", "m.room.encrypted"
FALLBACK = "device_unused_fallback_key_types"
MOST_ROOMS = 30
"""Of rooms with nothing to say about; the others are counted."""

NOT_PUBLISHED = (
    "The homeserver has no keys of the bot's device: in encrypted rooms nobody can write to it. Start Understudy, which "
    f"publishes them; or {LOG_IN}."
)
CANNOT_BE_SEEN = (
    "Which users' clients keep their messages from the bot cannot be seen from here. It shows in the room, where Understudy "
    "says that it cannot read a message: its writer may exclude devices that nobody vouches for, or have to write it again."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What was seen of an account. What could not be looked at is None, or empty with its trouble: a sentence.

    `open_files` are files that others of the machine can read. `who` are the user and device that the homeserver takes the
    token for. `own` are the keys in the key store (a store that a start mends is
    unfinished), `there` what the homeserver publishes, and `news` a sync with all state.
    """

    folder: Path
    account: Account | None = None
    account_trouble: str = ""
    open_files: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    homeserver_trouble: str = ""
    who: tuple[str, str] | None = None
    login_trouble: str = ""
    own: IdentityKeys | None = None
    store_trouble: str = ""
    is_store_unfinished: bool = False
    there: Standing | None = None
    news: Synced | None = None
    for_adults: frozenset[str] = frozenset()
    adults_in_public: bool = False


def findings(facts: Facts) -> list[Finding]:
    """All that there is to say, in the order in which it is best mended."""
    if facts.account is None:
        trouble = facts.account_trouble or f"There is no account in {facts.folder} yet: {LOG_IN}."
        return [Finding("account", Grade.WRONG, trouble)]
    found = [*_kept(facts, facts.account), *_reached(facts, facts.account)]
    if facts.there is not None:
        found += [*_device(facts, facts.there), *_identity(facts.account, facts.there)]
    if facts.news is not None:
        found += [*_one_time_keys(facts.news), *_rooms(facts, facts.account, facts.news), *_invitations(facts.news)]
        found.append(Finding("other devices", Grade.OK, CANNOT_BE_SEEN))
    return found


def _kept(facts: Facts, account: Account) -> Iterator[Finding]:
    who = f"{account.user_id} at {account.homeserver}, as the device {shown(account.device_id)}."
    yield Finding("account", Grade.OK, who)
    if facts.open_files:
        names = ", ".join(facts.open_files)
        sentence = f"Others of this machine can read {names}: take that from them with chmod -R go= {facts.folder}."
        yield Finding("files", Grade.WRONG, sentence)
    else:
        yield Finding("files", Grade.OK, "Nobody but their owner can read them.")
    if facts.own is None:
        yield Finding("key store", Grade.WARNING if facts.is_store_unfinished else Grade.WRONG, facts.store_trouble)
    else:
        yield Finding("key store", Grade.OK, "It is there and opens.")


def _reached(facts: Facts, account: Account) -> Iterator[Finding]:
    if not facts.versions:
        yield Finding("homeserver", Grade.WRONG, facts.homeserver_trouble)
        return
    yield Finding("homeserver", Grade.OK, f"It answers, and speaks Matrix up to {shown(facts.versions[-1])}.")
    if facts.who is None:
        yield Finding("login", Grade.WRONG, facts.login_trouble)
    elif facts.who != (account.user_id, account.device_id):
        other = " as the device ".join(map(shown, facts.who))
        yield Finding("login", Grade.WRONG, f"The access token is one of {other}: {LOG_IN}.")
    else:
        yield Finding("login", Grade.OK, "The homeserver knows it.")


def _device(facts: Facts, there: Standing) -> Iterator[Finding]:
    if there.device is None:
        yield Finding("device", Grade.WRONG, NOT_PUBLISHED)
    elif facts.own is not None and not is_ours(there, facts.own):
        yield Finding("device", Grade.WRONG, str(OldStore()))
    elif facts.own is not None:
        yield Finding("device", Grade.OK, "The homeserver has its keys, the same as the key store.")


def _identity(account: Account, there: Standing) -> Iterator[Finding]:
    if not there.master_key:
        yield Finding("identity", Grade.WRONG, NO_IDENTITY)
        return
    if there.is_identity_of(account.seeds):
        yield Finding("identity", Grade.OK, "The account has one, and the key that vouches for its devices is kept here.")
    elif account.seeds is None:
        yield Finding("identity", Grade.OK, "The account has one, which was made elsewhere; no key of it is kept here.")
    else:
        sentence = "It was made anew since the last login: a device that comes later will not be vouched for."
        yield Finding("identity", Grade.WARNING, f"{sentence} To mend it, {LOG_IN} and give it the new recovery key.")
    if there.is_signed:
        yield Finding("trust", Grade.OK, "The account's identity vouches for the device; strict clients read it.")
    elif there.is_identity_of(account.seeds):
        sentence = "The account's identity does not vouch for the device yet: start Understudy, which has it do so"
        yield Finding("trust", Grade.WRONG, f"{sentence}; or {LOG_IN}.")
    else:
        yield Finding("trust", Grade.WRONG, FOREIGN)


def _one_time_keys(news: Synced) -> Iterator[Finding]:
    count, unused = news.one_time_keys or 0, news.own_keys.get(FALLBACK)
    has_fallback = isinstance(unused, list) and SIGNED in unused
    if count:
        yield Finding("one-time keys", Grade.OK, f"{count} are left for devices that write to the bot for the first time.")
    elif has_fallback:
        sentence = "None is left, so devices that write to the bot for the first time share its fallback key"
        yield Finding("one-time keys", Grade.WARNING, f"{sentence}. Understudy makes new ones while it runs: start it.")
    else:
        sentence = "None is left: devices that are new to the bot cannot write to it. Start Understudy, which makes new ones"
        yield Finding("one-time keys", Grade.WRONG, f"{sentence}; if it runs, look into its log.")


def _rooms(facts: Facts, account: Account, news: Synced) -> Iterator[Finding]:
    each = [_room(facts, account, room, state) for room, state in news.joined.items()]
    if not each:
        yield Finding("rooms", Grade.WARNING, "The bot is in no room: invite it to one.")
    plain = [finding for finding in each if finding.grade is Grade.OK]
    yield from (finding for finding in each if finding.grade is not Grade.OK)
    yield from plain[:MOST_ROOMS]
    if more := len(plain) - MOST_ROOMS if len(plain) > MOST_ROOMS else 0:
        yield Finding("rooms", Grade.OK, f"In {more} more, nothing is amiss.")


def _room(facts: Facts, account: Account, id_: str, news: RoomNews) -> Finding:
    room = told(Room(id_), (*news.state, *news.timeline))
    name = f"{shown(room.name)!r}" if room.name else "It"
    own, needed = room.level_of(account.user_id), room.needs(SEALED if room.is_encrypted else MESSAGE)
    sealed = "is encrypted" if room.is_encrypted else "is not encrypted"
    if room.successor:
        return Finding(id_, Grade.WARNING, f"{name} is over, and {shown(room.successor)} took its place: invite the bot there.")
    if own < needed:
        sentence = f"{name} {sealed}, and the bot may not post there: its power level is {own:g}, and posting takes {needed:g}"
        return Finding(id_, Grade.WRONG, f"{sentence}. Have an administrator of the room raise it.")
    if id_ not in facts.for_adults:
        return Finding(id_, Grade.OK, f"{name} {sealed}.")
    is_private = room.is_closed or (facts.adults_in_public and room.history != "world_readable")
    if not is_private:
        sentence = f"{name} {sealed} and marked for adults, but others can come in or read along: nothing for adults is played"
        return Finding(id_, Grade.WARNING, f"{sentence} there until it takes an invitation, and its history is no open book.")
    return Finding(id_, Grade.OK, f"{name} {sealed}, and for adults only.")


def _invitations(news: Synced) -> Iterator[Finding]:
    for room, state in news.invited.items():
        name = next((content_of(each).get("name") for each in state if is_state(each, "m.room.name", "")), "")
        called = f" to {shown(name)!r}" if isinstance(name, str) and name else ""
        sentence = f"{_inviter(state)} invites the bot{called}. Understudy comes when it runs, if [matrix] in the configuration"
        yield Finding(room, Grade.WARNING, f"{sentence} names the user, the server or the room; any other invitation stays.")


def _inviter(state: tuple[Event, ...]) -> str:
    invited: Mapping[str, object] = next(
        (each for each in state if each.get("type") == "m.room.member" and content_of(each).get("membership") == "invite"), {}
    )
    sender = invited.get("sender")
    return shown(sender) if isinstance(sender, str) and sender else "Somebody"
