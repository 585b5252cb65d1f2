"""Step ``store``: the recordings decoded at the model's rate."""

from pathlib import Path

from ossicle.app.steps.step import Context, Step
from ossicle.audio.store.build import build_store
from ossicle.audio.store.entries import StoreItem
from ossicle.audio.versions import decoder_versions
from ossicle.core.digest import digest
from ossicle.core.errors import AudioError
from ossicle.core.records import Recording
from ossicle.corpus.index_files import read_index

STEP_VERSION = 1
_MOST_NAMED = 5


def run(context: Context) -> None:
    """Build the store of every recording that is annotated or examined; shards that are there already are kept."""
    project = context.project
    recordings = _recordings(context.inputs["corpus"])
    done = 0

    def shard_done(name: str) -> None:
        nonlocal done
        done += 1
        context.progress.advance(done, 0, f"shard {name}")

    entries = build_store(
        [StoreItem(one.id, project.audio_folder / one.path, one.digest) for one in recordings],
        context.out,
        project.settings.frontend.rate,
        workers=project.settings.project.workers,
        progress=shard_done,
    )
    if lost := [entry for entry in entries if entry.status == "left_out"]:
        # The index decodes what it lists, unless it was told to believe headers.
        paths = {one.id: one.path for one in recordings}
        named = "; ".join(f"{paths[entry.recording_id]}: {entry.reason}" for entry in lost[:_MOST_NAMED])
        raise AudioError(
            f"{named}{f'; and {len(lost) - _MOST_NAMED} more' * (len(lost) > _MOST_NAMED)}: annotated, but not to be "
            "decoded. Set [corpus] decode = true, and what cannot be decoded is found first and left out"
        )


def recordings_digest(corpus: Path) -> str:
    """The recordings alone: a changed annotation does not decode anything again."""
    return digest(sorted([one.id, one.digest] for one in _recordings(corpus)))


def _recordings(corpus: Path) -> list[Recording]:
    index = read_index(corpus)
    return [one for one in index.recordings if one.reviewed or one.id in index.partly]


STEP = Step(
    name="store",
    version=STEP_VERSION,
    needs=("corpus",),
    settings=lambda project: {"rate": project.settings.frontend.rate, "decoders": decoder_versions()},
    run=run,
    reads={"corpus": recordings_digest},
)
