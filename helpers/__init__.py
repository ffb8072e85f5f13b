"""The small package that the lecture's notebooks import, one module for each subject."""

import logging

# Matplotlib lists the fonts before its very first picture; no learner must be warned of that.
logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
