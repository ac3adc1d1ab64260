import hashlib
import logging
import subprocess
import sys

import pytest

from adapters.hub import Address, Checksum, Hub
from adapters.hub.remote import BrokenOff
from bot.errors import Refused
from tests.fakes.hub import COMMIT, LoopbackHub
from tests.house.project import ROOT

MODEL = b"GGUF" + bytes(range(256)) * 100
WHERE = Address("owner/models", "tiny.gguf")


@pytest.fixture
def hub(loopback_hub: LoopbackHub) -> LoopbackHub:
    loopback_hub.files["owner/models/tiny.gguf"] = MODEL
    return loopback_hub


def refusal(address: Address = WHERE) -> str:
    with pytest.raises(Refused) as refused:
        Hub().look_up(address)
    sentence = str(refused.value)
    assert "\n" not in sentence
    assert sentence[-1] in ".gf"
    return sentence


def test_a_large_file_is_described_by_its_sha256(hub: LoopbackHub) -> None:
    found = Hub().look_up(WHERE)
    assert (found.commit, found.size) == (COMMIT, len(MODEL))
    assert found.checksum == Checksum("sha256", hashlib.sha256(MODEL).hexdigest())
    assert [each.method for each in hub.asked] == ["HEAD"]


def test_a_small_file_is_described_by_the_name_that_git_gives_it(hub: LoopbackHub) -> None:
    hub.large = False
    named = hashlib.sha1(b"blob %d\0" % len(MODEL) + MODEL, usedforsecurity=False).hexdigest()
    assert Hub().look_up(WHERE).checksum == Checksum("git", named)


def test_a_mirror_that_names_no_checksum_is_no_obstacle(hub: LoopbackHub) -> None:
    hub.large, hub.is_mirror = False, True
    assert Hub().look_up(WHERE).checksum is None


def test_a_file_is_served_from_the_byte_that_was_asked_for(hub: LoopbackHub) -> None:
    ours = Hub()
    found = ours.look_up(WHERE)
    with ours.opened(found, 1000) as (start, blocks):
        assert (start, b"".join(blocks)) == (1000, MODEL[1000:])
    assert [each.range for each in hub.downloads] == ["bytes=1000-"]


def test_a_hub_without_ranges_is_seen_to_serve_the_file_whole(hub: LoopbackHub) -> None:
    hub.serves_ranges = False
    ours = Hub()
    with ours.opened(ours.look_up(WHERE), 1000) as (start, blocks):
        assert (start, b"".join(blocks)) == (0, MODEL)


def test_bytes_that_end_too_early_are_worth_another_try(hub: LoopbackHub) -> None:
    hub.breaks_after = [500]
    ours = Hub()
    found = ours.look_up(WHERE)
    with pytest.raises(BrokenOff), ours.opened(found, 0) as (_, blocks):
        b"".join(blocks)


def test_a_hub_that_asks_for_patience_is_heard(hub: LoopbackHub) -> None:
    hub.fails_with = [503]
    ours = Hub()
    found = ours.look_up(WHERE)
    with pytest.raises(BrokenOff) as broken, ours.opened(found, 0):
        pass
    assert broken.value.seconds == 7


def test_the_token_goes_to_the_hub_and_not_to_the_store_of_its_files(
    hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    hub.token, hub.private = "hf_secret", {"owner/models"}
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    ours = Hub()
    with caplog.at_level(logging.DEBUG), ours.opened(ours.look_up(WHERE), 0) as (_, blocks):
        assert b"".join(blocks) == MODEL
    assert {(each.host, each.authorization) for each in hub.asked} == {("hub", "Bearer hf_secret"), ("store", "")}
    assert "hf_secret" not in caplog.text


def test_nothing_else_is_asked_or_told(hub: LoopbackHub) -> None:
    ours = Hub()
    with ours.opened(ours.look_up(WHERE), 0):
        pass
    assert {each.path for each in hub.asked if each.host == "hub"} == {
        "/owner/models/resolve/main/tiny.gguf",
        f"/owner/models/resolve/{COMMIT}/tiny.gguf",
    }
    assert {each.agent.split("/")[0] for each in hub.asked} == {"understudy"}
    assert all("agent/" not in each.agent and "torch" not in each.agent for each in hub.asked)


def test_a_repository_that_is_not_there_is_named(hub: LoopbackHub) -> None:
    assert "shows us no owner/others: check its name, or set HF_TOKEN" in refusal(Address("owner/others", "tiny.gguf"))
    assert hub.asked


def test_a_file_that_is_not_there_is_named_with_where_to_look(hub: LoopbackHub) -> None:
    sentence = refusal(Address("owner/models", "big.gguf"))
    assert sentence == f"There is no big.gguf in owner/models; look at {hub.endpoint}/owner/models/tree/main for its files."


def test_a_revision_that_is_not_there_is_named(hub: LoopbackHub) -> None:
    assert "no branch, tag or commit 'v9'" in refusal(Address("owner/models", "tiny.gguf", "v9"))
    assert hub.asked


def test_a_gated_repository_says_where_its_terms_are(hub: LoopbackHub) -> None:
    hub.gated = {"owner/models"}
    assert f"asks for its terms to be accepted: do so at {hub.endpoint}/owner/models" in refusal()


def test_a_private_repository_asks_for_a_token(hub: LoopbackHub) -> None:
    hub.private, hub.token = {"owner/models"}, "hf_right"
    assert "set HF_TOKEN where it is a private one" in refusal()


def test_a_token_that_the_hub_does_not_know_is_the_matter_and_is_not_shown(
    hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.token = "hf_right"  # noqa: S105 made up
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    sentence = refusal()
    assert "does not accept the token of HF_TOKEN" in sentence
    assert "hf_wrong" not in sentence


def test_a_hub_in_trouble_is_to_be_asked_later(hub: LoopbackHub) -> None:
    hub.large, hub.refuses_all_with = False, 503
    assert "cannot answer now (503); try again later" in refusal()


def test_a_hub_out_of_reach_is_named(monkeypatch: pytest.MonkeyPatch, hub: LoopbackHub) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    assert "The hub at http://127.0.0.1:1 cannot be reached" in refusal()
    assert not hub.asked


def test_an_answer_of_something_else_than_a_hub_is_seen(hub: LoopbackHub) -> None:
    hub.large, hub.names_commit = False, False
    assert "does not answer as a hub does; check HF_ENDPOINT" in refusal()


def test_an_endpoint_that_is_no_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "models.example")
    assert "HF_ENDPOINT is 'models.example'" in refusal()


@pytest.mark.parametrize("address", ["https://me:hunter2@models.example", "me:hunter2@models.example"])
def test_an_endpoint_with_a_password_is_refused_without_showing_it(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("HF_ENDPOINT", address)
    sentence = refusal()
    assert "holds a password" in sentence
    assert "hunter2" not in sentence


@pytest.mark.parametrize("token", ["hf_gr\xfc\xdfe", "hf_a b"])
def test_a_token_that_cannot_stand_in_a_header_is_refused_without_showing_it(
    monkeypatch: pytest.MonkeyPatch, hub: LoopbackHub, token: str
) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    sentence = refusal()
    assert sentence.startswith("HF_TOKEN must be ASCII")
    assert token not in sentence
    assert not hub.asked


def test_a_repository_without_an_owner_is_refused(hub: LoopbackHub) -> None:
    assert "name one as OWNER/NAME" in refusal(Address("a/b/c", "tiny.gguf"))
    assert not hub.asked


def test_offline_mode_is_kept(hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert "HF_HUB_OFFLINE forbids" in refusal()
    assert not hub.asked


def test_a_file_too_large_for_plain_http_is_left_to_the_hub_s_own_tool(hub: LoopbackHub) -> None:
    hub.claims_size = 60_000_000_000
    assert "hf download owner/models tiny.gguf" in refusal()


def test_the_library_is_kept_from_telling_about_this_machine() -> None:
    asked = "import adapters.hub, huggingface_hub.constants as c; print(c.HF_HUB_DISABLE_TELEMETRY)"
    done = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, env={}, capture_output=True, text=True, check=True)  # noqa: S603 our own
    assert done.stdout == "True\n"
