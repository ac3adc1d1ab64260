"""What the tests of posting share."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from adapters.matrix.posting.courier import MatrixCourier
from tests.adapters.matrix.posting.scene import Scene, scene_on
from tests.homeserver.server import Synapse


@pytest.fixture
async def scene(homeserver: Synapse, tmp_path: Path) -> AsyncGenerator[Scene, None]:
    async with scene_on(homeserver, tmp_path) as made:
        yield made


@pytest.fixture
def courier(scene: Scene) -> MatrixCourier:
    return scene.new_courier()


@pytest.fixture
async def room(scene: Scene) -> str:
    """A plain room with the bot and Tobias in it."""
    return await scene.room()
