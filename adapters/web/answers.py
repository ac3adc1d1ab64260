"""What goes back to a browser: pages, sentences, files, each in the form that was asked for. It knows no story."""

from urllib.parse import quote

from aiohttp import web

from adapters.web.downloads import Download
from adapters.web.pages import print_page
from adapters.web.safety import Guard, NotAllowed
from bot.errors import StoreUnavailable


def html(guard: Guard, text: str, status: int = 200) -> web.Response:
    """A page whose forms the guard will know."""
    response = web.Response(text=text, content_type="text/html", status=status, headers={"Cache-Control": "no-store"})
    guard.set_cookie(response)
    return response


def trouble(request: web.Request, status: int, sentence: str, typed: str = "") -> web.Response:
    """What went wrong, as one sentence, with what was typed."""
    if wants_json(request):
        return web.json_response({"error": sentence}, status=status)
    text = print_page("trouble.html", sentence=sentence, typed=typed)
    return web.Response(text=text, content_type="text/html", status=status, headers={"Cache-Control": "no-store"})


def attachment(file: Download) -> web.Response:
    """A file to be kept, which the browser must not show: it may hold a page made of what players wrote."""
    # RFC 6266: the plain name for old readers, the other for all names.
    plain = file.name.encode("ascii", "replace").decode().replace("?", "_")
    named = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(file.name, safe='')}"
    headers = {"Cache-Control": "no-store", "Content-Disposition": named}
    return web.Response(body=file.data, content_type=file.type, headers=headers)


def wants_json(request: web.Request) -> bool:
    """Whether the page's script asks."""
    return "application/json" in request.headers.get("Accept", "")


def status_of(error: Exception) -> int:
    """The HTTP status of what was refused."""
    if isinstance(error, NotAllowed):
        return error.status
    return 503 if isinstance(error, StoreUnavailable) else 422
