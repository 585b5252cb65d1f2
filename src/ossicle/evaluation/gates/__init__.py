"""The promotion gate and the probe gate: figures of a run against limits and against earlier runs."""
