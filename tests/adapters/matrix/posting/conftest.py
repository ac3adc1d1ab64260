"""What the tests of posting share: one bot and its homeserver's proxy for each module, and new rooms for each test.

Making an account and its keys takes longer than most of the tests.
"""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio

from adapters.matrix.posting.courier import MatrixCourier
from tests.adapters.matrix.posting.scene import Scene, scene_on, sealed_person
from tests.homeserver.sealed import Sealed
from tests.homeserver.server import Synapse

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="module"), append=False)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bot(homeserver: Synapse, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Scene, None]:
    async with scene_on(homeserver, tmp_path_factory.mktemp("bot")) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def reader(bot: Scene) -> AsyncGenerator[Sealed, None]:
    async with sealed_person(bot) as person:
        yield person


@pytest_asyncio.fixture(loop_scope="module")
async def scene(bot: Scene, tmp_path: Path) -> AsyncGenerator[Scene, None]:
    """The bot, of which nothing is left but its account and its rooms."""
    bot.forget(tmp_path)
    yield bot
    bot.between.calm()
    await bot.end()


@pytest.fixture
def courier(scene: Scene) -> MatrixCourier:
    return scene.new_courier()


@pytest_asyncio.fixture(loop_scope="module")
async def room(scene: Scene) -> str:
    """A plain room with the bot and Tobias in it."""
    return await scene.room()


@pytest.fixture
def aled(scene: Scene, reader: Sealed) -> Sealed:
    """Somebody whose client encrypts."""
    assert scene.login.user_id != reader.user_id
    return reader


@pytest_asyncio.fixture(loop_scope="module")
async def stranger(scene: Scene) -> AsyncGenerator[Sealed, None]:
    """Somebody whose client encrypts, and whom the bot has never met."""
    async with sealed_person(scene) as person:
        yield person


@pytest_asyncio.fixture(loop_scope="module")
async def sealed_room(scene: Scene, aled: Sealed) -> str:
    """An encrypted room with the bot and Aled in it."""
    return await scene.room(aled, encrypted=True)
