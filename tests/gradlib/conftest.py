"""One hypothesis profile for all tests: the same cases on every run, and no clock."""

import matplotlib as mpl
from hypothesis import settings

mpl.use("Agg")
settings.register_profile("course", deadline=None, derandomize=True)
settings.load_profile("course")
