"""Scores the doses read against TrialSieve: python tests/benchmarks/trialsieve.py SET.jsonl.

The set is a file of JSON lines: pmid, text (title, line break, abstract) and spans (start, end,
label, text); it is not part of the project. Rules:

- A "Dosage" span that prints a number is found if the quotes of doses' amounts overlap it and
  the numbers it prints are among theirs ("10-20" needs both ends; a number cut from a list may
  stand alone). Spans without a digit are left out.
- A "Units" span is found if a dose's quote overlaps it and the dose's unit is the printed one,
  however it is spelt; a time that the annotators took into it ("mg/day") is left out. Spans that
  overlap no dose's amount with its unit ("mm Hg", "mg/dL") print no unit of a dose and are left
  out: only the span that follows a "Dosage" span within 3 characters is counted.
- An "Intervention Frequency" span is found if a dose's frequency overlaps it, or if it says that
  the amount is a day's and the dose's `per` is "day".
- Precision is the share of the amounts read that overlap a span of the class; the annotators
  missed much, so it is lower than the share that is right.

With --misses N the first N misses are printed, with their sentences; --part even or odd takes
the records with such PMIDs alone.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.config import load
from pipeline.extract.reader import Reader
from pipeline.schema import Dose, Record, Section

Span = dict[str, Any]
_NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+|\d+(?:[.·]\d+)?|[.·]\d+")
_DAILY = re.compile(r"(?:/|per|a|each|once|one)?[\s-]*(?:a |per )?(?:d|day|daily)", re.I)
_REPORT = "{:12} {:>6} {:>6} {:>8}"


def main() -> None:
    """Print recall and precision of each class."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("path", type=Path)
    parser.add_argument("--part", choices=("all", "even", "odd"), default="all")
    parser.add_argument("--misses", type=int, default=0)
    parser.add_argument("--extras", type=int, default=0, help="print doses that overlap no span")
    options = parser.parse_args()
    config = load(Path("config.yaml")).config
    reader = Reader(config.eligibility, config.outcomes)
    total: Counter[str] = Counter()
    missed: list[str] = []
    extra: list[str] = []
    for row in _rows(options.path, options.part):
        title, _, abstract = row["text"].partition("\n")
        record = Record(row["pmid"], title, (Section(abstract),))
        if record.text.strip() != row["text"].strip():
            raise SystemExit(f"Offsets do not hold in {row['pmid']}.")
        found = [d for d in reader.read(record).doses if d.amount and d.amount.quote]
        total += score(row, found, missed, extra)
    print(_REPORT.format("class", "spans", "found", "recall"))
    for name in ("dosage", "value", "unit", "frequency"):
        spans, hits = total[name], total[f"{name} found"]
        print(_REPORT.format(name, spans, hits, f"{hits / max(1, spans):.3f}"))
    print(f"precision of amounts {total['amounts right'] / max(1, total['amounts']):.3f}")
    print("\n".join([*missed[: options.misses], *extra[: options.extras]]))


def _rows(path: Path, part: str) -> Iterator[dict[str, Any]]:
    """Yield the records of a part of the set."""
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if part == "all" or int(row["pmid"]) % 2 == (part == "odd"):
            yield row


def score(
    row: dict[str, Any], found: list[Dose], missed: list[str], extra: list[str]
) -> Counter[str]:
    """Count the spans of a record and those found; `missed` takes what was not."""
    total: Counter[str] = Counter()
    spans = sorted(row["spans"], key=lambda s: s["start"])
    doses = [s for s in spans if s["label"] == "Dosage" and _NUMBER.search(s["text"])]
    values = {n for d in found for n in _amounts(d)}
    for span in doses:
        hit = _dosage_found(span, found)
        total += Counter({"dosage": 1, "dosage found": hit, "value": 1})
        total["value found"] += _numbers(span["text"]) <= values
        if not hit:
            missed.append(_shown(row, span, "MISS"))
    for span in spans:
        if span["label"] == "Units" and any(0 <= span["start"] - d["end"] <= 3 for d in doses):
            hit = any(_overlaps(span, d) and _same_unit(span["text"], d.unit) for d in found)
            total += Counter({"unit": 1, "unit found": hit})
        if span["label"] == "Intervention Frequency":
            hit = any(_frequency_found(span, d) for d in found)
            total += Counter({"frequency": 1, "frequency found": hit})
            if not hit:
                missed.append(_shown(row, span, "FREQ"))
    for dose in found:
        assert dose.amount is not None and dose.amount.quote is not None
        place = {"start": dose.amount.quote.start, "end": dose.amount.quote.end}
        right = any(s["start"] < place["end"] and place["start"] < s["end"] for s in doses)
        total += Counter({"amounts": 1, "amounts right": right})
        if not right:
            extra.append(_shown(row, place, "EXTRA"))
    return total


def _shown(row: dict[str, Any], span: Span, kind: str) -> str:
    """A span in its surroundings."""
    text, start, end = row["text"], span["start"], span["end"]
    before, after = text[max(0, start - 90) : start], text[end : end + 60]
    return f"{kind} {row['pmid']} {before}[[{text[start:end]}]]{after}".replace("\n", " ")


def _dosage_found(span: Span, found: list[Dose]) -> bool:
    """Whether the doses whose amounts overlap a span have the numbers it prints."""
    near = [
        d
        for d in found
        if d.amount and d.amount.quote
        if d.amount.quote.start < span["end"] and span["start"] < d.amount.quote.end
    ]
    return bool(near) and _numbers(span["text"]) <= {n for d in near for n in _amounts(d)}


def _frequency_found(span: Span, dose: Dose) -> bool:
    """Whether a dose has the frequency that a span prints, in words or as "per day"."""
    quote = dose.frequency.quote if dose.frequency else None
    if quote and quote.start < span["end"] and span["start"] < quote.end:
        return True
    near = dose.quote is not None and dose.quote.start <= span["end"] <= dose.quote.end + 20
    return dose.per == "day" and near and _DAILY.fullmatch(span["text"].strip()) is not None


def _overlaps(span: Span, dose: Dose) -> bool:
    """Whether a span overlaps a dose's quote."""
    quote = dose.quote
    return quote is not None and quote.start < span["end"] and span["start"] <= quote.end


def _amounts(dose: Dose) -> tuple[float, ...]:
    """The one or two numbers of a dose's amount."""
    value = dose.amount.value if dose.amount else ()
    return value if isinstance(value, tuple) else (value,)


def _numbers(text: str) -> set[float]:
    """The numbers a span prints; a multiple ("2 x 100", "1.8 x 10(6)") is its amount."""
    power = re.fullmatch(r"([\d.]+)\s*[x×]\s*10\W*(\d)\W*\D*", text.strip())
    if power:
        return {float(power[1]) * 10.0 ** int(power[2])}
    text = re.sub(r"^\d+\s*[x×]\s*(?=\d)|m\W?2\W*$|\^2", "", re.sub(r"/\s?m\S*|/kg.*", "", text))
    return {float(n.replace(",", "").replace("·", ".")) for n in _NUMBER.findall(text)}


def _same_unit(printed: str, unit: str | None) -> bool:
    """Whether a unit as printed is the unit read."""
    return _folded(printed) == _folded(unit or "")


def _folded(unit: str) -> str:
    """A unit without case, blanks, times and other spellings."""
    text = re.sub(r"[\s().]|</?sup>", "", unit.lower().replace(" per ", "/"))
    text = re.sub(r"/(?:d|day|die|24h|24hours|body|m$)", "", text)
    text = re.sub(r"^(?:[µμ]g|ug|mug|microgram(?:me)?s?|micrograms?|microg)", "mcg", text)
    text = re.sub(r"^(?:grams?|gm)\b", "g", text)
    return re.sub(r"units?$", "u", text.replace("²", "2").replace("^", ""))


if __name__ == "__main__":
    main()
