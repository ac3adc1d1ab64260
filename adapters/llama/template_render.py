"""Renders a chat template in a process of its own, with little time and memory: run as a script, never imported.

A template comes with a model file, so whoever made the file wrote it. It is rendered in Jinja's immutable sandbox; what the
sandbox cannot stop (loops without end, strings without measure) the limits of this process stop. Standard input is
JSON {"template", "begin", "end", "longest", "conversations"}; standard output is JSON {"texts"} or {"error"}.
"""

import json
import resource
import sys
from typing import Any

from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

CPU_SECONDS = 4
MEMORY_BYTES = 512 * 1024 * 1024


class Declined(TemplateError):
    """The template itself says that it cannot render this conversation."""


def decline(message: object) -> None:
    """What templates call as `raise_exception`."""
    raise Declined(str(message))


def render(asked: dict[str, Any]) -> list[str]:
    """Every conversation, rendered. Raises what a template can raise, which is anything."""
    # As Hugging Face's tokenizers set it up, for which these templates are written.
    env = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, autoescape=False, extensions=["jinja2.ext.loopcontrols"]
    )
    env.globals["raise_exception"] = decline
    template = env.from_string(str(asked["template"]))
    names = {"bos_token": asked["begin"], "eos_token": asked["end"]}
    texts = [template.render(**names, **each) for each in asked["conversations"]]
    if max(map(len, texts)) > asked["longest"]:
        raise Declined(f"it writes more than {asked['longest']} characters")
    return texts


def main() -> None:
    """Read one request, answer it, be gone."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    asked = json.load(sys.stdin)
    try:
        answer: dict[str, object] = {"texts": render(asked)}
    except MemoryError:
        answer = {"error": "it needs too much memory"}
    except Exception as failure:  # noqa: BLE001 - a template can raise anything; its words go to the operator
        answer = {"error": f"{type(failure).__name__}: {failure}"[:300]}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
