"""Completion servers of other makers, as small as they can be: they speak the documented shapes and write what they are told.

Bytes are their tokens, three up; 1 begins a sequence; and as SentencePiece does, they put a space before any text. "</s>" is
the token 2 where control words are looked for. Each keeps what it was sent in `asked`.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

BEGIN, END = 1, 2
MODEL = "models/mira.gguf"
CONTEXT = 400

Json = dict[str, Any]


def tokens_of(text: str, *, first: bool, special: bool) -> list[int]:
    """What their tokenizer makes of a text."""
    parts = text.split("</s>") if special else [text]
    tokens: list[int] = [BEGIN] if first else []
    for place, part in enumerate(parts):
        tokens += [END] if place else []
        tokens += [byte + 3 for byte in f" {part}".encode()] if part else []
    return tokens


def text_of(ids: Sequence[int]) -> str:
    """What ids spell; control tokens stand out."""
    names = {BEGIN: b"<begin>", END: b"<end>"}
    return b"".join(names.get(each) or bytes((each - 3,)) for each in ids).decode()


@dataclass(slots=True)
class Script:
    """What a server does when it is asked for a reply.

    `refusals` are statuses (with error bodies) to answer first, `raw` replaces the whole stream, `pause` holds it back after
    the first piece. `left` tells that the client went away.
    """

    pieces: tuple[str, ...] = ("Come", " in", ".")
    finish: str = "stop"
    stop: str = ""
    refusals: list[tuple[int, Json]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    pause: asyncio.Event | None = None
    left: asyncio.Event = field(default_factory=asyncio.Event)


class OpenAIServer:
    """Any OpenAI-compatible server: it takes text, and tells neither tokens nor context nor usage."""

    owner = "someone"
    tells_usage = False

    def __init__(self, script: Script | None = None) -> None:
        self.script = script or Script()
        self.asked: list[tuple[str, Json]] = []
        self.headers: list[dict[str, str]] = []
        self.address = ""

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/v1/completions", self.complete), web.get("/v1/models", self.models)]

    def model(self) -> Json:
        return {"id": MODEL, "object": "model", "owned_by": self.owner}

    async def models(self, _: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [self.model()]})

    async def body(self, request: web.Request) -> Json:
        body: Json = await request.json()
        self.asked.append((request.path, body))
        self.headers.append(dict(request.headers))
        return body

    def asked_at(self, route: str) -> list[Json]:
        return [body for path, body in self.asked if path == route]

    async def complete(self, request: web.Request) -> web.StreamResponse:
        body = await self.body(request)
        script = self.script
        if script.refusals:
            status, error = script.refusals.pop(0)
            return web.json_response(error, status=status, headers=script.headers)
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await stream.prepare(request)
        try:
            if script.raw is not None:
                await stream.write(script.raw)
                return stream
            await self._write(stream, body)
        except (ConnectionError, asyncio.CancelledError):
            script.left.set()
            raise
        return stream

    async def _write(self, stream: web.StreamResponse, body: Json) -> None:
        for number, piece in enumerate(self.script.pieces):
            await stream.write(_event({"choices": [{"index": 0, "text": piece, "logprobs": None, "finish_reason": None}]}))
            if self.script.pause and not number:
                await self.script.pause.wait()
        await stream.write(_event(self.last(body)))
        if self.tells_usage:
            await stream.write(_event({"choices": [], "usage": self.usage(body)}))
        await stream.write(b"data: [DONE]\n\n")

    def last(self, body: Json) -> Json:
        del body
        return {"choices": [{"index": 0, "text": "", "finish_reason": self.script.finish}]}

    def usage(self, body: Json) -> Json:
        prompt = body["prompt"]
        count = len(prompt) if isinstance(prompt, list) else len(tokens_of(prompt, first=True, special=True))
        return {"prompt_tokens": count, "completion_tokens": len(self.script.pieces), "prompt_tokens_details": None}


class LlamaServer(OpenAIServer):
    """llama-server of llama.cpp."""

    owner = "llamacpp"

    def routes(self) -> list[web.RouteDef]:
        more = [web.post("/tokenize", self.tokenize), web.get("/props", self.props), web.post("/completion", self.warm)]
        return [*super().routes(), *more]

    async def tokenize(self, request: web.Request) -> web.Response:
        body = await self.body(request)
        first, special = body.get("add_special", False), body.get("parse_special", True)
        return web.json_response({"tokens": tokens_of(body["content"], first=first, special=special)})

    async def props(self, _: web.Request) -> web.Response:
        return web.json_response({"default_generation_settings": {"n_ctx": CONTEXT, "params": {}}, "total_slots": 1})

    async def warm(self, request: web.Request) -> web.Response:
        await self.body(request)
        return web.json_response({"content": "", "stop": True})

    def last(self, body: Json) -> Json:
        last = super().last(body)
        if body.get("verbose"):
            last["__verbose"] = {"stop_type": "word" if self.script.stop else "eos", "stopping_word": self.script.stop}
        return {**last, "usage": {**self.usage(body), "prompt_tokens_details": {"cached_tokens": 5}}}


class VllmServer(OpenAIServer):
    """vLLM, with one LoRA adapter."""

    owner = "vllm"
    tells_usage = True

    def routes(self) -> list[web.RouteDef]:
        return [*super().routes(), web.post("/tokenize", self.tokenize)]

    def model(self) -> Json:
        return {**super().model(), "root": MODEL, "parent": None, "max_model_len": CONTEXT}

    async def models(self, _: web.Request) -> web.Response:
        adapter = {**self.model(), "id": "mira-lora", "parent": MODEL, "max_model_len": None}
        return web.json_response({"object": "list", "data": [self.model(), adapter]})

    async def tokenize(self, request: web.Request) -> web.Response:
        body = await self.body(request)
        tokens = tokens_of(body["prompt"], first=body.get("add_special_tokens", True), special=True)
        return web.json_response({"count": len(tokens), "max_model_len": CONTEXT, "tokens": tokens, "token_strs": None})

    def last(self, body: Json) -> Json:
        last = super().last(body)
        last["choices"][0]["stop_reason"] = self.script.stop or None
        return last


class KoboldServer(OpenAIServer):
    """KoboldCpp."""

    owner = "koboldcpp"

    def routes(self) -> list[web.RouteDef]:
        more = [
            web.post("/api/extra/tokencount", self.tokenize),
            web.get("/api/extra/true_max_context_length", self.context),
        ]
        return [*super().routes(), *more]

    async def tokenize(self, request: web.Request) -> web.Response:
        body = await self.body(request)
        tokens = tokens_of(body["prompt"], first=body.get("special", True), special=True)
        return web.json_response({"value": len(tokens), "ids": tokens})

    async def context(self, _: web.Request) -> web.Response:
        return web.json_response({"value": CONTEXT})


class TabbyServer(OpenAIServer):
    """TabbyAPI."""

    owner = "tabbyAPI"
    tells_usage = True

    def routes(self) -> list[web.RouteDef]:
        return [*super().routes(), web.post("/v1/token/encode", self.tokenize), web.get("/v1/model", self.current)]

    async def tokenize(self, request: web.Request) -> web.Response:
        body = await self.body(request)
        first, special = body.get("add_bos_token", True), body.get("encode_special_tokens", True)
        tokens = tokens_of(body["text"], first=first, special=special)
        return web.json_response({"tokens": tokens, "length": len(tokens)})

    async def current(self, _: web.Request) -> web.Response:
        return web.json_response({**self.model(), "parameters": {"max_seq_len": CONTEXT, "chunk_size": 2048}})


class LlamaCppServer(OpenAIServer):
    """The server of the llama-cpp-python package, as far as the real one is too slow to be asked."""

    owner = "me"

    def routes(self) -> list[web.RouteDef]:
        return [*super().routes(), web.post("/extras/tokenize", self.tokenize)]

    async def tokenize(self, request: web.Request) -> web.Response:
        body = await self.body(request)
        return web.json_response({"tokens": tokens_of(body["input"], first=True, special=True)})


@asynccontextmanager
async def serving(server: OpenAIServer, port: int = 0) -> AsyncGenerator[OpenAIServer, None]:
    """The server, open on this machine within the block."""
    app = web.Application()
    app.add_routes(server.routes())
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    server.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()


def _event(content: Json) -> bytes:
    return f"data: {json.dumps(content)}\n\n".encode()
