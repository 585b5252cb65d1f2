"""The Markdown card of a promotion or a refusal: what, against what, the gate, and what to look at next."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ossicle.artefacts.typed.results.archived import ENVIRONMENT
from ossicle.artefacts.typed.results.published import BUNDLE, METRICS
from ossicle.bundle.card import escaped
from ossicle.bundle.manifest import CARD, Bundle
from ossicle.bundle.registry.registry import LEDGER, VERSIONS
from ossicle.bundle.registry.version import CHECKSUMS, GATES, VERSION_CARD, Version, version_folder
from ossicle.evaluation.gates.figures import figure_at, paths_like
from ossicle.evaluation.gates.gate_line import GateLine, gate_table
from ossicle.evaluation.gates.promotion import compared_figures

_WEAKEST = 3


def promotion_card(
    name: str,
    number: int,
    bundle: Bundle,
    lines: Sequence[GateLine],
    metrics: Mapping[str, Any],
    origin: Mapping[str, str],
    against: Version | None,
) -> str:
    """Return the card, ending in a newline.

    Parameters
    ----------
    name
        The name in the registry.
    number
        Of the new version or, if a line failed, of the refusal.
    bundle
        The candidate.
    lines
        The lines of the gates.
    metrics
        Its figures.
    origin
        Where it comes from: project, variant.
    against
        The version that was current; None for the first one.
    """
    refused = any(not line.passed for line in lines)
    title = f"{name}, refusal {number}: refused" if refused else f"{name}, version {number}: promoted"
    bundle_links = [] if refused else [f"[model card]({BUNDLE}/{CARD})", f"[checksums]({CHECKSUMS})"]
    files = [*bundle_links, f"[figures]({METRICS})", f"[gates]({GATES})", f"[environment]({ENVIRONMENT})"]
    return "\n".join(
        [
            f"# {escaped(title)}",
            "",
            f"- Model: {escaped(bundle.name)}, labels: {escaped(', '.join(bundle.labels))}",
            *(f"- {escaped(key)}: {escaped(value)}" for key, value in origin.items() if value),
            f"- Date: {datetime.now(UTC).date().isoformat()}",
            f"- Against: {_against(against, refused)}",
            f"- Files: {', '.join([*files, f'[ledger](../../{LEDGER})'])}",
            "",
            "## Gates",
            "",
            *_table(lines),
            "",
            "## What to look at next",
            "",
            *(f"- {escaped(advice)}" for advice in next_steps(lines, metrics)),
            "",
        ]
    )


def next_steps(lines: Sequence[GateLine], metrics: Mapping[str, Any]) -> list[str]:
    """Return what to look at next: the failed lines, then the labels with the lowest figures."""
    advice = [line.in_words for line in lines if not line.passed]
    if metrics.get("insufficient"):
        advice.append("The data are insufficient for a claim about new recordings.")
    for pattern in compared_figures(metrics):
        values = {path: figure_at(metrics, path).value for path in paths_like(metrics, pattern)}
        weakest = sorted((value, path) for path, value in values.items() if value is not None)[:_WEAKEST]
        if weakest:
            advice.append(f"Lowest figures: {', '.join(f'{path} {value:.3f}' for value, path in weakest)}.")
        if unknown := [path for path, value in values.items() if value is None]:
            advice.append(f"Undefined figures: {', '.join(unknown)}.")
    return advice or ["The figures have no labels to compare."]


def _against(against: Version | None, refused: bool) -> str:
    if against is None:
        return "nothing, because no version was current"
    above = f"../../{VERSIONS}" if refused else ".."
    return f"[version {against.number}]({above}/{version_folder(against.number)}/{VERSION_CARD})"


def _table(lines: Sequence[GateLine]) -> list[str]:
    if not lines:
        return ["No gate is set, and there is nothing to compare with."]
    rows = ["| gate | value | limit | result |", "|---|---|---|---|"]
    return rows + ["| " + " | ".join(map(escaped, row)) + " |" for row in gate_table(lines)]
