"""Settings of the downloads, apart from the code that reads the table: the project file needs no network code."""

from ossicle.core.settings import setting, settings


@settings
class FetchSettings:
    """``[fetch]``: recordings that are downloaded before anything else; these settings do not change any result."""

    table: str = setting(
        default="", help="CSV, TSV or Parquet table of files to download; empty: no downloads", digest=False
    )
    folder: str = setting(
        default="audio", help="folder for the downloaded files, relative to the project file", digest=False
    )
    address_column: str = setting(default="address", help="column with http, https or file addresses", digest=False)
    size_column: str = setting(default="size", help="column with file sizes", unit="bytes", digest=False)
    sha256_column: str = setting(
        default="sha256", help="column with SHA-256 digests, 64 hexadecimal digits", digest=False
    )
    path_column: str = setting(
        default="path",
        help="column with paths below the folder; without the column, or in an empty cell: the last part of "
        "the address",
        digest=False,
    )
    connections: int = setting(default=4, help="number of parallel downloads", ge=1, le=64, digest=False)
    attempts: int = setting(default=5, help="number of retries of a file that bring no new bytes", ge=1, digest=False)
    timeout_s: float = setting(
        default=30.0, help="time without data after which a try ends", unit="s", gt=0, digest=False
    )
