import json

import numpy as np
import pytest
from tests.evaluation.units.spoken import TIMES, speech

from ossicle.evaluation.units.over_folds import over_folds, thin_folds
from ossicle.evaluation.units.unit_figures import Resampling, unit_figures
from ossicle.evaluation.units.words import SpokenWords
from ossicle.metrics.reports.event_report import Estimate
from ossicle.metrics.units.abx import AbxError


def figures(faithful=1.0, abx=0.1, **of):
    segments, units, notes = speech(faithful=faithful, **of)
    error = AbxError(Estimate(abx, 0.0, 0.5), 0.5, 100, 8, 2)
    how = Resampling(resamples=50)
    return unit_figures(segments, units, 8, TIMES, SpokenWords(notes), {"abx_within": error}, how).to_json()


def test_the_headline_is_the_worst_fold_beside_the_mean_and_chance():
    folds = {"ada": figures(0.9, 0.1), "bob": figures(0.3, 0.3, seed=1)}
    made = over_folds(folds)
    each = [one["ami"]["value"] for one in folds.values()]
    assert (made["ami"]["fold"], made["ami"]["value"]) == ("bob", each[1])
    assert made["ami"]["mean"] == pytest.approx(np.mean(each), abs=1e-6)
    assert made["ami"]["gap"] == pytest.approx(each[0] - each[1], abs=1e-6)
    assert made["nmi"]["chance"] == folds["bob"]["nmi"]["chance"]
    assert made["ami"]["chance"] == folds["bob"]["ami_shuffled"]
    assert made["ami"]["shifted"] == folds["bob"]["ami_shifted"]
    assert (made["abx_within"]["value"], made["abx_within"]["chance"]) == (0.3, 0.5)
    assert made["bitrate"]["fold"] == max(folds, key=lambda name: folds[name]["bitrate"]["value"])
    assert abs(made["ami_shuffled"]["value"]) < 0.05
    json.dumps(made, allow_nan=False)


def test_figures_that_no_fold_has_are_left_out_or_undefined():
    segments, units, _ = speech()
    unlabelled = unit_figures(segments, units, 8, TIMES, None, {}, Resampling(0)).to_json()
    assert set(over_folds({"ada": unlabelled})) == {"bitrate", "bitrate_runs", "repeat_rate"}
    none = {"ada": {**figures(), "r_value": {"value": None, "low": None, "high": None}}}
    assert over_folds(none)["r_value"]["value"] is over_folds(none)["r_value"]["fold"] is None
    assert over_folds({}) == {}


def test_thin_data_are_named():
    assert thin_folds({"ada": figures()}) == []
    few = thin_folds({"ada": figures(n_recordings=3), "bob": figures(n_types=2), "cy": figures(faithful=0.0)})
    assert few[0] == "ada: 3 recordings are judged, and 5 are needed"
    assert "bob: 2 different words are judged" in few[1]
    assert "cannot be told from chance" in few[2]


def test_a_fold_without_figures_leaves_those_of_the_others():
    folds = {"ada": {"undefined": "speaker ada held out", "recordings": 0}, "bob": figures()}
    assert over_folds(folds)["ami"]["fold"] == over_folds(folds)["abx_within"]["fold"] == "bob"
    assert thin_folds(folds) == ["speaker ada held out"]


def test_an_ami_that_units_moved_in_time_reach_is_thin():
    fold = {**figures(), "ami": {"value": 0.1, "low": 0.08, "high": 0.12}, "ami_shifted": 0.09}
    assert thin_folds({"ada": fold}) == [
        "ada: the AMI 0.100 [0.080, 0.120] is not above that of the same units moved in time (0.090)"
    ]
    assert thin_folds({"ada": {**fold, "ami_shifted": 0.07}}) == []
