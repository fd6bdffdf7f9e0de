"""A scenario decides alike each time, and by its rules."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from pipeline.eutils_server import Fault, Scenario
from pipeline.eutils_server.history import ExpiredError, History
from pipeline.eutils_server.scenario import Play


def played(scenario: Scenario, calls: int, utility: str = "efetch") -> list[str]:
    """The faults of so many different calls."""
    play = Play(scenario)
    return [play.next(utility, str(n))[0] for n in range(calls)]


def test_the_nth_call_of_a_utility_is_named() -> None:
    fault = Fault("500", "efetch", calls=(1, 3))
    assert played(Scenario((fault,)), 4) == ["500", "", "500", ""]
    assert played(Scenario((fault,)), 4, "esearch") == [""] * 4
    assert played(Scenario((Fault("500", calls=(2,)),)), 3, "esearch") == ["", "500", ""]


def test_the_first_fault_that_befalls_a_call_counts() -> None:
    faults = (Fault("500", calls=(2,)), Fault("503", chance=1.0))
    assert played(Scenario(faults), 3) == ["503", "500", "503"]


def test_chances_come_true_as_often_as_they_say_and_alike_for_a_seed() -> None:
    scenario = Scenario((Fault("500", chance=0.2),), seed=4)
    found = played(scenario, 5_000)
    assert found == played(scenario, 5_000)
    assert found != played(Scenario(scenario.faults, seed=5), 5_000)
    # Binomial, n = 5,000, p = 0.2: mean 1,000, standard deviation 28.3; four of them to each side.
    assert 887 < found.count("500") < 1_113


def test_threads_do_not_change_what_befalls_the_nth_call() -> None:
    scenario = Scenario((Fault("500", chance=0.5),), seed=1)
    play = Play(scenario)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: play.next("efetch", str(n))[0], range(400)))
    assert found.count("500") == played(scenario, 400).count("500")


def test_a_request_goes_wrong_so_often_and_then_right() -> None:
    play = Play(Scenario((Fault("500", chance=1.0, tries=2),)))
    requests = ["a", "a", "b", "a", "b", "b", "a"]
    assert [play.next("efetch", r)[0] for r in requests] == ["500"] * 3 + ["", "500", "", ""]


def test_random_choices_of_a_fault_are_seeded() -> None:
    scenario = Scenario((Fault("missing", chance=1.0),), seed=9)
    draws = [Play(scenario).next("efetch", "a")[1].random() for _ in range(2)]
    other = Play(Scenario(scenario.faults, seed=8)).next("efetch", "a")[1].random()
    assert draws[0] == draws[1] != other


def test_a_history_expires_after_so_many_calls() -> None:
    history = History(calls=2)
    name, key = history.keep([3, 2])
    other, _ = history.keep([1])
    assert [history.get(name, key) for _ in range(2)] == [(3, 2), (3, 2)]
    with pytest.raises(ExpiredError, match="Unable to obtain query #1"):
        history.get(name, key)
    assert history.get(other, 1) == (1,)
