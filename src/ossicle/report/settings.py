"""Settings of the report."""

from ossicle.core.settings import setting, settings


@settings
class ReportSettings:
    """``[report]``: what the page shows."""

    examples: int = setting(default=6, help="examples of each kind in the gallery", ge=0, le=50)
    margin_s: float = setting(default=0.5, help="sound shown on each side of an example", unit="s", ge=0.05, le=10)
