"""Asks a server everything that its OpenAPI document allows and much that it does not, and compares what it answers."""

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import requests
import schemathesis
from aiohttp import web
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import (
    CheckFunction,
    load_all_checks,
    negative_data_rejection,
    not_a_server_error,
    response_headers_conformance,
    response_schema_conformance,
)
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance

PATIENCE = 30.0
"""Seconds that an answer may take."""

CHECKS: list[CheckFunction] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]

REJECTED = ["400", "401", "403", "404", "409", "412", "413", "415", "422"]
"""What may be said to data that does not fit the document. Schemathesis itself would take any error of the server, too."""

METHODS = {"get", "head", "post", "put", "delete", "patch", "options"}

Honest = Callable[[Case[Any]], None]
"""Puts into a case what only a client of this very server can know, so that those that fit get through the door."""


def fuzz(
    document: dict[str, Any], address: str, examples: int, honest: Honest, headers: Mapping[str, str] | None = None
) -> Counter[tuple[str, int]]:
    """Try every operation with so many cases that fit the document and as many that do not; what was answered how often.

    The cases are the same each time. What is found is raised.
    """
    load_all_checks()
    answered: Counter[tuple[str, int]] = Counter()
    with requests.Session() as session:
        session.headers.update(headers or {})

        def ask(case: Case[Any]) -> None:
            if case.meta is not None and case.meta.generation.mode.is_positive:
                honest(case)
            answer = case.call(address, session=session, timeout=PATIENCE, allow_redirects=False)
            answered[case.operation.label, answer.status_code] += 1
            case.validate_response(answer, checks=CHECKS)

        config = schemathesis.Config.from_dict({"checks": {"negative_data_rejection": {"expected-statuses": REJECTED}}})
        for found in schemathesis.openapi.from_dict(document, config=config).get_all_operations():
            assert isinstance(found, Ok), found
            operation = found.ok()
            _all(operation.as_strategy(GenerationMode.POSITIVE), ask, examples)
            # Where nothing is taken, nothing can be wrong.
            with suppress(Unsatisfiable):
                _all(operation.as_strategy(GenerationMode.NEGATIVE), ask, examples)
    return answered


def routes_in(document: Mapping[str, Any]) -> set[tuple[str, str]]:
    """The routes that an OpenAPI document tells: each path with a method, in small letters."""
    return {(path, method) for path, methods in document["paths"].items() for method in methods if method in METHODS}


def routes_of(app: web.Application) -> set[tuple[str, str]]:
    """The routes that a server has, as `routes_in` says them."""
    return {(each.resource.canonical, each.method.lower()) for each in app.router.routes() if each.resource is not None}


def _all(cases: Any, ask: Callable[[Case[Any]], None], examples: int) -> None:
    @given(case=cases)
    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def each(case: Case[Any]) -> None:
        ask(case)

    each()
