"""The engine over HTTP: a server for the one of this process, and a client for one that is elsewhere."""

from adapters.remote.client import RemoteEngine, RemoteSettings
from adapters.remote.server import EngineServer
from adapters.remote.settings import EngineServerSettings

__all__ = ["EngineServer", "EngineServerSettings", "RemoteEngine", "RemoteSettings"]
