"""A token for a device of an account: the one that is kept, one that was given, or a new one for a password.

It knows nothing of keys. Whether the device that is kept can go on is decided elsewhere.
"""

import secrets
from dataclasses import replace

from adapters.matrix.keeping import USER, WORD, Account
from adapters.matrix.trust.asking import UNKNOWN_TOKEN, Content, Denied, Homeserver, shown
from adapters.matrix.trust.bootstrap import PASSWORD
from adapters.matrix.trust.wishes import Asker, Wish
from bot.errors import Refused

WITH_A_TOKEN = "give an access token by the environment variable UNDERSTUDY_MATRIX_TOKEN"  # noqa: S105  a sentence


class Tokens:
    """Gets tokens at a homeserver's address. `going_on` is the account whose device goes on, if one does.

    It remembers the password that was asked for, as a homeserver may want it more than once.
    """

    def __init__(self, wish: Wish, asker: Asker, address: str, going_on: Account | None) -> None:
        self._wish, self._asker, self._address = wish, asker, address
        self.going_on = going_on
        self.password = wish.password

    async def any_for(self, user: str) -> Account:
        """The account of a user with a token that is good. Raises Refused."""
        if self._wish.token:
            return await self._with_token(user, self._wish.token)
        kept = self.going_on
        if kept is not None and not self._wish.password and await self._is_good(kept):
            self._asker.tell("The login is still good.")
            return replace(kept, homeserver=self._address)
        return await self.with_password(user)

    async def with_password(self, user: str) -> Account:
        """The account with a new token: for the device that goes on, or for a new one. Raises Refused."""
        async with Homeserver(self._address, proxy=self._wish.proxy) as home:
            flows = (await home.ask("GET", "/login")).get("flows")
            kinds = [each.get("type") for each in flows if isinstance(each, dict)] if isinstance(flows, list) else []
            if PASSWORD not in kinds:
                raise Refused(f"The homeserver {self._address} takes no passwords here; {WITH_A_TOKEN}.")
            wish = {
                "type": PASSWORD,
                "identifier": {"type": "m.id.user", "user": user},
                "password": self.ask_password(user),
                "initial_device_display_name": self._wish.device_name,
                **({"device_id": self.going_on.device_id} if self.going_on else {}),
            }
            try:
                return self._account(await home.ask("POST", "/login", wish))
            except Denied as refusal:
                if refusal.code != "M_FORBIDDEN":
                    raise
                raise Refused(f"The homeserver does not accept this password for {user}.") from None

    def ask_password(self, user: str) -> str:
        """The password of a user, asked for once. Raises Refused without one."""
        self.password = self.password or self._asker.secret(f"Password of {user}")
        if not self.password:
            raise Refused(f"Nothing goes without a password; or {WITH_A_TOKEN}.")
        return self.password

    async def _is_good(self, kept: Account) -> bool:
        async with Homeserver(self._address, kept.access_token, self._wish.proxy) as home:
            try:
                who = await home.ask("GET", "/account/whoami")
            except Denied as refusal:
                if refusal.code != UNKNOWN_TOKEN:
                    raise
                self._asker.tell("The homeserver does not know the login any more.")
                return False
        return (who.get("user_id"), who.get("device_id")) == (kept.user_id, kept.device_id)

    async def _with_token(self, user: str, token: str) -> Account:
        if not WORD.fullmatch(token):
            raise Refused("The access token has letters in it that none has; copy it again.")
        async with Homeserver(self._address, token, self._wish.proxy) as home:
            try:
                who = await home.ask("GET", "/account/whoami")
            except Denied as refusal:
                if refusal.code != UNKNOWN_TOKEN:
                    raise
                raise Refused("The homeserver does not know this access token; copy it again, or make a new one.") from None
        if not who.get("device_id"):
            raise Refused("This access token is of no device, so nothing can be encrypted with it; log in with the password.")
        account = self._account({**who, "access_token": token})
        if USER.fullmatch(user) and account.user_id != user:
            raise Refused(f"This access token is one of {account.user_id}, not of {user}.")
        return account

    def _account(self, answer: Content) -> Account:
        """The account of an answer with a token."""
        texts = [answer.get(name) for name in ("user_id", "device_id", "access_token")]
        user, device, token = (text if isinstance(text, str) else "" for text in texts)
        if not USER.fullmatch(user) or not WORD.fullmatch(device) or not WORD.fullmatch(token):
            raise Refused(f"At {shown(self._address)} there is no Matrix homeserver: its answer makes no sense.")
        kept = self.going_on
        if kept is not None and (kept.user_id, kept.device_id) == (user, device):
            return replace(kept, homeserver=self._address, access_token=token)
        return Account(
            homeserver=self._address,
            user_id=user,
            device_id=device,
            access_token=token,
            pickle_key=secrets.token_urlsafe(32),
        )
