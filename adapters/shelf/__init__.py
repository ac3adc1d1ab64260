"""The shelf on disk: the model's memory of stories as checked files. It knows no model and no story."""

from adapters.shelf.disk import DiskShelf

__all__ = ["DiskShelf"]
