import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from ossicle.core.errors import ArtefactError
from ossicle.models.encoders.beats.checkpoint import load_beats

Made = Callable[..., Path]


def test_names_are_those_of_the_published_file(checkpoint: Made, drawn: dict[str, Any]) -> None:
    network = load_beats(checkpoint())
    assert sorted(network.state_dict()) == sorted(drawn["shapes"](drawn["CONFIG"]))
    published = drawn["CONFIG"] | {
        "encoder_layers": 12, "encoder_embed_dim": 768, "encoder_ffn_embed_dim": 3072, "embed_dim": 512,
        "encoder_attention_heads": 12,
    }  # fmt: skip
    assert len(drawn["shapes"](published)) == 250
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_the_table_of_biases_is_one_for_all_layers(checkpoint: Made) -> None:
    first, second = load_beats(checkpoint()).encoder.layers
    assert first.self_attn.relative_attention_bias.weight is second.self_attn.relative_attention_bias.weight


def test_the_classifier_of_a_fine_tuned_file_is_left_out(checkpoint: Made) -> None:
    more = {"predictor.weight": torch.zeros(527, 48), "predictor.bias": torch.zeros(527)}
    assert len(load_beats(checkpoint({"finetuned_model": True}, more)).state_dict()) == 10 + 2 * 20
    with pytest.raises(ArtefactError, match=r"predictor\.weight is unknown"):
        load_beats(checkpoint({}, more))


def test_half_precision_is_read_as_float32(checkpoint: Made) -> None:
    halved = load_beats(checkpoint({}, {"layer_norm.bias": torch.zeros(32, dtype=torch.float16)}))
    assert halved.layer_norm.bias.dtype == torch.float32


@pytest.mark.parametrize(
    ("config", "tensors", "message"),
    [
        ({}, {"encoder.layer_norm.bias": None}, r"1 tensors do not fit .*encoder\.layer_norm\.bias is missing"),
        ({}, {"encoder.odd": torch.zeros(2)}, r"encoder\.odd is unknown"),
        ({"encoder_ffn_embed_dim": 64}, {}, r"encoder\.layers\.0\.fc1\.weight is \[96, 48\], not \[64, 48\]"),
        ({"encoder_layers": 3}, {}, r"layers\.2\..* is missing"),
        (
            {},
            {"encoder.layers.1.self_attn.relative_attention_bias.weight": torch.zeros(320, 4)},
            "must share one table",
        ),
        ({}, {"layer_norm.bias": torch.zeros(32, dtype=torch.int64)}, r"layer_norm\.bias is not a tensor of weights"),
        ({"layer_norm_first": True}, {}, r"cfg\.layer_norm_first = True is not supported"),
        ({"gru_rel_pos": None}, {}, r"cfg\.gru_rel_pos = None is not supported"),
        ({"encoder_layers": 10**9}, {}, r"cfg\.encoder_layers = 1000000000 is not a whole number from 1 to 16384"),
        ({"encoder_embed_dim": 50}, {}, "not a multiple"),
        ({"num_buckets": 2}, {}, "do not fit"),
        ({"deep_norm": "yes"}, {}, r"cfg\.deep_norm = 'yes' is not true or false"),
        ({"dropout": 1.5}, {}, r"cfg\.dropout = 1\.5 is not a share"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_by_name(
    checkpoint: Made, config: dict[str, Any], tensors: dict[str, Any], message: str
) -> None:
    with pytest.raises(ArtefactError, match=rf"beats\.pt: .*{message}"):
        load_beats(checkpoint(config, tensors))


class Hostile:
    def __reduce__(self) -> tuple[Any, ...]:
        return (print, ("this ran",))


def test_nothing_is_unpickled(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "beats.pt"
    torch.save({"cfg": Hostile(), "model": {}}, path)
    with pytest.raises(ArtefactError, match="not a readable BEATs checkpoint"):
        load_beats(path)
    path.write_bytes(pickle.dumps(Hostile()))
    with pytest.raises(ArtefactError, match="not a readable BEATs checkpoint"):
        load_beats(path)
    assert capsys.readouterr().out == ""


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "beats.pt"
    for content in ({"state_dict": {}}, [1], {"cfg": {}, "model": {}}, {"cfg": [], "model": {}}):
        torch.save(content, path)
        with pytest.raises(ArtefactError, match=r"beats\.pt"):
            load_beats(path)
    with pytest.raises(ArtefactError, match="not a readable"):
        load_beats(tmp_path / "absent.pt")
    path.write_bytes(b"")
    with pytest.raises(ArtefactError, match="not a readable"):
        load_beats(path)
