"""REST for the application itself: what it is, its commands and its emojis, and where the gateway stands."""

import base64
import re
from typing import Any

from tests.fakes.discord import payloads, refusals
from tests.fakes.discord.records import Emoji, Json
from tests.fakes.discord.routes import NOTHING, Answer, Call, Routes
from tests.fakes.discord.world import World

APPLICATION = Routes()
GATEWAY = "wss://gateway.discord.gg"
OWN = "/applications/{application}"
COMMAND = re.compile(r"[-_'\w]{1,32}")
MOST = {1: 100, 2: 15, 3: 15}
LONGEST_COMMAND = 8000
MAX_EMOJI = 256 * 1024


@APPLICATION.on("GET", "/gateway/bot")
def gateway(call: Call) -> Answer:
    limit = {"total": 1000, "remaining": 1000, "reset_after": 0, "max_concurrency": 1}
    return 200, {"url": GATEWAY, "shards": call.world.shards, "session_start_limit": limit}


@APPLICATION.on("GET", "/gateway", needs_token=False)
def gateway_for_all(_: Call) -> Answer:
    return 200, {"url": GATEWAY}


@APPLICATION.on("GET", "/applications/@me")
@APPLICATION.on("GET", "/oauth2/applications/@me")
def application(call: Call) -> Answer:
    world = call.world
    flags = payloads.application_flags(world)
    return 200, {
        "id": str(world.application_id),
        "name": world.bot.name,
        "icon": None,
        "description": "",
        "type": None,
        "verify_key": "0" * 64,
        "flags": flags,
        "flags_new": str(flags),
        "redirect_uris": [],
        "interactions_endpoint_url": None,
        "role_connections_verification_url": None,
        "owner": payloads.user(world.owner),
        "bot": payloads.user(world.bot),
        "bot_public": True,
        "bot_require_code_grant": False,
        "approximate_guild_count": len(world.guilds),
        "approximate_user_install_count": 0,
        "approximate_user_authorization_count": 0,
        "explicit_content_filter": 0,
        "team": None,
        "eligible_oauth2_scopes": [],
    }


def _own(call: Call) -> None:
    if call.id("application") != call.world.application_id:
        raise refusals.Refusal(403, 20012, "You are not authorized to perform this action on this application")


@APPLICATION.on("GET", f"{OWN}/commands")
@APPLICATION.on("GET", f"{OWN}/guilds/{{guild}}/commands")
def commands(call: Call) -> Answer:
    _own(call)
    return 200, call.world.commands.get(_guild(call), [])


def _guild(call: Call) -> int | None:
    return call.world.guild(call.id("guild")).id if "guild" in call.parameters else None


@APPLICATION.on("PUT", f"{OWN}/commands")
@APPLICATION.on("PUT", f"{OWN}/guilds/{{guild}}/commands")
def replace_commands(call: Call) -> Answer:
    _own(call)
    if not isinstance(call.exchange.body, list):
        raise refusals.invalid("_", "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
    guild, asked = _guild(call), call.exchange.body
    for number, each in enumerate(asked):
        check_command(str(number), each)
    names = [(each.get("type", 1), each["name"]) for each in asked]
    kinds = [kind for kind, _ in names]
    if len(set(names)) != len(names):
        raise refusals.invalid("name", "APPLICATION_COMMANDS_DUPLICATE_NAME", "Application command names must be unique")
    if any(kinds.count(kind) > most for kind, most in MOST.items()):
        raise refusals.Refusal(400, 30032, "Maximum number of application commands reached")
    call.world.commands[guild] = [_command(call.world, guild, each) for each in asked]
    call.world.touch()
    return 200, call.world.commands[guild]


@APPLICATION.on("POST", f"{OWN}/commands")
@APPLICATION.on("POST", f"{OWN}/guilds/{{guild}}/commands")
def upsert_command(call: Call) -> Answer:
    _own(call)
    check_command("_", call.body)
    guild = _guild(call)
    found = _command(call.world, guild, call.body)
    others = [each for each in call.world.commands.get(guild, []) if each["id"] != found["id"]]
    call.world.commands[guild] = [*others, found]
    return 201, found


@APPLICATION.on("DELETE", f"{OWN}/commands/{{command}}")
@APPLICATION.on("DELETE", f"{OWN}/guilds/{{guild}}/commands/{{command}}")
def delete_command(call: Call) -> Answer:
    _own(call)
    standing = call.world.commands.get(_guild(call), [])
    if all(each["id"] != call.parameters["command"] for each in standing):
        raise refusals.unknown("Application Command")
    standing[:] = [each for each in standing if each["id"] != call.parameters["command"]]
    return NOTHING


def _command(world: World, guild: int | None, asked: Json) -> Json:
    """A command as Discord keeps it: one of the same name and type keeps its id."""
    same = (asked.get("type", 1), asked["name"])
    standing = world.commands.get(guild, [])
    old = next((each["id"] for each in standing if (each["type"], each["name"]) == same), None)
    bits = asked.get("default_member_permissions")
    found: Json = {
        "id": old or str(world.new_id()),
        "application_id": str(world.application_id),
        "version": str(world.new_id()),
        "type": asked.get("type", 1),
        "name": asked["name"],
        "description": asked.get("description") or "",
        "default_member_permissions": None if bits is None else str(bits),
        "dm_permission": asked.get("dm_permission", True),
        "contexts": asked.get("contexts"),
        "integration_types": asked.get("integration_types") or [0],
        "nsfw": bool(asked.get("nsfw")),
    }
    found |= {"options": asked["options"]} if asked.get("options") else {}
    return found | ({} if guild is None else {"guild_id": str(guild)})


def check_command(where: str, command: Json) -> None:
    """Raises Refusal for a command that Discord would not take: its names, descriptions, numbers and size."""
    kind = command.get("type", 1)
    if kind == 1:
        _check_described(where, command)
        if _size(command) > LONGEST_COMMAND:
            raise refusals.invalid(where, "APPLICATION_COMMAND_TOO_LARGE", "Command exceeds maximum size (8000)")
    elif not 1 <= len(command["name"]) <= 32 or command.get("description"):
        raise refusals.invalid(f"{where}.name", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 32 in length.")


def _check_described(where: str, part: Json) -> None:
    name, options = part["name"], part.get("options") or []
    if not COMMAND.fullmatch(name) or name != name.lower():
        raise refusals.invalid(f"{where}.name", "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
    if not 1 <= len(part.get("description") or "") <= 100:
        raise refusals.invalid(f"{where}.description", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")
    if len(options) > 25 or len(part.get("choices") or []) > 25:
        raise refusals.invalid(f"{where}.options", "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
    required = [bool(each.get("required")) for each in options]
    if required != sorted(required, reverse=True):
        raise refusals.invalid(f"{where}.options", "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", "Required ones come first")
    for number, each in enumerate(options):
        _check_described(f"{where}.options.{number}", each)


def _size(part: Json) -> int:
    choices = sum(len(each["name"]) + len(str(each["value"])) for each in part.get("choices") or ())
    return len(part["name"]) + len(part["description"]) + choices + sum(_size(each) for each in part.get("options") or ())


@APPLICATION.on("GET", f"{OWN}/emojis")
def emojis(call: Call) -> Answer:
    _own(call)
    return 200, {"items": [payloads.emoji(call.world, each) for each in call.world.emojis.values()]}


@APPLICATION.on("POST", f"{OWN}/emojis")
def create_emoji(call: Call) -> Answer:
    _own(call)
    name = str(call.body.get("name") or "")
    if not re.fullmatch(r"\w{2,32}", name, re.ASCII) or any(each.name == name for each in call.world.emojis.values()):
        raise refusals.invalid(
            "name", "BASE_TYPE_BAD_LENGTH", "Must be a free name of 2 to 32 letters, digits and underscores."
        )
    kind, image = _image(call.body.get("image"))
    emoji = Emoji(call.world.new_id(), name, image, kind)
    call.world.emojis[emoji.id] = emoji
    call.world.touch()
    return 201, payloads.emoji(call.world, emoji)


def _image(value: Any) -> tuple[str, bytes]:
    """The type and bytes of a data address. Raises Refusal for anything else, and for too large an image."""
    found = re.fullmatch(r"data:(image/(?:png|jpeg|gif|webp));base64,(.+)", str(value), re.DOTALL)
    if found is None:
        raise refusals.invalid("image", "IMAGE_INVALID", "Invalid image data")
    image = base64.b64decode(found[2])
    if len(image) > MAX_EMOJI:
        raise refusals.invalid("image", "BINARY_TYPE_MAX_SIZE", "File cannot be larger than 256.0 kb.")
    return found[1], image


def _emoji(call: Call) -> Emoji:
    _own(call)
    emoji = call.world.emojis.get(call.id("emoji"))
    if emoji is None:
        raise refusals.unknown("Emoji")
    return emoji


@APPLICATION.on("GET", f"{OWN}/emojis/{{emoji}}")
def get_emoji(call: Call) -> Answer:
    return 200, payloads.emoji(call.world, _emoji(call))


@APPLICATION.on("DELETE", f"{OWN}/emojis/{{emoji}}")
def delete_emoji(call: Call) -> Answer:
    del call.world.emojis[_emoji(call).id]
    return NOTHING
