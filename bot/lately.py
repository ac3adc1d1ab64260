"""A dictionary of what was set lately: it holds so many entries at most, and knows nothing of what they are."""

from collections import OrderedDict
from typing import TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Lately(OrderedDict[Key, Value]):
    """Holds `most` entries; beyond, the one that was set longest ago leaves. For what would else grow for ever."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def __setitem__(self, key: Key, value: Value) -> None:
        super().__setitem__(key, value)
        self.move_to_end(key)
        while len(self) > self.most:
            self.popitem(last=False)
