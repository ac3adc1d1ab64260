"""Backups: one file with all stories and the keys on Matrix, made beside a running bot, and put back where nothing is."""

from adapters.backup.making import Progress, back_up
from adapters.backup.manifest import Manifest
from adapters.backup.restoring import Restored, restore
from adapters.backup.rotating import new_one, old_ones

__all__ = ["Manifest", "Progress", "Restored", "back_up", "new_one", "old_ones", "restore"]
