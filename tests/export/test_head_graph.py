import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from ossicle.export.head_graph import head_graph
from ossicle.models.heads.head import Head, HeadScores, InputStatistics
from ossicle.models.heads.settings import HeadSettings

TOKENS, DIM, LABELS = 9, 32, 3


@pytest.mark.parametrize("hidden", [0, 16])
@pytest.mark.parametrize(("pooling", "values"), [("mean", "plain"), ("attention", "plain"), ("mean", "root")])
def test_the_graph_gives_the_scores_of_the_head(pooling: str, values: str, hidden: int) -> None:
    torch.manual_seed(0)
    head = Head(HeadSettings(pooling=pooling, hidden=hidden, values=values), DIM, LABELS)
    # Levels in dB: large means, which float32 sums must survive.
    mean = 60 * torch.randn(DIM)
    head.standardise(InputStatistics(mean, torch.rand(DIM) + 0.5, mean, torch.rand(DIM) + 0.5))
    if head.pooling.attention is not None:
        torch.nn.init.normal_(head.pooling.attention.weight)
    graph = head_graph(head, TOKENS, head.dim)
    assert head.training
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    assert [(one.name, one.shape) for one in session.get_inputs()] == [("embeddings", ["batch", TOKENS, DIM])]
    assert [one.name for one in session.get_outputs()] == ["scores"]
    assert onnx.load_from_string(graph).opset_import[0].version == 17
    for batch in (1, 5):
        tokens = mean + 3 * torch.randn(batch, TOKENS, DIM)
        with torch.no_grad():
            expected = HeadScores(head.eval())(tokens).numpy()
        head.train()
        result = session.run(["scores"], {"embeddings": tokens.numpy()})[0]
        assert result.shape == (batch, LABELS)
        np.testing.assert_allclose(result, expected, atol=1e-5)
