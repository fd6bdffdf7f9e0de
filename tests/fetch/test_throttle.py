"""Turns: never more than the rate, whichever thread or process asks."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest
from pydantic import SecretStr

from pipeline.config import Config
from pipeline.errors import OutputError
from pipeline.fetch.throttle import Throttle, turn_file
from pipeline.fetch.transport import connect


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def throttle(interval: float, clock: Clock, file: Path | None = None) -> Throttle:
    return Throttle(interval, clock=clock, sleep=clock.sleep, file=file)


class TestTurns:
    """One process."""

    @pytest.mark.parametrize(("rate", "requests_sent"), [(3, 20), (10, 60)])
    def test_no_second_holds_more_requests_than_the_rate(
        self, *, rate: int, requests_sent: int, clock: Clock
    ) -> None:
        turns, sent = throttle(1.1 / rate, clock), []
        for _ in range(requests_sent):
            turns.wait()
            sent.append(clock.now)
        for moment in sent:
            assert sum(moment <= other < moment + 1 for other in sent) <= rate

    def test_an_idle_time_is_not_saved_up(self, clock: Clock) -> None:
        turns = throttle(0.5, clock)
        turns.wait()
        clock.now += 60
        turns.wait()
        turns.wait()
        assert clock.slept == [0.5]

    def test_one_who_wakes_late_does_not_crowd_the_next(self) -> None:
        """The next turn counts from when this one was taken, not from when it was due."""
        clock = Clock()
        late = Throttle(0.5, clock=clock, sleep=lambda s: clock.sleep(s + 0.25))
        for _ in range(3):
            late.wait()
        assert clock.now == 101.5

    def test_threads_share_the_turns(self, clock: Clock) -> None:
        """Twelve threads take twelve turns half a second apart."""
        turns, taken, lock = throttle(0.5, clock), [], threading.Lock()

        def take(_: int) -> None:
            with lock:
                turns.wait()
                taken.append(clock.now)

        with ThreadPoolExecutor(12) as pool:
            list(pool.map(take, range(12)))
        assert taken == [100 + 0.5 * i for i in range(12)]

    def test_the_rate_follows_the_key(
        self, make_config: Callable[..., Config], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """3/s without a key, 10/s with one (NLM KA-05318), a tenth slower to be safe."""
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        config = make_config(ncbi__email="reviewer@example.org")
        keyed = config.ncbi.model_copy(update={"api_key": SecretStr("0123456789abcdef")})
        slow = connect(config).throttle
        fast = connect(config.model_copy(update={"ncbi": keyed})).throttle
        assert slow.interval == pytest.approx(1.1 / 3)
        assert fast.interval == pytest.approx(1.1 / 10)
        assert slow.file != fast.file
        assert "0123456789abcdef" not in str(fast.file)
        assert slow.file == connect(config).throttle.file


class TestSharedFile:
    """All that name one file share its turns."""

    def test_a_second_one_waits_for_the_turn_of_the_first(
        self, clock: Clock, tmp_path: Path
    ) -> None:
        file = tmp_path / "cache" / "turn"
        throttle(0.5, clock, file).wait()
        throttle(0.5, clock, file).wait()
        throttle(0.5, clock, tmp_path / "other").wait()
        assert clock.slept == [0.5]

    @pytest.mark.parametrize("noted", ["", "half a num", "nan", "inf", "1e12"])
    def test_a_damaged_note_or_a_clock_set_back_costs_one_turn(
        self, noted: str, clock: Clock, tmp_path: Path
    ) -> None:
        file = tmp_path / "turn"
        file.write_text(noted)
        turns = throttle(0.5, clock, file)
        turns.wait()
        turns.wait()
        assert clock.slept == [0.5, 0.5]

    def test_a_folder_that_cannot_be_written_is_named(self, clock: Clock, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(OutputError, match=r"Cannot write .*XDG_CACHE_HOME"):
            throttle(0.5, clock, tmp_path / "file" / "turn").wait()

    def test_three_processes_of_four_threads_share_the_turns(self, tmp_path: Path) -> None:
        """60 turns of 20 ms, noted by those who took them: none is nearer to the one before."""
        file = tmp_path / "turn"
        script = (
            "import sys, time\n"
            "from concurrent.futures import ThreadPoolExecutor\n"
            "from pathlib import Path\n"
            "from pipeline.fetch.throttle import Throttle\n"
            "clock = lambda: noted.append(time.time()) or noted[-1]\n"
            "noted, taken = [], []\n"
            "class Noting(Throttle):\n"
            "    def _write(self, now):\n"
            "        taken.append(now)\n"
            "        super()._write(now)\n"
            "turns = Noting(0.02, clock=clock, sleep=time.sleep, file=Path(sys.argv[1]))\n"
            "with ThreadPoolExecutor(4) as pool:\n"
            "    list(pool.map(lambda _: turns.wait(), range(20)))\n"
            "print(*taken)\n"
        )
        command = [sys.executable, "-c", script, str(file)]
        running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
        taken = sorted(float(t) for p in running for t in p.communicate()[0].split())
        assert len(taken) == 60
        assert min(b - a for a, b in pairwise(taken)) >= 0.02

    def test_a_killed_process_holds_up_no_other(self, tmp_path: Path) -> None:
        """It is killed while it waits for a turn an hour away."""
        file = tmp_path / "turn"
        script = (
            "import sys, time\n"
            "from pathlib import Path\n"
            "from pipeline.fetch.throttle import Throttle\n"
            "turns = Throttle(3600, clock=time.time, sleep=time.sleep, file=Path(sys.argv[1]))\n"
            "turns.wait()\n"
            "print('first', flush=True)\n"
            "turns.wait()\n"
        )
        command = [sys.executable, "-c", script, str(file)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "first\n"
            process.kill()
        clock = Clock()
        clock.now = time.time() + 3600
        throttle(3600, clock, file).wait()
        assert clock.slept == []

    def test_the_file_lies_in_the_users_cache(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        assert turn_file("https://eutils.test/", "").parent == tmp_path / "evipool"
        monkeypatch.delenv("XDG_CACHE_HOME")
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        parent = turn_file("https://eutils.test/", "").parent
        assert parent == tmp_path / "home" / ".cache" / "evipool"
