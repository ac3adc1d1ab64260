"""Model files from a Hugging Face hub. It knows no command line and shows nothing; whoever calls it watches."""

from adapters.hub.known import KNOWN, KnownModel, known_model
from adapters.hub.pulling import Pulled, Watcher, pull
from adapters.hub.remote import Address, Checksum, Hub

__all__ = ["KNOWN", "Address", "Checksum", "Hub", "KnownModel", "Pulled", "Watcher", "known_model", "pull"]
