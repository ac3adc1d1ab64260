"""Files that people send, fetched from a real homeserver: whole, within a bound, and decrypted; or refused in a sentence."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from nio.crypto.attachments import encrypt_attachment

from adapters.matrix.commands.files import GONE, NO_ADDRESS, NO_KEY, NOT_HANDED_OVER, OTHER_FILE, Files
from adapters.matrix.heard import FileThere
from bot.errors import Refused
from tests.adapters.matrix.posting.scene import Scene, scene_on
from tests.homeserver import faults
from tests.homeserver.server import Synapse

DATA = "Mira at the café.\n".encode() * 50


@pytest.fixture
async def scene(homeserver: Synapse, tmp_path: Path) -> AsyncGenerator[Scene, None]:
    async with scene_on(homeserver, tmp_path) as made:
        yield made


async def sent(scene: Scene, data: bytes, key: dict[str, object] | None = None, size: int = 0) -> FileThere:
    return FileThere(await scene.tobias.upload(data, "application/octet-stream", "story"), "story", "", size, key)


async def refusal(scene: Scene, file: FileThere) -> str:
    with pytest.raises(Refused) as refused:
        await Files(scene.line).fetch(file)
    return str(refused.value)


async def test_a_file_comes_as_it_was_sent_encrypted_or_not(scene: Scene) -> None:
    assert await Files(scene.line).fetch(await sent(scene, DATA)) == DATA
    locked, key = encrypt_attachment(DATA)
    assert await Files(scene.line).fetch(await sent(scene, locked, key)) == DATA


async def test_a_file_that_is_too_large_is_refused_whatever_its_sender_says(scene: Scene) -> None:
    file = await sent(scene, b"x" * 3000, size=3)
    assert len(await Files(scene.line).fetch(file, limit=3000)) == 3000
    with pytest.raises(Refused, match="larger than 2 KiB"):
        await Files(scene.line).fetch(file, limit=2999)


async def test_a_key_that_does_not_fit_or_is_none_is_refused_in_a_sentence(scene: Scene) -> None:
    locked, key = encrypt_attachment(DATA)
    file = await sent(scene, b"other" + locked, key)
    assert await refusal(scene, file) == OTHER_FILE
    file = await sent(scene, locked)
    misshapen: list[dict[str, object]] = [
        {},
        key | {"key": "k"},
        key | {"key": {"k": 7}},
        key | {"key": {"k": "AAAA"}},
        key | {"key": {"k": "é"}},
        key | {"iv": None},
        key | {"iv": "AAAA"},
        key | {"iv": "/" * 4000},
        key | {"hashes": {"sha256": "A"}},
        key | {"hashes": []},
    ]
    for each in misshapen:
        assert await refusal(scene, FileThere(file.url, "story", key=each)) == NO_KEY, each


@pytest.mark.parametrize(
    "url", ["mxc://matrix.test", "mxc://../abc", "mxc://matrix.test/../x", "https://matrix.test/abc", "mxc://m.test/a?b", ""]
)
async def test_what_is_no_address_is_not_asked_for(scene: Scene, url: str) -> None:
    before = scene.between.count("/media/")
    assert await refusal(scene, FileThere(url, "story")) == NO_ADDRESS
    assert scene.between.count("/media/") == before


async def test_a_file_that_is_gone_is_said_to_be_gone(scene: Scene) -> None:
    assert await refusal(scene, FileThere("mxc://matrix.test/nothing", "story")) == GONE


async def test_a_homeserver_that_breaks_off_or_fails_is_told_in_a_sentence(scene: Scene) -> None:
    file = await sent(scene, DATA)
    broken = scene.between.cut("/media/download", faults.Cut.MIDWAY)
    assert await refusal(scene, file) == NOT_HANDED_OVER
    broken.end()
    scene.between.fail("/media/download", 502, times=1)
    assert await refusal(scene, file) == NOT_HANDED_OVER
    assert await Files(scene.line).fetch(file) == DATA


async def test_a_redirection_is_not_followed(scene: Scene) -> None:
    file = await sent(scene, DATA)
    elsewhere = (("Location", f"{scene.between.url}/elsewhere"),)
    scene.between.answer("/media/download", faults.Answer(307, headers=elsewhere), times=1)
    assert await refusal(scene, file) == NOT_HANDED_OVER
    assert scene.between.count("/elsewhere") == 0
