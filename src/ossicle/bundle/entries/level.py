"""How the scores of a bundle follow the level: ``level`` in its manifest (``LevelSettings``), and its class models.

``level.safetensors`` has the arrays of ``core.scores.level_model.LevelModel``.
"""

from ossicle.bundle.reading import Reader
from ossicle.core.scores.level_settings import LevelSettings

LEVEL = "level.safetensors"


def read_level(reader: Reader) -> LevelSettings | None:
    """Return the value of ``level`` in a manifest, None if there is none; raises BundleError naming the key."""
    if "level" not in reader.value:
        return None
    if "encoder" not in reader.value or "states" not in reader.value or "encoder_windows" in reader.value:
        raise reader.refuse("level", "is for states by an encoder that reads whole windows")
    if LEVEL not in reader.table("files").value:
        raise reader.refuse("level", f"needs the file {LEVEL}, which files does not list")
    return reader.settings("level", LevelSettings)
