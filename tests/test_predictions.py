"""Predict questions: each is whole, stands before the cell that bears it out, and is not leaked."""

import re
from collections import Counter
from xml.etree import ElementTree

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from helpers import predictions
from helpers.predictions import Prediction, plain, predict, questions, read
from tools.run_notebooks import ROOT, find_lessons

FILES = sorted((ROOT / "helpers" / "predictions").glob("*.toml"))
LECTURE = find_lessons()
CALL = re.compile(r'^predict\("(\w+)"\)$', re.MULTILINE)
TAGS = {"i", "b", "sub", "sup", "code"}

by_name = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def answers(table):
    return {key: value for key, value in table.items() if isinstance(value, dict)}


def wrong_in(table):
    """Return what is wrong with the table of a question."""
    found = [f"no {key}" for key in ("question", "evidence", "right") if not table.get(key)]
    letters = "".join(answers(table))
    if letters not in {"ab", "abc", "abcd"}:
        found.append(f"answers {letters!r}")
    if table.get("right") not in answers(table):
        found.append(f"right is {table.get('right')!r}")
    if unknown := table.keys() - {"question", "evidence", "right", *letters}:
        found.append(f"unknown {unknown}")
    texts = [table.get("question", "")]
    for letter, answer in answers(table).items():
        if answer.keys() != {"answer", "reason"}:
            found.append(f"({letter}) has {', '.join(answer)}")
        texts += answer.values()
    return found + [f"{text!r}: {fault}" for text in texts if (fault := wrong_with(text))]


def wrong_with(text):
    """Return what keeps a text from being simple HTML."""
    if not text.strip():
        return "empty"
    try:
        tags = {element.tag for element in ElementTree.fromstring(f"<p>{text}</p>").iter()}
    except ElementTree.ParseError as error:
        return str(error)
    return ", ".join(tags - TAGS - {"p"})


@by_name
def test_questions_are_whole(path):
    wrong = {name: wrong_in(table) for name, table in read(path).items()}
    assert {name: found for name, found in wrong.items() if found} == {}


def test_a_question_that_is_not_whole_is_noticed():
    whole = {"question": "Up?", "evidence": "1", "right": "a"}
    whole |= {letter: {"answer": "yes", "reason": "So."} for letter in "ab"}
    assert wrong_in(whole) == []
    assert wrong_in(whole | {"right": "c"}) == ["right is 'c'"]
    assert wrong_in(whole | {"hint": "?"}) == ["unknown {'hint'}"]
    assert wrong_in(whole | {"b": {"answer": "no"}}) == ["(b) has answer"]
    assert wrong_in(whole | {"question": ""}) == ["no question", "'': empty"]
    assert wrong_in(whole | {"question": "Is <b>1?"})[0].startswith("'Is <b>1?': mismatched tag")
    assert wrong_in(whole | {"question": "Is 1 < 2?"})[0].startswith("'Is 1 < 2?': not well-formed")
    assert wrong_in(whole | {"question": "<h2>Up?</h2>"}) == ["'<h2>Up?</h2>': h2"]


def test_names_are_unique():
    names = Counter(name for path in FILES for name in read(path))
    assert [name for name, times in names.items() if times > 1] == []


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "02_sgd.toml").write_text("[zigzag]\nquestion = How\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"^02_sgd\.toml: .*line 2"):
        read(tmp_path / "02_sgd.toml")


@pytest.mark.parametrize("path", LECTURE, ids=lambda path: path.stem)
def test_a_notebook_asks_the_questions_of_its_file_in_their_order(path):
    cells = nbformat.read(path, as_version=4).cells
    asked = [
        name for cell in cells if cell.cell_type == "code" for name in CALL.findall(cell.source)
    ]
    file = ROOT / "helpers" / "predictions" / f"{path.stem}.toml"
    assert asked == (list(read(file)) if file.exists() else [])


def test_each_file_belongs_to_a_notebook():
    assert {path.stem for path in FILES} <= {path.stem for path in LECTURE}


def shown(cell):
    """Return the text of what a cell shows; of a question also every reason."""
    texts = [
        output.get("text") or output.get("data", {}).get("text/plain", "")
        for output in cell.get("outputs", [])
    ]
    for name in CALL.findall(cell.source):
        texts += [plain(answer["reason"]) for answer in answers(questions()[name]).values()]
    return "\n".join(texts)


def faults(cells, earlier=""):
    """Return what is wrong with the questions of a notebook, given what earlier ones showed."""
    found, before = [], earlier
    for i, cell in enumerate(cells):
        if cell.cell_type == "code" and CALL.search(cell.source):
            found += [f"{CALL.search(cell.source)[1]}: {f}" for f in faults_at(cells, i, before)]
        before += f"\n{cell.source}\n{shown(cell)}"
    return found


def faults_at(cells, i, before):
    """Yield what is wrong with the question that cell `i` asks."""
    cell, following = cells[i], cells[i + 1] if i + 1 < len(cells) else None
    (name,) = CALL.findall(cell.source)
    if not CALL.fullmatch(cell.source):
        yield "its cell holds more than the call"
    if not following or following.cell_type != "code":
        yield "no code cell follows"
    elif {starts_slide(cell), starts_slide(following)} != {True}:
        yield "it has no slide of its own"
    evidence = questions()[name]["evidence"]
    if evidence not in answering_output(cells[i + 1 :]):
        yield f"{evidence!r} is not in the output that answers it"
    if evidence in before or evidence in shown(cell):
        yield f"{evidence!r} was in view before"


def starts_slide(cell):
    return cell.metadata.get("slideshow", {}).get("slide_type") in {"slide", "subslide"}


def answering_output(cells):
    """Return what cells show up to the next question or section."""
    texts = []
    for cell in cells:
        if re.search(r"^## ", cell.source, re.MULTILINE) or CALL.search(cell.source):
            break
        texts.append(shown(cell))
    return "\n".join(texts)


@pytest.mark.parametrize("path", LECTURE, ids=lambda path: path.stem)
def test_each_question_is_answered_after_it_and_not_before(path):
    earlier = [nbformat.read(other, as_version=4) for other in LECTURE if other < path]
    outputs = "\n".join(shown(cell) for notebook in earlier for cell in notebook.cells)
    assert faults(nbformat.read(path, as_version=4).cells, outputs) == []


@pytest.fixture
def up(monkeypatch):
    """Let "up" be the only question; its answer is 42."""
    table = {"question": "Up?", "evidence": "42", "right": "a"}
    table |= {letter: {"answer": "yes", "reason": "So."} for letter in "ab"}
    monkeypatch.setattr(predictions, "questions", lambda: {"up": table})
    monkeypatch.setattr("test_predictions.questions", lambda: {"up": table})
    return table


def code(source, text="", slide="subslide"):
    outputs = [new_output("stream", text=text)] if text else []
    return new_code_cell(source, outputs=outputs, metadata={"slideshow": {"slide_type": slide}})


ASK = 'predict("up")'


@pytest.mark.parametrize(
    ("cells", "wrong"),
    [
        ([code(ASK), code("f()", "42")], []),
        ([code(ASK), code("f()"), code("g()", "42", "fragment")], []),
        ([code(f"{ASK}\n1"), code("f()", "42")], ["its cell holds more than the call"]),
        ([code(ASK), new_markdown_cell("So:"), code("f()", "42")], ["no code cell follows"]),
        ([code(ASK, slide="fragment"), code("f()", "42")], ["it has no slide of its own"]),
        ([code(ASK), code("f()", "42", "fragment")], ["it has no slide of its own"]),
        ([code(ASK), code("f()", "41")], ["'42' is not in the output that answers it"]),
        (
            [code(ASK), code("f()"), new_markdown_cell("## Next"), code("g()", "42")],
            ["'42' is not in the output that answers it"],
        ),
        ([code("f()", "42"), code(ASK), code("f()", "42")], ["'42' was in view before"]),
        (
            [new_markdown_cell("It is 42."), code(ASK), code("f()", "42")],
            ["'42' was in view before"],
        ),
    ],
)
def test_a_misplaced_or_leaked_question_is_noticed(up, cells, wrong):
    assert faults(cells) == [f"up: {fault}" for fault in wrong]


def test_an_earlier_notebook_and_a_reason_can_leak_too(up):
    cells = [code(ASK), code("f()", "42")]
    assert faults(cells, earlier="42") == ["up: '42' was in view before"]
    up["a"]["reason"] = "Because 42."
    assert faults(cells) == ["up: '42' was in view before"]


def uneven(letters, least, most):
    """Return the letters among a, b and c that are right too rarely or too often."""
    shares = {letter: letters.count(letter) / len(letters) for letter in "abc"}
    return {letter: share for letter, share in shares.items() if not least <= share <= most}


def right_letters(path):
    return [table["right"] for table in read(path).values()]


@by_name
def test_a_notebook_has_no_letter_that_is_mostly_right(path):
    assert uneven(right_letters(path), 0, 0.6) == {}


def test_right_letters_are_spread_over_the_series():
    letters = [letter for path in FILES for letter in right_letters(path)]
    assert uneven(letters, 0.2, 0.45) == {}


def test_an_uneven_spread_is_noticed():
    assert uneven(["a", "b", "c"], 0.2, 0.45) == {}
    assert uneven(["a", "b", "b", "c"], 0.2, 0.45) == {"b": 0.5}
    assert uneven(["b", "b", "c"], 0, 0.6) == {"b": pytest.approx(2 / 3)}


def test_a_question_is_shown_in_words():
    assert repr(Prediction("zigzag")).startswith("Predict. How often does y change its sign")
    text = repr(Prediction("dead_weight"))
    assert "<" not in text
    assert [line[:4] for line in text.splitlines()[1:]] == ["(a) ", "(b) ", "(c) "]


def test_each_answer_opens_its_verdict_and_one_shows_without(up):
    up["a"]["reason"], up["b"]["reason"] = "Indeed.", "Alas."
    page = Prediction("up")._repr_html_()
    opened = re.findall(
        r'<details name="predict-up"><summary[^>]*>(.*?)</summary>\n<p>(.*?)</p></details>', page
    )
    assert [(button, plain(words)) for button, words in opened] == [
        ("(a) yes", "✓ Right. Indeed."),
        ("(b) yes", "✗ No. Alas."),
        ("just show", "The next cell shows it."),
    ]
    assert "<script" not in page


def test_predict_displays_a_question(capsys):
    predict("friction")
    assert capsys.readouterr().out == f"{Prediction('friction')!r}\n"


@pytest.mark.parametrize(
    ("name", "words"),
    [("zigzags", r"got 'zigzags'; nearest are zigzag"), (3, r"got 3$"), ("", r"got ''$")],
)
def test_an_unknown_question_is_named(name, words):
    with pytest.raises(ValueError, match=rf"^name must be that of a question; {words}"):
        predict(name)
