"""What an export measures and allows, apart from the code that needs torch."""

from ossicle.core.settings import setting, settings


@settings
class ExportSettings:
    """``[export]``: what ``ossicle export`` may cost in quality, and how much sound it measures on."""

    int8_auc_drop: float = setting(
        default=0.005, help="most that int8 may lose of the macro ROC AUC of held-out recordings", ge=0, le=1
    )
    calibration_chunks: int = setting(
        default=64, help="chunks of training recordings that the ranges of int8 are taken from", ge=1, le=10000
    )
    held_out_hours: float = setting(
        default=1.0, help="most held-out sound that each precision is judged on; drawn where there is more", unit="h",
        gt=0,
    )  # fmt: skip
    seed: int = setting(default=0, help="seed of what is drawn", ge=0)
