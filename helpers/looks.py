"""One color and one marker for each method, and the colors of a map, for all pictures."""

import numpy as np

# Colors of Okabe and Ito, told apart by color-blind readers; markers and dashes tell them in gray.
LOOKS = {
    "SGD": {"color": "#D55E00", "marker": "o", "linestyle": "-"},
    "Momentum": {"color": "#0072B2", "marker": "s", "linestyle": (0, (5, 1.5))},
    "AdaGrad": {"color": "#009E73", "marker": "^", "linestyle": (0, (2.5, 1))},
    "Adam": {"color": "#AA4499", "marker": "D", "linestyle": (0, (6, 1.5, 1.5, 1.5))},
}
# What else keeps its look through the series.
NAMED_LOOKS = {
    "SGD at η/(1 − α)": {"color": "#E69F00", "marker": "v", "linestyle": (0, (2, 1))},
    "velocity v": {"color": "#8C2F1B", "marker": "s", "linestyle": "-"},  # as in the drawing
    "kept αv": {"color": "#8C2F1B", "marker": "s", "linestyle": "-"},
    "push −ηg": {"color": "#33302B", "marker": "o", "linestyle": (0, (2.5, 1))},
    "push felt ahead": {"color": "#CC3377", "marker": "D", "linestyle": "-"},
}
OTHER_LOOKS = [
    {"color": "#333333", "marker": "o", "linestyle": "-"},
    {"color": "#E69F00", "marker": "s", "linestyle": (0, (5, 1.5))},
    {"color": "#56B4E9", "marker": "^", "linestyle": (0, (2.5, 1))},
    {"color": "#8C6D46", "marker": "D", "linestyle": (0, (6, 1.5, 1.5, 1.5))},
    {"color": "#999999", "marker": "v", "linestyle": (0, (3, 1, 1, 1, 1, 1))},
    {"color": "#004D40", "marker": "P", "linestyle": "-"},
]
EARTH = ["#9DB9C9", "#D3DEDD", "#F4ECDD", "#E2C9A3"]  # from the valleys to the peaks
RELIEF = ["#2F6385", "#7FA9C0", "#E9E4D4", "#D9AE72", "#A9713B"]  # the same, with no lines on it
INK = "#444444"


def contour_levels(heights):
    """Return levels of equal height steps, or of equal shares of the map where that shows more."""
    heights = np.sort(heights, axis=None)
    low, middle, high = heights[0], heights[len(heights) // 2], heights[-1]
    if 0.25 * (high - low) < middle - low < 0.75 * (high - low):
        return np.linspace(low, high, 17)
    levels = sorted({*heights[np.linspace(0, len(heights) - 1, 17).astype(int)]})
    return np.array(levels if len(levels) > 1 else [low - 0.5, low + 0.5])


def looks_of(names):
    """Return a look for each name: its own, if it has one, or the next of the other ones."""
    own = LOOKS | NAMED_LOOKS
    others = iter(OTHER_LOOKS * (1 + len(names) // len(OTHER_LOOKS)))
    return [own[name] if name in own else next(others) for name in names]
