"""gradlib beside the libraries that students would import instead: `python -m benchmarks` prints the tables.

NumPy and SciPy each bring a pool of BLAS threads, and two pools on few cores hinder each other, so that all
measurements use one thread. The variables are read when NumPy is imported: import this package before.
"""

import os

for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"
