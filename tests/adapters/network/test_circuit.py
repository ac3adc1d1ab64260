import pytest

from adapters.network.circuit import Circuit, CircuitRules

RULES = CircuitRules(failures=3, rest=10.0)


def failed(times: int, at: float = 0.0) -> Circuit:
    circuit = Circuit(RULES)
    for _ in range(times):
        circuit.failed(at)
    return circuit


@pytest.mark.parametrize(("times", "goes"), [(0, True), (2, True), (3, False), (9, False)])
def test_it_opens_after_failures_in_a_row(times: int, *, goes: bool) -> None:
    assert failed(times).enter(1.0) is goes


def test_a_success_begins_the_row_anew() -> None:
    circuit = failed(2)
    circuit.succeeded()
    circuit.failed(0.0)
    circuit.failed(0.0)
    assert circuit.enter(1.0)


@pytest.mark.parametrize(("now", "rest"), [(100.0, 10.0), (104.0, 6.0), (110.0, 0.0), (200.0, 0.0)])
def test_it_tells_how_long_it_rests(now: float, rest: float) -> None:
    assert failed(3, at=100.0).rest(now) == rest


def test_after_its_rest_one_probe_goes_and_others_wait_for_it() -> None:
    circuit = failed(3)
    assert circuit.enter(10.0)
    assert not circuit.enter(10.0)
    assert not circuit.enter(19.9)


def test_a_probe_that_succeeds_closes_it() -> None:
    circuit = failed(3)
    circuit.enter(10.0)
    circuit.succeeded()
    assert all(circuit.enter(10.0) for _ in range(5))


def test_a_probe_that_fails_begins_another_rest() -> None:
    circuit = failed(3)
    circuit.enter(10.0)
    circuit.failed(12.0)
    assert circuit.rest(12.0) == 10.0
    assert circuit.enter(22.0)


def test_a_probe_that_never_comes_back_is_given_up() -> None:
    circuit = failed(3)
    assert circuit.enter(10.0)
    assert circuit.enter(20.0)
