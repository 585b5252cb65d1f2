from pathlib import Path

import pytest
import torch
from torch import nn

from ossicle.core.errors import ArtefactError
from ossicle.models.crnn import Crnn
from ossicle.models.settings import CrnnSettings
from ossicle.models.weights import load_weights, save_weights

SMALL = CrnnSettings(channels=(4,), pools=(4,), hidden=3)


def network(seed: int = 0, labels: int = 2) -> Crnn:
    torch.manual_seed(seed)
    return Crnn(SMALL, 8, labels)


def test_round_trip_and_equal_weights_give_equal_bytes(tmp_path: Path) -> None:
    save_weights(network(), tmp_path / "a.safetensors")
    other = network(seed=1)
    load_weights(other, tmp_path / "a.safetensors")
    for name, value in network().state_dict().items():
        assert torch.equal(other.state_dict()[name], value), name
    save_weights(other, tmp_path / "b.safetensors")
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    save_weights(network(seed=1), tmp_path / "c.safetensors")
    assert (tmp_path / "c.safetensors").read_bytes() != (tmp_path / "a.safetensors").read_bytes()
    assert len(list(tmp_path.iterdir())) == 3


def test_loaded_weights_give_the_same_scores(tmp_path: Path) -> None:
    save_weights(network(), tmp_path / "a.safetensors")
    other = network(seed=1)
    load_weights(other, tmp_path / "a.safetensors")
    x = torch.randn(2, 5, 8)
    assert torch.equal(network().eval()(x), other.eval()(x))


@pytest.mark.parametrize("kept_bytes", [0, 4, 40, -1])
def test_a_damaged_file_is_an_artefact_error(tmp_path: Path, kept_bytes: int) -> None:
    path = tmp_path / "weights.safetensors"
    save_weights(network(), path)
    path.write_bytes(path.read_bytes()[:kept_bytes])
    with pytest.raises(ArtefactError, match=r"weights\.safetensors: not a readable safetensors file"):
        load_weights(network(), path)


def test_a_missing_file_is_an_artefact_error(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="not a readable"):
        load_weights(network(), tmp_path / "none.safetensors")


def test_other_shapes_and_other_names_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_weights(network(labels=3), path)
    with pytest.raises(ArtefactError, match="do not fit the network"):
        load_weights(network(labels=2), path)
    save_weights(nn.Linear(2, 2), path)
    with pytest.raises(ArtefactError, match="do not fit the network"):
        load_weights(network(), path)


def test_a_pickle_under_the_name_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    torch.save(network().state_dict(), path)
    with pytest.raises(ArtefactError, match="not a readable"):
        load_weights(network(), path)
