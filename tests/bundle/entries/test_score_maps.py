"""Calibration and pooling in a bundle's manifest: written where asked for, read back, refused where they cannot be."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ossicle.bundle.description import BundleDescription
from ossicle.bundle.format import MANIFEST, read_bundle, write_bundle
from ossicle.bundle.manifest import parse
from ossicle.core.decisions.decision import Decision
from ossicle.core.errors import BundleError
from ossicle.core.scores.score_map import Isotonic, Platt

from ..conftest import FRONT, LABELS, PLAN, tiny_graph

MAPS = {LABELS[0]: Platt(0.5, -1.25), LABELS[1]: Isotonic((-2.0, 0.0, 3.5), (0.0, 0.25, 1.0))}


def write(folder: Path, **more: Any) -> Path:
    write_bundle(
        folder,
        BundleDescription(
            name="one",
            labels=LABELS,
            plan=PLAN,
            front=FRONT,
            decisions=dict.fromkeys(LABELS, Decision()),
            **more,
        ),
        {"model.onnx": tiny_graph().SerializeToString()},
    )
    return folder


def test_maps_and_pool_come_back_as_they_were(tmp_path: Path) -> None:
    bundle = read_bundle(write(tmp_path / "b", pool="mean", calibration=MAPS))
    assert dict(bundle.calibration) == MAPS
    assert bundle.pool == "mean"


def test_a_bundle_without_them_is_written_as_before(tmp_path: Path) -> None:
    manifest = json.loads((write(tmp_path / "b") / MANIFEST).read_text())
    assert not {"pool", "calibration"} & manifest.keys()
    bundle = read_bundle(tmp_path / "b")
    assert (bundle.pool, dict(bundle.calibration)) == ("max", {})


def changed(change: Callable[[dict[str, Any]], object]) -> Callable[[dict[str, Any]], None]:
    def apply(manifest: dict[str, Any]) -> None:
        change(manifest["calibration"])

    return apply


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: m.update(pool="median"), "pool"),
        (lambda m: m.update(calibration=[]), "calibration"),
        (changed(lambda c: c.update(stranger=c[LABELS[0]])), "stranger"),
        (changed(lambda c: c[LABELS[0]].update(slope=0)), "slope"),
        (changed(lambda c: c[LABELS[0]].update(slope="1")), "slope"),
        (changed(lambda c: c[LABELS[0]].update(slope=True)), "slope"),
        (changed(lambda c: c[LABELS[0]].update(more=1)), "more"),
        (changed(lambda c: c[LABELS[0]].pop("kind")), "kind"),
        (changed(lambda c: c[LABELS[0]].update(kind="spline")), "spline"),
        (changed(lambda c: c[LABELS[1]].update(logits=[1.0, 0.0, 2.0])), "ascending"),
        (changed(lambda c: c[LABELS[1]].update(logits=[])), "logits"),
        (changed(lambda c: c[LABELS[1]].update(probabilities=[0.0, 0.5, 1.5])), "never fall"),
    ],
)
def test_what_is_no_calibration_is_refused_by_file_and_key(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], words: str
) -> None:
    folder = write(tmp_path / "b", calibration=MAPS)
    manifest = json.loads((folder / MANIFEST).read_text())
    change(manifest)
    with pytest.raises(BundleError, match=words) as refused:
        parse(json.dumps(manifest).encode(), folder)
    assert MANIFEST in str(refused.value)
