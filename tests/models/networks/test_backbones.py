"""Any network of timm as a backbone: shapes, maps, and what is refused."""

import pytest
import torch
from torch import nn

from ossicle.core.errors import UsageError
from ossicle.models.networks.backbones import FeatureMaps, image_backbone

SHAPE = (64, 32)


@pytest.mark.parametrize(
    ("name", "n_features", "size"),
    [
        ("resnet10t", 512, (4, 2)),
        ("small_cnn", 128, (8, 4)),
        ("test_efficientnet", 256, (2, 1)),
        ("convnext_atto", 320, (2, 1)),
        ("mobilenetv3_small_050", 288, (2, 1)),
        ("test_vit", 64, (4, 2)),
        ("swin_tiny_patch4_window7_224", 768, (2, 1)),
    ],
)
def test_maps_follow_the_axes_of_the_image(name: str, n_features: int, size: tuple[int, int]) -> None:
    with torch.device("meta"):
        maps = FeatureMaps(name, False, SHAPE).eval()
        assert (maps.n_features, tuple(maps.size)) == (n_features, size)
        assert maps(torch.zeros(3, 1, *SHAPE)).shape == (3, n_features, *size)


@pytest.mark.parametrize(("name", "n_features"), [("tf_efficientnetv2_s_in21k", 1280), ("eca_nfnet_l0", 2304)])
def test_the_known_bird_networks_are_there_without_a_download(name: str, n_features: int) -> None:
    with torch.device("meta"):
        maps = FeatureMaps(name, True, (313, 128))
    assert maps.n_features == n_features
    assert maps.size == (10, 4)


def test_patches_stand_where_they_were_in_the_image() -> None:
    torch.manual_seed(0)
    maps = FeatureMaps("test_vit", False, SHAPE).eval()
    # One image that differs from the other in its last patch alone: there it must differ most.
    images = torch.zeros(2, 1, *SHAPE)
    images[1, 0, 48:, 16:] = 10.0
    with torch.no_grad():
        result = maps(images)
    change = (result[1] - result[0]).square().sum(dim=0)
    assert int(change.argmax()) == 7


@pytest.mark.parametrize("max_pool", [False, True])
def test_a_stem_without_pooling_stays_as_it_is(max_pool: bool) -> None:
    with torch.device("meta"):
        network, n_features = image_backbone("mobilenetv3_small_050", max_pool, SHAPE)
        assert network(torch.zeros(2, 1, *SHAPE)).shape == (2, n_features)


@pytest.mark.parametrize("name", ["hf-hub:somebody/model", "local-dir:/tmp", "resnet18;", ""])
def test_names_that_lead_elsewhere_are_no_networks(name: str) -> None:
    with pytest.raises(UsageError, match="is not a network of timm"):
        FeatureMaps(name, False, SHAPE)


def test_images_that_a_network_cannot_read_are_refused_before_anything_is_built() -> None:
    with pytest.raises(UsageError, match="cannot read images of 8 frames x 4 bands"):
        FeatureMaps("inception_v3", False, (8, 4))


def test_networks_have_one_channel_in_and_no_classifier() -> None:
    network, n_features = image_backbone("resnet10t", True, SHAPE)
    assert n_features == 512
    assert next(network.parameters()).shape[1] == 1
    assert isinstance(network.get_submodule("fc"), nn.Identity)
