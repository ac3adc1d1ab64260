"""The program as it ships, on the loopback Discord that the environment names: `python -m tests.walks.discord.pointed run`."""

import os
from functools import partial
from pathlib import Path
from unittest.mock import patch

from adapters.cli import main, serving
from adapters.faces import community
from tests.fakes.discord.pointing import VARIABLE, connector

if __name__ == "__main__":
    # Taken away, as the program refuses variables that it does not know.
    port, _, authority = os.environ.pop(VARIABLE).partition(" ")
    with patch.object(serving, "community", partial(community, connector=partial(connector, int(port), Path(authority)))):
        main()
