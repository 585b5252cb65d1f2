"""Which recordings go into which shard of a store, and what a shard is called.

A shard's name is the digest of everything that determines its samples.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ossicle.artefacts.processes.work_parts import work_parts
from ossicle.audio.decoding.resample import QUALITY
from ossicle.audio.decoding.versions import decoder_versions
from ossicle.audio.info import DecoderChoice
from ossicle.audio.store.choice import seconds
from ossicle.audio.store.entries import STORE_VERSION, StoreItem, named_input
from ossicle.core.digest import digest

SHARD_S = 60.0
"""Most seconds of sound in a shard that holds more than one recording."""


@dataclass(frozen=True, slots=True)
class ShardPlan:
    """A planned shard: its name (a digest) and its recordings."""

    name: str
    items: tuple[StoreItem, ...]


def plan_shards(
    items: Sequence[StoreItem], rate: int, decoder: DecoderChoice, most_s: float, most_items: int
) -> list[ShardPlan]:
    """Return the shards of recordings, which are sorted by id.

    Parameters
    ----------
    items
        The recordings.
    rate
        Sample rate of the store in Hz.
    decoder
        The decoder.
    most_s
        Longest shard in seconds, by the lengths in the index or in headers; a longer recording is a shard by itself.
    most_items
        Most recordings in a shard.
    """
    shards: dict[int, list[StoreItem]] = {}
    numbers = work_parts([seconds(item) for item in items], most_s, most_items)
    for number, item in zip(numbers, items, strict=True):
        shards.setdefault(number, []).append(item)
    common = [STORE_VERSION, rate, QUALITY, decoder_versions(decoder)]
    # Two choices of a decoder never share a shard, although for most files they mean the same library.
    chosen = [] if decoder == "auto" else [decoder]
    return [
        ShardPlan(digest([*common, [named_input(item) for item in members], *chosen])[:24], tuple(members))
        for members in shards.values()
    ]
