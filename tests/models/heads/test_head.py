import math
from pathlib import Path

import pytest
import torch

from ossicle.core.errors import ArtefactError
from ossicle.models.heads.head import Head, HeadScores, InputStatistics, load_head
from ossicle.models.heads.settings import HeadSettings
from ossicle.models.weights import save_weights

DIM, TOKENS, LABELS = 6, 5, 3


def statistics(seed: int = 1) -> InputStatistics:
    torch.manual_seed(seed)
    mean, other = 40 * torch.randn(DIM), torch.rand(DIM) + 0.5
    return InputStatistics(mean, other, mean + 0.1, other / 2)


def made(pooling: str = "attention", hidden: int = 4, values: str = "plain") -> Head:
    torch.manual_seed(0)
    head = Head(HeadSettings(pooling=pooling, hidden=hidden, values=values), DIM, LABELS).eval()
    head.standardise(statistics())
    if head.pooling.attention is not None:
        torch.nn.init.normal_(head.pooling.attention.weight)
    return head


def tokens(batch: int = 2) -> torch.Tensor:
    torch.manual_seed(2)
    return statistics().token_mean + torch.randn(batch, TOKENS, DIM)


def obvious(head: Head, windows: torch.Tensor) -> torch.Tensor:
    """The head token by token, in float64, with standardised tokens for the attention."""
    out = []
    for window in windows.double():
        if head.pooling.attention is None:
            weights = torch.full((len(window),), 1 / len(window)).double()
        else:
            standard = (window - head.token_mean.double()) / head.token_deviation.double()
            weights = torch.softmax(standard @ head.pooling.attention.weight[0].double(), dim=0)
        pooled = sum(weight * token for weight, token in zip(weights, window, strict=True))
        if head.values == "root":
            pooled = torch.tensor([math.copysign(math.sqrt(abs(one)), one) for one in pooled.tolist()]).double()
        x = (pooled - head.window_mean.double()) / head.window_deviation.double()
        for layer in head.hidden:
            if isinstance(layer, torch.nn.Linear):
                x = torch.nn.functional.gelu(layer.weight.double() @ x + layer.bias.double())
        out.append(head.output.weight.double() @ x + head.output.bias.double())
    return torch.stack(out)


@pytest.mark.parametrize("values", ["plain", "root"])
@pytest.mark.parametrize("hidden", [0, 4])
@pytest.mark.parametrize("pooling", ["mean", "attention"])
def test_the_logits_are_those_of_the_obvious_way(pooling: str, hidden: int, values: str) -> None:
    head = made(pooling, hidden, values)
    with torch.no_grad():
        torch.testing.assert_close(head(tokens()).double(), obvious(head, tokens()), atol=1e-5, rtol=1e-4)


def test_a_new_attention_is_the_mean_and_a_trained_one_is_not() -> None:
    head = Head(HeadSettings(pooling="attention"), DIM, LABELS)
    with torch.no_grad():
        torch.testing.assert_close(head.pooling(tokens(), head.token_deviation), tokens().mean(dim=1))
        pooled = made().pooling(tokens(), made().token_deviation)
    assert not torch.allclose(pooled, tokens().mean(dim=1), atol=0.05)


def test_scores_are_shares_and_any_number_of_tokens_is_read() -> None:
    scores = HeadScores(made())
    with torch.no_grad():
        for windows in (tokens(), tokens()[:, :1]):
            result = scores(windows)
            assert result.shape == (2, LABELS)
            assert bool(((result > 0) & (result < 1)).all())


def test_a_saved_head_keeps_its_statistics(tmp_path: Path) -> None:
    save_weights(made(), tmp_path / "head.safetensors")
    settings = HeadSettings(hidden=4)
    again = load_head(tmp_path / "head.safetensors", settings, DIM, LABELS)
    assert not again.training
    assert torch.equal(again(tokens()), made()(tokens()))
    assert torch.equal(again.window_mean, statistics().window_mean)
    assert (again.dim, again.n_labels) == (DIM, LABELS)


def test_a_head_of_other_settings_is_refused_with_the_first_tensor_that_differs(tmp_path: Path) -> None:
    path = tmp_path / "head.safetensors"
    save_weights(made(), path)
    with pytest.raises(ArtefactError, match=r"head\.safetensors: .*hidden\.1\.bias is of shape \[4\] in the file"):
        load_head(path, HeadSettings(hidden=5), DIM, LABELS)
    with pytest.raises(ArtefactError, match=r"pooling\.attention\.weight is of shape \[1, 6\] in the file, absent"):
        load_head(path, HeadSettings(hidden=4, pooling="mean"), DIM, LABELS)
