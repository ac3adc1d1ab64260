"""Renders a chat template in a process of its own, with little time and memory: run as a script, never imported.

A template comes with a model file, so whoever made the file wrote it. It is rendered in Jinja's immutable sandbox; what the
sandbox cannot stop (loops without end, strings without measure) the limits of this process stop. Standard input is
JSON {"template", "begin", "end", "longest", "conversations"}; standard output is a JSON list with {"text"} or {"error"}
for each conversation.
"""

import json
import resource
import sys
from collections.abc import Iterator
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


def render(asked: dict[str, Any]) -> Iterator[dict[str, str]]:
    """The text of every conversation, or why there is none. Raises what compiling a template can raise."""
    # As Hugging Face's tokenizers set it up, for which these templates are written.
    env = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, autoescape=False, extensions=["jinja2.ext.loopcontrols"]
    )
    env.globals["raise_exception"] = decline
    template = env.from_string(str(asked["template"]))
    for conversation in asked["conversations"]:
        try:
            text = template.render(bos_token=asked["begin"], eos_token=asked["end"], **conversation)
        except Exception as failure:  # noqa: BLE001 - a template can raise anything; its words go to the operator
            yield {"error": told(failure)}
        else:
            long = len(text) > asked["longest"]
            yield {"error": f"it writes more than {asked['longest']} characters"} if long else {"text": text}


def told(failure: Exception) -> str:
    """An exception in few words."""
    return "it needs too much memory" if isinstance(failure, MemoryError) else f"{type(failure).__name__}: {failure}"[:300]


def main() -> None:
    """Read one request, answer it, be gone."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    asked = json.load(sys.stdin)
    try:
        answers = list(render(asked))
    except Exception as failure:  # noqa: BLE001 - as above, while it is compiled
        answers = [{"error": told(failure)} for _ in asked["conversations"]]
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
