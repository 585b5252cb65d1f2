"""What a run will use of a manifest of events: counted from its lines, without importing them."""

from collections import Counter
from collections.abc import Iterator

from ossicle.app.project.load import Project
from ossicle.app.steps.pipeline.preflight.disk import disk_finding, event_needs
from ossicle.app.steps.pipeline.preflight.finding import Finding
from ossicle.artefacts.roots import how_to_name
from ossicle.audio.probe import probe
from ossicle.core.errors import AudioError, OssicleError, UsageError
from ossicle.corpus.formats.label_map import parse_label_map
from ossicle.corpus.indexing.settings import CorpusSettings
from ossicle.corpus.manifest.chosen_recordings import chosen_places
from ossicle.corpus.manifest.verification import Verification, verify_manifest

_MOST_PROBED = 200
_MOST_NAMED = 12


def manifest_preview(project: Project) -> Iterator[Finding]:
    """Yield events, recordings of each source, labels, and the space that a run needs."""
    file, corpus = project.manifest, project.settings.corpus
    if file is None or not file.is_file():
        yield Finding("manifest", False, f"[corpus] manifest: {file} does not exist; correct the path")
        return
    try:
        verification = verify_manifest(
            file,
            project.roots,
            limit=corpus.limit,
            skip_bad=corpus.skip_bad,
            workers=project.settings.project.workers,
        )
    except (OssicleError, OSError) as problem:
        yield Finding("manifest", False, f"{problem}")
        return
    yield from _counts(verification, corpus.manifest_total if not corpus.limit else 0)
    if verification.sources and (corpus.include or corpus.exclude or corpus.most):
        try:
            chosen = verification.of(chosen_places(verification.named(), corpus))
        except UsageError as problem:
            yield Finding("recordings", False, f"{problem}")
            return
        yield Finding("recordings", True, _share(chosen, verification))
        verification = chosen
    for name, source_count in sorted(verification.sources.items()):
        message = f"{source_count.events} events in {source_count.recordings} recordings"
        if not source_count.missing_recordings:
            yield Finding(f"source {name}", True, message)
            continue
        message += (
            f"; {source_count.missing_recordings} of them, with {source_count.missing_events} events, are missing"
        )
        message += f" ({source_count.examples[0]} first)"
        over = source_count.missing_share > corpus.max_missing
        yield Finding(f"source {name}", False, f"{message}; {how_to_name(name)}" if over else message, blocks=over)
    yield _labels(verification, corpus)
    yield disk_finding(project, _needs(project, verification))


def _counts(verification: Verification, total: int) -> Iterator[Finding]:
    message = f"{verification.n_events} events in {verification.n_lines} lines"
    if total and total != verification.n_events:
        yield Finding(
            "manifest", True, f"{message}, but [corpus] manifest_total is {total}; check the file", warns=True
        )
    else:
        yield Finding(
            "manifest",
            bool(verification.n_events),
            message if verification.n_events else "holds no events; check the file",
        )
    if verification.n_bad:
        first = verification.bad[0]
        yield Finding("bad lines", False, f"{verification.n_bad}; line {first.line}: {first.reason}", blocks=False)


def _labels(verification: Verification, corpus: CorpusSettings) -> Finding:
    """Return the labels that a run will use, under the names of ``label_map`` and without those not in ``labels``."""
    names, counts = parse_label_map(corpus.label_map, "corpus.label_map"), Counter[str]()
    for label, n in verification.labels.items():
        counts[names.name(label)] += n
    used = {label: n for label, n in counts.items() if not corpus.labels or label in corpus.labels}
    if not used:
        return Finding(
            "labels", False, "no event has a label" if not counts else "no event has a label of corpus.labels"
        )
    labels = sorted(used.items(), key=lambda item: (-item[1], item[0]))
    named = ", ".join(f"{label} ({n})" for label, n in labels[:_MOST_NAMED])
    named += f" and {len(labels) - _MOST_NAMED} more" if len(labels) > _MOST_NAMED else ""
    if others := len(counts) - len(used):
        named += f"; {others} more with {counts.total() - sum(used.values())} hits are not in corpus.labels"
    return Finding("labels", True, f"{len(labels)}: {named}")


def _share(chosen: Verification, verification: Verification) -> str:
    """Return what a choice of recordings leaves, in words."""
    used, every = (
        (
            sum(source_count.recordings for source_count in counts.sources.values()),
            sum(source_count.events for source_count in counts.sources.values()),
        )
        for counts in (chosen, verification)
    )
    return (
        f"{used[0]} of {every[0]} are used ([corpus] include, exclude, most), with {used[1]} of {every[1]} events; "
        "labels below are those of all events"
    )


def _needs(project: Project, verification: Verification) -> dict[str, int]:
    """Return what a run needs, from the lengths of recordings spread over all of them."""
    existing = verification.existing()
    lengths = []
    for source, path in existing[:: max(1, -(-len(existing) // _MOST_PROBED))]:
        try:
            lengths.append(probe(project.roots.find(source, path) or project.audio_folder / path).duration_s)
        except (AudioError, OSError):
            # The run lists it as left out.
            continue
    seconds = sum(lengths) / len(lengths) * len(existing) if lengths else 0.0
    events = sum(verification.labels.values())
    return dict(event_needs(project, events, len(existing), seconds, len(verification.labels)))
