"""`evipool meta`: a table in, effect sizes and estimates out.

The table is dat.bcg (Colditz et al. 1994) as printed in Viechtbauer (2010), *J Stat Softw* 36(3),
section 3.1; expected numbers are printed in the same paper (metafor, REML): log risk ratio -0.7145
(SE 0.1798), 95 % interval -1.0669 to -0.3622, tau2 0.3132, I2 92.22 %, H2 12.86, Q 152.2330 on 12
degrees of freedom.
"""

from __future__ import annotations

import json
from math import exp, log
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.effects.formulas import Rules
from pipeline.errors import EffectSizeError, InputError, PoolError
from pipeline.meta import Target, meta, read_table
from pipeline.meta.plots import drawings

BCG = """author,year,tpos,tneg,cpos,cneg,ablat,alloc
Aronson,1948,4,119,11,128,44,random
Ferguson & Simes,1949,6,300,29,274,55,random
Rosenthal et al,1960,3,228,11,209,42,random
Hart & Sutherland,1977,62,13536,248,12619,52,random
Frimodt-Moller et al,1973,33,5036,47,5761,13,alternate
Stein & Aronson,1953,180,1361,372,1079,44,alternate
Vandiviere et al,1973,8,2537,10,619,19,random
TPT Madras,1980,505,87886,499,87892,13,random
Coetzee & Berjak,1968,29,7470,45,7232,27,random
Rosenthal et al,1961,17,1699,65,1600,42,systematic
Comstock et al,1974,186,50448,141,27197,18,systematic
Comstock & Webster,1969,5,2493,3,2338,33,systematic
Comstock et al,1976,27,16886,29,17825,33,systematic
"""
NAMES = {"tpos": "ai", "tneg": "bi", "cpos": "ci", "cneg": "di"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The table as a file with metafor's names."""
    head, rest = BCG.split("\n", 1)
    for ours, metafors in NAMES.items():
        head = head.replace(ours, metafors)
    file = tmp_path / "bcg.csv"
    file.write_text(f"{head}\n{rest}", encoding="utf-8")
    return file


@pytest.fixture
def bcg(path: Path) -> pd.DataFrame:
    """The table as read."""
    return read_table(path)


def test_the_printed_random_effects_model(bcg: pd.DataFrame) -> None:
    pooled = meta(bcg, measure="RR", test="z").pooled
    assert pooled is not None
    shown = (pooled.estimate, pooled.se, pooled.ci_lb, pooled.ci_ub, pooled.tau2)
    assert [round(x, 4) for x in shown] == [-0.7145, 0.1798, -1.0669, -0.3622, 0.3132]
    assert (round(pooled.i2, 2), round(pooled.h2, 2)) == (92.22, 12.86)
    assert (round(pooled.q, 3), pooled.q_df) == (152.233, 12)


def test_the_printed_meta_regression(bcg: pd.DataFrame) -> None:
    """Viechtbauer (2010), section 3.3: absolute latitude and year; intercept -3.5455 (SE 29.0959),
    ablat -0.0280 (0.0102), year 0.0019 (0.0147); QM 12.2043 on 2, QE 28.3251 on 10 degrees. The
    paper's tau2 is solved to 1e-5, ours further: the intercept differs in the fourth decimal."""
    fit = meta(bcg, measure="RR", test="z", mods=("ablat", "year")).regression
    assert fit is not None
    expected = [(-3.5455, 29.0959), (-0.0280, 0.0102), (0.0019, 0.0147)]
    for coefficient, wanted in zip(fit.coefficients, expected, strict=True):
        assert (coefficient.estimate, coefficient.se) == pytest.approx(wanted, abs=4e-4)
    assert (fit.qm, fit.q) == pytest.approx((12.2043, 28.3251), abs=3e-4)
    assert (fit.qm_df, fit.q_df) == (2, 10)


def test_categories_are_indicators_of_all_levels_but_the_first(bcg: pd.DataFrame) -> None:
    fit = meta(bcg, measure="RR", mods=("alloc",)).regression
    assert fit is not None
    assert [c.name for c in fit.coefficients] == ["intercept", "allocrandom", "allocsystematic"]
    numbers = meta(bcg.assign(arm=[1, 2, 10] * 4 + [2]), measure="RR", mods=("factor(arm)",))
    assert numbers.regression is not None
    assert [c.name for c in numbers.regression.coefficients][1:] == ["arm2", "arm10"]


def test_the_command_prints_one_json_object(path: Path) -> None:
    done = CliRunner().invoke(app, ["meta", str(path), "-m", "RR", "--json"])
    assert done.exit_code == 0
    shown = json.loads(done.stdout)
    keys = "k estimate se ci_lb ci_ub pval tau2 tau2_ci_lb tau2_ci_ub q q_pval i2 h2 pi_lb pi_ub"
    assert {*keys.split(), "yi", "vi"} <= set(shown)
    assert (shown["k"], len(shown["yi"]), shown["test"]) == (13, 13, "knha")


def test_the_command_prints_a_summary(path: Path) -> None:
    done = CliRunner().invoke(app, ["meta", str(path), "-m", "RR", "--test", "z"])
    assert "REML, k = 13, test z: RR -0.7145 (SE 0.1798)" in done.stdout
    assert f"Risk ratio: {exp(-0.7145):.3f}" in done.stdout[:2000]
    assert "Aronson 1948" in done.stdout


def test_rows_that_give_nothing_are_left_out_with_the_reason(bcg: pd.DataFrame) -> None:
    holed = bcg.copy()
    holed.loc[2, "ai"] = None
    result = meta(holed, measure="RR")
    assert [(row.row, row.slab) for row in result.left_out] == [(2, "Rosenthal et al 1960")]
    assert "missing" in result.left_out[0].reason
    assert result.pooled is not None
    assert (result.pooled.k, result.yi[2], len(result.yi)) == (12, None, 13)


def test_one_study_is_not_pooled() -> None:
    one = pd.DataFrame({"yi": ["0.5"], "vi": ["0.04"]})
    result = meta(one)
    assert result.pooled is None
    assert result.reason == "1 of 1 studies can be pooled; a pool needs two"
    assert result.yi == (0.5,)


@pytest.mark.parametrize(
    ("cells", "options", "error", "said"),
    [
        (
            {"ai": "5", "n1i": "4", "ci": "1", "n2i": "4"},
            {},
            EffectSizeError,
            "Invalid ai 5 in row 1",
        ),
        ({"ai": "-1", "bi": "4", "ci": "1", "di": "4"}, {}, EffectSizeError, "must be 0 or more"),
        ({"ai": "x", "bi": "4", "ci": "1", "di": "4"}, {}, InputError, "'x' is no number"),
        ({"ai": "1", "bi": "4"}, {}, EffectSizeError, "needs the columns ai bi ci di or"),
        ({"ai": "1", "bi": "4", "ci": "1", "di": "4"}, {"mods": ("dose",)}, InputError, "'dose'"),
        ({"ai": "1", "bi": "4", "ci": "1", "di": "4"}, {"method": "XX"}, InputError, "XX"),
        ({"ai": "1", "bi": "4", "ci": "1", "di": "4"}, {"level": 2.0}, InputError, "level"),
        ({"ai": "1", "bi": "4", "ci": "1", "di": "4"}, {"method": "PETO"}, PoolError, "not RR"),
        ({"ai": "1", "bi": "4", "ci": "1", "di": "4"}, {"method": "GLMM"}, PoolError, "not RR"),
        (
            {"ai": "1", "bi": "4", "ci": "1", "di": "4"},
            {"method": "MH", "checks": ("loo",)},
            InputError,
            "do not go with MH",
        ),
    ],
)
def test_impossible_requests_name_value_rule_and_place(
    cells: dict[str, str], options: dict[str, object], error: type[Exception], said: str
) -> None:
    table = pd.DataFrame([cells, cells])
    with pytest.raises(error, match=said):
        meta(table, measure="RR", **options)  # type: ignore[arg-type]


def test_moderators_that_repeat_each_other_are_refused(bcg: pd.DataFrame) -> None:
    with pytest.raises(PoolError, match="repeat each other"):
        meta(bcg.assign(twice=bcg["ablat"]), measure="RR", mods=("ablat", "twice"))


def test_zero_cells_by_the_named_rule() -> None:
    """(0 + 1/2) / (4 + 1) against (2 + 1/2) / (4 + 1): the log of 0.2."""
    table = pd.DataFrame({"ai": [0, 1], "n1i": [4, 4], "ci": [2, 2], "n2i": [4, 4]})
    assert meta(table, measure="RR").yi[0] == pytest.approx(log(0.2))
    assert meta(table, measure="RR", rules=Rules(to="none")).yi[0] is None


@pytest.mark.parametrize(("method", "measure"), [("MH", "OR"), ("PETO", "PETO")])
def test_swapping_arms_flips_models_of_counts(bcg: pd.DataFrame, method: str, measure: str) -> None:
    swapped = bcg.rename(columns={"ai": "ci", "bi": "di", "ci": "ai", "di": "bi"})
    one, other = (meta(t, measure=measure, method=method).pooled for t in (bcg, swapped))
    assert one is not None
    assert other is not None
    assert (other.estimate, other.se) == pytest.approx((-one.estimate, one.se))


def test_a_frame_has_a_row_a_study(bcg: pd.DataFrame) -> None:
    frame = meta(bcg, measure="RR").frame()
    assert list(frame.columns) == ["slab", "yi", "vi", "sei", "ci_lb", "ci_ub", "weight"]
    assert frame["weight"].sum() == pytest.approx(100)
    assert np.allclose(frame["sei"] ** 2, frame["vi"])


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_tables_of_any_separator_are_read(tmp_path: Path, separator: str) -> None:
    file = tmp_path / "t.csv"
    rows = [["slab", "yi", "sei"], ["A", "0.1", "0.2"], ["B", "0.3", "0.1"]]
    file.write_text("\ufeff" + "\n".join(separator.join(row) for row in rows), encoding="utf-8")
    result = meta(read_table(file))
    assert (result.slab, result.yi) == (("A", "B"), (0.1, 0.3))


def test_an_empty_or_missing_file_is_an_error(tmp_path: Path) -> None:
    empty = tmp_path / "empty.csv"
    empty.write_text("yi,vi\n", encoding="utf-8")
    with pytest.raises(InputError, match="has no study"):
        read_table(empty)
    with pytest.raises(InputError, match="cannot be read"):
        read_table(tmp_path / "nowhere.csv")


def test_tables_beside_the_estimate(path: Path) -> None:
    """As in Viechtbauer (2010), section 3.1's data; without the first study metafor gives -0.7071
    (REML, z: reference case bcg_rr, leave1out)."""
    flags = ["--loo", "--cumulative", "--order", "year", "--influence", "--bias", "--test", "z"]
    done = CliRunner().invoke(app, ["meta", str(path), "-m", "RR", *flags, "--json"])
    assert done.exit_code == 0
    shown = json.loads(done.stdout)
    assert round(shown["loo"][0]["estimate"], 4) == -0.7071
    assert [row["k"] for row in shown["cumulative"]] == list(range(1, 14))
    assert shown["cumulative"][0]["slab"] == "Aronson 1948"
    assert shown["cumulative"][-1]["estimate"] == pytest.approx(shown["estimate"])
    assert sum(row["weight"] for row in shown["influence"]) == pytest.approx(100)
    assert {"egger", "ranktest", "trimfill_L0", "peters", "fsn_Rosenthal"} <= {
        name.lower() if name == "Peters" else name for name in shown["bias"]
    }
    printed = CliRunner().invoke(app, ["meta", str(path), "-m", "RR", *flags])
    assert printed.exit_code == 0
    assert "cumulative:" in printed.stdout


def test_models_beside_the_estimate(path: Path) -> None:
    more = ["--cluster", "alloc", "--prior", "half-normal(0.5)", "--also", "heterogeneity"]
    done = CliRunner().invoke(app, ["meta", str(path), "-m", "RR", *more, "--json"])
    assert done.exit_code == 0
    shown = json.loads(done.stdout)
    assert shown["three_level"]["clusters"] == shown["robust"]["clusters"] == 3
    assert shown["bayes"]["mu"]["lb"] < shown["bayes"]["mu"]["ub"] < 0
    assert shown["heterogeneity"]["tau2"]["estimate"] == pytest.approx(shown["tau2"], rel=1e-6)
    assert round(shown["heterogeneity"]["se_tau2"], 4) == 0.1664  # Viechtbauer (2010), section 3.1


def test_clusters_of_one_study_refuse_in_their_place() -> None:
    three = pd.DataFrame({"yi": [0.1, 0.3, 0.2], "vi": [0.04, 0.05, 0.06], "centre": list("abc")})
    result = meta(three, cluster="centre")
    assert result.pooled is not None
    assert "one study" in dict(result.tables)["three_level"]["refused"]  # type: ignore[call-overload]


def test_a_mixed_model_of_counts(path: Path) -> None:
    """metafor 5.0-1, rma.glmm(measure="OR", model="UM.FS"): -0.7450 (SE 0.1756), tau2 0.2949."""
    done = CliRunner().invoke(app, ["meta", str(path), "-m", "OR", "--method", "GLMM", "--json"])
    assert done.exit_code == 0
    shown = json.loads(done.stdout)
    numbers = (shown["estimate"], shown["se"], shown["tau2"])
    assert numbers == pytest.approx((-0.745013, 0.175566, 0.294894), abs=2e-4)
    assert shown["glmm"]["q_lrt"] == pytest.approx(176.9544, abs=1e-3)


def test_what_two_studies_cannot_carry_is_refused_in_its_place() -> None:
    two = pd.DataFrame({"yi": [0.1, 0.3], "vi": [0.04, 0.05]})
    shown = meta(two, checks=["bias", "loo"]).as_dict()
    assert "refused" in shown["bias"]["egger"]
    assert [row["k"] for row in shown["loo"]] == [1, 1]
    with pytest.raises(PoolError, match="Unknown table"):
        meta(two, checks=["xx"])


DOSES = pd.DataFrame(
    {
        "yi": [0.1, 0.3, 0.5, 0.9, 0.8, 0.85, 0.9, 0.35],
        "vi": [0.02, 0.03, 0.02, 0.05, 0.04, 0.03, 0.06, 0.05],
        "dose": [0.4, 1, 1.6, 2, 2, 3, 4, 1],
        "year": [2001, 2003, 2005, 2007, 2009, 2011, 2013, 2015],
    }
)


def test_a_dose_gives_its_line_and_curve() -> None:
    result = meta(DOSES, dose="dose")
    fit, shown = result.regression, result.as_dict()["curve"]
    assert fit is not None
    slope = fit.coefficients[1].estimate
    first, last = shown["points"][0], shown["points"][-1]
    assert (first["x"], last["x"], len(shown["points"])) == (0.4, 4, 101)
    assert (last["estimate"] - first["estimate"]) / 3.6 == pytest.approx(slope)
    assert (shown["knots"], shown["nonlinearity"]) == ([], None)


def test_a_spline_over_a_dose_beside_another_moderator() -> None:
    """The others stay at their means; the bend's test is that of its only coefficient."""
    result = meta(DOSES, dose="rcs(dose, 0.4|2|4)", mods=["year"])
    fit, shown = result.regression, result.as_dict()["curve"]
    assert fit is not None
    assert [c.name for c in fit.coefficients] == ["intercept", "year", "dose", "dose'"]
    assert shown["knots"] == [0.4, 2, 4]
    assert shown["nonlinearity"]["pval"] == pytest.approx(fit.coefficients[3].pval)
    intercept, year, dose = (c.estimate for c in fit.coefficients[:3])
    expected = intercept + year * 2008 + dose * 0.4
    assert shown["points"][0]["estimate"] == pytest.approx(expected)


def test_knots_by_number_stand_at_quantiles() -> None:
    """numpy's quantiles 0.1, 0.5, 0.9 of the doses: 0.82, 1.8, 3.3."""
    assert meta(DOSES, dose="rcs(dose)").as_dict()["curve"]["knots"] == pytest.approx(
        [0.82, 1.8, 3.3]
    )


ARMS = """trial,g_per_kg,xi,ni
A,0.5,6,30
A,1,10,31
A,2,14,29
B,0,2,20
B,2,8,22
C,1,4,25
"""


def test_slopes_over_the_dose_within_trials(tmp_path: Path) -> None:
    """Of B's two arms the slope is half its log odds ratio: log(8*18/(2*14))/2."""
    file = tmp_path / "arms.csv"
    file.write_text(ARMS, encoding="utf-8")
    flags = ["-m", "OR", "--arms", "trial", "--dose", "g_per_kg", "--loo"]
    done = CliRunner().invoke(app, ["meta", str(file), *flags, "--json"])
    assert done.exit_code == 0
    shown = json.loads(done.stdout)
    assert shown["slab"] == ["A", "B", "C"]
    assert shown["yi"][1] == pytest.approx(log(8 * 18 / (2 * 14)) / 2)
    assert [row["slab"] for row in shown["left_out"]] == ["C"]
    assert (shown["k"], len(shown["loo"])) == (2, 2)


def test_moderators_by_permutation(path: Path) -> None:
    """As many draws as `EXACT`; the first is the observed order, so p is no smaller than 1/8192."""
    flags = ["-m", "RR", "--mods", "ablat,rcs(year,3)", "--also", "permutation", "--json"]
    done = CliRunner().invoke(app, ["meta", str(path), *flags])
    assert done.exit_code == 0
    shown = json.loads(done.stdout)
    assert shown["names"] == ["intercept", "ablat", "year", "year'"]
    assert shown["permutation"]["nperm"] == 8192
    assert shown["permutation"]["qm"] == pytest.approx(shown["qm"])
    assert 1 / 8192 <= shown["permutation"]["qm_pval"] < 0.1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"dose": "factor(dose)"}, "No curve over dose"),
        ({"dose": "rcs(dose, a|b)"}, "Invalid knots 'a|b'"),
        ({"mods": ["nothing"]}, "No column 'nothing'"),
        ({"arms": "trial"}, "name it as dose"),
        ({"mods": ["dose"], "checks": ["loo"]}, "do not go with moderators"),
        ({"mods": ["dose"], "subgroup": "year"}, "do not go with moderators"),
    ],
)
def test_what_does_not_go_together(options: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        meta(DOSES, **options)  # type: ignore[arg-type]


def test_recovered_numbers_are_named_and_left_out_beside(tmp_path: Path) -> None:
    """Handbook 6.3.2's ratio of 0.64 (0.33 to 1.22) has a standard error of 0.3336 (log)."""
    file = tmp_path / "hr.csv"
    rows = ["slab,out,ci_lb,ci_ub,yi,sei", "A,0.64,0.33,1.22,,", "B,,,,0.1,0.2", "C,,,,0.3,0.2"]
    file.write_text("\n".join(rows), encoding="utf-8")
    done = CliRunner().invoke(app, ["meta", str(file), "-m", "HR", "--json"])
    assert done.exit_code == 0
    shown = json.loads(done.stdout)
    assert shown["vi"][0] == pytest.approx(0.3335555**2, rel=1e-6)
    assert shown["recovered"] == ["vi of A: from the 95 % interval, taken as normal."]
    (without,) = shown["sensitivity"]
    assert (without["slab"], without["k"]) == ("printed numbers only", 2)
    assert without["estimate"] == pytest.approx(0.2)
    printed = CliRunner().invoke(app, ["meta", str(file), "-m", "HR"])
    assert "Recovered: vi of A" in printed.stdout


CHANGES = pd.DataFrame(
    {
        "m1i": [6.2, 7.0, 5.5],
        "m2i": [4.1, 3.9, 4.9],
        "sd1i": [1.2, 1.1, 2.2],
        "sd2i": [1.4, 1.9, 2.4],
        "ni": [12, 9, 20],
    }
)


def test_an_assumed_correlation_is_varied() -> None:
    """vi = (sd1^2 + sd2^2 - 2 r sd1 sd2) / n: Handbook 16.4.6.2 (here the first study, r = 0.5)."""
    result = meta(CHANGES, measure="MC", ri=0.5)
    assert result.vi[0] == pytest.approx((1.44 + 1.96 - 1.2 * 1.4) / 12)
    assert result.recovered == ("ri of all 3: assumed: r = 0.5.",)
    rows = result.as_dict()["sensitivity"]
    labels = ["printed numbers only", "r = 0.3", "r = 0.5", "r = 0.7", "r = 0.9"]
    assert [row["slab"] for row in rows] == labels
    assert result.pooled is not None
    assert rows[2]["estimate"] == pytest.approx(result.pooled.estimate)
    assert meta(CHANGES, measure="MC", ri=0.9).pooled.se == pytest.approx(rows[4]["se"])  # type: ignore[union-attr]


def test_without_a_correlation_no_change_is_pooled() -> None:
    with pytest.raises(EffectSizeError, match="MC needs the columns"):
        meta(CHANGES, measure="MC")


def test_cluster_trials_count_by_their_effective_size() -> None:
    """20 a cluster with an ICC of 0.05: design effect 1 + 19 * 0.05 = 1.95 (Handbook 23.1.4)."""
    table = pd.DataFrame(
        {
            "ai": [20, 10],
            "n1i": [100, 50],
            "ci": [30, 14],
            "n2i": [100, 50],
            "icc": [0.05, None],
            "cluster_size": [20, None],
        }
    )
    plain, clustered = meta(table.iloc[:, :4], measure="RR"), meta(table, measure="RR")
    assert clustered.yi == pytest.approx(plain.yi)
    assert clustered.vi[0] == pytest.approx(1.95 * plain.vi[0])  # type: ignore[operator]
    assert clustered.vi[1] == pytest.approx(plain.vi[1])


def test_enough_is_known_or_not(path: Path) -> None:
    """The whole error of 5 % is spent on 13 looks by year; the first tells nothing yet."""
    flags = ["-m", "RR", "--order", "year", "--mid", "0.5", "--json"]
    done = CliRunner().invoke(app, ["meta", str(path), *flags])
    assert done.exit_code == 0
    shown = json.loads(done.stdout)["sequential"]
    assert [look["slab"] for look in shown["looks"]][:2] == [
        "Aronson 1948",
        "Ferguson & Simes 1949",
    ]
    assert shown["adjusted"] == pytest.approx(shown["required"] / (1 - shown["diversity"]))
    n = [look["n"] for look in shown["looks"]]
    assert n[0] == 4 + 119 + 11 + 128
    assert shown["looks"][0]["timing"] == pytest.approx(min(n[0] / shown["adjusted"], 1))
    printed = CliRunner().invoke(app, ["meta", str(path), *flags[:-1]])
    assert "patients in one trial; diversity" in printed.stdout


def test_a_sequential_analysis_needs_patients() -> None:
    with pytest.raises(PoolError, match="needs the patients"):
        meta(DOSES, target=Target(0.2))


def test_figures_of_a_pool_and_of_each_table(path: Path, tmp_path: Path) -> None:
    flags = ["--loo", "--cumulative", "--influence", "--bias", "--also", "heterogeneity,gosh"]
    folder = tmp_path / "figures"
    call = ["meta", str(path), "-m", "RR", *flags, "--plots", str(folder), "--json"]
    done = CliRunner().invoke(app, call)
    assert done.exit_code == 0
    assert json.loads(done.stdout)["k"] == 13
    names = "baujat cumulative forest funnel gosh influence labbe loo profile radial"
    assert sorted(file.stem for file in folder.iterdir()) == names.split()
    forest = (folder / "forest.svg").read_text(encoding="utf-8")
    assert "Frimodt-Moller et al 1973" in forest
    assert "0.49 [0.33, 0.73]" in forest  # exp(-0.7145 (-1.1086 to -0.3204)), Hartung-Knapp
    assert "Egger" in (folder / "funnel.svg").read_text(encoding="utf-8")


def test_figures_of_a_dose_and_of_one_study() -> None:
    curve = dict(drawings(meta(DOSES, dose="rcs(dose,3)")))
    assert list(curve) == ["forest", "curve"]
    assert "knots" in curve["curve"].svg()
    one = dict(drawings(meta(DOSES.head(1))))
    assert list(one) == ["forest"]
    assert "Not pooled" in one["forest"].svg()


def test_subsets_are_printed_in_three_lines(path: Path) -> None:
    printed = CliRunner().invoke(app, ["meta", str(path), "-m", "RR", "--also", "gosh"])
    assert printed.exit_code == 0
    assert "gosh: 4096 subsets" in printed.stdout
