"""Step ``store``: the recordings decoded at the model's rate."""

from pathlib import Path

from ossicle.app.steps.step import Context, Step
from ossicle.audio.store.build import build_store
from ossicle.audio.store.entries import StoreItem
from ossicle.audio.versions import decoder_versions
from ossicle.core.digest import digest
from ossicle.core.records import Recording
from ossicle.corpus.index_files import read_index

STEP_VERSION = 1


def run(context: Context) -> None:
    """Build the store of every recording that is annotated or examined; shards that are there already are kept."""
    project = context.project
    recordings = _recordings(context.inputs["corpus"])
    done = 0

    def shard_done(name: str) -> None:
        nonlocal done
        done += 1
        context.progress.advance(done, 0, f"shard {name}")

    build_store(
        [StoreItem(one.id, project.audio_folder / one.path, one.digest) for one in recordings],
        context.out,
        project.settings.frontend.rate,
        workers=project.settings.project.workers,
        progress=shard_done,
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
