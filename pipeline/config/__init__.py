"""The protocol of a review, config.yaml: read, checked, and frozen.

Precedence: command-line flag > EVIPOOL_* variable > config.yaml > default. Every value's origin
is kept for `evipool config show`.
"""

from pipeline.config.layers import NOT_SETTINGS, PREFIX, flatten
from pipeline.config.load import Loaded, load
from pipeline.config.models import (
    COUNT_MODELS,
    Conclusion,
    Condition,
    Config,
    Database,
    Eligibility,
    Intervention,
    Living,
    ModelSpec,
    Ncbi,
    OutcomeDef,
    Part,
    Question,
    Report,
    Review,
    SensitivitySpec,
)

__all__ = [
    "COUNT_MODELS",
    "NOT_SETTINGS",
    "PREFIX",
    "Conclusion",
    "Condition",
    "Config",
    "Database",
    "Eligibility",
    "Intervention",
    "Living",
    "Loaded",
    "ModelSpec",
    "Ncbi",
    "OutcomeDef",
    "Part",
    "Question",
    "Report",
    "Review",
    "SensitivitySpec",
    "flatten",
    "load",
]
