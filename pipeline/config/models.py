"""The parts of the protocol: what each may hold, its default, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_serializer,
    field_validator,
    model_validator,
)

from pipeline.config.names import known, once
from pipeline.schema import DESIGNS

Design = Literal[DESIGNS]  # type: ignore[valid-type]
Proportion = Annotated[float, Field(gt=0, lt=1)]
Correlation = Annotated[float, Field(gt=-1, lt=1)]
Positive = Annotated[float, Field(gt=0)]
MASK = "***"
#: The login of an address and a password among its parameters. It goes to the last @: SQLAlchemy
#: takes slashes and spaces as parts of a password.
_LOGIN = re.compile(r"(?<=://)(?!/).+(?=@)|(?<=[?&]password=)[^&\s'\"]+")


def hide_login(text: str) -> str:
    """Return a text that holds an address with *** in the place of its login."""
    return _LOGIN.sub(MASK, text)


class Part(BaseModel):
    """A part of the protocol: frozen, and unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Ncbi(Part):
    """How PubMed is asked. NCBI wants an e-mail; a key lifts the rate from 3/s to 10/s."""

    email: str | None = None
    api_key: SecretStr | None = None
    api_key_file: Path | None = None
    base_url: str = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils/"
    transport: Literal["requests", "biopython"] = "requests"
    batch_size: int = Field(200, ge=1, le=500)
    timeout_s: float = Field(60, gt=0)


class Database(Part):
    """Where the store lives; by default corpus/evidence.sqlite in the review's folder."""

    url: str | None = Field(None, repr=False)

    @field_serializer("url")
    def _shown(self, url: str | None) -> str | None:
        """A dump shows no login; the store is given `url` itself."""
        return url if url is None else hide_login(url)


class Intervention(Part):
    """The treatment under review: `short` names it in comparison classes ("Ig vs placebo")."""

    name: str
    short: str
    terms: tuple[str, ...] = Field(min_length=1)


class Condition(Part):
    """A condition of the population: its MeSH descriptor and the phrases that name it."""

    name: str
    mesh: str | None = None
    terms: tuple[str, ...] = ()


class Eligibility(Part):
    """Which records may enter the pools."""

    intervention: Intervention
    population: tuple[Condition, ...] = Field(min_length=1)
    designs: tuple[Design, ...] = Field(min_length=1)
    min_n: int = Field(3, ge=1)


class OutcomeDef(Part):
    """An outcome of the protocol; `range` is the scale's, in `unit`."""

    name: str
    synonyms: tuple[str, ...] = ()
    kind: Literal["binary", "continuous"]
    unit: str | None = None
    range: tuple[float, float] | None = None
    direction: Literal["higher is better", "lower is better"] | None = None

    @field_validator("range")
    @classmethod
    def _in_order(cls, value: tuple[float, float] | None) -> tuple[float, float] | None:
        """A scale runs from its lowest to its highest value."""
        if value is not None and not value[0] < value[1]:
            raise ValueError("must run from the lowest value to the highest")
        return value


#: Estimators of tau2 by metafor's codes (EE is equal effects), and the models of counts.
Method = Literal[
    "REML", "ML", "DL", "HE", "HS", "HSk", "SJ", "EB", "PM", "EE", "MH", "PETO", "GLMM"
]

#: Models that pool counts instead of effect sizes, with the measures that each pools.
COUNT_MODELS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "MH": ("RR", "OR", "RD", "IRR"),
        "PETO": ("PETO",),
        "GLMM": ("OR", "IRR", "PLO", "IRLN"),
    }
)

#: metafor's mixed models of two groups.
GlmmModel = Literal["UM.FS", "UM.RS", "CM.EL", "CM.AL"]

#: metafor's tests of a pooled effect.
Test = Literal["knha", "adhoc", "t", "z"]


class ModelSpec(Part):
    """The pooling model: tau2 estimator or model of counts, test, confidence level.

    `glmm_model` is the GLMM of two groups, UM.FS where none is named.
    """

    method: Method = "REML"
    test: Test = "knha"
    level: Proportion = 0.95
    glmm_model: GlmmModel | None = None

    @field_validator("glmm_model")
    @classmethod
    def _of_a_glmm(cls, value: str | None, info: ValidationInfo) -> str | None:
        """Only a GLMM has such a model."""
        if value is not None and info.data.get("method") != "GLMM":
            raise ValueError("belongs to the method GLMM")
        return value


#: What may stand beside a pool: tests of small-study effects, and what single studies do to it.
CheckName = Literal["bias", "leave_one_out", "influence"]


class SensitivitySpec(Part):
    """A named variation of a question's analysis; what is not given stays as it is."""

    label: str
    method: Method | None = None
    test: Test | None = None
    glmm_model: GlmmModel | None = None
    ri: Correlation | None = None
    cv: Positive | None = None
    designs: tuple[Design, ...] | None = None
    recover: tuple[str, ...] | None = None
    leave_one_out: bool = False


#: What an update watches: the side of the estimate, and what the interval leaves in or out.
FlagRule = Literal["direction", "no_effect", "mid"]


class Conclusion(Part):
    """When an update says that a conclusion changed: rules that are set before new data come.

    `direction`: the estimate changes sides; `no_effect`: the interval begins or ceases to hold no
    effect; `mid`: it begins or ceases to hold the smallest effect that matters, which `mid` gives
    as printed. With `mid`, and the controls' `risk` or a patient's `sd`, repeated looks are
    monitored at this `power`.
    """

    flags: tuple[FlagRule, ...] = Field(("direction", "no_effect"), min_length=1)
    mid: float | None = None
    risk: Proportion | None = None
    sd: Positive | None = None
    power: Proportion = 0.9

    @model_validator(mode="after")
    def _with_mid(self) -> Conclusion:
        """What rests on the smallest effect that matters needs it."""
        if self.mid is None and ("mid" in self.flags or self.risk or self.sd):
            raise ValueError("the flag mid, risk and sd need mid, the smallest effect that matters")
        return self


class Question(Part):
    """A pool: whose effect, against what, on which outcome, by which measure and model.

    `comparator` holds phrases of which the comparator arm must show one; `recover` names the
    conversions that may stand in for numbers a paper does not print (`effects.convert`); `ri` is
    the assumed correlation of two measurements of one patient, `ri_grid` those that are tried
    beside it; `cv` a coefficient of variation borrowed from `cv_source`. `checks` are what stands
    beside the pool; None for what its number of studies allows. `conclusion` says when an update
    raises a flag; without it none is raised.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    conditions: tuple[str, ...] = ()
    comparisons: tuple[str, ...] = Field(min_length=1)
    comparator: tuple[str, ...] = ()
    outcome: str
    measure: str
    designs: tuple[Design, ...] = ()
    model: ModelSpec = ModelSpec()
    subgroup: Literal["condition", "design"] | None = None
    subgroup_tau2: Literal["separate", "common"] = "separate"
    dose_response: Literal["linear", "spline"] | None = None
    ri: Correlation | None = None
    ri_grid: tuple[Correlation, ...] = (0.3, 0.5, 0.7, 0.9)
    cv: Positive | None = None
    cv_source: str | None = None
    recover: tuple[str, ...] = ()
    favours: tuple[str, str] | None = None
    sensitivity: tuple[SensitivitySpec, ...] = ()
    checks: tuple[CheckName, ...] | None = None
    conclusion: Conclusion | None = None

    @model_validator(mode="after")
    def _sourced(self) -> Question:
        """A borrowed number says from where."""
        if (self.cv is None) != (not (self.cv_source or "").strip()):
            raise ValueError("cv and cv_source belong together: a borrowed CV says from where")
        return self

    @model_validator(mode="after")
    def _with_tau2(self) -> Question:
        """A model of counts has no tau2 for subgroups to share, and no regression."""
        if self.model.method in COUNT_MODELS:
            if self.subgroup_tau2 == "common":
                raise ValueError(f"{self.model.method} has no tau2 that subgroups could share")
            if self.dose_response:
                raise ValueError(f"{self.model.method} has no regression for a dose_response")
        return self


class Review(Part):
    """How people check the readings."""

    mode: Literal["single", "verify", "dual"] = "verify"
    show_suggestions: Literal["both", "first", "none"] = "both"
    consensus: bool = False
    require_reviewed: bool = False


class Living(Part):
    """How `evipool update` looks for what is new.

    More than 9,999 hits are asked for by their create date, from the last complete search on less
    `overlap_days`; an included record is fetched again when its copy is `recheck_days` old.
    """

    overlap_days: int = Field(30, ge=7)
    recheck_days: int = Field(1, ge=0)


class Report(Part):
    """How results are printed."""

    style: Literal["revman", "bmj", "jama"] = "revman"


class Config(Part):
    """The whole protocol."""

    title: str
    query: str = ""
    source: str = "demo"
    files: tuple[Path, ...] = ()
    ncbi: Ncbi = Ncbi()
    database: Database = Database()
    eligibility: Eligibility
    outcomes: tuple[OutcomeDef, ...] = Field(min_length=1)
    questions: tuple[Question, ...] = Field(min_length=1)
    review: Review = Review()
    living: Living = Living()
    report: Report = Report()

    @model_validator(mode="after")
    def _names_agree(self) -> Config:
        """Each name stands once, and questions name outcomes and conditions that exist."""
        outcomes = [o.name for o in self.outcomes]
        conditions = [c.name for c in self.eligibility.population]
        once(("outcomes",), "name", outcomes)
        once(("eligibility", "population"), "name", conditions)
        once(("questions",), "id", [q.id for q in self.questions])
        for i, question in enumerate(self.questions):
            known(("questions", i, "outcome"), question.outcome, outcomes)
            for j, name in enumerate(question.conditions):
                known(("questions", i, "conditions", j), name, conditions)
        return self

    def outcome(self, name: str) -> OutcomeDef:
        """Return the outcome of that name."""
        return next(o for o in self.outcomes if o.name == name)
