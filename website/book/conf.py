"""How Sphinx makes the book; `build.py` lays out its source and runs it."""

import re

project = "Gradient-descent optimizers"
author = "the authors of the lecture"
copyright = f"{author}. Text and pictures: CC BY 4.0"
language = "en"

extensions = ["myst_nb"]
myst_enable_extensions = ["amsmath", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "off"
suppress_warnings = ["mystnb.unknown_mime_type"]

html_theme = "sphinx_book_theme"
html_title = project
html_static_path = ["static"]
html_favicon = "static/icon.svg"
html_css_files = ["book.css"]
html_js_files = [("book.js", {"defer": "defer"})]
html_copy_source = False
html_context = {"default_mode": "light"}
html_theme_options = {
    "home_page_in_toc": True,
    "navbar_persistent": [],  # its buttons would take the presses from those above the page
    "show_toc_level": 2,
    "use_download_button": False,
    "use_fullscreen_button": False,
}

# Everything a page needs lies beside it, as build.py has put it there.
mathjax_path = "mathjax/tex-mml-chtml.js"
# The Tab key goes from control to control, and not through every formula.
mathjax3_config = {"options": {"menuOptions": {"settings": {"inTabOrder": False}}}}
nb_ipywidgets_js = {"require.js": {}, "widgets.js": {}, "html-manager/embed-amd.js": {}}

CODE = re.compile(r'(?<=<span class="pre">)[^<]+')
SIGN = re.compile(r"(?<=\w)(\.(?=\D)|[(=_](?=\w))")


def add_laboratory_button(app, page, template, context, doctree):
    """Put a button on the page of a notebook that opens it in the laboratory."""
    if page.startswith("notebooks/"):
        up = "../" * page.count("/")
        button = {
            "type": "link",
            "url": f"{up}lab/lab/index.html?path={page}.ipynb",
            "text": "Run it",
            "icon": "fas fa-play",
            "tooltip": "Open this notebook in the laboratory: it runs in your browser",
            "label": "laboratory",
        }
        context["header_buttons"].insert(0, button)


def let_code_break(app, page, template, context, doctree):
    """Let a long name in code break after a sign, where a table on a phone has no room for it."""
    if "body" in context:
        context["body"] = CODE.sub(lambda code: SIGN.sub(r"\g<0><wbr/>", code[0]), context["body"])


def setup(app):
    app.connect("html-page-context", add_laboratory_button, priority=600)
    app.connect("html-page-context", let_code_break)
