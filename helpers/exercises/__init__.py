"""The exercises of the notebooks: `exercises.check_NAME(attempt)` answers an attempt.

An attempt runs on hidden inputs, beside the solution. Where their outcomes differ, the check also
runs the solution with each mistake that people make, and names the one that has the very outcomes
of the attempt.

How to add an exercise
----------------------
Write it into the file of its notebook, say `07_initialization.toml`. The file begins with what
its code imports; `np` and the names in `draws.py` are there anyway. Every exercise is a table::

    imports = "import math"

    [he_limit]
    kind = "function"
    hint = "the general hint: for a mistake that nobody foresaw."
    solution = '''
    def he_limit(inputs):
        return np.sqrt(6 / inputs)
    '''
    inputs = '''
    def inputs(rng):
        return (int(rng.integers(1, 1000)),)
    '''

    [he_limit.mistakes.normal]
    hint = "this is the standard deviation; a uniform distribution reaches farther."
    edits = [["6 / ", "2 / "]]

`inputs` draws the arguments of one hidden case, a tuple. Give numbers few digits (`short`,
`spread`), so that a verdict can show them whole. A mistake has a name, and is made by replacing a
text of the solution by another, everywhere, edit after edit; `also` lists further ways to make it,
each a list of edits. Its hint says what is wrong and nothing that may be false: two programs with
the same outcomes get the same hint. It starts small, since "Hint:" stands before it.

Further keys are optional. `later` is the general hint for an attempt whose first row or update is
right. `like = "MyAdam"` takes over those mistakes of another exercise whose edits find their place.

Then add the exercise to its notebook and its solution to `notebooks/solutions`, and run
`tests/test_exercises.py`. The tests find the new table by themselves: they hold the notebook's
solution against this one, and make sure that it passes, that every edit applies, and that every
mistake gets its hint. Attempts as students write them go to `tests/attempts`.

The kinds of check are in `KINDS`. A "function" may return a number or an array; what a `Counted`
argument is asked for is counted. An "optimizer" is a class with `update(params, grads)`, and its
`inputs` return the hyperparameters. The other kinds look at what an attempt does, and find the
hints on it by the names of the mistakes. For a kind of its own, derive a class from `Check`. The
sentences that all exercises share are in `words.toml`.
"""

import tomllib
from pathlib import Path

from helpers.exercises.checks import FunctionCheck, Mistake, OptimizerCheck, applies
from helpers.exercises.contest import ContestCheck
from helpers.exercises.shuffled import ShuffledCheck
from helpers.exercises.valley import ValleyCheck

KINDS = {
    "function": FunctionCheck,
    "optimizer": OptimizerCheck,
    "shuffled": ShuffledCheck,
    "valley": ValleyCheck,
    "contest": ContestCheck,
}
CHECKS = {}


def read_checks(path):
    """Add the checks of a notebook's file to `CHECKS`, each under the name of its exercise."""
    exercises = tomllib.loads(path.read_text(encoding="utf-8"))
    imports = exercises.pop("imports", "")
    for name, table in exercises.items():
        kind, like = KINDS[table.pop("kind")], table.pop("like", None)
        mistakes = {key: Mistake(**each) for key, each in table.pop("mistakes").items()}
        for key, mistake in CHECKS[like].mistakes.items() if like else ():
            if applies(table["solution"], mistake.edits):
                mistakes.setdefault(key, mistake)
        CHECKS[name] = kind(name=name, imports=imports, mistakes=mistakes, **table)


for file in sorted(Path(__file__).parent.glob("[0-9]*.toml")):
    read_checks(file)
globals().update({f"check_{name}": check for name, check in CHECKS.items()})
