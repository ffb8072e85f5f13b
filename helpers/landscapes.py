"""Losses of two parameters that can be drawn: value, exact gradient, window, minima, start."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from helpers import doors

Point = tuple[float, float]


def numerical_gradient(f, position, h):
    """Estimate a gradient from values alone, by central differences.

    Parameters
    ----------
    f : callable
        Takes an array of shape (d,), returns its loss.
    position : array_like, shape (d,)
    h : float
        Half the distance between the two points that are compared, in the units of `position`.

    Returns
    -------
    ndarray, shape (d,)
        (f(x + h e) - f(x - h e)) / 2h along each axis e; its error is of order h², plus rounding
        of order 1 / h.
    """
    slopes = []
    for e in np.eye(len(position)):
        slopes.append((f(position + h * e) - f(position - h * e)) / (2 * h))
    return np.array(slopes)


@dataclass(frozen=True)
class Landscape:
    """A loss over two parameters, with all that a picture of it needs.

    Attributes
    ----------
    name : str
    formula : str
        LaTeX, without dollar signs; "" where there is none to show.
    value : callable
        (x, y) -> loss; broadcasts over arrays.
    slope : callable
        (x, y) -> (df/dx, df/dy), exact; broadcasts over arrays.
    window : ((x_min, x_max), (y_min, y_max))
        The part that is drawn.
    minima : tuple of (x, y)
        Every local minimum inside the window, the deepest first; () where they are not known.
    start : (x, y)
        Where a descent begins unless told otherwise.
    """

    name: str
    formula: str
    value: Callable[[Any, Any], Any]
    slope: Callable[[Any, Any], tuple[Any, Any]]
    window: tuple[Point, Point]
    minima: tuple[Point, ...]
    start: Point

    def __call__(self, position, *others):
        """Return the loss, shape (...), at `position`, shape (..., 2)."""
        position = doors.positions("position", position, *others)
        return self.value(position[..., 0], position[..., 1])

    def gradient(self, position, *others):
        """Return the exact gradient, shape (..., 2), at `position`, shape (..., 2)."""
        position = doors.positions("position", position, *others)
        gradient = np.empty_like(position)
        gradient[..., 0], gradient[..., 1] = self.slope(position[..., 0], position[..., 1])
        return gradient


def from_function(function, window, start, name="landscape of your own"):
    """Make a landscape of a learner's own function; its gradient is numerical.

    Parameters
    ----------
    function : callable
        (x, y) -> loss. Plain Python that takes one point at a time will do.
    window : ((x_min, x_max), (y_min, y_max))
    start : (x, y)
    name : str

    Raises
    ------
    TypeError, ValueError
        If the function gives no finite number at `start`, or the window is not two rising pairs
        of finite numbers.
    """
    window = doors.window(window)
    x, y = map(float, doors.finite("start", start, (2,)))
    try:
        height = function(x, y)
        finite = np.isfinite(float(height))
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
        raise TypeError(f"function must return one number at start {start}; {what}") from error
    if isinstance(height, str) or not finite:
        raise ValueError(f"function must return a finite number at start {start}, got {height!r}")
    value = function if _broadcasts(function, x, y) else _one_point_at_a_time(function)

    def slope(x, y, h=1e-5):
        along_x = value(x + h, y) - value(x - h, y)
        along_y = value(x, y + h) - value(x, y - h)
        return along_x / (2 * h), along_y / (2 * h)

    return Landscape(name, "", value, slope, window, (), (x, y))


def _broadcasts(function, x, y):
    """Tell whether `function` takes arrays and treats every element by itself."""
    try:
        values = np.asarray(function(np.array([[x, x]]), np.array([[y], [y]])), dtype=float)
    except Exception:
        return False
    return values.shape == (2, 2)


def _one_point_at_a_time(function):
    """Return `function` for arrays; beyond the range of floats it is infinite, as numpy's are."""

    def value(x, y):
        if not (np.isfinite(x) and np.isfinite(y)):
            return np.nan
        try:
            return function(x, y)
        except OverflowError:
            return np.inf

    return np.vectorize(value, otypes=[float])


def turned(landscape, degrees):
    """Turn a landscape about the origin, counterclockwise.

    Parameters
    ----------
    landscape : Landscape
    degrees : float

    Returns
    -------
    Landscape
        Its minima and its start are turned along; its window is that of `landscape`, widened
        where these would lie near its edge or outside. It has no formula to show.
    """
    doors.landscape(landscape)
    angle = np.deg2rad(doors.number("degrees", degrees))
    cos, sin = np.cos(angle), np.sin(angle)

    def turn(x, y):
        return cos * x - sin * y, sin * x + cos * y

    def turn_back(x, y):
        return cos * x + sin * y, cos * y - sin * x

    minima = tuple(tuple(map(float, turn(*minimum))) for minimum in landscape.minima)
    start = tuple(map(float, turn(*landscape.start)))
    places = np.array([start, *minima])
    margin = max(high - low for low, high in landscape.window) / 6
    return Landscape(
        name=f"{landscape.name}, turned by {degrees:g}°",
        formula="",
        value=lambda x, y: landscape.value(*turn_back(x, y)),
        slope=lambda x, y: turn(*landscape.slope(*turn_back(x, y))),
        window=tuple(
            (min(low, float(inside.min()) - margin), max(high, float(inside.max()) + margin))
            for (low, high), inside in zip(landscape.window, places.T, strict=True)
        ),
        minima=minima,
        start=start,
    )


round_bowl = Landscape(
    name="round bowl",
    formula=r"\frac{x^2 + y^2}{2}",
    value=lambda x, y: (x**2 + y**2) / 2,
    slope=lambda x, y: (x, y),
    window=((-8, 8), (-4, 4)),
    minima=((0.0, 0.0),),
    start=(-7.0, 2.0),
)

ravine = Landscape(
    name="ravine",
    formula=r"\frac{x^2}{20} + y^2",
    value=lambda x, y: x**2 / 20 + y**2,
    slope=lambda x, y: (x / 10, 2 * y),
    window=((-8, 8), (-4, 4)),
    minima=((0.0, 0.0),),
    start=(-7.0, 2.0),
)


def _beale_terms(x, y):
    return 1.5 - x + x * y, 2.25 - x + x * y**2, 2.625 - x + x * y**3


def _beale_slope(x, y):
    a, b, c = _beale_terms(x, y)
    return (
        2 * a * (y - 1) + 2 * b * (y**2 - 1) + 2 * c * (y**3 - 1),
        2 * a * x + 4 * b * x * y + 6 * c * x * y**2,
    )


beale = Landscape(
    name="Beale",
    formula=r"(1.5 - x + xy)^2 + (2.25 - x + xy^2)^2 + (2.625 - x + xy^3)^2",
    value=lambda x, y: sum(term**2 for term in _beale_terms(x, y)),
    slope=_beale_slope,
    window=((-1, 4), (-1, 2)),
    minima=((3.0, 0.5),),
    start=(1.0, 1.5),
)

rosenbrock = Landscape(
    name="Rosenbrock",
    formula=r"(1 - x)^2 + 100 (y - x^2)^2",
    value=lambda x, y: (1 - x) ** 2 + 100 * (y - x**2) ** 2,
    slope=lambda x, y: (-2 * (1 - x) - 400 * x * (y - x**2), 200 * (y - x**2)),
    window=((-2, 2), (-0.5, 2.5)),
    minima=((1.0, 1.0),),
    start=(-1.2, 1.0),
)

himmelblau = Landscape(
    name="Himmelblau",
    formula=r"(x^2 + y - 11)^2 + (x + y^2 - 7)^2",
    value=lambda x, y: (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2,
    slope=lambda x, y: (
        4 * x * (x**2 + y - 11) + 2 * (x + y**2 - 7),
        2 * (x**2 + y - 11) + 4 * y * (x + y**2 - 7),
    ),
    window=((-6, 6), (-5, 5)),
    minima=(
        (3.0, 2.0),
        (-2.805118086952745, 3.131312518250573),
        (-3.779310253377747, -3.283185991286170),
        (3.584428340330492, -1.848126526964404),
    ),
    start=(0.0, 0.0),
)

saddle = Landscape(
    name="saddle",
    formula=r"\frac{x^2}{2} + \frac{y^4}{4} - \frac{y^2}{2}",
    value=lambda x, y: x**2 / 2 + y**4 / 4 - y**2 / 2,
    slope=lambda x, y: (x, y**3 - y),
    window=((-2.5, 2.5), (-1.75, 1.75)),
    minima=((0.0, 1.0), (0.0, -1.0)),
    start=(-2.0, 0.001),
)


def _wall(x):
    """Return how far x lies inside the steep part, left of -5."""
    return np.maximum(0, -5 - x)


plateau = Landscape(
    name="plateau",
    formula=r"2 \max(0, -5 - x)^2 + \frac{\sqrt{1 + (x - 5)^2} - 1}{10} + \frac{y^2}{4}",
    value=lambda x, y: 2 * _wall(x) ** 2 + (np.sqrt(1 + (x - 5) ** 2) - 1) / 10 + y**2 / 4,
    slope=lambda x, y: (-4 * _wall(x) + (x - 5) / np.sqrt(1 + (x - 5) ** 2) / 10, y / 2),
    window=((-8, 8), (-4, 4)),
    minima=((5.0, 0.0),),
    start=(-7.5, 2.0),
)


def _hills(bumps):
    """Return value and slope of a wide bowl with hollows (depth > 0) and peaks (depth < 0).

    Each row of `bumps` is depth, x, y, width.
    """

    def terms(x, y):
        for depth, x0, y0, width in bumps:
            dx, dy = x - x0, y - y0
            yield depth, dx, dy, width, np.exp(-(dx**2 + dy**2) / (2 * width**2))

    def value(x, y):
        return (x**2 + y**2) / 50 - sum(depth * bump for depth, _, _, _, bump in terms(x, y))

    def slope(x, y):
        here = list(terms(x, y))
        return (
            x / 25 + sum(depth * dx / width**2 * bump for depth, dx, _, width, bump in here),
            y / 25 + sum(depth * dy / width**2 * bump for depth, _, dy, width, bump in here),
        )

    return value, slope


_mountains, _mountains_slope = _hills(
    [
        (3.0, 3.6, 2.2, 1.1),
        (2.0, -3.8, 1.6, 1.3),
        (1.5, -2.2, -2.6, 1.1),
        (1.7, 3.0, -2.4, 1.4),
        (-1.6, 0.2, 0.4, 1.3),
        (-1.0, 5.6, 0.0, 1.0),
        (-0.9, -6.0, -1.2, 1.2),
    ]
)

mountains = Landscape(
    name="mountains",
    formula=r"\frac{x^2 + y^2}{50} - \Sigma_i \, d_i \, e^{-|p - c_i|^2 / 2 w_i^2}",
    value=_mountains,
    slope=_mountains_slope,
    window=((-8, 8), (-5, 5)),
    minima=(
        (3.5504941495072178, 2.1774399019560695),
        (-3.6850613420359197, 1.568576282756816),
        (2.898313732344098, -2.3325978520483974),
        (-2.1516633955370597, -2.54255626057399),
    ),
    start=(-0.6, 1.4),
)


def mountain_range(rng):
    """Make a random mountain range with four valleys, the first by far the deepest.

    Parameters
    ----------
    rng : numpy.random.Generator, or int
        A seed makes one.

    Returns
    -------
    Landscape
        Its start drains into another valley than the deepest.
    """
    if not isinstance(rng, np.random.Generator):
        rng = np.random.default_rng(doors.whole_number("rng", rng))
    minima = []
    while len(minima) != 4:  # hollows can share a minimum, and a peak beside one can split it
        value, slope = _hills(_random_bumps(rng))
        minima = minima_inside(slope, mountains.window)
    minima.sort(key=lambda place: value(*place))
    return Landscape(
        name="mountain range",
        formula=mountains.formula,
        value=value,
        slope=slope,
        window=mountains.window,
        minima=tuple(tuple(minimum.tolist()) for minimum in minima),
        start=tuple(_start_elsewhere(rng, slope, minima).tolist()),
    )


def _random_bumps(rng):
    """Return four hollows, one of them deep, and two peaks, as `_hills` takes them."""
    places = [rng.uniform((-6, -3.5), (6, 3.5))]
    while len(places) < 6:
        place = rng.uniform((-6, -3.5), (6, 3.5))
        if min(np.linalg.norm(place - other) for other in places) > 2.5:
            places.append(place)
    depths = [3.2, *rng.uniform(1.0, 1.8, size=3), *rng.uniform(-1.5, -0.8, size=2)]
    return np.column_stack([depths, places, rng.uniform(1.0, 1.3, size=6)]).tolist()


def minima_inside(slope, window):
    """Find the minima of a smooth loss inside a window.

    Newton's method from every place of a fine grid; a minimum is found if the ground near it curves
    upwards from at least one of these places all the way down.

    Parameters
    ----------
    slope : callable
        (x, y) -> (df/dx, df/dy); broadcasts over arrays.
    window : ((x_min, x_max), (y_min, y_max))

    Returns
    -------
    list of ndarray, shape (2,)
        In no order.
    """
    (x_min, x_max), (y_min, y_max) = window
    x, y = np.meshgrid(np.linspace(x_min, x_max, 81), np.linspace(y_min, y_max, 51))
    for longest in [0.5] * 15 + [1e-8]:  # a walk that has not settled by then is dropped
        step_x, step_y, curves_up = _newton_step(slope, x, y)
        stays = curves_up & (np.hypot(step_x, step_y) < longest)
        x, y = (x + step_x)[stays], (y + step_y)[stays]
    inside = (x_min < x) & (x < x_max) & (y_min < y) & (y < y_max)
    found = []
    for place in np.stack([x, y], axis=-1)[inside]:
        if all(np.linalg.norm(place - other) > 1e-4 for other in found):
            found.append(place)
    return found


def _newton_step(slope, x, y, h=1e-5):
    """Return Newton's step (dx, dy) from each place, and whether the ground curves upwards."""
    slope_x, slope_y = slope(x, y)
    xx, xy = np.subtract(slope(x + h, y), slope(x - h, y)) / (2 * h)
    _, yy = np.subtract(slope(x, y + h), slope(x, y - h)) / (2 * h)
    determinant = xx * yy - xy**2
    curves_up = (xx > 0) & (determinant > 0)
    divisor = np.where(curves_up, determinant, np.inf)
    return (
        (xy * slope_y - yy * slope_x) / divisor,
        (xy * slope_x - xx * slope_y) / divisor,
        curves_up,
    )


def _start_elsewhere(rng, slope, minima):
    """Return a random place that drains into another minimum than the first."""
    while True:
        start = end = rng.uniform((-6, -3.5), (6, 3.5))
        for _ in range(300):
            end = end - 0.1 * np.array(slope(*end))
        if min(np.linalg.norm(end - minimum) for minimum in minima[1:]) < 0.01:
            return start


LANDSCAPES = {
    each.name: each
    for each in (round_bowl, ravine, beale, rosenbrock, himmelblau, saddle, plateau, mountains)
}
