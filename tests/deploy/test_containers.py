"""The images and compose files are well written: by their schema, by what they copy and mount, and by what they shut in."""

import asyncio
import json
import re
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml  # type: ignore[import-untyped]  # it comes without types
from aiohttp import web
from aiohttp.test_utils import TestServer

from adapters.config import read
from adapters.config.secrets import SECRETS
from adapters.web.operating import HEALTH
from tests.house.project import ROOT

FOLDER = ROOT / "deploy" / "containers"
CONTAINERFILE = (FOLDER / "Containerfile").read_text(encoding="utf-8")
COMPOSE = sorted(FOLDER.glob("compose*.yaml"))
OF_OTHERS = {"postgres"}
"""Services whose image is not ours, and which need to write."""

SCHEMA = json.loads(Path(__file__).with_name("compose-spec.json").read_text(encoding="utf-8"))
# The Compose Specification (Apache-2.0) as of 2021; a project's name came later.
SCHEMA["properties"]["name"] = {"type": "string"}


def read_compose(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def services() -> list[tuple[str, str, dict[str, Any]]]:
    return [(path.name, name, service) for path in COMPOSE for name, service in read_compose(path)["services"].items()]


@pytest.mark.parametrize("path", COMPOSE, ids=lambda path: path.name)
def test_a_compose_file_keeps_to_its_schema(path: Path) -> None:
    jsonschema.Draft7Validator(SCHEMA).validate(read_compose(path))


def test_what_breaks_the_schema_is_seen() -> None:
    broken = read_compose(FOLDER / "compose.yaml")
    broken["services"]["bot"]["read_onyl"] = True
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(SCHEMA).validate(broken)


@pytest.mark.parametrize(("where", "name", "service"), services())
def test_a_service_is_shut_in_and_what_it_mounts_is_there(where: str, name: str, service: dict[str, Any]) -> None:
    assert service["security_opt"] == ["no-new-privileges:true"]
    if name not in OF_OTHERS:
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
        assert service["init"], "the first process of a container hears only the signals that it has asked for"
    published = [port.split(":")[0] for port in service.get("ports", ())]
    assert set(published) <= {"127.0.0.1"}, f"{where}: only this machine may reach {name}"
    sources = [mount.split(":")[0] for mount in service["volumes"] if mount.startswith(".")]
    assert [each for each in sources if each != "./models" and not (FOLDER / each).is_file()] == []


@pytest.mark.parametrize(("where", "name", "service"), services())
def test_the_secrets_of_a_service_are_ones_that_the_program_takes(where: str, name: str, service: dict[str, Any]) -> None:
    known = {each.credential for each in SECRETS} | {"postgres-password"}
    declared = read_compose(FOLDER / where)["secrets"]
    assert set(service.get("secrets", ())) <= known & set(declared), name


@pytest.mark.parametrize("name", sorted(path.name for path in FOLDER.glob("*.toml")))
def test_a_configuration_of_a_container_is_right(name: str) -> None:
    config = read(FOLDER / name, {"UNDERSTUDY_WEB_OPERATOR_TOKEN": "of-many-letters-", "UNDERSTUDY_ENGINE_TOKEN": "one"})
    assert config.storage.directory == "/data"


def test_the_shards_of_the_bots_are_all_there_are_and_none_twice() -> None:
    bots = [read(path, {"UNDERSTUDY_WEB_OPERATOR_TOKEN": "of-many-letters-"}).discord for path in FOLDER.glob("bot-*.toml")]
    shards = [shard for each in bots for shard in each.shards or ()]
    assert sorted(shards) == list(range(len(shards)))
    assert {each.shard_count for each in bots} == {len(shards)}


def test_all_that_an_image_copies_is_there_and_not_kept_out() -> None:
    copied = [
        source for line in re.findall(r"^COPY (?!--from)(.+)$", CONTAINERFILE, re.MULTILINE) for source in line.split()[:-1]
    ]
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line.startswith("!")}
    assert copied
    for source in copied:
        found = list(ROOT.glob(source))
        assert found, source
        assert any(each.match(pattern) for each in found for pattern in let_in), f"{source} is kept out by .dockerignore"


def test_an_image_runs_as_nobody_and_says_how_it_is() -> None:
    stages = re.split(r"^FROM .* AS (\w+)$", CONTAINERFILE, flags=re.MULTILINE)
    by_name = dict(zip(stages[1::2], stages[2::2], strict=True))
    assert re.search(r"^USER 10001:10001$", by_name["runtime"], re.MULTILINE)
    assert f":8000{HEALTH}" in by_name["bot"]
    assert ":8004/health'" in by_name["engine"]
    assert all("HEALTHCHECK" in by_name[name] for name in ("bot", "engine"))


def health_checks() -> list[tuple[int, list[str]]]:
    """The port that each asks, and its command."""
    found = re.findall(r"^HEALTHCHECK (?:.*\\\n)*\s*CMD (\[.+\])$", CONTAINERFILE, re.MULTILINE)
    commands = [json.loads(each) for each in found]
    return [(int(re.findall(r":(\d+)/", " ".join(each))[0]), each) for each in commands]


@pytest.mark.parametrize(("port", "command"), health_checks(), ids=lambda value: str(value) if isinstance(value, int) else "")
@pytest.mark.parametrize("status", [200, 503])
async def test_a_health_check_tells_well_from_unwell(port: int, command: list[str], status: int) -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(status=status)

    app = web.Application()
    app.router.add_get("/{path:health|healthz}", answer)
    async with TestServer(app, host="127.0.0.1") as there:
        words = [sys.executable, *(word.replace(f":{port}/", f":{there.port}/") for word in command[1:])]
        process = await asyncio.create_subprocess_exec(*words, stderr=asyncio.subprocess.DEVNULL)
        assert (await process.wait() == 0) is (status == 200)


def test_every_image_is_asked_how_it_is() -> None:
    assert sorted(port for port, _ in health_checks()) == [8000, 8004]


def test_the_data_folder_of_an_image_is_for_its_user_alone() -> None:
    assert "install -d -m 0700 -o understudy -g understudy /data" in CONTAINERFILE


def test_the_balancer_keeps_a_story_with_its_host() -> None:
    text = (ROOT / "deploy" / "proxies" / "haproxy.cfg").read_text(encoding="utf-8")
    header = read(FOLDER / "bot-1.toml", {"UNDERSTUDY_WEB_OPERATOR_TOKEN": "of-many-letters-"}).engine.session_header
    assert f"balance hdr({header})\n    hash-type consistent" in text
    named = set(re.findall(r"server (\S+) (\S+):8004", text))
    assert named == {(name, name) for _, name, service in services() if service.get("image") == "understudy-engine"}
