"""What tests with a loopback Discord share: the judges of what happens there, and a scene with a fresh courier."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from adapters.discord.posting.courier import DiscordCourier
from tests.adapters.discord.posting.courier_scene import CourierScene, courier_scene
from tests.fakes.discord.checked import Watchful, watched
from tests.fakes.discord.document import VARIABLE, Document
from tests.fakes.discord.gateway_types import GatewayTypes, TypesMissingError
from tests.fakes.discord.loopback import LoopbackDiscord


@pytest.fixture(scope="session")
def document() -> Document:
    """Discord's own document; without it the test is skipped."""
    found = Document.load()
    if found is None:
        pytest.skip(f"Discord's OpenAPI document is not here: lay it beside the project or name it in {VARIABLE}")
    return found


@pytest.fixture(scope="session")
def gateway_types(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> GatewayTypes:
    """The types of the gateway's events, installed once and kept with pytest's cache; without them the test is skipped."""
    cache: pytest.Cache | None = getattr(request.config, "cache", None)
    keep: Path = cache.mkdir("gateway-types") if cache else tmp_path_factory.mktemp("gateway-types")
    try:
        return GatewayTypes.installed(keep)
    except TypesMissingError as missing:
        pytest.skip(str(missing))


@pytest.fixture
def watch() -> Watchful:
    """The judge of everything that the fixture `discord` is asked and answers; `taken` forgives what a test provokes."""
    return Watchful(Document.load())


@pytest.fixture
async def discord(watch: Watchful) -> AsyncGenerator[LoopbackDiscord, None]:
    """A loopback Discord. The test fails where anything asked or answered is not as Discord has it."""
    async with watched(watch) as loopback:
        yield loopback


@pytest.fixture
async def scene() -> AsyncGenerator[CourierScene, None]:
    async with courier_scene() as made:
        yield made


@pytest.fixture
def courier(scene: CourierScene) -> DiscordCourier:
    return scene.new_courier()
