"""Published IVIg results from their inputs: python tests/reference/anchors.py prints the table.

Each is reproduced under the rule that its authors used, or a sentence says why it is not. Inputs
are counts and means that the abstracts print, but where `inputs` says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import binomtest, fisher_exact

from pipeline.meta import meta

Numbers = tuple[float, ...]

#: IVIg against placebo in CIDP: improved, all; Hahn (1996), Mendell (2001), Thompson (1996),
#: Vermeulen (1993). Thompson's counts are in no abstract: they are the only ones of 7 and 7
#: patients that give the published estimate. Hahn is a crossover whose periods count twice.
FERGUSSON = pd.DataFrame(
    {
        "slab": ["Hahn 1996", "Mendell 2001", "Thompson 1996", "Vermeulen 1993"],
        "ai": [19, 11, 2, 4],
        "n1i": [30, 29, 7, 15],
        "ci": [5, 2, 0, 3],
        "n2i": [30, 21, 7, 13],
    }
)

#: The ICE trial (Hughes 2008, PMID 18178525) as its abstract counts: improved until week 24.
ICE = pd.DataFrame({"slab": ["Hughes 2008"], "ai": [32], "n1i": [59], "ci": [12], "n2i": [58]})

#: Geerts (2021, PMID 33766992): pain better by 1 point or more, 40 % and 30 % of 30.
GEERTS = pd.DataFrame({"slab": ["Geerts 2021"], "ai": [12], "n1i": [30], "ci": [9], "n2i": [30]})

#: PSGBS (1997): improvement in grades at 4 weeks, plasma exchange less IVIg.
PSGBS = pd.DataFrame(
    {"m1i": [0.9], "sd1i": [1.3], "n1i": [121], "m2i": [0.8], "sd2i": [1.3], "n2i": [130]}
)


@dataclass(frozen=True, slots=True)
class Anchor:
    """A published result: `found` gives our numbers, `digits` is what was printed of them.

    `why` is the rule that the numbers need; of a result that is not reproduced, the reason.
    """

    topic: str
    source: str
    published: str
    numbers: Numbers
    why: str
    found: Callable[[], Numbers] | None = None
    digits: int = 2


def _peto() -> Numbers:
    """Peto's odds ratio of the four trials."""
    pooled = meta(FERGUSSON, measure="PETO", method="PETO").pooled
    assert pooled is not None
    return tuple(np.exp([pooled.estimate, pooled.ci_lb, pooled.ci_ub]))


def ice_within() -> Numbers:
    """Mantel and Haenszel's risk ratio of the five trials, with ICE as its abstract counts."""
    table = pd.concat([FERGUSSON, ICE], ignore_index=True)
    pooled = meta(table, measure="RR", method="MH").pooled
    assert pooled is not None
    return tuple(np.exp([pooled.estimate, pooled.ci_lb, pooled.ci_ub]))


def _geerts() -> Numbers:
    """The odds ratio of one trial with its normal interval, and Fisher's exact test."""
    row = meta(GEERTS, measure="OR").frame().iloc[0]
    exact = fisher_exact([[12, 18], [9, 21]]).pvalue
    return (*np.exp([row["yi"], row["ci_lb"], row["ci_ub"]]), float(exact))


def _kuwabara() -> Numbers:
    """Exact limits, in percent."""
    limits = [binomtest(x, n).proportion_ci(method="exact") for x, n in ((38, 49), (4, 38))]
    return tuple(float(100 * x) for one in limits for x in (one.low, one.high))


def _psgbs() -> Numbers:
    """The mean difference with its normal interval."""
    row = meta(PSGBS, measure="MD").frame().iloc[0]
    return (float(row["yi"]), float(row["ci_lb"]), float(row["ci_ub"]))


ANCHORS = (
    Anchor(
        "CIDP, IVIg against placebo: improved",
        "Fergusson (2005), *Transfusion* 45:1640",
        "OR 4.43 (2.20 to 8.91), 4 trials, n = 152",
        (4.43, 2.20, 8.91),
        "Peto's odds ratio: no other model of these counts gives it. Thompson's counts are "
        "reconstructed, and both periods of Hahn's crossover count as patients.",
        _peto,
    ),
    Anchor(
        "CIDP, IVIg against placebo: improved",
        "Cochrane CD001797",
        "RR 2.40 (1.72 to 3.36), 5 trials, n = 235",
        (),
        "Not reproduced: the review counts ICE's responders at week 6, the abstract those until "
        "week 24 (32 of 59, 12 of 58). With these the Mantel-Haenszel risk ratio is 2.90 (1.92 to "
        "4.39), an interval that holds the published one's estimate.",
    ),
    Anchor(
        "Small fibre neuropathy, IVIg against placebo: pain better by a point",
        "Geerts (2021), PMID 33766992",
        "OR 1.56 (0.53 to 4.53), p = 0.588",
        (1.56, 0.53, 4.53, 0.59),
        "The odds ratio of one trial with its normal interval, shown and not pooled; the p value "
        "is Fisher's.",
        _geerts,
    ),
    Anchor(
        "CIDP, single arm: responders at week 28; relapse by week 52",
        "Kuwabara (2017), PMC5629934",
        "38/49, 63 to 88 %; 4/38, 3 to 25 %",
        (63, 88, 3, 25),
        "Exact limits of a binomial proportion (Clopper and Pearson 1934; SciPy's).",
        _kuwabara,
        0,
    ),
    Anchor(
        "Guillain-Barré syndrome, IVIg against plasma exchange: grades at 4 weeks",
        "PSGBS (1997), *Lancet* 349:225",
        "a difference of 0.5 grade is excluded",
        (0.10, -0.22, 0.42),
        "The mean difference of the printed means and SDs with its normal interval, which the "
        "paper does not print and which excludes 0.5.",
        _psgbs,
    ),
    Anchor(
        "Sjögren's neuropathy, single arm: pain (VAS)",
        "Morozumi (2009), PMID 19168191",
        "mean VAS down 73.4 %, n = 5",
        (),
        "Not poolable: a percent change without a spread has no sampling variance. It stays in "
        "the table with this reason; a borrowed coefficient of variation must be asked for.",
    ),
    Anchor(
        "CIDP, IVIg against placebo: disability",
        "Fergusson (2005)",
        "SMD -0.67 (-1.04 to -0.30), 4 trials, n = 125",
        (),
        "Not reproduced: the means and SDs of the four trials are not at hand.",
    ),
    Anchor(
        "Guillain-Barré syndrome, IVIg against plasma exchange: grades at 4 weeks",
        "Cochrane CD002063",
        "WMD 0.04 (-0.26 to 0.19), 5 trials, n = 536",
        (),
        "Not reproduced: of the five trials the means and SDs of one are at hand. The middle of "
        "the limits is -0.035, so the estimate, or its sign, is misprinted.",
    ),
    Anchor(
        "Guillain-Barré syndrome, plasma exchange: walks with aid at 4 weeks",
        "Cochrane CD001798",
        "RR 1.60 (1.19 to 2.15), 3 trials, n = 349",
        (),
        "Not reproduced: the counts of the trials are not at hand.",
    ),
    Anchor(
        "MMN and CIDP, subcutaneous against intravenous immunoglobulin: strength",
        "Racosta (2017), PMID 27649063",
        "0.65 (-0.31 to 1.61); 0.84 (-0.01 to 1.69)",
        (),
        "Not reproduced: the scores of the eight studies are not at hand.",
    ),
    Anchor(
        "Neuropathic pain, immunoglobulin: pain relief",
        "*Reg Anesth Pain Med* 47 (suppl 1):A274",
        "65 % (58 to 71), 5 studies",
        (),
        "Not reproduced: the conference abstract does not name the counts.",
    ),
    Anchor(
        "CIDP, IVIg against prednisolone, crossover: disability",
        "Hughes (2001), *Ann Neurol* 50:195",
        "MD 0.16 (-0.35 to 0.66), 24 completers",
        (),
        "Not reproduced: the SD of the paired differences is not at hand; without it a "
        "crossover's variance would be guessed.",
    ),
)


def table() -> str:
    """The table of docs/validation.md: a row a published result."""
    lines = ["| question | source | published | ours | rule, or why not |", "|---|---|---|---|---|"]
    for one in ANCHORS:
        ours = "; ".join(f"{x:.{one.digits}f}" for x in one.found()) if one.found else "-"
        lines.append(f"| {one.topic} | {one.source} | {one.published} | {ours} | {one.why} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
