"""The examples of docs/engine-http.md work as they stand."""

import asyncio
import re
import sys

import pytest

from adapters.remote.settings import EngineServerSettings
from tests.adapters.remote.stage import a_stage
from tests.house.project import ROOT

PAGE = (ROOT / "docs" / "engine-http.md").read_text(encoding="utf-8")
TOKEN = "open-sesame"  # noqa: S105 - a secret of this test
CALLS = re.findall(r"curl -s \$ENGINE(/\S+) (.*?)-d '(.*?)'", PAGE, re.DOTALL)
PYTHON = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
REPLY = '"There is one," she said.'


@pytest.mark.parametrize(("route", "headers", "body"), CALLS)
async def test_what_the_shell_examples_send_is_answered(route: str, headers: str, body: str) -> None:
    assert '-H "Authorization: Bearer $TOKEN"' in headers
    async with a_stage(REPLY, settings=EngineServerSettings(port=0, token=TOKEN)) as stage:
        answer = await stage.post(route, body.encode(), {"Authorization": f"Bearer {TOKEN}"})
    assert answer.status < 300


@pytest.mark.parametrize("script", PYTHON)
async def test_the_python_examples_work(script: str) -> None:
    head = "import os\nENGINE, TOKEN = os.environ['ENGINE'], os.environ['TOKEN']\n"
    async with a_stage(REPLY, settings=EngineServerSettings(port=0, token=TOKEN)) as stage:
        environment = {"ENGINE": stage.address, "TOKEN": TOKEN}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", head + script, env=environment, stdout=asyncio.subprocess.PIPE
        )
        output, _ = await process.communicate()
    assert (process.returncode, output.decode()) == (0, REPLY)


def test_there_are_examples() -> None:
    assert len(CALLS) == 4
    assert len(PYTHON) == 1
