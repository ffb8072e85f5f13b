"""Widgets that follow the hand: a descent, a game, a map, a step, a race, a signal, a search.

Each is made and shown by one line, such as `explorers.Descent(SGD, ravine)`, as the last value of
a cell. The mathematics is that of `descend` and `sweep`; the browser only draws the numbers and
texts that it is sent.

How to write another one, in a file of its own; `slope.py` is a short example:

1.  Its class is an `Explorer` (or a `Walker`, with a landscape, a start and an optimizer). In
    `__init__` it hands over its controls, which check their first values, and its buttons:
    `super().__init__([usual_dial("lr", lr)], {"Small": {"lr": 0.01}})`. "Keep this run", Undo and
    Reset are there without a word.
2.  `view(values)` returns a `View` for given values of the controls: panels (axes, from
    `panels.axes` or `panels.map_panel`, kept by `lru_cache`), marks on them (paths, curves,
    arrows), the state in words, one line of text, and what `words.table` makes of numbers for each
    step. It depends on nothing but the values, for it is asked ahead for all stops of a dial.
3.  If something can be dragged, the view names its grip and `grabbed` says what that changes. If a
    value must follow another, `follow` sees to it. A `Rated` explorer charts the last losses on
    its dials of learning rates and finds the best ones; it says with `rates` where they end.
4.  Its sentences stand in `words.toml`, and the words of each of its panels in a table there.
5.  It is named here, and in `MAKERS` of `tests/test_explorers.py`, which tries all its controls.
"""

from helpers.explorers.game import BlindfoldGame
from helpers.explorers.inspector import StepInspector
from helpers.explorers.one_descent import Descent
from helpers.explorers.race import Race
from helpers.explorers.rate_map import RateMap
from helpers.explorers.search import Search
from helpers.explorers.signal import Signal
from helpers.explorers.slope import Slope
from helpers.explorers.valley import Turned

__all__ = [
    "BlindfoldGame",
    "Descent",
    "Race",
    "RateMap",
    "Search",
    "Signal",
    "Slope",
    "StepInspector",
    "Turned",
]
