"""The small package that the lecture's notebooks import, one module for each subject."""
