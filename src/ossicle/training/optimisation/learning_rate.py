"""The learning rate of every optimiser step, as a factor of the highest one."""

import math

from ossicle.training.settings import TrainingSettings


class LearningRate:
    """A linear rise, then half a cosine down to ``training.final_learning_rate``, or a plateau with steps down to it.

    Its attributes are plain numbers, because torch saves them with the state of the schedule.

    Parameters
    ----------
    training
        Number of epochs, and the settings of the schedule.
    steps
        Optimiser steps per epoch.
    """

    def __init__(self, training: TrainingSettings, steps: int) -> None:
        self.total_steps = training.epochs * steps
        rise = training.warmup_epochs * steps or round(training.warmup * self.total_steps)
        self.rising_steps = max(1, min(rise, self.total_steps))
        self.plateau = training.schedule == "plateau"
        self.patience, self.reduction = training.plateau_patience, training.plateau_factor
        self.height, self.best_loss, self.waited = 1.0, math.inf, 0
        self.lowest = training.final_learning_rate / training.learning_rate

    def __call__(self, step: int) -> float:
        """Return the factor of an optimiser step, counted from 0: in (0, 1]."""
        if step < self.rising_steps:
            return (step + 1) / self.rising_steps
        if self.plateau:
            return self.height
        done = min(1.0, (step - self.rising_steps) / max(1, self.total_steps - self.rising_steps))
        return self.lowest + (1 - self.lowest) * (0.5 * (1 + math.cos(math.pi * done)))

    def end_epoch(self, inner_loss: float, next_step: int) -> None:
        """Lower the plateau if the loss on inner held-out groups has not fallen for too many epochs after the rise.

        Parameters
        ----------
        inner_loss
            The loss after the epoch.
        next_step
            The optimiser step that comes next.
        """
        if inner_loss < self.best_loss:
            self.best_loss, self.waited = inner_loss, 0
        elif next_step > self.rising_steps:
            self.waited += 1
        if self.waited >= self.patience:
            self.height, self.waited = max(self.lowest, self.height * self.reduction), 0
