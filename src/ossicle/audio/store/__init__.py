"""The store: recordings decoded once into HDF5 shards of int16, from which a random crop takes a tenth of a
millisecond.

``build_store`` writes it, ``Store`` reads it, ``MixedStore`` also reads recordings outside it, ``verify_store`` checks
it. No other package depends on HDF5.
"""

from ossicle.audio.store.build import build_store
from ossicle.audio.store.composition import Composition, composition
from ossicle.audio.store.entries import RawEntry, RawReading, StoreEntry, StoreItem
from ossicle.audio.store.mixed import MixedStore
from ossicle.audio.store.read import Store
from ossicle.audio.store.verify import verify_store
from ossicle.audio.store_settings import StoreSettings

__all__ = [
    "Composition",
    "MixedStore",
    "RawEntry",
    "RawReading",
    "Store",
    "StoreEntry",
    "StoreItem",
    "StoreSettings",
    "build_store",
    "composition",
    "verify_store",
]
