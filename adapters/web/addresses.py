"""Where on the page each thread is found. It knows no HTTP and no story."""

from urllib.parse import quote

from bot.ids import Place

HOME = "/"


def prefix_of(place: Place, main: Place) -> str:
    """What the addresses of a thread's forms and streams begin with: nothing for the main story, `/t/<channel>` for others."""
    return "" if place == main else f"/t/{quote(place.channel, safe='')}"


def page_of(place: Place, main: Place) -> str:
    """The address of a thread's page."""
    return prefix_of(place, main) or HOME
