"""A bundle with a second stage, and those of before there was one."""

import numpy as np
import pytest

from ossicle.bundle.card import card_text
from ossicle.bundle.format import read_bundle
from ossicle.core.errors import BundleError
from ossicle.inference.second_stage.file import bundled_second_stage, second_stage_bytes

from ...bundle.conftest import tiny_graph, written
from .test_stage import stage

NAME = "second_stage.safetensors"


def files(**more):
    return {"model.onnx": tiny_graph().SerializeToString(), NAME: second_stage_bytes(stage(**more))}


def test_it_is_a_file_of_the_bundle_and_stands_in_its_card(tmp_path):
    bundle = written(tmp_path / "bundle", files=files())
    second_stage = bundled_second_stage(read_bundle(bundle.folder))
    assert second_stage is not None
    np.testing.assert_array_equal(second_stage.labels["call"].trees.threshold, stage().labels["call"].trees.threshold)
    assert "## Second stage" in card_text(bundle)


def test_a_bundle_without_one_is_as_it_was(tmp_path):
    bundle = written(tmp_path / "bundle")
    assert bundled_second_stage(bundle) is None
    assert "Second stage" not in card_text(bundle)


def test_one_that_does_not_fit_the_bundle_is_refused(tmp_path):
    strange = written(tmp_path / "strange", files=files(labels=("whale",)))
    with pytest.raises(BundleError, match="judges the label 'whale'"):
        bundled_second_stage(strange)


def test_one_that_was_changed_is_refused(tmp_path):
    bundle = written(tmp_path / "bundle", files=files())
    path = bundle.folder / NAME
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(BundleError, match="differs from its digest"):
        bundled_second_stage(bundle)
