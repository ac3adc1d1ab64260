"""`understudy reports`: what players told the operator. It changes nothing but the list of reports."""

import json
from dataclasses import asdict
from datetime import UTC, datetime

import click

from adapters.config import Config
from adapters.terminal.courier import tame
from adapters.wiring import stored
from bot.errors import Refused
from bot.ports.reports import KeptReport


async def show(config: Config, *, as_json: bool) -> None:
    """Print all reports. Raises StoreUnavailable."""
    async with stored(config) as store:
        kept = await store.reports()
    if as_json:
        click.echo(json.dumps([{"number": each.number, **asdict(each.report)} for each in kept], ensure_ascii=False))
        return
    for each in kept:
        click.echo(_told(each))
    if not kept:
        click.echo("There are no reports.")


async def drop(config: Config, number: int) -> None:
    """Take one report off the list. Raises Refused when it is not on it, and StoreUnavailable."""
    async with stored(config) as store:
        if number not in {each.number for each in await store.reports()}:
            raise Refused(f"There is no report number {number}; `understudy reports` lists those that there are.")
        await store.drop_report(number)
    click.echo(f"Report {number} is off the list.")


def _told(kept: KeptReport) -> str:
    report = kept.report
    when = datetime.fromtimestamp(report.at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    head = f"Report {kept.number}, {when}, by {report.author} in {report.place.platform} {report.place.channel}"
    return tame(f"{head}\nReason: {report.reason}\n\n{report.context}\n")
