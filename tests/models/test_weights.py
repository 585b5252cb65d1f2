import pickle
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from ossicle.core.errors import ArtefactError
from ossicle.models.networks.crnn import Crnn
from ossicle.models.settings import CrnnSettings
from ossicle.models.weights import load_weights, require_shapes, save_weights

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
    for write in (torch.save, lambda state, place: place.write_bytes(pickle.dumps(state))):
        write(network().state_dict(), path)
        for look in (lambda: load_weights(network(), path), lambda: require_shapes(path, network)):
            with pytest.raises(
                ArtefactError, match=r"not a readable safetensors file: .*pickle.*could run code; ask for"
            ):
                look()


def test_shapes_are_compared_before_a_network_is_made(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_weights(network(), path)
    require_shapes(path, network)
    with pytest.raises(ArtefactError, match=r"output\.weight is of shape \[2, 6\] in the file, of shape \[2, 4096\]"):
        require_shapes(path, lambda: Crnn(CrnnSettings(channels=(4,), pools=(4,), hidden=2048), 8, 2))
    with pytest.raises(
        ArtefactError, match=r"output\.bias is of shape \[2\] in the file, of shape \[3\] by the settings"
    ):
        require_shapes(path, lambda: network(labels=3))
    with pytest.raises(ArtefactError, match="is absent in the file"):
        require_shapes(path, lambda: nn.Sequential(network()))
    with pytest.raises(ArtefactError, match="a network that cannot be made"):
        require_shapes(path, lambda: Crnn(CrnnSettings(channels=(4,), pools=(4,), hidden=1), 8, 1 << 62))


@pytest.mark.parametrize(
    "header", [b'{"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,4]}}', b"[" * 50_000]
)
def test_a_header_that_lies_is_refused(tmp_path: Path, header: bytes) -> None:
    path = tmp_path / "weights.safetensors"
    for size in (len(header), 1 << 62):
        path.write_bytes(size.to_bytes(8, "little") + header + b"\0\0\0\0")
        with pytest.raises(ArtefactError, match="not a readable safetensors file"):
            require_shapes(path, network)


def changed(path: Path, name: str, change: Callable[[torch.Tensor], torch.Tensor]) -> None:
    """Write a file of weights again with one tensor changed."""
    tensors = load_file(path)
    tensors[name] = change(tensors[name])
    save_file(tensors, path)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_weights_that_are_no_numbers_are_refused_by_name(tmp_path: Path, value: float) -> None:
    path = tmp_path / "weights.safetensors"
    save_weights(network(), path)
    changed(path, "convolutions.0.weight", lambda tensor: tensor.index_fill(0, torch.tensor([1]), value))
    with pytest.raises(ArtefactError, match=r"weights\.safetensors: convolutions\.0\.weight holds NaN or Inf"):
        load_weights(network(), path)


def test_weights_of_another_type_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_weights(network(), path)
    changed(path, "output.bias", lambda tensor: tensor.to(torch.int32))
    with pytest.raises(ArtefactError, match=r"output\.bias is int32 in the file, float32 by the settings; restore it"):
        load_weights(network(), path)


def test_a_message_names_the_folder_of_the_weights(tmp_path: Path) -> None:
    path = tmp_path / "final" / "weights.safetensors"
    with pytest.raises(ArtefactError, match=rf"^{re.escape(str(path))}: not a readable .*; restore it, or run again"):
        load_weights(network(), path)
    save_weights(network(labels=3), path)
    with pytest.raises(ArtefactError, match=rf"^{re.escape(str(path))}: .*output\.bias is of shape \[3\] in the file"):
        load_weights(network(), path)
