"""The model card of a bundle: Markdown for people (after Mitchell et al., "Model Cards for Model Reporting", 2019).

It is made from the bundle's free objects; each key is optional. ``metrics["figures"]``: list of ``{"name", "value",
"low", "high", "basis", "label"}`` where ``basis`` is ``cross-fitted``, ``held-out`` or ``in-sample`` and ``low`` and
``high`` bound the interval; a figure without a basis is shown as ``in-sample``, so that no figure looks better than it
is. ``metrics["notes"]``: sentences about labels that could not be judged. ``metrics["gate"]``: ``passed`` or
``refused``; ``metrics["gate_exceptions"]``: sentences about sounds that could
not refuse the bundle; ``metrics["gate_found_nothing"]``: that it finds no annotated event, in words;
``metrics["noise_reported"]``: sentences about what a bundle of states says about noise. ``split``:
``group`` (the field that no split divides), ``n_groups``, ``n_folds``, ``warning``, ``leaky`` (what a leaky split
divides). ``provenance["exports"]``: what ``ossicle export`` added, file to method to figures. All external text is
escaped, because a card is often converted to HTML.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ossicle.bundle.manifest import SECOND_STAGE, Bundle
from ossicle.core.decisions.decision import Decision
from ossicle.core.decisions.states import StateDecision
from ossicle.core.model_input import channel as channels
from ossicle.core.scores.pooling import MEAN
from ossicle.core.scores.postprocess import Postprocess
from ossicle.core.text.printable import printable
from ossicle.core.text.rounding import rounded

FEW_GROUPS = 6
"""With fewer groups than this an interval over groups is unreliable, and the card says so."""

_SECOND_STAGE = (
    "Events, and what lower thresholds find beside them, are judged again from how they sound. Their scores are "
    "probabilities of both stages together, and the figures above are those of both."
)
_POOLED = (
    "A recording is decided as a whole: the thresholds are of its mean score, and its one event of a label lasts from "
    "beginning to end. Split long recordings before."
)
_CALIBRATED = (
    "The scores of events are calibrated probabilities; the thresholds above are of the scores before calibration, and "
    "decide the same."
)
_IN_SAMPLE = "Fitted on all recordings, so figures under these decisions on the same recordings are in-sample."
_UNJUDGED = "Taken from the settings and fitted on nothing: this split leaves nothing to judge them by."
_UNFITTED = "Not fitted: this bundle gives scores only, no states."
_MISSING = "–"
# Values nested deeper than this are no longer put into words.
_DEEPEST = 4
_MARKUP = re.compile(r"([\\`*_{}\[\]()#+!|~-])")


def _channels(channel: str) -> str:
    """Return what becomes of the channels of a recording, in words."""
    if channel == channels.MEAN:
        return "channels averaged"
    which = f"the {channel} one" if channel in (channels.FIRST, channels.LOUDEST) else f"number {channel}"
    return f"of several channels {which} is read"


def card_text(bundle: Bundle) -> str:
    """Return the card, ending in a newline; equal bundles give equal text."""
    plan = bundle.plan
    parts = [
        f"# {escaped(bundle.name)}",
        "",
        f"{_purpose(bundle)} of {len(bundle.labels)} {'label' if len(bundle.labels) == 1 else 'labels'} in sound "
        f"recordings, bundle version {bundle.version}.",
        "",
        f"- Reads {plan.rate} Hz mono; other rates are resampled, {_channels(plan.channel)}.",
        f"- One score every {rounded(plan.hop_s * 1000)} ms, {_input_in_words(bundle)}.",
        f"- Scores {plan.core_samples / plan.rate:.3g} s at a time and waits {plan.latency_s:.3g} s for each.",
        "",
        "## How it was split",
        "",
        *_split(bundle.split),
        "",
        "## Figures",
        "",
        *_figures(bundle.metrics),
        "",
        *_insufficient(bundle.metrics),
        *_gate(bundle.metrics),
        "## Decisions",
        "",
        _UNJUDGED if bundle.split.get("leaky") else _IN_SAMPLE if _fitted(bundle) else _UNFITTED,
        "",
        *(_decisions(bundle.labels, bundle.decisions) if bundle.states is None else _states(bundle.states)),
        *_postprocess(bundle.postprocess),
        *(["", _POOLED] if bundle.pool == MEAN else []),
        *(["", _CALIBRATED] if bundle.calibration else []),
    ]
    if SECOND_STAGE in bundle.files:
        parts += ["", "## Second stage", "", _SECOND_STAGE]
    parts += _exports(bundle.provenance.get("exports"))
    provenance = {key: value for key, value in bundle.provenance.items() if key != "exports"}
    if provenance:
        parts += ["", "## Provenance", "", *_listed_facts(provenance)]
    return "\n".join(parts) + "\n"


def escaped(value: object) -> str:
    r"""Return ``value`` as one line of text without effect in Markdown, HTML or a terminal.

    >>> escaped("a|b <i>")
    'a\\|b &lt;i&gt;'
    """
    line = printable(" ".join(str(value).split()))
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MARKUP.sub(r"\\\1", line)


def _purpose(bundle: Bundle) -> str:
    return "A detector" if bundle.states is None else "The states (on, off, unknown)"


def _fitted(bundle: Bundle) -> bool:
    return bundle.states is None or bundle.states.fitted


def _input_in_words(bundle: Bundle) -> str:
    front = bundle.front
    if bundle.encoder is not None:
        licence = escaped(bundle.encoder.licence or "unknown")
        window_s = bundle.plan.window_samples / bundle.plan.rate
        inner, name = "", escaped(bundle.encoder.name)
        if bundle.encoder_windows is not None:
            n_windows = bundle.encoder_windows.count(bundle.plan.window_samples)
            inner = f", in {n_windows} windows of {bundle.encoder_windows.window_samples / bundle.plan.rate:.3g} s,"
        return f"from {window_s:.3g} s of sound{inner} by the encoder {name} (its licence: {licence})"
    if bundle.ensemble is None:
        return f"from {front.n_mels} mel bands between {front.fmin_hz:g} and {front.fmax_hz:g} Hz"
    combination, names = bundle.ensemble.combination, [escaped(member.name) for member in bundle.ensemble.members]
    shares = zip(names, combination.shares(len(names)), strict=True)
    listed = ", ".join(f"{name} ({share:.3f})" for name, share in shares)
    return f"by the rule {combination.rule} from those of {len(names)} models with their weights: {listed}"


def _postprocess(postprocess: Postprocess) -> list[str]:
    if postprocess.does_nothing:
        return []
    lines = ["", "Before they are decided on, scores are post-processed."]
    if postprocess.smooths:
        kernel = ", ".join(f"{weight:g}" for weight in postprocess.kernel)
        lines.append(f"Each is the mean of its neighbours with the weights {kernel}.")
    if postprocess.needs_whole:
        lines.append(
            f"Each label's are multiplied by the mean of its {postprocess.file_prior_top} highest in the recording, "
            f"to the power {postprocess.file_prior_power:g}. **This needs the whole recording: streams are refused.**"
        )
    return lines


def _split(split: Mapping[str, Any]) -> list[str]:
    lines = _listed_facts(split) or ["Not recorded."]
    if leaky := split.get("leaky"):
        lines = [f"**{escaped(leaky)}.** Nothing here says how good it is on another recording.", "", *lines]
    n_groups = split.get("n_groups")
    if isinstance(n_groups, int) and n_groups < FEW_GROUPS:
        group = escaped(split.get("group", "group"))
        lines += ["", f"**Few groups.** Only {n_groups} different values of {group}: intervals are wide or absent, and"]
        lines += ["figures may not carry over to a new one."]
    return lines


def _figures(metrics: Mapping[str, Any]) -> list[str]:
    figures = metrics.get("figures")
    if not isinstance(figures, list) or not figures:
        return ["None recorded."]
    rows = ["| figure | label | value | interval | basis |", "|---|---|---|---|---|"]
    for figure in figures:
        if not isinstance(figure, Mapping):
            continue
        low, high = figure.get("low"), figure.get("high")
        interval = _MISSING if low is None or high is None else f"{_number(low)} to {_number(high)}"
        cells = [figure.get("name", ""), figure.get("label", "all"), _number(figure.get("value"))]
        cells += [interval, figure.get("basis", "in-sample")]
        rows.append("| " + " | ".join(escaped(cell) for cell in cells) + " |")
    notes = metrics.get("notes")
    if isinstance(notes, list) and notes:
        rows += ["", *(f"- {escaped(note)}" for note in notes)]
    return rows


def _insufficient(metrics: Mapping[str, Any]) -> list[str]:
    """Return why the data cannot support the figures; nothing if they can."""
    reasons = metrics.get("insufficient")
    if not isinstance(reasons, list) or not reasons:
        return []
    listed = [f"- {escaped(reason)}" for reason in reasons]
    return ["**The data are insufficient for a claim about new recordings:**", "", *listed, ""]


def _gate(metrics: Mapping[str, Any]) -> list[str]:
    """Return whether the bundle passed the noise gate; nothing for bundles from before the gate existed."""
    verdict = metrics.get("gate")
    reported = metrics.get("noise_reported")
    if isinstance(reported, list) and reported:
        text = "It reports here and refuses nothing, because what is to be found sounds like noise:"
        return ["## Noise gate", "", text, "", *(f"- {escaped(limit)}" for limit in reported), ""]
    if verdict not in ("passed", "refused"):
        return []
    text = "**Refused:** it fires where there is nothing to find." if verdict == "refused" else "Passed."
    silent = metrics.get("gate_found_nothing")
    if isinstance(silent, str) and silent:
        text = f"**{'Refused' if verdict == 'refused' else 'Not refused, as a trial'}:** {escaped(silent)}."
        verdict = ""
    exceptions = metrics.get("gate_exceptions")
    if not isinstance(exceptions, list) or not exceptions:
        return ["## Noise gate", "", text, ""]
    if verdict == "passed":
        text = "**Passed with exceptions.** These sounds could not refuse the bundle:"
    return ["## Noise gate", "", text, "", *(f"- {escaped(exception)}" for exception in exceptions), ""]


def _exports(exports: object) -> list[str]:
    """Return the further graphs of ``ossicle export``: by file and by precision in a runtime, with their changes."""
    if not isinstance(exports, Mapping) or not exports:
        return []
    rows = ["", "## Exports", "", "| graph | run as | largest difference | AUC change |", "|---|---|---|---|"]
    for file, ways in sorted(exports.items()):
        for way, facts in sorted(ways.items()) if isinstance(ways, Mapping) else ():
            values = facts if isinstance(facts, Mapping) else {}
            largest, change = values.get("max_difference"), values.get("macro_auc_change")
            cells = [file, way, f"{largest:.1e}" if isinstance(largest, int | float) else "unknown"]
            cells += [f"{change:+.4f}" if isinstance(change, int | float) else "not judged"]
            rows.append("| " + " | ".join(escaped(cell) for cell in cells) + " |")
    return rows


def _decisions(labels: Sequence[str], decisions: Mapping[str, Decision]) -> list[str]:
    rows = ["| label | on | off | smoothing | shortest (s) | joined gap (s) |", "|---|---|---|---|---|---|"]
    for label in labels:
        decision = decisions[label]
        smoothing = (
            "none" if decision.smoothing == "none" else f"{decision.smoothing} of {decision.smoothing_frames} frames"
        )
        cells = [
            label,
            f"{decision.on:.3g}",
            f"{decision.off:.3g}",
            smoothing,
            f"{decision.min_length_s:g}",
            f"{decision.min_gap_s:g}",
        ]
        rows.append("| " + " | ".join(escaped(cell) for cell in cells) + " |")
    return rows


def _states(decision: StateDecision) -> list[str]:
    """Return the rules of states, what hides what, and the priority."""
    lines = []
    if decision.fitted:
        lines += ["| label | on | off | smoothing | shortest on (s) | shortest off (s) | debounce (frames) |"]
        lines += ["|---|---|---|---|---|---|---|"]
    for label, rule in decision.rules.items():
        smoothing = "none" if rule.smoothing == "none" else f"{rule.smoothing} of {rule.frames} frames"
        cells = [label, f"{rule.on:.3g}", f"{rule.off:.3g}", smoothing, f"{rule.min_on_s:g}", f"{rule.min_off_s:g}"]
        lines.append("| " + " | ".join(escaped(cell) for cell in [*cells, rule.debounce]) + " |")
    mask_lines = [
        f"- {escaped(a)} hides {escaped(', '.join(b))}: unknown while it is on" for a, b in decision.masks.items()
    ]
    if decision.priority:
        mask_lines.append(
            f"- The status is that of the first label that is on: {escaped(', '.join(decision.priority))}."
        )
    return [*lines, *([""] if lines and mask_lines else []), *mask_lines]


def _listed_facts(values: Mapping[str, Any]) -> list[str]:
    return [f"- {escaped(key)}: {escaped(_in_words(value))}" for key, value in sorted(values.items())]


def _in_words(value: object, deep: int = 0) -> str:
    """Return a value of JSON without the brackets and quotes of a program; what is nested very deeply keeps them."""
    if deep > _DEEPEST:
        return str(value)
    if isinstance(value, Mapping):
        return "; ".join(f"{key} {_in_words(item, deep + 1)}" for key, item in sorted(value.items())) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(_in_words(item, deep + 1) for item in value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    return "none" if value is None else str(value)


def _number(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, int | float) else _MISSING
