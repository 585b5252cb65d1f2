"""Weights that others trained: names, first layers, classifiers, and files that are none."""

from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file

from ossicle.core.errors import ArtefactError, UsageError
from ossicle.core.model_input.chunks import framing, window_plan
from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.models.networks.pretrained import HUB, load_pretrained
from ossicle.models.networks.registry import build_network
from ossicle.models.settings import ModelSettings, WindowSettings
from ossicle.models.weights import save_weights

FRONT = FrontEndSettings(rate=8000, n_fft=256, hop_samples=128, n_mels=32, fmax_hz=4000.0)
PLAN = window_plan(FRONT, 1.0, 1.0, 1.0, exact=True)
WINDOW = WindowSettings(backbone="resnet10t", head="attention", hidden=8)


def network(seed: int = 0, window: WindowSettings = WINDOW) -> torch.nn.Module:
    torch.manual_seed(seed)
    return build_network(ModelSettings(name="window", window=window), FRONT, PLAN, 2).eval()


@pytest.fixture(scope="module")
def theirs() -> dict[str, torch.Tensor]:
    """A network of colour images with a classifier, as it comes from the hub."""
    torch.manual_seed(7)
    result: dict[str, torch.Tensor] = timm.create_model("resnet10t", num_classes=5).state_dict()
    return result


@pytest.mark.parametrize("prefix", ["", "backbone.", "model.backbone."])
@pytest.mark.parametrize("suffix", ["safetensors", "pth", "ckpt"])
def test_a_file_of_the_hub_fits(theirs: dict[str, torch.Tensor], tmp_path: Path, prefix: str, suffix: str) -> None:
    state = {f"{prefix}{name}": one for name, one in theirs.items()}
    file = tmp_path / f"weights.{suffix}"
    if suffix == "safetensors":
        save_file(state, file)
    else:
        torch.save({"state_dict": state, "epoch": 3} if suffix == "ckpt" else state, file)
    made = network()
    load_pretrained(made, file, WINDOW)
    got = made.state_dict()
    torch.testing.assert_close(got["backbone.network.layer1.0.conv1.weight"], theirs["layer1.0.conv1.weight"])
    torch.testing.assert_close(
        got["backbone.network.conv1.0.weight"], theirs["conv1.0.weight"].sum(dim=1, keepdim=True)
    )
    assert made(torch.zeros(1, framing(PLAN, FRONT).n_frames, 32)).shape == (1, 1, 2)


@pytest.mark.parametrize("head", ["mean", "attention"])
def test_weights_of_our_own_fit_either_head(tmp_path: Path, head: str) -> None:
    first = network(1)
    save_weights(first, tmp_path / "weights.safetensors")
    window = WindowSettings(backbone="resnet10t", head=head, hidden=8)
    second = network(2, window)
    load_pretrained(second, tmp_path / "weights.safetensors", window)
    place = "backbone.network." if head == "attention" else "backbone."
    for name, one in first.state_dict().items():
        if name.startswith("backbone.network."):
            torch.testing.assert_close(second.state_dict()[place + name.removeprefix("backbone.network.")], one)


def test_every_network_that_is_averaged_gets_the_backbone(theirs: dict[str, torch.Tensor], tmp_path: Path) -> None:
    save_file(theirs, tmp_path / "weights.safetensors")
    torch.manual_seed(0)
    made = build_network(ModelSettings(name="window", networks=2, window=WINDOW), FRONT, PLAN, 2)
    load_pretrained(made, tmp_path / "weights.safetensors", WINDOW)
    for n in range(2):
        loaded = made.state_dict()[f"networks.{n}.backbone.network.layer1.0.conv1.weight"]
        torch.testing.assert_close(loaded, theirs["layer1.0.conv1.weight"])


def test_what_does_not_fit_is_named(theirs: dict[str, torch.Tensor], tmp_path: Path) -> None:
    state = {name: one for name, one in theirs.items() if not name.startswith("layer4")}
    state["layer1.0.conv1.weight"] = torch.zeros(3, 3, 3, 3)
    save_file(state, tmp_path / "weights.safetensors")
    made = network()
    before = {name: one.clone() for name, one in made.state_dict().items()}
    with pytest.raises(ArtefactError, match=r"tensors do not fit .*layer1.0.conv1.weight is \[3, 3, 3, 3\].*layer4"):
        load_pretrained(made, tmp_path / "weights.safetensors", WINDOW)
    assert all(one.equal(before[name]) for name, one in made.state_dict().items())


def test_weights_with_nan_are_refused_by_name(theirs: dict[str, torch.Tensor], tmp_path: Path) -> None:
    weights = theirs["layer1.0.conv1.weight"].clone()
    weights[0] = torch.nan
    save_file({**theirs, "layer1.0.conv1.weight": weights}, tmp_path / "w.safetensors")
    with pytest.raises(ArtefactError, match=r"w\.safetensors: layer1\.0\.conv1\.weight holds NaN or Inf.*download it"):
        load_pretrained(network(), tmp_path / "w.safetensors", WINDOW)


def test_files_that_are_no_weights_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(b"no")
    (tmp_path / "b.pth").write_bytes(b"no")
    torch.save({"epoch": 3}, tmp_path / "c.pth")
    torch.save({"state_dict": Path("code")}, tmp_path / "d.pth")
    made = network()
    for name in ("a.safetensors", "b.pth", "c.pth", "d.pth", "absent.pth"):
        with pytest.raises(ArtefactError, match=name):
            load_pretrained(made, tmp_path / name, WINDOW)


def test_frame_wise_networks_have_no_backbone(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has a backbone with pretrained weights"):
        load_pretrained(torch.nn.Linear(1, 1), HUB, WINDOW)


def test_no_hub_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*names: object, **settings: object) -> None:
        raise RuntimeError("no network\nand a long trace")

    monkeypatch.setattr(timm, "create_model", fails)
    made = torch.nn.Module()
    made.backbone = torch.nn.Linear(1, 1)
    with pytest.raises(UsageError, match=r"no weights of 'resnet10t' could be downloaded \(no network\); give a file"):
        load_pretrained(made, HUB, WINDOW)
