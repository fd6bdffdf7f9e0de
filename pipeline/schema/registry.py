"""Finds the numbers of trial registries in a text, each as its registry writes it."""

from __future__ import annotations

import re
from collections.abc import Iterator

#: The primary registries of WHO's platform (ICTRP) and its partners; EU numbers need their name
#: or their full form, since "2009-012345-12" alone may be anything.
_NUMBERS = re.compile(
    r"""(?<![A-Za-z0-9])(?:
        NCT[ ]?\d{8}                                     # ClinicalTrials.gov
      | ISRCTN[ ]?\d{8}
      | (?:EudraCT|EUCT|CTIS|EU[ ]CT)\W{0,3}(?:(?:number|no|nr)\W{0,3})?20\d\d-\d{6}-\d\d(?:-\d\d)?
      | DRKS[ ]?\d{8}                                    # Germany
      | ACTRN[ ]?\d{14}                                  # Australia, New Zealand
      | jRCTs?\d{9,10} | (?:JPRN-)?UMIN[ ]?\d{9}        # Japan
      | ChiCTR(?:-[A-Z]{2,5})?-?\d{8,10}                 # China
      | CTRI/20\d\d/\d{2,3}/\d{6}                       # India
      | IRCT\d{8,}N\d+                                   # Iran
      | KCT\d{7} | TCTR\d{11} | SLCTR/20\d\d/\d{3}      # Korea, Thailand, Sri Lanka
      | PACTR\d{15,16}                                   # Africa
      | RBR-[0-9a-z]{6,10} | RPCEC\d{8} | LBCTR\d{10}    # Brazil, Cuba, Lebanon
      | NTR[ ]?\d{3,4} | NL-OMON\d{5}                    # Netherlands
    )(?![A-Za-z0-9])""",
    re.VERBOSE | re.IGNORECASE,
)


def registry_spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield the start and end of each trial registration in a text."""
    return (found.span() for found in _NUMBERS.finditer(text))
