r"""Automatic differentiation of functions that are written with plain NumPy.

`derivative` and `jacobian` work in forward mode, on `Dual` numbers; `grad` works in reverse mode, on a tape
of `Var`; `hessian` is one on top of the other. Both modes read the same rules (`gradlib.autodiff.rules`).
`finite_difference` and `complex_step` need no rules, and are there to compare with.

What can be differentiated: operators, branches, loops and recursion, indexing, and the NumPy functions with a
rule; a function without one is named in the error. Elements cannot be assigned.

References
----------
Griewank & Walther, *Evaluating Derivatives*, 2nd ed. (2008); Baydin, Pearlmutter, Radul & Siskind, *Automatic
differentiation in machine learning: a survey*, JMLR 18 (2018) 153.

Examples
--------
>>> import numpy as np
>>> def f(x):
...     return np.sum(np.exp(-x) * np.sin(x))
>>> grad(f)(np.array([0.0, np.pi / 4])).round(12) + 0.0
array([1., 0.])
>>> hessian(f)(np.array([0.0, np.pi / 4])).round(3) + 0.0
array([[-2.   ,  0.   ],
       [ 0.   , -0.645]])
"""

from gradlib.autodiff.differences import complex_step, finite_difference
from gradlib.autodiff.dual import Dual, derivative, jacobian
from gradlib.autodiff.tape import Row, Var, backward, grad, hessian, trace

__all__ = [
    "Dual",
    "Row",
    "Var",
    "backward",
    "complex_step",
    "derivative",
    "finite_difference",
    "grad",
    "hessian",
    "jacobian",
    "trace",
]
