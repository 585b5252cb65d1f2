"""``[registry]``: where promoted bundles are kept."""

from ossicle.core.settings import setting, settings


@settings
class RegistrySettings:
    """The place of the registry; it does not change any result."""

    folder: str = setting(
        default="",
        help="folder of promoted bundles, below that of the project file; empty: $OSSICLE_REGISTRY if it is set, else "
        "`registry` in the data root",
        digest=False,
    )
