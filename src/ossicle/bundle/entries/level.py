"""How the scores of a bundle follow the level: ``level`` in its manifest (``LevelSettings``), and its class models.

``level.safetensors`` has the arrays of ``core.scores.level_model.LevelModel``.
"""

from ossicle.bundle.reading import Reader
from ossicle.core.scores.level_settings import LevelSettings

LEVEL = "level.safetensors"


def read_level(reader: Reader) -> LevelSettings | None:
    """Return the value of ``level`` in a manifest.

    Parameters
    ----------
    reader
        The manifest.

    Returns
    -------
    LevelSettings or None
        None if the manifest has no such key.

    Raises
    ------
    BundleError
        The value is wrong, or does not go together with the others; the message names the key.
    """
    if "level" not in reader.value:
        return None
    if "encoder" not in reader.value or "states" not in reader.value or "encoder_windows" in reader.value:
        raise reader.refuse("level", "is for states by an encoder that reads whole windows")
    if LEVEL not in reader.table("files").value:
        raise reader.refuse("level", f"needs the file {LEVEL}, which files does not list")
    return reader.settings("level", LevelSettings)
