import contextlib

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from ossicle.audio.features.logmel import log_mel
from ossicle.bundle.format import read_bundle
from ossicle.bundle.runtimes.onnx_runtime import OnnxPredictor
from ossicle.bundle.runtimes.onnx_scan import require_safe_graph
from ossicle.bundle.runtimes.openvino_runtime import OpenVinoPredictor, computes_bf16
from ossicle.core.errors import BundleError, UsageError

RUNTIMES = (OnnxPredictor, OpenVinoPredictor)


@pytest.fixture(params=RUNTIMES)
def runtime(request):
    """Every runtime of graphs meets every test that takes this."""
    return request.param


def chunks_of(bundle, n, seed=0):
    return np.random.default_rng(seed).normal(size=(n, bundle.plan.chunk_samples)).astype(np.float32) * 0.1


def test_scores_are_those_of_the_graph_by_hand(runtime, bundle):
    model = onnx.load_from_string(bundle.read_bytes("model.onnx"))
    weights = numpy_helper.to_array(model.graph.initializer[0])
    chunks = chunks_of(bundle, 3)
    expected = 1 / (1 + np.exp(-(log_mel(chunks, bundle.front)[:, 6:26] @ weights + 0.5)))
    scores = runtime(bundle).predict(chunks)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, expected, atol=1e-5)


@pytest.mark.parametrize("graph", ["model", "waveform"])
def test_batches_and_threads_agree(runtime, bundle, graph):
    chunks = chunks_of(bundle, 5)
    whole = runtime(bundle, graph=graph).predict(chunks)
    one_by_one = np.concatenate([runtime(bundle, threads=2, graph=graph).predict(c[None]) for c in chunks])
    assert whole.shape == (5, 20, 3)
    np.testing.assert_allclose(one_by_one, whole, atol=1e-6)


def test_the_waveform_graph_runs_in_plain_onnxruntime(bundle):
    session = onnxruntime.InferenceSession(bundle.folder / "waveform.onnx", providers=["CPUExecutionProvider"])
    chunks = chunks_of(bundle, 2)
    plain = session.run(["scores"], {"waveform": chunks})[0]
    np.testing.assert_array_equal(plain, OnnxPredictor(bundle, graph="waveform").predict(chunks))


@pytest.mark.parametrize("where", ["beside", "cwd", "absolute"])
def test_weights_in_other_files_are_never_reached(runtime, tmp_path, monkeypatch, write, external, where):
    location = str(tmp_path / "secret.bin") if where == "absolute" else "secret.bin"
    model, size = external(location)
    bundle = write(tmp_path / "bundle", model=model)
    for folder in (tmp_path, bundle.folder):
        (folder / "secret.bin").write_bytes(np.ones(size // 4, np.float32).tobytes())
    monkeypatch.chdir(bundle.folder if where == "beside" else tmp_path)
    with pytest.raises(BundleError, match="external data"):
        runtime(read_bundle(bundle.folder))


def test_external_tensors_are_found_wherever_they_hide(external):
    model, _ = external("x.bin")
    hidden = model.graph.initializer[0]
    constant = helper.make_node("Constant", [], ["c"], value=hidden)
    body = helper.make_graph([constant], "body", [], [helper.make_tensor_value_info("c", TensorProto.FLOAT, None)])
    nested = helper.make_node("If", ["flag"], ["c"], then_branch=body, else_branch=body)
    function = helper.make_function("own", "F", [], ["c"], [constant], [helper.make_opsetid("", 17)])
    sparse = helper.make_node("Constant", [], ["c"], sparse_value=onnx.SparseTensorProto(values=hidden, dims=[1]))
    models = {"node": constant, "subgraph": nested, "sparse": sparse}
    for name, node in models.items():
        graph = helper.make_graph([node], "g", [], [])
        with pytest.raises(BundleError, match="external"):
            require_safe_graph(helper.make_model(graph).SerializeToString(), name)
    with_function = helper.make_model(helper.make_graph([], "g", [], []), functions=[function])
    with pytest.raises(BundleError, match="external"):
        require_safe_graph(with_function.SerializeToString(), "function")
    sparse_initializer = helper.make_graph([], "g", [], [])
    sparse_initializer.sparse_initializer.add().indices.CopyFrom(hidden)
    with pytest.raises(BundleError, match="external"):
        require_safe_graph(helper.make_model(sparse_initializer).SerializeToString(), "sparse initializer")


def test_an_ordinary_graph_passes_the_scan(graphs):
    require_safe_graph(graphs().SerializeToString(), "tiny")


@settings(deadline=None, max_examples=200)
@given(data=st.binary(max_size=60))
def test_any_bytes_end_the_scan(data):
    with contextlib.suppress(BundleError):
        require_safe_graph(data, "noise")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_mels": 15}, "log_mel.*shape"),
        ({"labels": 2}, "scores.*shape"),
        ({"frames": 30}, "log_mel.*shape"),
        ({"batch": 1}, "log_mel.*shape"),
        ({"output": "logits_out"}, "expected one 'scores'"),
        ({"kind": TensorProto.DOUBLE}, "cannot be loaded|tensor"),
    ],
)
def test_a_graph_that_does_not_fit_the_bundle_is_refused(runtime, tmp_path, write, graphs, change, message):
    bundle = write(tmp_path / "b", model=graphs(**change))
    with pytest.raises(BundleError, match=message):
        runtime(bundle)


@pytest.mark.parametrize("data", [b"", b"not a model", b"\x08\x09"])
def test_what_is_no_graph_is_refused(runtime, tmp_path, write, data):
    with pytest.raises(BundleError, match=r"model\.onnx"):
        runtime(write(tmp_path / "b", model=data))


def test_an_operator_from_a_library_is_refused(runtime, tmp_path, write, graphs):
    model = graphs()
    model.graph.node[3].domain = "evil"
    model.opset_import.append(helper.make_opsetid("evil", 1))
    with pytest.raises(BundleError, match=r"model\.onnx uses operators of a library \('evil'\): export it"):
        runtime(write(tmp_path / "b", model=model))


def test_an_operator_that_the_graph_itself_defines_is_its_own(graphs):
    model = graphs()
    node = helper.make_node("Sigmoid", ["x"], ["y"])
    model.functions.append(helper.make_function("own", "Squash", ["x"], ["y"], [node], [helper.make_opsetid("", 17)]))
    model.graph.node[3].domain = "own"
    require_safe_graph(model.SerializeToString(), "own function")
    model.functions[0].node[0].domain = "evil"
    with pytest.raises(BundleError, match="'evil'"):
        require_safe_graph(model.SerializeToString(), "evil inside")


def test_a_graph_of_endless_fields_ends_the_scan(graphs):
    graph = graphs().SerializeToString() + b"\x08\x09" * 2000
    require_safe_graph(graph, "long")
    with pytest.raises(BundleError, match="more than 1000 fields"):
        require_safe_graph(graph, "long", most_fields=1000)


def test_absent_graph_and_silly_threads(runtime, tmp_path, write):
    bundle = write(tmp_path / "b")
    with pytest.raises(BundleError, match=r"has no waveform\.onnx"):
        runtime(bundle, graph="waveform")
    with pytest.raises(ValueError, match="threads = 0 must be at least 1"):
        runtime(bundle, threads=0)
    with pytest.raises(ValueError, match="threads = 1025 must be at most 1024"):
        runtime(bundle, threads=1025)


def test_a_wrong_chunk_length_is_named(runtime, bundle):
    with pytest.raises(BundleError, match="fails on chunks of shape"):
        runtime(bundle).predict(np.zeros((1, 999), np.float32))


def test_a_swapped_graph_is_noticed_when_it_is_loaded(runtime, bundle, graphs):
    (bundle.folder / "model.onnx").write_bytes(graphs(labels=2).SerializeToString())
    with pytest.raises(BundleError, match=r"model\.onnx"):
        runtime(bundle)


@pytest.mark.parametrize("graph", ["model", "waveform"])
def test_runtimes_agree(bundle, graph):
    chunks = chunks_of(bundle, 5)
    expected = OnnxPredictor(bundle, graph=graph).predict(chunks)
    for threads in (1, 2):
        result = OpenVinoPredictor(bundle, threads, graph).predict(chunks)
        np.testing.assert_allclose(result, expected, atol=1e-5)


def test_scores_that_were_given_stay_as_they_were(bundle, runtime):
    predictor = runtime(bundle)
    first = predictor.predict(chunks_of(bundle, 1))
    kept = first.copy()
    predictor.predict(chunks_of(bundle, 1, seed=1))
    np.testing.assert_array_equal(first, kept)


def test_float32_is_float32_and_bf16_is_asked_for(bundle):
    if not computes_bf16():
        pytest.skip("this processor does not compute in bfloat16")
    chunks = chunks_of(bundle, 8)
    exact = OnnxPredictor(bundle).predict(chunks)
    assert np.abs(OpenVinoPredictor(bundle).predict(chunks) - exact).max() < 1e-5
    half = np.abs(OpenVinoPredictor(bundle, precision="bf16").predict(chunks) - exact).max()
    assert 1e-4 < half < 0.1


def test_bf16_is_refused_where_the_processor_lacks_it(bundle, monkeypatch):
    monkeypatch.setattr("ossicle.bundle.runtimes.openvino_runtime.computes_bf16", lambda: False)
    with pytest.raises(UsageError, match="does not compute in bfloat16; use the precision fp32"):
        OpenVinoPredictor(bundle, precision="bf16")


def test_a_precision_that_the_bundle_lacks_is_named(bundle, runtime):
    with pytest.raises(BundleError, match=r"has no model\.int8\.onnx"):
        runtime(bundle, precision="int8")


NAN_IN_RAW = {
    TensorProto.FLOAT: np.array([1.0, np.nan], "<f4"),
    TensorProto.DOUBLE: np.array([1.0, np.nan], "<f8"),
    TensorProto.FLOAT16: np.array([1.0, np.nan], "<f2"),
    TensorProto.BFLOAT16: np.array([0x3F80, 0xFFC0], "<u2"),
}


@pytest.mark.parametrize("kind", NAN_IN_RAW)
def test_weights_with_nan_are_refused_by_name(kind):
    def model(values):
        tensor = TensorProto(name="conv.weight", data_type=kind, dims=[2], raw_data=values.tobytes())
        return helper.make_model(helper.make_graph([], "g", [], [], [tensor])).SerializeToString()

    values = NAN_IN_RAW[kind]
    with pytest.raises(BundleError, match=r"m\.onnx: the weights 'conv\.weight' hold NaN.*copy it again"):
        require_safe_graph(model(values), "m.onnx")
    infinite = np.array([0x3F80, 0xFF80], "<u2") if kind == TensorProto.BFLOAT16 else np.nan_to_num(values, nan=-np.inf)
    with pytest.raises(BundleError, match=r"'conv\.weight' hold Inf"):
        require_safe_graph(model(infinite), "m.onnx")
    # Masks of encoders hold infinity, and a bound of an operator may be infinite.
    require_safe_graph(model(infinite), "m.onnx", may_hold_infinity=True)
    require_safe_graph(model(infinite[1:]), "m.onnx")


def test_nan_in_a_list_of_floats_is_refused():
    for kind in (TensorProto.FLOAT, TensorProto.DOUBLE):
        tensor = helper.make_tensor("w", kind, [2], [1.0, float("nan")])
        assert not tensor.raw_data
        with pytest.raises(BundleError, match="'w' hold NaN"):
            require_safe_graph(helper.make_model(helper.make_graph([], "g", [], [], [tensor])).SerializeToString(), "x")


@pytest.mark.parametrize(("value", "name"), [(np.nan, "NaN"), (np.inf, "Inf"), (-np.inf, "Inf")])
def test_a_bundle_whose_rectifier_hides_nan_is_refused(runtime, tmp_path, write, graphs, value, name):
    model = graphs()
    weights = numpy_helper.to_array(model.graph.initializer[0]).copy()
    weights[0, 0] = value
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(weights, model.graph.initializer[0].name))
    with pytest.raises(BundleError, match=rf"model\.onnx: the weights .* hold {name}"):
        runtime(write(tmp_path / "b", model=model))
