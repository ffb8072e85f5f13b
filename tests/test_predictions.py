"""Predict questions: each stands above the cell that answers it, and the cell bears it out."""

import re

import nbformat
import pytest

from helpers import predictions
from helpers.predictions import JUST_SHOW, QUESTIONS, Prediction, predict, verdict
from tools.run_notebooks import ROOT

LECTURE = sorted((ROOT / "notebooks").glob("0*.ipynb"))
CALL = re.compile(r'^predict\("(\w+)"\)$', re.MULTILINE)

# What in the stored output of the answering cell decides, in the order of the notebooks.
EVIDENCE = {
    "grid": (r"10\^50874 years; the universe is about 10\^10 years old", "c"),
    "best_h": (r"smallest error \S+ at h = 1e-05", "b"),
    "deepest": (r"depth 2\.62: 24% of the walks", "c"),
    "giant": (r"heights: \[-0\.24  0\.15  0\.73  0\.08  0\.07 -0\.08\] valley floor: -1\.65", "b"),
    "untrained": (r"test accuracy: 0\.08 before", "b"),
    "steepest_way": (r"at \(-7, 2\): 64°", "c"),
    "zigzag": (r"y changes its sign 30 times", "c"),
    "narrower": (r"batch of 1: .* 3\.19\nbatch of 10: .* 1\.02\n", "b"),
    "noise_floor": (r"η = 0\.1: .* 0\.2200\nη = 0\.01: .* 0\.0156\nη falls .* 0\.0062\n", "c"),
    "limit": (r"y at η = 1\.0:  \[-2\.  2\. -2\.  2\.\]", "b"),
    "friction": (r"α = 0\.9: velocity after 10 steps 0\.349", "b"),
    "second_step": (r"step 1: .* v = -0\.40, .*\nstep 2: .* v = -0\.68, ", "b"),
    "ball": (r"SGD: f = 0\.0133 .*\nMomentum: f = 0\.0479 ", "b"),
    "lag": (
        r"step 3: v = -0\.796 .*\nstep 4: v = -0\.741 .* push  0\.123\nstep 5: v = -0\.544 ",
        "b",
    ),
    "levels_off": (r"-0\.998\]  −η/\(1 − α\): \[-0\.1 -0\.2 -1\. \]", "c"),
    "fair_lead": (r"η = 0\.01, SGD at .* 3\.3e-01 after 100\nη = 0\.01, Momentum .* 3\.3e-01", "c"),
    "stable_rate": (r"α = 0\.9: the distance shrinks up to η = 1\.(89|90)", "c"),
    "four_times_kappa": (r"Momentum: .* in 5 steps\n(.*\n)+κ = 80, Momentum: .* in 10 steps", "b"),
    "average_form": (r"average form, η = 1: (\[.*\])  sum form, η = 0\.1: \1", "c"),
    "no_friction": (r"every 2000 steps: \[6\.7 6\.7 6\.7 6\.7 6\.7\]", "b"),
    "first_adagrad_step": (r"by class, loss times 1: \[-5\.5  0\.5\]", "b"),
    "adagrad_ravine": (r"AdaGrad from \(-7, 2\) to \(-0\.12, 0\) in 30 steps", "b"),
    "turned": (r"SGD .* 1\.3e-02  7\.5e-03\n.*\nAdaGrad .* 1\.4e-01  5\.1e-02", "c"),
    "zero_over_zero": (r"plain Python raises ZeroDivisionError\nnumpy returns \[nan\]", "c"),
    "dead_weight": (r"\[0\.5 nan\], warnings: 1\nloss nan, .* \[nan nan\], warnings: 0", "b"),
    "hundred_times": (
        r"100 steps: ways \[18\.6 18\.6\].*\n10000 steps: ways \[198\.5 198\.5\]",
        "c",
    ),
    "down_the_wall": (r"wall: past x = 4\.9 at step 903\nfoot: past x = 4\.9 at step 20\n", "c"),
    "rare_excess": (r"SGD after 200 steps: 0\.156(.*\n)+AdaGrad after 200 steps: 0\.095", "b"),
    "rarest": (r"SGD      share learned \[.* 0\.09\]", "a"),
    "fading_memory": (r"past x = 4\.9 at step 97\n.* y over the y before: -1\.00", "c"),
    "adam_first_step": (r"\[\[-7\.0, 2\.0\], \[-6\.7, 1\.7\]", "b"),
    "within_memory": (r"'0\.65', '0\.63', '0\.63'", "b"),
    "raw_average": (r"raw m after 1, 10, 60 steps: \[0\.1  0\.65 ", "b"),
    "no_hats": (r"β₂ = 0\.999: first 3\.16", "c"),
    "tuned_hats": (r"β₁ 0\.9, β₂ 0\.9999: .* 10 epochs \[0\.056 0\.057\]", "b"),
    "longest_step": (r"steady: .* 1\.00 η\n(.*\n)+one after .* 3\.16 η\nseveral .* 6\.57 η", "c"),
    "times_thousand": (r"Adam: paths differ by 9e-08 at most\nSGD: diverged", "a"),
    "folded": (r"g 1e-06: Algorithm 1 0\.99, folded 0\.24", "c"),
    "after_300": (r"Momentum .* 1\.0e-13\n.*\nAdam .* 1\.0e-13", "b"),
    "falling_rate": (
        r"noise 0,  30 .* 4\.2e-01\n(.*\n)+noise 1, 300 .* 1\.4e-01, .* 2\.9e-02",
        "c",
    ),
    "textbook": (
        r"SGD  +1\.3e-02 .*\nMomentum +4\.8e-02 .*\nAdaGrad +7\.2e-04 .*\nAdam +1\.0e-01",
        "c",
    ),
    "same_winner": (
        r"ravine +SGD +< 1e-12(.*\n)+Rosenbrock Momentum  3\.1e-03 (.*\n)+plateau",
        "c",
    ),
    "seeds": (r"SGD .* 92\.5 \(91\.6 to 94\.0\).*\nMomentum .* 93\.9 \(91\.8 to 95\.1\)", "c"),
    "moving_target": (r"moving target Adam .* first in 10 of 10", "c"),
    "three_gradients": (r"Adam from 0 to 1, ", "c"),
}


def questions():
    """Yield each question's name, the text above its cell, and what its cell shows."""
    for path in LECTURE:
        text = ""
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "markdown":
                text += f"\n\n{cell.source}"
            for name in CALL.findall(cell.source) if cell.cell_type == "code" else ():
                shown = [output.get("text") or output.data["text/plain"] for output in cell.outputs]
                yield name, text, "\n".join(shown)
                text = ""
        assert "**Predict.**" not in text, f"{path.name}: no cell answers the last question"


ASKED = {name: (text, shown) for name, text, shown in questions()}


def test_each_question_is_asked_once_in_this_order():
    assert [name for name, _, _ in questions()] == list(QUESTIONS) == list(EVIDENCE)


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_text_above_asks_with_the_same_answers(name):
    text, shown = ASKED[name]
    (question,) = re.findall(r"\*\*Predict\.\*\* (.*)", text)
    letters = QUESTIONS[name].keys() - {"right"}
    assert set(re.findall(r"\(([a-z])\) ", question)) == letters
    assert QUESTIONS[name]["right"] in letters
    assert shown.startswith(" ".join(f"({letter})" for letter in sorted(letters)) + "?")


@pytest.mark.parametrize("name", EVIDENCE)
def test_what_the_cell_shows_decides(name):
    pattern, right = EVIDENCE[name]
    assert re.search(pattern, ASKED[name][1]), ASKED[name][1]
    assert QUESTIONS[name]["right"] == right


@pytest.fixture(autouse=True)
def nothing_chosen(monkeypatch):
    monkeypatch.setattr(predictions, "chosen", {})


def is_open(prediction):
    return "prediction-open" in prediction._dom_classes


def test_the_answer_waits_for_a_choice():
    prediction = Prediction("zigzag")
    assert prediction.buttons.value is None
    assert is_open(prediction)
    assert repr(prediction) == "(a) (b) (c)?"
    prediction.buttons.value = "a"
    assert not is_open(prediction)
    assert QUESTIONS["zigzag"]["a"] in prediction.words.value


def test_a_wrong_choice_hears_what_it_shows_and_what_is_right():
    assert verdict("zigzag", "b").startswith("<b>Not (b).</b> The jumps do get smaller")
    assert verdict("zigzag", "b").endswith("<b>It is (c).</b>")
    assert verdict("zigzag", "c").startswith("<b>(c) is right.</b> Every step multiplies y")


def test_just_show_shows_without_a_verdict():
    prediction = Prediction("zigzag")
    prediction.buttons.value = JUST_SHOW
    assert not is_open(prediction)
    assert prediction.words.value == ""


def test_a_cell_that_runs_again_does_not_ask_again():
    Prediction("zigzag").buttons.value = "b"
    again = Prediction("zigzag")
    assert again.buttons.value == "b"
    assert not is_open(again)
    assert is_open(Prediction("friction"))


def test_an_unknown_question_is_named():
    with pytest.raises(ValueError, match=r"name must be one of grid, .*; got 'zigzags'"):
        predict("zigzags")
