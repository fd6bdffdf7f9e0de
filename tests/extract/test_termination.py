"""Ten thousand characters of repetition come to an end: no pattern backtracks without bound.

Not a timed test: the limit is a hundred times what an abstract of that length should need.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

#: Seconds after which a text counts as one that does not come to an end.
LIMIT = 20
REPEATED = {
    "fractions": "1 of ",
    "brackets": "(",
    "doses": "0.4 g/kg ",
    "p values": "p = 0.05 ",
    "p signs": "p = ",
    "intervals": "95% CI ",
    "ranges": "1 to ",
    "dashes": "1-",
    "plus minus": "1 ± ",
    "patients": "5 patients ",
    "number words": "two hundred and ",
    "listed amounts": "0.5, ",
    "treatments": "IVIg or placebo ",
    "words": "a ",
    "capitals": "A",
    "digits": "1",
    "groups of digits": "1,234,",
    "full stops": ". ",
    "blanks": " ",
    "newlines": "\n",
    "events": "improved ",
    "instruments": "VAS pain score ",
    "conditions": "small fibre neuropathy ",
    "sizes": "placebo (n = 5) ",
    "percentages": "50% ",
    "times": "12 weeks ",
    "groups of two": "for A and B group, 12% v 30% ",
    "lists of numbers": "1, ",
    "lists of fractions": ".5, ",
    "doses in turn": "2 g/kg, then ",
    "shared rates": "2 mg or ",
    "denials": "no sign of ",
    "allocations": "randomly assigned to a (",
    "groups of": "group of 9 ",
    "those named": "Of the ",
    "courses": "five-day course of ",
    "correlations": "correlation (p = 0.03) ",
    "shared units": "1 vs ",
    "letters": "arm A and B were ",
    "bare comparisons": "3 v 12 events (",
    "phrases": "five-year rate of time to first event in the treated group ",
    "contrasts": "5 patients with x, whereas ",
    "later visits": "After 5 years, 3 patients improved. ",
    "two groups": "8 a b and 9 c d patients compared ",
    "tested amounts": "1.2 g/kg compared with a (1.3 g/kg ",
    "two arms": "12 of 59 on IVIg and 30 of 58 on placebo improved ",
}
#: Reads each text in turn; faulthandler ends the process where one takes longer than the limit.
CODE = """
import faulthandler, json, sys
from pathlib import Path
from pipeline.config import load
from pipeline.extract.reader import Reader
from pipeline.schema import Record, Section

config = load(Path("config.yaml")).config
reader = Reader(config.eligibility, config.outcomes)
limit, repeated = json.loads(sys.argv[1])
for name, unit in repeated.items():
    faulthandler.dump_traceback_later(limit, exit=True)
    record = Record("r1", "IVIg in CIDP: a randomised trial", (Section((unit * 10_000)[:10_000]),))
    try:
        reader.read(record)
        print(name, "ended", sep=": ", flush=True)
    except Exception as error:
        print(name, repr(error), sep=": ", flush=True)
"""


@pytest.fixture(scope="module")
def endings(repo: Path) -> dict[str, str]:
    """How each text ended: "ended", an exception, or that it did not."""
    found: dict[str, str] = {}
    while left := {k: v for k, v in REPEATED.items() if k not in found}:
        found |= in_a_process(repo, left) or {next(iter(left)): "did not start"}
        hung = next((name for name in left if name not in found), None)
        found |= {hung: f"did not end within {LIMIT} s"} if hung else {}
    return found


def in_a_process(repo: Path, repeated: dict[str, str]) -> dict[str, str]:
    """How the texts ended, up to the first that did not."""
    run = subprocess.run(
        [sys.executable, "-c", CODE, json.dumps([LIMIT, repeated])],
        cwd=repo,
        capture_output=True,
        text=True,
        check=False,
    )
    print(run.stderr)  # where a text hung
    return dict(line.split(": ", 1) for line in run.stdout.splitlines())


@pytest.mark.parametrize("name", REPEATED)
def test_a_text_of_repetition_comes_to_an_end(endings: dict[str, str], name: str) -> None:
    assert endings[name] == "ended"
