"""The explorer of one descent: the optimizer's numbers are moved, path and loss follow."""

import numpy as np

from helpers.explorers.controls import Dial
from helpers.explorers.runs import curvatures, ending, loss_curve, noisy, outcome, path, signs
from helpers.explorers.stage import View
from helpers.explorers.walkers import Walker
from helpers.explorers.words import WORDS, said, sign, table
from helpers.landscapes import plateau, ravine
from helpers.looks import OTHER_LOOKS
from helpers.optimizers import SGD

SAY, WALK = WORDS["descent"], WORDS["walk"]
ON_RAVINE = {"landscape": ravine.name, "x": -7.0, "y": 2.0, "steps": 30}
ON_PLATEAU = {"landscape": plateau.name, "x": -7.5, "y": 2.0, "steps": 300}
PRESETS = {
    "SGD": [{"lr": 0.95}, {"lr": 1.0}, {"lr": 1.1, "steps": 100}],
    "Momentum": [
        {"lr": 0.1, "momentum": 0.9},
        {"lr": 1.336, "momentum": 0.403},
        {"lr": 0.1, "momentum": 1.0, "steps": 100},
    ],
    "AdaGrad": [{"lr": 1.5}, {"lr": 1.5, **ON_PLATEAU}],
    "Adam": [{"lr": 0.3}, {"lr": 0.001, "steps": 300}, {"lr": 0.3, "beta1": 0.0, "beta2": 0.0}],
}
X_LOOK, Y_LOOK = OTHER_LOOKS[1], OTHER_LOOKS[2]


class Descent(Walker):
    """One optimizer on a landscape: its path, its loss and its state at a chosen step.

    Parameters are those of `Walker`.

    Examples
    --------
    >>> Descent(SGD, ravine, lr=1.0)
    Explorer: SGD (lr 1) on the ravine from (-7, 2), 30 steps: ends at (-0.297, 2), loss 4.
    """

    def __init__(self, rule=SGD, landscape=ravine, start=None, steps=30, **numbers):
        controls = self.settle(rule, landscape, start, steps, numbers)
        controls.append(Dial("noise", SAY["noise"], 0.0, 0.0, 3.0))
        known = zip(SAY["presets"].get(self.name, []), PRESETS.get(self.name, []), strict=True)
        numbers = {dial.name: dial.value for dial in controls if dial.name in self.numbers}
        quiet = {**ON_RAVINE, **numbers, "noise": 0.0}
        actions = {label: {**quiet, **changes} for label, changes in known}
        if "lr" in self.numbers:
            actions[SAY["best"]] = self.best
        actions[SAY["new_draw"]] = lambda values: {"draw": values["draw"] + 1}
        super().__init__(controls, actions, draw=0)

    def view(self, values):
        """Return what to show."""
        landscape, start = self.place(values)
        run, look = self.run(values), self.look
        quantities = {"θ": run.positions, WALK["gradient"]: run.gradients, **self.memory(run)}
        columns = {name: quantity.T for name, quantity in quantities.items()}
        columns[WALK["loss"]] = (run.losses, "")
        bowl = curvatures(landscape)
        if bowl:
            columns[SAY["axis_loss"]] = self.by_axis(run).T
        if bowl and self.name == "SGD":
            columns[SAY["factor"]] = [said(1 - values["lr"] * curvature) for curvature in bowl]
        rows = zip("xy", *columns.values(), strict=True)
        words, noise = outcome(run), ""
        if values["noise"]:
            marks, words = self.cloud(values, landscape, start)
            noise = SAY["alt_noise"].format(noise=said(values["noise"], 3))
        else:
            marks = [path(run.positions, look, self.name)]
            if bowl:
                along_x, along_y = self.by_axis(run).T
                marks.append(loss_curve(landscape, along_x, X_LOOK, SAY["along_x"], "line"))
                marks.append(loss_curve(landscape, along_y, Y_LOOK, SAY["along_y"], "line"))
            marks.append(loss_curve(landscape, run.losses, look))
        return View(
            panels=self.usual_panels(values),
            marks=marks,
            words=words,
            alt=f"{self.title(values)}{noise}: {ending(run)}.",
            last=run.steps,
            **table([WALK["step"], *columns], rows),
            key=self.key(values, bowl, signs(landscape)),
            off=() if values["noise"] else (SAY["new_draw"],),
            pace=max(5.0, run.steps / 6),
            grips={0: start},
        )

    def key(self, values, bowl, signs):
        """Explain colors and signs."""
        names = [sign(self.name, self.look), signs]
        if values["noise"]:
            names.append(SAY["noise_key"])
        elif bowl:
            names += [sign(SAY["along_x"], X_LOOK), sign(SAY["along_y"], Y_LOOK)]
        return ", ".join(names)

    @np.errstate(over="ignore")
    def by_axis(self, run):
        """Return the loss along x and along y, which add up to the loss of a bowl."""
        return np.array(curvatures(run.landscape)) / 2 * run.positions**2

    def cloud(self, values, landscape, start):
        """Return the marks of twenty noisy runs with their median, and what to say of them."""
        look, steps = self.look, values["steps"]
        optimizer = self.rule(**self.settings(values))
        positions = noisy(optimizer, landscape, start, steps, values["noise"], values["draw"])
        with np.errstate(all="ignore"):
            losses = np.nan_to_num(landscape(positions), nan=np.inf, posinf=np.inf)
        middle = np.median(losses, axis=1)
        marks = [path(run, look, kind="faint") for run in np.moveaxis(positions, 1, 0)]
        marks += [loss_curve(landscape, run, look, kind="faint") for run in losses.T]
        finite = np.clip(np.nan_to_num(positions, nan=1e30), -1e30, 1e30)
        marks.append(path(np.median(finite, axis=1), look, SAY["median"]))
        marks.append(loss_curve(landscape, middle, look))
        floor = float(np.median(losses[steps // 2 :]))
        if np.isfinite(floor):
            level = np.full(steps + 1, floor)
            marks.append(loss_curve(landscape, level, OTHER_LOOKS[0], kind="line"))
        words = SAY["noisy"].format(steps=steps, median=said(float(middle[-1])), floor=said(floor))
        return marks, words
