"""gradlib beside the libraries that students would import instead: `python -m benchmarks` prints the tables.

NumPy and SciPy each bring a pool of BLAS threads, and two pools on few cores hinder each other, so that all
measurements use one thread. OpenBLAS chooses its kernels for the processor by itself. The variables are read
when NumPy is imported: import this package before.
"""

import os

for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"
for _variable in (
    "OPENBLAS_CORETYPE",
    "OPENBLAS_L2_SIZE",
):  # with which tests make kernels the same everywhere
    os.environ.pop(_variable, None)
