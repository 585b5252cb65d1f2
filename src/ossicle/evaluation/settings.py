"""Settings of evaluation."""

from ossicle.core.scores.pooling import MAX, POOLS
from ossicle.core.settings import setting, settings
from ossicle.evaluation.criteria.kinds import CRITERION_KINDS, CriterionKind


@settings
class EvaluationSettings:
    """``[evaluation]``: what counts as detected, and how intervals are computed."""

    criterion: str = setting(
        default="iou",
        help=f"what is evaluated: {'; '.join(f'{kind.name}: {kind.what}' for kind in CRITERION_KINDS.values())}",
        choices=tuple(CRITERION_KINDS),
    )
    pool: str = setting(
        default=MAX, help="score of a recording: the highest of its frames, or their mean over time", choices=POOLS
    )
    iou: float = setting(default=0.5, help="lowest intersection over union of a match", gt=0, le=1)
    collar_s: float = setting(default=0.2, help="collar of the second criterion, as in sed_eval", unit="s", gt=0)
    onset_s: float = setting(
        default=0.03,
        help='largest distance of a found onset from the annotated one, with criterion = "onsets"',
        unit="s",
        gt=0,
        digest_default=False,
    )
    bootstrap: int = setting(default=1000, help="number of resamples for the intervals", ge=100)
    seed: int = setting(default=0, help="seed of the resampling, and of the fraction", ge=0)
    fraction: float = setting(
        default=1.0,
        help="share of the held-out clips of each label that is scored and judged by clip",
        gt=0,
        le=1,
        digest_default=False,
    )
    floor: int = setting(
        default=20,
        help="with a fraction: fewest clips of a label; all of a label that has fewer",
        ge=0,
        digest_default=False,
    )

    baselines: bool = setting(
        default=True,
        help="where clips are judged: compare with the majority label and a forest on MFCCs, fitted on the same folds",
        digest_default=False,
    )

    @property
    def applied_pool(self) -> str:
        """How a decision sees a recording: ``max``, frame by frame, where times are judged; else the pooled score."""
        return MAX if self.kind.timed else self.pool

    @property
    def kind(self) -> CriterionKind:
        """The declared kind of the criterion."""
        return CRITERION_KINDS[self.criterion]
