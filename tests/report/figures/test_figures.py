import base64
import re
from dataclasses import replace
from urllib.parse import unquote
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from hypothesis import example as example_of
from hypothesis import given, settings
from hypothesis import strategies as st

from ossicle.evaluation.examples.example import Example
from ossicle.inference.decisions.fit import ThresholdCurve
from ossicle.metrics.noise.noise_gate import Firing, NoiseGateSettings, judge
from ossicle.metrics.reports.event_report import Estimate, EventScores, Rates
from ossicle.report.data import PrCurve, ReliabilityBin, SweepRow, TrainingCurve
from ossicle.report.figures.calibration import reliability_figure
from ossicle.report.figures.example import LEFT, RIGHT, example_figure, names_with_room
from ossicle.report.figures.groups import MAX_BARS, groups_figure, says_something
from ossicle.report.figures.noise_gate import noise_gate_figure
from ossicle.report.figures.rates import MOST_NAMED, named_curves, pr_figure, sweep_figure, threshold_figure
from ossicle.report.figures.style import data_address, svg
from ossicle.report.figures.training import training_figure

NAN = float("nan")


def scores(f1: float, low: float = NAN, high: float = NAN) -> EventScores:
    same = Estimate(f1, low, high)
    return EventScores(Rates(same, same, same), 8, 2, 1, 3.0)


def example(**changes: object) -> Example:
    given = {
        "kind": "best", "recording": "a.wav", "label": "call", "start_s": 100.2, "end_s": 100.4, "score": 0.9,
        "iou": 0.8, "samples": np.random.default_rng(0).normal(0, 0.1, 8000).astype(np.float32), "rate": 16000,
        "window_start_s": 100.0, "references": [(100.2, 100.4, "call")],
        "predictions": [(100.21, 100.39, "call", 0.9), (99.9, 100.05, "call", 0.4)],
    }  # fmt: skip
    return Example(**{**given, **changes})


def curve() -> ThresholdCurve:
    on = np.linspace(0.1, 0.9, 9)
    return ThresholdCurve("call", on, on, on[::-1], np.minimum(on, on[::-1]), 4)


def figures() -> dict[str, matplotlib.figure.Figure]:
    epochs = [{"epoch": n, "train_loss": 1.0 / (n + 1), "learning_rate": 0.1} for n in range(4)]
    return {
        "training": training_figure([TrainingCurve("fold0", epochs)]),
        "threshold": threshold_figure(curve()),
        "pr": pr_figure([PrCurve("call", [1.0, 0.5], [0.1, 0.4], [0.9, 0.2], NAN)]),
        "sweep": sweep_figure([SweepRow(0.5, 0.4, 0.5, 0.3), SweepRow(0.9, 0.1, NAN, 0.1)]),
        "reliability": reliability_figure(
            [("frames", [ReliabilityBin(0.0, 0.5, 9.0, 0.1, 0.2), ReliabilityBin(0.5, 1.0, 0.0, NAN, NAN)])]
        ),
        "groups": groups_figure({"a": scores(0.8, 0.7, 0.9), "b": scores(NAN)}, 0.8),
        "example": example_figure(example()),
    }


@pytest.mark.parametrize("name", list(figures()))
def test_figures_are_drawings_with_text_and_no_address(name: str) -> None:
    text = svg(figures()[name])
    root = ElementTree.fromstring(text)
    assert len(root.findall(".//{*}path")) > 5
    assert len(root.findall(".//{*}text")) > 3
    assert "mathdefault" not in text
    addresses = re.findall(r"""(?:href|src)=["']([^"']*)""", text)
    assert all(one.startswith(("#", "data:image/png")) for one in addresses)


def test_the_same_figure_is_the_same_bytes_whatever_the_user_prefers() -> None:
    first = {name: data_address(one) for name, one in figures().items()}
    with matplotlib.rc_context({"font.size": 30, "axes.grid": False, "svg.fonttype": "path", "lines.linewidth": 9}):
        again = {name: data_address(one) for name, one in figures().items()}
    assert again == first


def test_the_users_settings_are_left_as_they_were() -> None:
    with matplotlib.rc_context({"font.size": 13.0}):
        data_address(threshold_figure(curve()))
        assert matplotlib.rcParams["font.size"] == 13.0


def test_an_address_holds_the_whole_figure() -> None:
    address = data_address(threshold_figure(curve()))
    assert unquote(address.removeprefix("data:image/svg+xml,")) == svg(threshold_figure(curve()))
    assert not set('"<>#&') & set(address)


def test_bars_are_the_figures_of_the_groups() -> None:
    groups = {"low": scores(0.2, 0.1, 0.35), "none": scores(NAN), "high": scores(0.9, 0.8, 0.95)}
    axes = groups_figure(groups, 0.5).axes[0]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["high", "low", "none"]
    assert [bar.get_width() for bar in axes.patches] == [0.9, 0.2, 0.0]
    spans = [tuple(line.get_xdata()) for line in axes.lines if len(set(line.get_ydata())) == 1]
    assert spans == [(0.8, 0.95), (0.1, 0.35)]
    assert any(text.get_text().startswith("–") for text in axes.texts)


def test_of_very_many_groups_the_worst_are_shown() -> None:
    axes = groups_figure({f"g{n:03d}": scores(n / 100) for n in range(100)}, 0.5).axes[0]
    assert [bar.get_width() for bar in axes.patches] == [n / 100 for n in reversed(range(MAX_BARS))]


def test_the_chosen_threshold_is_marked() -> None:
    threshold_curve = curve()
    figure = threshold_figure(threshold_curve)
    axes = figure.axes[0]
    marks = [line for line in axes.lines if line.get_marker() == "o"]
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in marks] == [
        (threshold_curve.on[4], threshold_curve.f1[4])
    ]
    # Beside its line, the text lay over the curves of some labels.
    assert "on = 0.5, F1 0.500" in [text.get_text() for text in figure.legends[0].get_texts()]
    assert not axes.texts


def test_long_names_of_labels_are_shortened_in_figures() -> None:
    name = "Pipistrellus pipistrellus social call type B (recorded below the bridge)"
    assert len(threshold_figure(replace(curve(), label=name)).axes[0].get_title("left")) <= 44
    (text,) = pr_figure([PrCurve(name, [1.0, 0.5], [0.1, 0.4], [0.9, 0.2], 0.5)]).legends[0].get_texts()
    assert len(text.get_text()) <= 20 + len(" (AP 0.500)")


def test_inner_losses_are_drawn_where_a_training_has_them() -> None:
    with_inner = [{"epoch": n, "train_loss": 1.0, "inner_loss": 2.0 - n, "learning_rate": 0.1} for n in range(2)]
    axes = training_figure([TrainingCurve("fold0", with_inner)]).axes[0]
    assert "inner groups (dotted)" in axes.get_title("left")
    assert [2.0, 1.0] in [list(line.get_ydata()) for line in axes.lines]
    plain = [{key: value for key, value in line.items() if key != "inner_loss"} for line in with_inner]
    assert "inner" not in training_figure([TrainingCurve("fold0", plain)]).axes[0].get_title("left")


def test_epochs_without_a_loss_are_left_out_not_drawn_as_zero() -> None:
    epochs = [{"epoch": n, "train_loss": 1.0, **({"val_loss": 0.5} if n == 1 else {})} for n in range(3)]
    lines = training_figure([TrainingCurve("f", [*epochs, {"epoch": 3, "train_loss": NAN}])]).axes[0].lines
    assert [list(line.get_xdata()) for line in lines] == [[0, 1, 2], [1]]


def test_an_example_is_drawn_at_the_times_of_its_recording() -> None:
    figure = example_figure(example())
    axes = figure.axes[0]
    assert axes.get_xlim() == pytest.approx((100.0, 100.5))
    assert axes.get_ylim() == (0, 8)
    spans = [(box.get_x(), box.get_x() + box.get_width()) for box in axes.patches]
    np.testing.assert_allclose(spans, [(100.2, 100.4), (100.21, 100.39), (99.9, 100.05)])
    assert (axes.get_position().x0, axes.get_position().x1) == pytest.approx((LEFT, RIGHT))


def test_an_example_embeds_its_spectrogram_as_png() -> None:
    (image,) = ElementTree.fromstring(svg(example_figure(example()))).findall(".//{*}image")
    address = next(value for key, value in image.attrib.items() if key.endswith("href"))
    assert base64.b64decode(address.split(",", 1)[1]).startswith(b"\x89PNG")


@pytest.mark.parametrize("count", [0, 1, 5, 300])
def test_an_example_may_be_empty_or_tiny_or_silent(count: int) -> None:
    figure = example_figure(example(samples=np.zeros(count, np.float32)))
    assert data_address(figure).startswith("data:image/svg")
    assert count or not figure.axes[0].get_xticks().size


@settings(max_examples=20)
@example_of("_hidden")
@given(st.text(max_size=12).filter(lambda text: text.isprintable()))
def test_no_label_breaks_a_figure(label: str) -> None:
    text = svg(pr_figure([PrCurve(label, [1.0], [0.1], [0.9], 0.5)]))
    shown = ["".join(one.itertext()) for one in ElementTree.fromstring(text).findall(".//{*}text")]
    assert f"{label} (AP 0.500)" in [one.removeprefix("\u200b") for one in shown]


def test_a_label_is_no_formula_and_no_mark_up() -> None:
    text = svg(pr_figure([PrCurve("$x^2$ <b>叫び声</b>", [1.0], [0.1], [0.9], 0.5)]))
    shown = ["".join(one.itertext()) for one in ElementTree.fromstring(text).findall(".//{*}text")]
    assert "$x^2$ <b>叫び声</b> (AP 0.500)" in shown


def test_many_groups_of_a_recording_each_are_not_drawn() -> None:
    event_scores, many = scores(0.5), {f"g{n}": scores(0.5) for n in range(MAX_BARS + 1)}
    assert event_scores.n_reference >= 5
    assert says_something(many)
    small = {name: replace(of, tp=1, fn=0) for name, of in many.items()}
    assert not says_something(small)
    assert says_something(dict(list(small.items())[:20]))


def precision_curves(count: int) -> list[PrCurve]:
    line = np.linspace(0, 1, 20)
    return [PrCurve(f"Genus species {k:03d}", 1 - line, line, line, k / count) for k in range(count)]


@pytest.mark.parametrize("count", [5, 12, 20, 30, 60, 500])
def test_precision_and_recall_of_many_labels_keep_their_room(count: int) -> None:
    figure = pr_figure(precision_curves(count))
    svg(figure)  # Warnings, such as those of a layout without room, are errors in the tests.
    (axes,) = figure.axes
    assert axes.get_window_extent().height / figure.dpi > 2.0
    (legend,) = figure.legends
    assert len(legend.get_texts()) == min(count, MOST_NAMED)


def test_of_many_labels_the_worst_are_named_and_an_undefined_figure_is_not_the_worst() -> None:
    curves = [*precision_curves(30), PrCurve("nothing annotated", [NAN], [NAN], [0.5], NAN)]
    assert [pr_curve.label for pr_curve in named_curves(curves)] == [
        f"Genus species {k:03d}" for k in range(MOST_NAMED)
    ]
    assert named_curves(curves[:3]) == curves[:3]


@pytest.mark.parametrize("count", [1, 7, 66])
def test_training_curves_of_many_models_keep_their_room(count: int) -> None:
    epochs = [{"epoch": n, "train_loss": 1.0, "val_loss": 1.1, "learning_rate": 0.1} for n in range(4)]
    figure = training_figure([TrainingCurve(f"fold{k}", epochs) for k in range(count)])
    svg(figure)
    assert figure.axes[0].get_window_extent().height / figure.dpi > 2.0


@given(
    st.lists(st.tuples(st.floats(0, 2), st.floats(0, 2), st.sampled_from(["call", "Genus species 0.95"])), max_size=12),
    st.integers(0, 11),
)
def test_names_of_dense_calls_do_not_lie_over_each_other(drawn: list[tuple[float, float, str]], own: int) -> None:
    events = [(min(a, b), max(a, b), name) for a, b, name in drawn]
    chosen = events[own][:2] if own < len(events) else None
    named = names_with_room(events, chosen, (0.0, 2.0))
    ends = [at + (len(text) + 2) * 2.0 / 46 for at, text in named]
    assert all(end <= at for end, (at, _) in zip(ends, named[1:], strict=False))
    assert all(end <= 2.0 for end in ends), "cut at the right edge"
    if chosen is not None:
        text = next(name for *span, name in events if tuple(span) == chosen)
        assert min(chosen[0], 2.0 - (len(text) + 2) * 2.0 / 46) in [at for at, _ in named]


def test_the_gap_before_a_name_is_one_that_browsers_keep() -> None:
    texts = [text.get_text() for text in example_figure(example()).axes[1].texts]
    assert texts
    assert all(text.startswith("\N{NO-BREAK SPACE}") for text in texts)


def test_the_own_event_of_an_example_is_the_thick_box() -> None:
    widths = [round(patch.get_linewidth(), 1) for patch in example_figure(example()).axes[0].patches]
    assert widths == [1.0, 1.0, 1.0]
    matched = example(start_s=100.21, end_s=100.39)
    assert [round(patch.get_linewidth(), 1) for patch in example_figure(matched).axes[0].patches] == [1.0, 2.6, 1.0]
    missed = example(kind="missed", predictions=[])
    assert [round(patch.get_linewidth(), 1) for patch in example_figure(missed).axes[0].patches] == [2.6]


def test_boxes_of_very_many_events_do_not_hide_the_sound() -> None:
    many = [(100.0 + k / 100, 100.004 + k / 100, "call") for k in range(61)]
    crowd = example(kind="missed", start_s=many[30][0], end_s=many[30][1], references=many, predictions=[])
    boxes, strip = (axes.patches for axes in example_figure(crowd).axes)
    assert [round(box.get_linewidth(), 1) for box in boxes] == [2.6]
    assert len(strip) == 61
    few = example(kind="missed", start_s=many[30][0], end_s=many[30][1], references=many[:60], predictions=[])
    assert len(example_figure(few).axes[0].patches) == 60


def test_the_numbers_of_the_noise_gate_are_beside_the_limits() -> None:
    """A browser drops blanks at the start of a text: the number lay over the mark of its limit."""
    judged = judge([Firing("silence", "all zeros", "call", 60.0, 0, 0.0)], NoiseGateSettings())
    (text,) = noise_gate_figure(judged).axes[0].texts
    assert text.get_text() == "0"
    assert text.get_position() == (5, 0)
