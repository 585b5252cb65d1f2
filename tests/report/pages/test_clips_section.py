"""Held-out hits on a page: figures, confusions and the most confident mistakes, from the files of a run."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from ossicle.artefacts.typed.clip_results import ClipResults
from ossicle.evaluation.examples.example import Example
from ossicle.report.clips_section import MOST_PAIRS, MOST_WRONG, clips_section
from ossicle.report.pages.page import render

from .test_page import HOSTILE, report_data

NONE = {"value": None, "low": None, "high": None}
HALF = {"value": 0.5, "low": 0.4, "high": 0.625}


def figures(labels: tuple[str, ...]) -> dict[str, Any]:
    one = dict.fromkeys(labels, HALF)
    return {
        "n": 80,
        "n_recordings": 9,
        "n_groups": 3,
        "accuracy": HALF,
        "macro_f1": HALF,
        "weighted_f1": HALF,
        "macro_recall": HALF,
        "loss": {"value": 1.25, "low": 1.0, "high": 1.5},
        "f1": one,
        "precision": {**one, labels[1]: NONE},
        "recall": one,
        "support": dict.fromkeys(labels, 40),
        "never_named": [labels[1]],
        "absent": [],
        "confusion": {"labels": list(labels), "counts": [[5, 35], [36, 4]]},
        "per_source": {"slakh": {"n": 80, "accuracy": HALF, "macro_f1": HALF}},
    }


def section(place: Path, labels: tuple[str, str] = ("kick", "snare"), n: int = 80, *, leads: bool = True) -> Any:
    rows = np.arange(n)
    table = {
        "recording_id": [f"r{row}" for row in rows],
        "recording": [f"{row}-{HOSTILE}.wav" for row in rows],
        "onset_s": 0.25 * rows,
        "label": [labels[0]] * n,
        "answer": [labels[int(row % 2 == 0 or row >= n - 2)] for row in rows],
        "confidence": rows / n,
        "top1": [labels[1]] * n,
        "p1": rows / n,
        "top2": [labels[0]] * n,
        "p2": 1 - rows / n,
        "bucket": [f"bucket {row % 50}" for row in rows],
    }
    results = ClipResults(place / "clip_results")
    results.write_answers(pl.DataFrame(table))
    return clips_section({"clips": figures(labels)}, results, leads=leads)


def test_the_page_leads_with_the_answers_to_hits(tmp_path: Path) -> None:
    page = render(replace(report_data(), clips=section(tmp_path)))
    assert "<b>0.500</b><span>accuracy by hit" in page
    assert "80 held-out hits of 9 recordings in 3 groups" in page
    assert "Accuracy 0.500 (0.400 to 0.625), macro F1" in page
    assert "Never named where it is right: snare" in page
    assert "0.400 to 0.625" in page
    assert page.index('id="clips"') < page.index("Labels in whole recordings") < page.index('id="thresholds"')
    assert "By source" in page
    assert "slakh" in page
    assert 'id="baselines"' not in page
    assert 'id="multi-label"' not in page


def test_simple_models_and_several_labels_have_tables_where_there_are_any(tmp_path: Path) -> None:
    result = section(tmp_path)
    multi = {
        "n": 70,
        "n_simultaneous": 10,
        "within_s": 0.03,
        **dict.fromkeys(("exact_match", "micro_f1", "macro_f1"), HALF),
        **{name: dict.fromkeys(("kick", "snare"), HALF) for name in ("f1", "precision", "recall")},
        "confusion": {"kick": [[30, 11], [12, 17]], "snare": [[30, 11], [12, 17]]},
    }
    gain = {"value": -0.067, "low": -0.2, "high": 0.05}
    simple = {"mfcc_forest": {"name": "forest", "accuracy": HALF, "macro_f1": HALF, "gain": {"macro_f1": gain}}}
    page = render(
        replace(
            report_data(), clips=replace(result, figures={**result.figures, "multi_label": multi, "baselines": simple})
        )
    )
    assert "70 clips, 10 of them with more than one label" in page
    assert "Hits within 30 ms" in page
    assert "\u22120.067<small>\u22120.200 to +0.050</small>" in page


def test_beside_events_the_hits_come_after_them(tmp_path: Path) -> None:
    page = render(replace(report_data(), clips=section(tmp_path, leads=False)))
    assert "<span>event F1" in page
    assert "Labels in whole recordings" not in page
    assert page.index('id="clips"') < page.index('id="scores"')


def test_pairs_are_by_bucket_and_mistakes_by_confidence_and_what_is_left_out_is_counted(tmp_path: Path) -> None:
    result = section(tmp_path, n=200)
    assert {"label", "answer", "bucket", "clips", "share"} == set(result.pairs[0])
    assert (len(result.pairs), len(result.wrong)) == (MOST_PAIRS, MOST_WRONG)
    assert result.wrong_left == 101 - MOST_WRONG
    confidences = [row["confidence"] for row in result.wrong]
    assert confidences == sorted(confidences, reverse=True)
    assert result.wrong[0]["top"] == [("snare", pytest.approx(199 / 200)), ("kick", pytest.approx(1 / 200))]
    assert f"{result.pairs_left} more in clip_results/misclassified_pairs.csv" in render(
        replace(report_data(), clips=result)
    )


def test_names_of_files_and_labels_run_nothing(tmp_path: Path) -> None:
    page = render(replace(report_data(), clips=section(tmp_path, labels=("kick", HOSTILE))))
    assert HOSTILE not in page


def test_right_answers_alone_leave_no_list(tmp_path: Path) -> None:
    result = replace(section(tmp_path), pairs=[], wrong=[], pairs_left=0, wrong_left=0)
    assert "Every answer is right." in render(replace(report_data(), clips=result))


def test_mistakes_are_heard_in_a_gallery_of_their_own(tmp_path: Path) -> None:
    sound = np.ones(800, dtype=np.float32)
    example = Example(
        "confused", "a.wav", "kick taken for snare (snare 0.90, kick 0.10)", 0.1, 0.2, 0.9, None, sound, 8000, 0
    )
    page = render(replace(report_data(), clips=section(tmp_path), examples=[example]))
    assert "Misclassified hits" in page
    assert "kick taken for snare (snare 0.90, kick 0.10)" in page
    assert "data:audio/wav;base64," in page
