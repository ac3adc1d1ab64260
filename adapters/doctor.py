"""`understudy doctor`: looks at everything that the program needs, beside one that may be running, and changes nothing.

Each part is told in a sentence or two, with what to do about it. No secret is shown.
"""

import os
import shutil
import stat
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from adapters.config import Config, files_given, holds_secret
from adapters.discord.doctor import examine as examine_discord
from adapters.engines import engine_of
from adapters.faces import discord_settings
from adapters.findings import Finding, Grade
from adapters.llama.examining import AdapterReport
from adapters.llama.examining import examine as examine_model
from adapters.machine import free_memory
from adapters.matrix.keeping import Folder
from adapters.matrix.trust import examine as examine_matrix
from adapters.matrix.trust import findings as findings_of_matrix
from adapters.network.dates import time_at
from adapters.web.doctor import examine as examine_page
from bot.errors import EngineError, ModelNotLoaded, StoreUnavailable
from storage.store import sqlite_url
from storage.upkeep import at_work, health

GIB = 1024**3
LITTLE, TOO_LITTLE = 2 * GIB, GIB // 5
"""Bytes on the disk below which it is time to make room, and below which stories may fail to be stored."""

SKEW = 30.0
"""Seconds that the clock may be wrong: reminders, backups and certificates go by it."""

UNSEEN = "A token that a service or a container is given is not seen from a shell."

ENGINE_SECONDS = 5.0
DISCORD = "https://discord.com/api/v10/gateway"


async def examine(config: Config, path: Path | None = None) -> list[Finding]:
    """How everything stands, in the order in which it is best mended. `path` is the file that holds the configuration."""
    found: list[Finding] = [Finding("configuration", Grade.OK, "It can be read, and nothing in it is wrong.")]
    found += [*_folder(config), *_disk(config), *await _database(config), *_model(config), *await _engine(config)]
    found += [await examine_page(config.web.host, config.web.port), *_secrets(config, path)]
    found += [*await _discord(config), *await _matrix(config), *await _clock(config)]
    return found


def _folder(config: Config) -> list[Finding]:
    folder = Path(config.storage.directory).absolute()
    if not folder.is_dir():
        parent = next(each for each in folder.parents if each.exists())
        if os.access(parent, os.W_OK):
            return [Finding("data folder", Grade.OK, f"{folder} will be made at the first start.")]
        return [Finding("data folder", Grade.WRONG, f"{folder} cannot be made: give whoever runs this the right to {parent}.")]
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return [Finding("data folder", Grade.WRONG, f"{folder} cannot be written by whoever runs this: chown it.")]
    if stat.S_IMODE(folder.stat().st_mode) & 0o007:
        sentence = f"Everybody of this machine can look into {folder}, where all stories are: chmod o= {folder}."
        return [Finding("data folder", Grade.WARNING, sentence)]
    return [Finding("data folder", Grade.OK, f"{folder} can be written.")]


def _disk(config: Config) -> list[Finding]:
    folder = Path(config.storage.directory).absolute()
    free = shutil.disk_usage(next(each for each in (folder, *folder.parents) if each.exists())).free
    told = f"{free / GIB:.1f} GiB are free where stories are kept"
    if free < TOO_LITTLE:
        return [Finding("disk", Grade.WRONG, f"{told}: make room, or posts will fail to be stored.")]
    kept = config.engine.cache.disk_bytes if not config.engine.url else 0
    if free < LITTLE + kept:
        least = f"{told}; stories and [engine.cache] disk_gib want {(LITTLE + kept) / GIB:.0f}: make room, or lower disk_gib."
        return [Finding("disk", Grade.WARNING, least)]
    return [Finding("disk", Grade.OK, f"{told}.")]


async def _database(config: Config) -> list[Finding]:
    if not config.storage.url and not config.storage.file.exists():
        return [Finding("database", Grade.OK, "It will be made at the first start.")]
    try:
        seen = await health(config.storage.url or sqlite_url(config.storage.file))
    except StoreUnavailable as error:
        return [Finding("database", Grade.WRONG, str(error))]
    if not seen.schema.is_usable:
        return [Finding("database", Grade.WRONG, "It is of a newer program: run that one, or restore a backup from before.")]
    if seen.faults:
        return [Finding("database", Grade.WRONG, f"{fault} `understudy db check` says more.") for fault in seen.faults[:3]]
    steps = "; the next start brings its schema up to date" if seen.schema.steps else ""
    return [Finding("database", Grade.OK, f"{seen.kind} answers, and nothing in it is damaged{steps}.")]


def _model(config: Config) -> list[Finding]:
    if config.engine.url:
        return []
    if not config.model.path:
        return [
            Finding("model", Grade.WARNING, "None is named under [model] path: the demo model plays, and writes poor prose.")
        ]
    try:
        report = examine_model(Path(config.model.path))
    except ModelNotLoaded as error:
        return [Finding("model", Grade.WRONG, str(error))]
    if isinstance(report, AdapterReport):
        sentence = f"{config.model.path} is a LoRA adapter: name it under [[model.adapters]], and its model as [model] path."
        return [Finding("model", Grade.WRONG, sentence)]
    size, free = report.weight_bytes / GIB, free_memory()
    told = f"{report.facts.name} takes {size:.1f} GiB for its weights"
    if free is not None and report.weight_bytes > free:
        sentence = f"{told}, and {free / GIB:.1f} are free: without a GPU that holds it, choose a smaller one."
        return [Finding("model", Grade.WARNING, sentence)]
    return [Finding("model", Grade.OK, f"{told}.")]


async def _engine(config: Config) -> list[Finding]:
    if not config.engine.url:
        return await _shared(config)
    hasty = replace(config, engine=replace(config.engine, patience_seconds=ENGINE_SECONDS))
    try:
        async with engine_of(hasty) as engine:
            runs = await engine.capabilities()
    except EngineError as error:
        return [Finding("engine", Grade.WRONG, f"{error} (Asked at {config.engine.url}, as [engine] url says.)")]
    return [Finding("engine", Grade.OK, f"It answers, and runs {runs.model} with {runs.context:,} tokens.")]


async def _shared(config: Config) -> list[Finding]:
    """What to know where other processes may play on the same database, and each has an engine of its own."""
    if not config.storage.url or config.storage.url.startswith("sqlite"):
        return []
    try:
        several = await at_work(config.storage.url) > 1
    except StoreUnavailable:
        return []  # told already
    why = "what players delete is forgotten by one engine only"
    if several:
        sentence = (
            f"Several bots play on this database, and here [engine] url is not set: {why}. Serve the model once, for all."
        )
        return [Finding("engine", Grade.WARNING, sentence)]
    sentence = f"It runs in the bot. Before a second bot plays on this database, set [engine] url in both, or {why}."
    return [Finding("engine", Grade.OK, sentence)]


def _secrets(config: Config, path: Path | None) -> list[Finding]:
    """Whether others of this machine can read a file that holds a secret, the configuration among them."""
    files = [Path(each) for each in (*config.secret_files, *files_given())]
    if path and holds_secret(path):
        files.append(path)
    if not files:
        return []
    for each in files:
        if _is_open_to_all(each.absolute()):
            advice = "leave it to the user of the bot (chown, chmod 0400)"
            sentence = f"Everybody of this machine can read {each}, which holds a secret: {advice}."
            return [Finding("secrets", Grade.WARNING, sentence)]
    return [Finding("secrets", Grade.OK, "Not everybody of this machine can read them.")]


def _is_open_to_all(file: Path) -> bool:
    return bool(file.stat().st_mode & stat.S_IROTH and file.parent.stat().st_mode & stat.S_IXOTH)


async def _discord(config: Config) -> list[Finding]:
    if not config.discord.token:
        sentence = f"No token is given here, so it does not play there. {UNSEEN}"
        return [Finding("discord", Grade.OK, sentence)]
    return await examine_discord(discord_settings(config))


async def _matrix(config: Config) -> list[Finding]:
    if not config.is_on_matrix:
        return [Finding("matrix", Grade.OK, f"Nobody is logged in from {config.matrix_folder}, so it does not play there.")]
    seen = await examine_matrix(
        Folder(config.matrix_folder), adults_in_public=config.matrix.adults_in_public, proxy=config.matrix.http_proxy or ""
    )
    found = [each for each in findings_of_matrix(seen) if each.grade is not Grade.OK]
    if found:
        return [replace(each, about=f"matrix: {each.about}") for each in found]
    return [Finding("matrix", Grade.OK, "The account is well; `understudy matrix doctor` says more.")]


async def _clock(config: Config) -> list[Finding]:
    """Only where there is somebody to ask: a platform."""
    asked: list[Callable[[], Awaitable[float | None]]] = []
    if config.discord.token:
        asked.append(lambda: time_at(DISCORD, config.discord.http_proxy or ""))
    if config.is_on_matrix and (account := Folder(config.matrix_folder).account()):
        versions = f"{account.homeserver}/_matrix/client/versions"
        asked.append(lambda: time_at(versions, config.matrix.http_proxy or ""))
    for each in asked:
        there = await each()
        if there is None:
            continue
        wrong = time.time() - there
        if abs(wrong) > SKEW:
            sentence = f"It is {abs(wrong):,.0f} s {'fast' if wrong > 0 else 'slow'}: `timedatectl set-ntp on` sets it right."
            return [Finding("clock", Grade.WRONG, sentence)]
        return [Finding("clock", Grade.OK, "It is right.")]
    return []
