"""Exercises: every solution passes, every anticipated mistake is named, and nothing raises."""

import linecache
import re
import signal
import subprocess
import sys
import threading
import time
import tomllib
import warnings
from itertools import pairwise

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook
from test_optimizers import assert_equals_pytorch

from helpers import exercises
from helpers.exercises import CHECKS, attempts
from helpers.landscapes import beale, from_function, turned
from helpers.optimizers import Adam, Momentum
from tools.run_notebooks import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks" / "solutions").glob("0*_solutions.ipynb"))
CHECK_CELL = re.compile(r"exercises\.check_(\w+)\((\w+)\)")
CLASSES = [name for name in CHECKS if name[0].isupper()]
FUNCTIONS = [name for name in CHECKS if name not in {*CLASSES, "sgd_wins"}]
WRITTEN = {
    name: table
    for path in (ROOT / "helpers" / "exercises").glob("[0-9]*.toml")
    for name, table in tomllib.loads(path.read_text(encoding="utf-8")).items()
}
every_check = pytest.mark.parametrize("name", CHECKS)
every_function = pytest.mark.parametrize("name", FUNCTIONS)
every_class = pytest.mark.parametrize("name", CLASSES)


def solution(name):
    return CHECKS[name].solution.strip()


def verdict_on(name, source):
    """Return the verdict on an attempt that is defined as a notebook does it."""
    file = f"<cell {hash(source)}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    cell = {
        "__name__": "__main__",
        "np": np,
        "pairwise": pairwise,
        "from_function": from_function,
        "time": time,
    }
    exec(compile(source, file, "exec"), cell)
    return CHECKS[name](list(cell.values())[-1])


def edited(name, *edits):
    """Return the source of a solution with each (old, new) replaced everywhere."""
    source = solution(name)
    for old, new in edits:
        assert old in source
        source = source.replace(old, new)
    return source


@pytest.fixture
def short_limit(monkeypatch):
    monkeypatch.setattr(attempts, "TIME_LIMIT", 0.2)


# The data: solutions and mistakes


def test_notebooks_show_the_solutions():
    shown = {}
    for path in NOTEBOOKS:
        cells = [cell.source for cell in nbformat.read(path, as_version=4).cells]
        for source, check in pairwise(cells):
            if match := CHECK_CELL.fullmatch(check):
                shown[match[1]] = source
    assert shown == {name: solution(name) for name in CHECKS}
    assert all(hasattr(exercises, f"check_{name}") for name in shown)


@every_check
def test_accepts_the_solution_every_time(name):
    verdict = verdict_on(name, solution(name))
    assert verdict.passed is True
    assert re.fullmatch(r"Right: [^\n]+\.", repr(verdict))
    assert verdict_on(name, solution(name)) == verdict


@pytest.mark.parametrize(
    ("name", "key", "edits"),
    [
        (name, key, edits)
        for name, check in CHECKS.items()
        for key, mistake in check.mistakes.items()
        for edits in (mistake.edits, *mistake.also)
    ],
)
def test_every_edit_applies_and_gets_its_own_hint(name, key, edits):
    check = CHECKS[name]
    own = WRITTEN[name]["mistakes"]
    verdict = verdict_on(name, edited(name, *edits))
    assert verdict.passed is False
    if key in own:
        assert verdict.hint == check.mistakes[key].hint
    else:  # from an exercise that this one is like; it may be known here by another hint
        assert verdict.hint in {mistake.hint for mistake in check.mistakes.values()}
    assert "\n" not in repr(verdict)


@every_check
def test_no_two_mistakes_have_one_hint(name):
    check = CHECKS[name]
    hints = [check.hint, *(mistake.hint for mistake in check.mistakes.values())]
    assert len(set(hints)) == len(hints)


@pytest.mark.parametrize("name", ["RMSProp", "Nesterov", "AMSGrad"])
def test_solutions_equal_the_optimizers_of_pytorch(name):
    given = {"Nesterov": {"momentum": 0.9}}.get(name, {})
    assert_equals_pytorch(name, CHECKS[name].defined(solution(name)), **given)


# Attempts as students write them: tests/attempts/README.md


def attempts_on_file():
    """Return exercise, "right" or "wrong", key of the hint, and source of every attempt."""
    found = []
    for path in sorted((ROOT / "tests" / "attempts").glob("*.txt")):
        right = []
        for block in re.split(r"^=== ", path.read_text(encoding="utf-8"), flags=re.M)[1:]:
            head, _, source = block.partition("\n")
            kind, key, base = re.match(r"(\w+)(?: (\w+))?(?: < (\d+))?", head).groups()
            if base:
                source = with_hunks(right[int(base) - 1], source)
            if kind == "right":
                right.append(source)
            name = f"{path.stem}-{len(found)}-{kind}"
            found.append(pytest.param(path.stem, kind, key, source, id=name))
    return found


def with_hunks(source, hunks):
    """Return a source in which lines after "- " were replaced by those after "+ "."""
    for old, new in re.findall(r"((?:^- .*\n)+)((?:^\+ .*\n)+)", hunks, flags=re.M):
        old, new = ("\n".join(line[2:] for line in part.splitlines()) for part in (old, new))
        assert old in source
        source = source.replace(old, new)
    return source


def words_of(name, key):
    """Return the hint under a key: a mistake of the exercise, or of all."""
    check = CHECKS[name]
    if key == "general":
        return {check.hint, getattr(check, "later", "")}
    if key == "raises":
        return {"", *(error["hint"] for error in attempts.WORDS["errors"])}
    return {check.mistakes[key].hint if key in check.mistakes else attempts.WORDS[key]["hint"]}


@pytest.mark.parametrize(("name", "kind", "key", "source"), attempts_on_file())
def test_attempts_get_the_verdict_that_they_should(name, kind, key, source, monkeypatch):
    monkeypatch.setattr(attempts, "TIME_LIMIT", 60)  # other tests may hold the processor
    monkeypatch.setattr(attempts, "LONGEST", 60)
    verdict = verdict_on(name, source)
    if kind == "right":
        assert verdict.passed is True, verdict
    else:
        assert verdict.passed is False
        hints = [re.sub(r"\\\{.*?\\\}", ".+", re.escape(hint)) for hint in words_of(name, key)]
        assert any(re.fullmatch(hint + "( Your code warns: .*)?", verdict.hint) for hint in hints)


def test_there_are_enough_attempts():
    kinds = [tuple(attempt.values[:2]) for attempt in attempts_on_file()]
    for name in {name for name, _ in kinds}:
        assert kinds.count((name, "right")) >= 12
        assert kinds.count((name, "wrong")) >= 20


def test_accepts_the_lecture_rules():
    assert exercises.check_MyMomentum(Momentum).passed
    assert exercises.check_MyAdam(Adam).passed


# Attempts that may do anything


def blank(name):
    """Return the source of a solution with `...` for every body."""
    if name == "sgd_wins":
        return "my_landscape = ..."
    heads = [line for line in solution(name).splitlines() if "def " in line]
    if name not in CLASSES:
        return f"{heads[0]} ..."
    return f"class {name}:\n" + "\n".join(f"{head} ..." for head in heads)


def with_body(name, body):
    """Return the source of an attempt whose function, or update, has this body only."""
    if name == "sgd_wins":
        body = body.replace("\n", "\n        ")
        return (
            f"def f(x, y):\n    if (x, y) != (3, 2):\n        {body}\n    return x\n"
            "my_landscape = from_function(f, ((-4, 4), (-4, 4)), (3, 2))"
        )
    source = solution(name)
    head = re.search(r"[ \t]*def update.*\n" if name in CLASSES else r"def .*\n", source)
    indent = " " * (8 if name in CLASSES else 4)
    return source[: head.end()] + indent + body.replace("\n", "\n" + indent)


@every_check
def test_untouched_is_not_attempted_yet(name):
    verdict = verdict_on(name, blank(name))
    assert verdict.passed is None
    assert repr(verdict) == f"Not attempted yet: {name}."


@pytest.mark.parametrize(
    "source",
    [
        "def best_rate(lam1, lam2):\n    ...  # your code",
        "def best_rate(lam1, lam2):\n    pass",
        "def best_rate(lam1, lam2):\n    'The best rate.'\n    ...",
        "def best_rate(lam1, lam2):\n    return ...",
        "best_rate = ...",
        "class MyMomentum: ...",
        "class MyMomentum:\n    def __init__(self, lr):\n        self.lr = lr\n"
        "    def update(self, params, grads): ...",
        "from helpers.optimizers import Momentum\n"
        "class MyMomentum(Momentum):\n    def update(self, params, grads): ...",
    ],
)
def test_other_forms_of_untouched(source):
    assert verdict_on("MyMomentum" if "class" in source else "best_rate", source).passed is None


@every_check
@pytest.mark.parametrize(("value", "kind"), [(None, "None"), (3, "an int"), ("x", "a str")])
def test_something_else_than_asked_for_is_named(name, value, kind):
    verdict = CHECKS[name](value)
    assert verdict.passed is False
    assert f"the check of {name} was given {kind}." in verdict.message
    assert "hand over" in verdict.hint


def test_an_optimizer_in_place_of_its_class_and_a_function_in_place_of_a_landscape():
    assert "without parentheses" in exercises.check_MyMomentum(Momentum(0.1)).hint
    assert "from_function" in exercises.check_sgd_wins(lambda x, y: x**2 + y**2).hint


@every_check
def test_an_exception_is_shown_as_theirs_with_its_line(name):
    source = with_body(name, "number = 0\n1 / number")
    line = source[: source.index("1 / number")].count("\n") + 1
    verdict = verdict_on(name, source)
    assert verdict.passed is False
    assert f"ZeroDivisionError: division by zero, in line {line}: `1 / number`" in verdict.message


@pytest.mark.parametrize("body", ["import sys; sys.exit()", "raise KeyboardInterrupt", "raise"])
def test_no_exception_gets_through(body):
    assert verdict_on("best_rate", with_body("best_rate", body)).passed is False


def test_an_exception_inside_a_library_is_shown_at_the_line_of_the_learner():
    for body, words in [
        ("return np.linalg.inv(np.zeros((2, 2)))", "LinAlgError: Singular matrix"),
        ("return __import__('json').loads('{')", "JSONDecodeError: "),
        ("return __import__('nbformat').reads('{}', 4)", "Error: "),
        ("return np.random.default_rng(1).uniform(2, 1 + np.zeros(2))", "ValueError: "),
    ]:
        message = verdict_on("best_rate", with_body("best_rate", body)).message
        assert words in message
        assert f", in line 2: `{body}`" in message


def test_a_long_text_is_cut():
    body = "raise ValueError('x' * 10_000 + 'end')  # " + "y" * 1000
    verdict = verdict_on("best_rate", with_body("best_rate", body))
    assert "xxx …" in verdict.message
    assert len(repr(verdict)) < 500


def test_wrong_arguments_of_a_definition_have_no_line():
    source = edited("MyMomentum", ("lr, momentum):", "lr):"), ("lr, momentum, None", "lr, 1, None"))
    message = verdict_on("MyMomentum", source).message
    assert "MyMomentum raises TypeError: " in message
    assert "in line" not in message


@every_check
@pytest.mark.usefixtures("short_limit")
def test_an_endless_loop_is_stopped_and_said_so(name):
    threads = threading.active_count()
    verdict = verdict_on(name, with_body(name, "while True:\n    pass"))
    assert verdict.passed is False
    assert re.search(
        rf"{name} was stopped after 0.2 seconds in case 1 of \d+, in line \d+: `", verdict.message
    )
    assert "does its condition ever change" in verdict.hint
    assert threading.active_count() == threads


def test_a_slow_attempt_is_not_told_that_it_never_ends(monkeypatch):
    monkeypatch.setattr(attempts, "LONGEST", 0.2)
    source = edited("best_rate", ("return", "time.sleep(0.03)\n    return"))
    verdict = verdict_on("best_rate", source)
    assert re.search(r"stopped after 0.2 seconds, when \d of 20 cases were done", verdict.message)
    assert "slow, not endless" in verdict.hint


@pytest.mark.usefixtures("short_limit")
@pytest.mark.parametrize("handler", ["except Exception: pass", "except: pass", "except: continue"])
@pytest.mark.parametrize("loop", ["for _ in range(3)", "while True"])
def test_a_loop_that_catches_exceptions_is_stopped(loop, handler):
    threads = threading.active_count()
    body = f"{loop}:\n    try:\n        while lam1: sum(range(9))\n    {handler}"
    verdict = verdict_on("best_rate", with_body("best_rate", body))
    assert "best_rate was stopped after 0.2 seconds" in verdict.message
    assert threading.active_count() == threads


@pytest.mark.usefixtures("short_limit")
def test_a_sleeping_attempt_is_stopped_when_it_wakes():
    threads = set(threading.enumerate())
    verdict = verdict_on("best_rate", with_body("best_rate", "time.sleep(2)"))
    assert "best_rate was stopped after 0.2 seconds" in verdict.message
    for sleeping in set(threading.enumerate()) - threads:
        sleeping.join(timeout=5)
        assert not sleeping.is_alive()


@pytest.fixture
def interruptible():
    """Let an interrupt be heard: what a shell runs in the background ignores it from the start."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupted_check_ends_the_attempt():
    threads = threading.active_count()
    body = "import signal\nsignal.raise_signal(signal.SIGINT)\nwhile True:\n    pass"
    with pytest.raises(KeyboardInterrupt):
        verdict_on("best_rate", with_body("best_rate", body))
    assert threading.active_count() == threads


def test_without_threads_a_check_answers_and_ends_a_loop(monkeypatch):
    def refuse(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert verdict_on("best_rate", solution("best_rate")).passed is True
    monkeypatch.setattr(attempts, "TIME_LIMIT", 0.3)
    verdict = verdict_on("best_rate", with_body("best_rate", "while True:\n    pass"))
    assert "was stopped after 0.3 seconds" in verdict.message


def test_a_case_has_three_seconds_and_all_have_ten():
    assert (attempts.TIME_LIMIT, attempts.LONGEST) == (3, 10)


@every_class
def test_a_wrong_shape_in_a_rule_is_an_exception_of_theirs(name):
    body = "for key in params:\n    params[key] -= np.ones((5, 5))"
    message = verdict_on(name, with_body(name, body)).message
    assert f"{name} raises ValueError: " in message
    assert "`params[key] -= np.ones((5, 5))`" in message


@every_function
@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("answer = 1", "returns None.  Hint: a `return` is missing."),
        ("return '1'", "returns a str"),
        ("return {}", "returns a dict"),
        ("return (k for k in 'ab')", "returns a generator"),
        ("return [[1, 2], [3]]", "parts of different lengths"),
        ("return np.array([None, 1])", "returns a ndarray"),
        ("return np.zeros((50, 50))", "(50, 50)"),
    ],
)
def test_what_is_not_the_numbers_asked_for_is_named(name, body, words):
    assert words in repr(verdict_on(name, with_body(name, body)))


@every_class
def test_a_rule_that_does_nothing_or_a_constant_fails(name):
    for body in ("self.lr = 1", "for key in params:\n    params[key] -= 0.1"):
        assert verdict_on(name, with_body(name, body)).passed is False


# What a verdict says


def test_an_unknown_mistake_gets_the_first_difference_and_the_general_hint():
    verdict = verdict_on("best_rate", edited("best_rate", ("2 /", "lam1 /")))
    number = r"[\d.e+-]+"
    call = rf"best_rate\({number}, {number}\) is {number}; it should be {number}"
    assert re.search(rf"differs in case 1 of 20: {call}\.$", verdict.message)
    assert verdict.hint == exercises.check_best_rate.hint


@pytest.mark.parametrize(
    ("name", "edit", "words"),
    [
        ("gradient_evaluations", ("return", "return 2 ** 5000 +"), "is inf; it should be"),
        ("best_rate", ("2 /", "-2 /"), "the sign is turned round"),
        ("best_rate", ("2 /", "1.5 /"), "0.75 times what it should be"),
        ("best_rate", ("2 / (lam1 + lam2)", "round(2 / (lam1 + lam2), 4)"), "within 1 %"),
        ("best_rate", ("2 / (lam1 + lam2)", "[lam1, lam2]"), "one number is asked for"),
        ("band", ("return low, middle, high", "return 0.5"), "an array is asked for"),
        ("corrected_average", ("gradients, start", "gradients[:-1], start"), "one too few"),
        ("MyMomentum", ("params[key] +=", "params[key] += 3 *"), "3 times as long"),
        ("minibatch_sgd", ("order[first : first + batch_size]", "order[:batch_size]"), "3 of 7"),
        ("minibatch_sgd", ("= rng.", "= np.random.default_rng(3)."), "not depend on the seed"),
        (
            "minibatch_sgd",
            ("error * x[batch]", "error * x[order[: len(batch)]]"),
            "where it counts",
        ),
        ("minibatch_sgd", ("return w, b", "return [w]"), "shape (1,)"),
    ],
)
def test_what_wrong_values_show_by_themselves(name, edit, words):
    verdict = verdict_on(name, edited(name, edit))
    assert verdict.passed is False
    assert words in repr(verdict)


def test_the_input_that_is_shown_is_the_hidden_one():
    seen = {}
    check = exercises.check_best_rate
    message = check(lambda a, b: seen.setdefault((a, b), 0.0)).message
    shown = re.search(r"best_rate\((.*?)\)", message)[1]
    assert tuple(map(float, shown.split(", "))) == next(iter(seen))


def test_numbers_are_shown_with_digits_that_differ():
    message = verdict_on("best_rate", edited("best_rate", ("2 /", "2.000001 /"))).message
    got, expected = re.search(r"is (\S+); it should be (\S+)\.$", message).groups()
    assert got != expected
    assert float(got) == pytest.approx(float(expected), rel=1e-6)


def test_the_place_of_a_difference_is_said():
    late = edited(
        "MyMomentum",
        (
            "for key in params:\n            self.v[key] = self.momentum * ",
            "for key in params:\n            self.v[key] = 1.01 * self.momentum * ",
        ),
    )
    assert re.search(
        r"gradients \S+, \S+, a parameter goes", verdict_on("MyMomentum", late).message
    )
    tripled = edited("effective_rates", ("return ", "h[:, 1:] *= 3\n    return "))
    assert re.search(
        r" at \[0, [1-9]\]; it should be", verdict_on("effective_rates", tripled).message
    )


def test_the_story_of_a_difference_can_be_followed_by_hand():
    message = verdict_on("MyAdaGrad", edited("MyAdaGrad", (" + 1e-7", " + 1e-3"))).message
    story = r"MyAdaGrad\((\S+)\) and gradients (\S+), .* from (\S+) to \S+; it should be (\S+)\.$"
    lr, gradient, start, after = map(float, re.search(story, message).groups())
    assert after == pytest.approx(start - lr * gradient / (abs(gradient) + 1e-7), rel=1e-5)


@pytest.mark.filterwarnings("error")
def test_a_warning_is_named_in_the_hint_and_leaks_nowhere():
    before = warnings.filters[:]
    verdict = verdict_on("best_rate", with_body("best_rate", "return np.log(-np.float64(lam1))"))
    assert "Your code warns: RuntimeWarning, invalid value encountered in log." in verdict.hint
    assert warnings.filters == before


def test_a_right_attempt_may_warn_and_print(capsys):
    source = edited(
        "best_rate", ("return", "np.log(-np.float64(lam1))\n    print('hello')\n    return")
    )
    verdict = verdict_on("best_rate", source)
    assert verdict.passed is True
    assert capsys.readouterr().out == "hello\n" * 20


def test_hidden_inputs_differ_between_cases_and_are_the_same_at_every_call():
    inputs = []
    check = exercises.check_best_rate
    for _ in range(2):
        check(lambda a, b: inputs.append((a, b)) or 2 / (a + b))
    assert len(set(inputs)) == 20
    assert inputs[:20] == inputs[20:]


def test_many_looks_at_the_height_pass_with_a_remark():
    grid = """
def deepest_valley(landscape, rng, steps):
    x, y = np.meshgrid(np.linspace(-8, 8, 100), np.linspace(-5, 5, 100))
    places = np.stack([x.ravel(), y.ravel()], axis=-1)
    return places[np.argmin(landscape(places))]
"""
    verdict = verdict_on("deepest_valley", grid)
    assert verdict.passed is True
    assert "It asked for 10000 heights" in verdict.message


def narrow(degrees, ratio=50, steepness=1.0, size=1.0):
    """Return a quadratic valley, turned, whose curvatures differ by a ratio."""
    valley = from_function(
        lambda x, y: steepness * ((x / size) ** 2 / ratio + (y / size) ** 2),
        ((-8 * size, 8 * size), (-8 * size, 8 * size)),
        (-6 * size, 2 * size),
    )
    return turned(valley, degrees)


@pytest.mark.parametrize("changes", [{"steepness": 1e-6}, {"steepness": 1e6}, {"size": 100}])
def test_the_contest_follows_the_scale_of_a_landscape(changes):
    verdict = exercises.check_sgd_wins(narrow(45))
    assert verdict.passed is True
    factors = [
        float(re.search(r"ends (\S+) times", exercises.check_sgd_wins(valley).message)[1])
        for valley in (narrow(45), narrow(45, **changes))
    ]
    assert factors[1] == pytest.approx(factors[0], rel=0.1)


def test_a_narrow_valley_counts_only_where_it_lies_across_the_axes():
    verdicts = [exercises.check_sgd_wins(narrow(degrees)) for degrees in (0, 90, 30, 60)]
    assert [verdict.passed for verdict in verdicts] == [False, False, True, True]
    assert "at least 1.5 times is asked" in verdicts[0].message


def test_adam_may_win():
    message = exercises.check_sgd_wins(beale).message
    assert re.search(r"tuned Adam ends \d\.?\d* times lower than tuned SGD", message)


def test_no_widgets_and_no_pictures_are_needed():
    code = "import sys, helpers.exercises; print({'ipywidgets', 'matplotlib'} & sys.modules.keys())"
    command = [sys.executable, "-c", code]
    assert subprocess.check_output(command, cwd=ROOT, text=True) == "set()\n"


# In a notebook


def test_checks_work_in_a_kernel_and_leave_it_usable():
    cells = [
        "from helpers import exercises\nexercises.attempts.TIME_LIMIT = 0.3",
        "def best_rate(lam1, lam2):\n    while True:\n        pass",
        "exercises.check_best_rate(best_rate)",
        "def best_rate(lam1, lam2):\n    print('seen')\n    return 1 / 0",
        "exercises.check_best_rate(best_rate)",
        "import time\ndef best_rate(lam1, lam2):\n    time.sleep(600)",
        "exercises.check_best_rate(best_rate)",
        "def best_rate(lam1, lam2): ...",
        "exercises.check_best_rate(best_rate)",
    ]
    notebook = new_notebook(cells=[new_code_cell(source) for source in cells])
    NotebookClient(
        notebook, kernel_name="python3", resources={"metadata": {"path": ROOT}}
    ).execute()
    stopped, failed, asleep, untouched = (notebook.cells[k].outputs for k in (2, 4, 6, 8))
    assert "stopped after 0.3 seconds in case 1 of 20, in line" in stopped[0].data["text/plain"]
    assert failed[0].text == "seen\n" * 20
    assert (
        "ZeroDivisionError: division by zero, in line 3: `return 1 / 0`"
        in failed[1].data["text/plain"]
    )
    assert "stopped after 0.3 seconds in case 1 of 20." in asleep[0].data["text/plain"]
    assert untouched[0].data["text/plain"] == "Not attempted yet: best_rate."
