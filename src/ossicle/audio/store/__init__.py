"""The store: recordings decoded once into HDF5 shards of int16, from which random crops cost a tenth of a millisecond.

``build_store`` writes it, ``Store`` reads it, ``verify_store`` checks it. No other package knows that it is HDF5.
"""

from ossicle.audio.store.build import build_store
from ossicle.audio.store.entries import StoreEntry, StoreItem
from ossicle.audio.store.read import Store
from ossicle.audio.store.verify import verify_store

__all__ = ["Store", "StoreEntry", "StoreItem", "build_store", "verify_store"]
