"""The landscapes: gradients against complex steps, minima against a search of the window."""

import math

import numpy as np
import pytest
from test_latex import evaluated

from helpers.landscapes import (
    LANDSCAPES,
    Landscape,
    from_function,
    minima_inside,
    mountain_range,
    numerical_gradient,
    ravine,
    turned,
)

WINDOW = ((-2, 3), (-1, 4))
TINY = 1e-30  # a complex step subtracts nothing, so it can be as small as one likes

every_landscape = pytest.mark.parametrize(
    "landscape", [pytest.param(each, id=name) for name, each in LANDSCAPES.items()]
)


def points_around(landscape, count=2000):
    """Return random points in twice the window, shape (count, 2)."""
    lows, highs = np.array(landscape.window).T
    middle, half = (lows + highs) / 2, (highs - lows) / 2
    return middle + np.random.default_rng(5).uniform(-2, 2, (count, 2)) * half


def complex_step_gradient(landscape, points):
    x, y = points[..., 0], points[..., 1]
    values = landscape.value(x + 1j * TINY, y), landscape.value(x, y + 1j * TINY)
    return np.stack([value.imag for value in values], axis=-1) / TINY


def hessian(landscape, point):
    """Return the 2 x 2 matrix of second derivatives, by complex steps of the slope."""
    x, y = point
    rows = landscape.slope(x + 1j * TINY, y), landscape.slope(x, y + 1j * TINY)
    return np.imag(rows) / TINY


def grid_over(window, count=601):
    axes = [np.linspace(low, high, count) for low, high in window]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)


def grid_minima(landscape, count=601):
    """Return the inner points of a fine grid that no neighbor lies below, shape (n, 2)."""
    grid = grid_over(landscape.window, count)
    losses = landscape(grid)
    shifts = [(i, j) for i in (0, 1, 2) for j in (0, 1, 2)]
    around = np.min([losses[i : count - 2 + i, j : count - 2 + j] for i, j in shifts], axis=0)
    return grid[1:-1, 1:-1][losses[1:-1, 1:-1] <= around]


def downhill(landscape, point):
    """Return where Newton steps end that go downhill and never up, at most 200 of them."""
    damping = 1e-3
    for _ in range(200):
        curvatures, axes = np.linalg.eigh(hessian(landscape, point))
        slope = axes.T @ landscape.gradient(point)
        moved = point - axes @ (slope / (np.abs(curvatures) + damping))
        lower = landscape(moved) < landscape(point)
        point, damping = (moved, damping / 10) if lower else (point, damping * 10)
    return point


def distance_to_window(window, point):
    lows, highs = np.array(window).T
    return np.max([lows - point, point - highs])


def nearest_minimum(landscape, point):
    """Return the index of the listed minimum at `point`, None if there is none."""
    distances = np.linalg.norm(np.array(landscape.minima) - point, axis=-1)
    return int(distances.argmin()) if distances.min() < 1e-5 else None


# The instances ----------------------------------------------------------------------------------


def test_the_landscapes_that_notebooks_count_on():
    assert list(LANDSCAPES) == [
        "round bowl",
        "ravine",
        "Beale",
        "Rosenbrock",
        "Himmelblau",
        "saddle",
        "plateau",
        "mountains",
    ]


@every_landscape
def test_gradient_agrees_with_complex_steps(landscape):
    points = points_around(landscape)
    gradient = landscape.gradient(points)
    assert gradient.shape == (2000, 2)
    # Relative to the largest around: where large terms cancel, both sides round.
    error = np.abs(gradient - complex_step_gradient(landscape, points)).max()
    assert error < 1e-15 * np.abs(gradient).max()


@every_landscape
def test_listed_minima_are_minima(landscape):
    assert landscape.minima
    for minimum in landscape.minima:
        assert np.abs(landscape.gradient(minimum)).max() < 1e-12
        assert np.linalg.eigvalsh(hessian(landscape, minimum)).min() > 0.05


@every_landscape
def test_minima_come_deepest_first_and_the_first_is_the_lowest_of_a_fine_grid(landscape):
    depths = landscape(landscape.minima)
    assert np.diff(depths).min(initial=0) > -1e-12
    assert depths[0] <= landscape(grid_over(landscape.window)).min()


@every_landscape
def test_no_minimum_inside_the_window_is_missing(landscape):
    # In a narrow valley a grid has false minima; walking downhill tells them from true ones.
    ends = [downhill(landscape, candidate) for candidate in grid_minima(landscape)]
    inside = [end for end in ends if distance_to_window(landscape.window, end) < 0]
    found = {nearest_minimum(landscape, end) for end in inside}
    assert found == set(range(len(landscape.minima)))


@every_landscape
def test_many_positions_at_once_equal_one_at_a_time(landscape):
    positions = points_around(landscape, count=12).reshape(3, 4, 2)
    losses, gradients = landscape(positions), landscape.gradient(positions)
    assert losses.shape == (3, 4)
    assert gradients.shape == (3, 4, 2)
    for where in np.ndindex(3, 4):
        loss, gradient = landscape(positions[where]), landscape.gradient(positions[where])
        assert loss.shape == ()
        # Not to the last bit: numpy may sum and raise to a power differently over many numbers.
        np.testing.assert_allclose(losses[where], loss, rtol=1e-14)
        scale = np.abs(gradients).max()
        np.testing.assert_allclose(gradients[where], gradient, rtol=0, atol=1e-14 * scale)


@every_landscape
def test_start_is_inside_positions_are_only_read_and_the_gradient_is_a_new_array(landscape):
    assert distance_to_window(landscape.window, landscape.start) < 0
    position = np.array(landscape.start)
    gradient = landscape.gradient(position)
    assert not np.shares_memory(gradient, position)
    landscape(position)
    assert tuple(position) == landscape.start


def test_whole_numbers_and_lists_are_positions_too():
    assert ravine([2, 3]) == 2**2 / 20 + 3**2
    assert list(ravine.gradient([1, 2])) == [0.1, 4.0]


# The formula of the mountains is written as a sum of terms whose numbers it does not give.
@pytest.mark.parametrize("name", [name for name in LANDSCAPES if name != "mountains"])
def test_displayed_formula_is_the_value(name):
    landscape = LANDSCAPES[name]
    points = points_around(landscape, count=50)
    expected = evaluated(landscape.formula, x=points[:, 0], y=points[:, 1])
    np.testing.assert_allclose(landscape(points), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("position", "error", "message"),
    [
        (["north"], TypeError, "got 'north'"),
        ([None], TypeError, "got None"),
        ([3.0], ValueError, "got 3.0"),
        ([[1.0, 2.0, 3.0]], ValueError, r"got \[1.0, 2.0, 3.0\]"),
        ([np.zeros((4, 3))], ValueError, r"got shape \(4, 3\)"),
        ([[[1.0, 2.0], [3.0]]], TypeError, r"got \[\[1.0, 2.0\], \[3.0\]\]"),
        ([["1", "2"]], TypeError, r"got \['1', '2'\]"),
    ],
)
def test_what_is_no_position_is_an_error(position, error, message):
    message = rf"position must be \(x, y\), or an array of shape \(\.\.\., 2\), {message}"
    with pytest.raises(error, match=message):
        ravine(*position)
    with pytest.raises(error, match=message):
        ravine.gradient(*position)


def test_two_numbers_are_no_position():
    for ask in (ravine, ravine.gradient):
        with pytest.raises(TypeError, match=r"position must be one .* f\(\[x, y\]\), got \(1, 2\)"):
            ask(1, 2)


# Random mountains ------------------------------------------------------------------------------


def settled(landscape, place):
    """Return where a patient walk down the slope ends."""
    for _ in range(1000):
        place = place - 0.1 * landscape.gradient(place)
    return place


@pytest.mark.parametrize("seed", range(100))
def test_a_mountain_range_has_the_four_minima_that_it_lists_and_starts_at_another(seed):
    landscape = mountain_range(seed)
    assert mountain_range(np.random.default_rng(seed)).minima == landscape.minima
    minima = np.array(landscape.minima)
    assert minima.shape == (4, 2)
    for minimum in minima:
        assert np.abs(landscape.gradient(minimum)).max() < 1e-12
        assert np.linalg.eigvalsh(hessian(landscape, minimum)).min() > 0
    # Each lies at a place of its own, and no low place of a fine grid lies at none of them.
    candidates = grid_minima(landscape, 301)
    distances = np.linalg.norm(candidates[:, np.newaxis] - minima, axis=-1)
    ends = [downhill(landscape, candidate) for candidate in candidates[distances.min(1) > 0.05]]
    inside = [end for end in ends if distance_to_window(landscape.window, end) < 0]
    assert None not in [nearest_minimum(landscape, end) for end in inside]
    assert set(distances.argmin(1)) == {0, 1, 2, 3}
    # The start drains into another valley than the deepest.
    depths = landscape(landscape.minima)
    assert (np.diff(depths) >= 0).all()
    assert depths[1] - depths[0] > 0.5
    assert nearest_minimum(landscape, settled(landscape, landscape.start)) in {1, 2, 3}


@every_landscape
def test_minima_inside_finds_the_listed_minima(landscape):
    found = minima_inside(landscape.slope, landscape.window)
    assert {nearest_minimum(landscape, place) for place in found} == set(range(len(found)))
    assert len(found) == len(landscape.minima)


def test_minima_outside_the_window_are_not_found():
    assert minima_inside(ravine.slope, ((1, 8), (-4, 4))) == []


# The numerical gradient -------------------------------------------------------------------------


def test_error_of_the_numerical_gradient_is_of_order_h_squared():
    def waves(position):
        return np.sin(position[..., 0]) * np.exp(position[..., 1])

    position = np.array([0.7, 0.3])
    exact = np.array([np.cos(0.7), np.sin(0.7)]) * np.exp(0.3)
    errors = [np.abs(numerical_gradient(waves, position, h=h) - exact) for h in (1e-1, 1e-2, 1e-3)]
    np.testing.assert_allclose(errors[0] / errors[1], 100, rtol=0.01)
    np.testing.assert_allclose(errors[1] / errors[2], 100, rtol=0.01)
    assert errors[2].min() > 0


def test_numerical_gradient_takes_any_dimension():
    scale = np.array([1.0, 2.0, 3.0, 4.0, 5.0])

    def bowl(position):
        return np.sum(scale * position**2)

    position = np.random.default_rng(7).normal(size=5)
    estimate = numerical_gradient(bowl, position, h=1e-5)
    np.testing.assert_allclose(estimate, 2 * scale * position, rtol=1e-8, atol=1e-8)
    assert list(numerical_gradient(bowl, [0, 0, 0, 0, 0], h=1e-5)) == [0.0] * 5


# A learner's own function -----------------------------------------------------------------------


def vectorized(x, y):
    return np.sin(x) + x * y**2


def scalar_only(x, y):
    return math.sin(x) + x * y**2


def with_branches(x, y):
    if y > 10:
        return 0.0
    return math.sin(x) + x * y**2


@pytest.mark.parametrize("function", [vectorized, scalar_only, with_branches])
def test_own_function_becomes_a_landscape(function):
    landscape = from_function(function, WINDOW, (1, 2), name="waves")
    assert isinstance(landscape, Landscape)
    assert landscape.name == "waves"
    assert landscape.window == WINDOW
    assert landscape.start == (1.0, 2.0)
    assert landscape.minima == ()
    positions = np.random.default_rng(8).uniform(-2, 2, (3, 4, 2))
    x, y = positions[..., 0], positions[..., 1]
    np.testing.assert_allclose(landscape(positions), np.sin(x) + x * y**2, rtol=1e-14)
    exact = np.stack([np.cos(x) + y**2, 2 * x * y], axis=-1)
    np.testing.assert_allclose(landscape.gradient(positions), exact, rtol=1e-7, atol=1e-7)
    assert landscape(landscape.start).shape == ()
    assert landscape.gradient(landscape.start).shape == (2,)


@pytest.mark.parametrize("function", [vectorized, scalar_only])
def test_slope_of_an_own_function_broadcasts_like_its_value(function):
    landscape = from_function(function, WINDOW, (1, 2))
    x, y = np.array([[0.0, 1.0, 2.0]]), np.array([[1.0], [2.0]])
    slope_x, slope_y = landscape.slope(x, y)
    np.testing.assert_allclose(slope_x, np.cos(x) + y**2, rtol=1e-7)
    np.testing.assert_allclose(slope_y, 2 * x * y, rtol=1e-7, atol=1e-7)


def test_vectorized_function_is_called_once_for_many_positions():
    calls = []

    def counting(x, y):
        calls.append(np.shape(x))
        return x**2 + y**2

    landscape = from_function(counting, WINDOW, (1, 1))
    calls.clear()
    landscape(np.ones((100, 2)))
    assert calls == [(100,)]


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x, y: 3.0, [3.0, 3.0]),
        (lambda x, y: x**2, [1.0, 4.0]),
        (lambda x, y: np.linalg.norm([x, y]), [np.sqrt(2), np.sqrt(8)]),
        (lambda x, y: np.dot(x, y), [1.0, 4.0]),
        (lambda x, y: max(x, y), [1.0, 2.0]),
    ],
)
def test_function_that_mixes_or_drops_elements_is_taken_one_point_at_a_time(function, expected):
    landscape = from_function(function, WINDOW, (1, 1))
    np.testing.assert_allclose(landscape([[1, 1], [2, 2]]), expected, rtol=1e-14)


def arguments(**changes):
    return {"function": vectorized, "window": WINDOW, "start": (1, 1)} | changes


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"function": lambda x, y: None}, TypeError, r"function must return one number .*NoneType"),
        ({"function": lambda x, y: [x, y]}, TypeError, r"function must return one number at start"),
        ({"function": lambda x: x}, TypeError, r"function must return one number .*positional"),
        ({"function": 3}, TypeError, r"function must return one number .*not callable"),
        ({"function": lambda x, y: math.log(-x)}, TypeError, r"function must .* domain error"),
        ({"function": lambda x, y: math.inf}, ValueError, "function must .* finite .* got inf"),
        ({"function": lambda x, y: math.nan}, ValueError, "function must .* finite .* got nan"),
        ({"function": lambda x, y: "3"}, ValueError, "function must return a .*number.* got '3'"),
        ({"start": "here"}, TypeError, "start must be two numbers, got 'here'"),
        ({"start": (1, 2, 3)}, ValueError, r"start must be two numbers, got \(1, 2, 3\)"),
        ({"start": [(1, 2), (3, 4)]}, ValueError, r"start must be two numbers, got \[\(1, 2\), "),
        ({"start": (math.nan, 2)}, ValueError, r"start must be finite, got \(nan, 2\)"),
        ({"window": (0, 1)}, ValueError, r"window \(\(x_min, .* got \(0, 1\)"),
        ({"window": ((0, 1), (2, "?"))}, TypeError, r"window \(\(x_min, .* '\?'\)\)"),
        ({"window": ((0, 1),)}, ValueError, r"window \(\(x_min, .* got \(\(0, 1\),\)"),
        ({"window": None}, TypeError, r"window \(\(x_min, .* got None"),
        ({"window": ((0, 1), (5, 5))}, ValueError, r"window .* must have min < max.* \(5, 5\)\)"),
        ({"window": ((1, 1), (5, 6))}, ValueError, r"window .* must have min < max.* \(\(1, 1\)"),
        ({"window": ((1, 0), (5, 6))}, ValueError, r"window .* must have min < max.* \(\(1, 0\)"),
        ({"window": ((0, math.nan), (5, 6))}, ValueError, "window .* must be finite.* nan"),
    ],
)
def test_what_makes_no_landscape_is_an_error(changes, error, message):
    with pytest.raises(error, match=message):
        from_function(**arguments(**changes))


@pytest.mark.parametrize(
    ("degrees", "error", "message"),
    [
        ("30", TypeError, "degrees must be one number, got '30'"),
        ([30, 40], ValueError, r"degrees must be one number, got \[30, 40\]"),
        (math.nan, ValueError, "degrees must be finite, got nan"),
    ],
)
def test_what_is_no_angle_is_an_error(degrees, error, message):
    with pytest.raises(error, match=message):
        turned(ravine, degrees)


@pytest.mark.parametrize("rng", ["seed", 1.5, -1])
def test_what_is_no_seed_is_an_error(rng):
    with pytest.raises((TypeError, ValueError), match=f"rng must be .*, got {rng!r}"):
        mountain_range(rng)


@pytest.mark.parametrize("degrees", [0, 30, 45, 90, -120])
@pytest.mark.parametrize("name", LANDSCAPES)
def test_a_turned_landscape_is_the_same_seen_from_another_side(name, degrees):
    landscape = LANDSCAPES[name]
    other = turned(landscape, degrees)
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    places = np.random.default_rng(0).uniform(*np.transpose(landscape.window), size=(20, 2))
    np.testing.assert_allclose(other(places @ turn.T), landscape(places), rtol=1e-9, atol=1e-9)
    expected = landscape.gradient(places) @ turn.T
    np.testing.assert_allclose(other.gradient(places @ turn.T), expected, rtol=1e-7, atol=1e-7)
    low, high = np.transpose(other.window)
    for place, original in zip(
        [other.start, *other.minima], [landscape.start, *landscape.minima], strict=True
    ):
        np.testing.assert_allclose(place, turn @ original, atol=1e-12)
        assert (low < place).all()
        assert (place < high).all()
