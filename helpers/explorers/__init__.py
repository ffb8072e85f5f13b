"""Widgets that follow the hand: a descent, a game, a map of rates, one step, a race.

Each is made and shown by one line, such as `explorers.Descent(SGD, ravine)`, as the last value of
a cell. The mathematics is that of `descend` and `sweep`, the pictures are those of `figures`; the
stage in the browser only draws, over still pictures, the numbers that it is sent.
"""

from helpers.explorers.game import BlindfoldGame
from helpers.explorers.inspector import StepInspector
from helpers.explorers.one_descent import Descent
from helpers.explorers.race import Race
from helpers.explorers.rate_map import RateMap

__all__ = ["BlindfoldGame", "Descent", "Race", "RateMap", "StepInspector"]
