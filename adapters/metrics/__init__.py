"""What operators see of a running bot or engine: figures, and all at a glance. It knows no HTTP."""

from adapters.metrics.exposition import CONTENT_TYPE
from adapters.metrics.instruments import Connection, Instruments, Sight

__all__ = ["CONTENT_TYPE", "Connection", "Instruments", "Sight"]
