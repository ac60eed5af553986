import inspect
import math
from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np
import pytest
import scipy.optimize
import scipy.sparse as sparse
import scipy.sparse.linalg
from hypothesis import assume, given
from hypothesis import strategies as st

from gradlib import Status, cg, problems
from gradlib.linesearch import exact_quadratic, wolfe_search

nan, inf = np.nan, np.inf
seeds = st.integers(0, 10_000)
FORMULAS = ("fletcher-reeves", "polak-ribiere", "hestenes-stiefel", "dai-yuan")


def system(
    seed: int, kappa: float = 100.0, n: int | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return A, b and a start."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 12)) if n is None else n
    A = problems.quadratic(kappa, n, rng=rng).A
    return A, rng.standard_normal(n), rng.standard_normal(n)


def poisson(m: int) -> sparse.csr_array:
    """Return the five-point Laplacian on m × m points."""
    T = sparse.diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(m, m))
    return sparse.csr_array(sparse.kron(T, sparse.eye_array(m)) + sparse.kron(sparse.eye_array(m), T))


def replay(A: np.ndarray, b: np.ndarray, result: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the residuals and the directions of a run, one per row, from its trace alone."""
    t = result.trace
    return b - t.x @ A, np.diff(t.x, axis=0) / t.step[:, None]


# The formulas


@given(seeds)
def test_step_and_direction_are_the_recurrences(seed: int) -> None:
    A, b, x = system(seed)
    p, alpha = np.random.default_rng(seed).standard_normal((2, b.size))[0], 0.3
    r = b - A @ x
    x_new, r_new = cg.step(x, r, p, A @ p, alpha)
    np.testing.assert_allclose(x_new, x + alpha * p, rtol=1e-14)
    np.testing.assert_allclose(r_new, b - A @ x_new, atol=1e-11)
    np.testing.assert_allclose(cg.direction(r_new, p, 0.7), r_new + 0.7 * p, rtol=1e-14)


@given(seeds)
def test_the_four_formulas_are_one_on_a_quadratic_and_linear_cg_uses_it(seed: int) -> None:
    A, b, x0 = system(seed)
    r, p = replay(A, b, cg.solve(A, b, x0, tol=1e-3))
    for k in range(len(p) - 1):
        g, g_new = -r[k], -r[k + 1]
        expected = float((p[k + 1] - r[k + 1]) @ p[k] / (p[k] @ p[k]))
        betas = (
            cg.fletcher_reeves(g, g_new),
            cg.polak_ribiere(g, g_new),
            cg.hestenes_stiefel(g, g_new, p[k]),
            cg.dai_yuan(g, g_new, p[k]),
        )
        np.testing.assert_allclose(betas, expected, rtol=1e-6)


@given(seeds)
def test_formulas_against_their_definitions(seed: int) -> None:
    g, g_new, p = np.random.default_rng(seed).standard_normal((3, 4))
    y = g_new - g
    assert cg.fletcher_reeves(g, g_new) == pytest.approx((g_new**2).sum() / (g**2).sum(), rel=1e-12)
    assert cg.polak_ribiere(g, g_new) == pytest.approx(max(0, (g_new * y).sum() / (g**2).sum()), rel=1e-9)
    assert cg.hestenes_stiefel(g, g_new, p) == pytest.approx((g_new * y).sum() / (p * y).sum(), rel=1e-9)
    assert cg.dai_yuan(g, g_new, p) == pytest.approx((g_new**2).sum() / (p * y).sum(), rel=1e-9)
    # Hestenes and Stiefel's direction is conjugate for the curvature that the step saw
    assert abs(cg.direction(-g_new, p, cg.hestenes_stiefel(g, g_new, p)) @ y) < 1e-8 * (1 + abs(y @ g_new))


def test_polak_ribiere_is_never_negative_and_a_zero_denominator_leaks_no_warning() -> None:
    assert cg.polak_ribiere([2.0, 0.0], [1.0, 0.0]) == 0
    zero, one = np.zeros(2), np.ones(2)
    assert cg.fletcher_reeves(zero, one) == inf
    assert math.isnan(cg.hestenes_stiefel(one, one, zero))
    assert cg.dai_yuan(one, one, one) == inf


@pytest.mark.parametrize(
    ("formula", "arguments"),
    [
        (cg.fletcher_reeves, ("g", "g_new")),
        (cg.polak_ribiere, ("g", "g_new")),
        (cg.hestenes_stiefel, ("g", "g_new", "p")),
        (cg.dai_yuan, ("g", "g_new", "p")),
    ],
)
@pytest.mark.parametrize(
    ("bad", "message"),
    [(1.0, "must be a vector"), (np.ones(3), "must have length"), ("steep", "must be"), (None, "must be")],
)
def test_formulas_name_what_they_cannot_use(
    formula: Callable[..., float], arguments: tuple[str, ...], bad: Any, message: str
) -> None:
    for name in arguments[1:]:
        with pytest.raises(ValueError, match=f"{name} {message}"):
            formula(**{**dict.fromkeys(arguments, np.ones(2)), name: bad})


# The linear method: identities


@given(seeds)
def test_directions_are_conjugate_and_residuals_orthogonal(seed: int) -> None:
    A, b, x0 = system(seed, kappa=10.0)
    result = cg.solve(A, b, x0, tol=1e-4)
    r, p = replay(A, b, result)
    P = p / np.sqrt(np.einsum("ij,jk,ik->i", p, A, p))[:, None]
    np.testing.assert_allclose(P @ A @ P.T, np.eye(len(P)), atol=1e-6)
    R = r[:-1] / np.linalg.norm(r[:-1], axis=1)[:, None]
    np.testing.assert_allclose(R @ R.T, np.eye(len(R)), atol=1e-6)


@given(seeds)
def test_it_ends_in_n_steps_with_the_solution(seed: int) -> None:
    A, b, x0 = system(seed, kappa=10.0)
    result = cg.solve(A, b, x0)
    assert result.success
    assert result.nit <= b.size
    np.testing.assert_allclose(result.x, np.linalg.solve(A, b), atol=1e-6)


@given(seeds)
def test_iterates_minimise_over_the_krylov_space(seed: int) -> None:
    A, b, _ = system(seed, kappa=10.0)
    trace = cg.solve(A, b, tol=1e-6).trace
    K = b[:, None]
    for x in trace.x[1:]:
        basis = np.linalg.qr(K)[0]
        best = basis @ np.linalg.solve(basis.T @ A @ basis, basis.T @ b)
        np.testing.assert_allclose(x, best, atol=1e-6)
        K = np.column_stack([K, A @ basis[:, -1]])


@pytest.mark.parametrize("r", [1, 2, 5])
def test_r_distinct_eigenvalues_take_r_steps(r: int) -> None:
    rng = np.random.default_rng(r)
    axes, _ = np.linalg.qr(rng.standard_normal((60, 60)))
    A = axes @ (np.resize(np.linspace(1, 10, r), 60)[:, None] * axes.T)
    A, b = (A + A.T) / 2, rng.standard_normal(60)
    result = cg.solve(A, b, tol=0.0, max_iter=r)
    assert np.linalg.norm(A @ result.x - b) / np.linalg.norm(b) <= 2e-12
    assert cg.solve(A, b, tol=2e-12).nit == r


@pytest.mark.parametrize("kappa", [10.0, 1000.0])
def test_chebyshevs_bound(kappa: float) -> None:
    A, b, x0 = system(1, kappa, n=50)
    trace = cg.solve(A, b, x0, tol=1e-9).trace
    e = trace.x - np.linalg.solve(A, b)
    size = np.sqrt(np.einsum("ij,jk,ik->i", e, A, e))
    q = (math.sqrt(kappa) - 1) / (math.sqrt(kappa) + 1)
    k = np.arange(len(size))
    assert (size <= 2 * q**k * size[0] * (1 + 1e-9) + 1e-12).all()
    assert (np.diff(size) < 0).all()


@given(seeds)
def test_the_trace_holds_value_residual_and_step(seed: int) -> None:
    A, b, x0 = system(seed)
    result = cg.solve(A, b, x0, tol=1e-6)
    t = result.trace
    r, p = replay(A, b, result)
    np.testing.assert_allclose(t.fun, [0.5 * x @ A @ x - b @ x for x in t.x], rtol=1e-9, atol=1e-9)
    norms = np.linalg.norm(r, axis=1) / np.linalg.norm(b)
    np.testing.assert_allclose(t.grad_norm, norms, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(
        t.step, [exact_quadratic(-r_, p_, A @ p_) for r_, p_ in zip(r, p, strict=False)], rtol=1e-6
    )
    np.testing.assert_allclose(result.jac, A @ result.x - b, atol=1e-9)
    assert result.fun == t.fun[-1]
    assert result.nhev == result.nit + 2  # one for the start, one for the residual that proves success
    assert result.nfev == result.njev == 0


@given(seeds)
def test_preconditioning_is_cg_on_the_transformed_system(seed: int) -> None:
    A, b, _ = system(seed, kappa=20.0)
    C = np.tril(np.random.default_rng(seed).standard_normal((b.size, b.size))) + 3 * np.eye(b.size)
    C_inv = np.linalg.inv(C)
    direct = cg.solve(A, b, preconditioner=C_inv @ C_inv.T, tol=0.0, max_iter=2).trace.x
    B = C_inv.T @ A @ C_inv
    hat = cg.solve((B + B.T) / 2, C_inv.T @ b, tol=0.0, max_iter=2).trace.x
    np.testing.assert_allclose(direct @ C.T, hat, rtol=1e-6, atol=1e-8)


def test_the_exact_inverse_as_preconditioner_takes_one_step() -> None:
    A, b, x0 = system(3, n=8)
    result = cg.solve(A, b, x0, preconditioner=np.linalg.inv(A))
    assert result.success
    assert result.nit == 1


def test_a_preconditioner_may_return_the_same_array_each_time() -> None:
    A, b, x0 = system(3, n=8)
    P, z = np.diag(1 / np.diag(A)), np.empty(8)
    result = cg.solve(A, b, x0, preconditioner=lambda r: P.dot(r, z))
    np.testing.assert_array_equal(result.trace.x, cg.solve(A, b, x0, preconditioner=P).trace.x)


def test_every_kind_of_matrix_gives_the_same_run() -> None:
    A = poisson(6)
    dense, b = A.toarray(), np.random.default_rng(0).standard_normal(36)
    M = np.diag(np.linspace(0.5, 1.5, 36))
    runs = [
        cg.solve(matrix, b, preconditioner=preconditioner)
        for matrix, preconditioner in (
            (dense, M),
            (dense.tolist(), M.tolist()),
            (np.asfortranarray(dense), M),
            (A, sparse.csr_array(M)),
            (sparse.coo_matrix(dense), sparse.dia_matrix(M)),
            (scipy.sparse.linalg.aslinearoperator(A), scipy.sparse.linalg.aslinearoperator(M)),
            (lambda v: dense @ v, lambda v: M @ v),
            (lambda v: (dense @ v).tolist(), M),
        )
    ]
    for run in runs:
        assert run.success
        np.testing.assert_allclose(run.trace.x, runs[0].trace.x, atol=1e-12)


def test_products_that_reuse_their_array_or_change_their_argument_do_no_harm() -> None:
    A, b, x0 = system(0, n=7)
    Av, Mv = np.empty(7), np.empty(7)

    def product(v: np.ndarray) -> np.ndarray:
        Av[:] = A @ v
        v[:] = nan
        return Av

    def precondition(r: np.ndarray) -> np.ndarray:
        Mv[:] = 2 * r
        r[:] = nan
        return Mv

    for keep_trace in (True, False):
        plain = cg.solve(A, b, x0, preconditioner=2 * np.eye(7), keep_trace=keep_trace)
        careless = cg.solve(product, b, x0, preconditioner=precondition, keep_trace=keep_trace)
        assert careless.success
        np.testing.assert_allclose(careless.x, plain.x, atol=1e-12)


def test_arguments_are_not_changed_and_the_trace_can_be_left_out() -> None:
    A, b, x0 = system(5)
    copies = A.copy(), b.copy(), x0.copy()
    full, lean = cg.solve(A, b, x0), cg.solve(A, b, x0, keep_trace=False)
    assert len(lean.trace) == 0
    np.testing.assert_array_equal(lean.x, full.x)
    assert (lean.nit, lean.fun, lean.nhev) == (full.nit, full.fun, full.nhev)
    full.x[:] = 7
    assert not (full.trace.x[-1] == 7).any()
    from_zero = cg.solve(A, b, keep_trace=False)
    from_zero.jac[:] = 7
    for now, then in zip((A, b, x0), copies, strict=True):
        np.testing.assert_array_equal(now, then)


# Steepest descent


@pytest.mark.parametrize("gamma", [2.0, 10.0, 100.0])
def test_boyds_zigzag(gamma: float) -> None:
    result = cg.steepest_descent(np.diag([1.0, gamma]), np.zeros(2), [gamma, 1.0], max_iter=25, tol=0.0)
    q = (gamma - 1) / (gamma + 1)
    k = np.arange(len(result.trace))
    np.testing.assert_allclose(result.trace.x[:, 0], gamma * q**k, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(result.trace.x[:, 1], (-q) ** k, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(result.trace.fun[1:8] / result.trace.fun[:7], q**2, rtol=1e-12)
    np.testing.assert_allclose(result.trace.step, 2 / (1 + gamma), rtol=1e-12)


@given(seeds)
def test_steepest_descent_takes_exact_steps_along_the_residual(seed: int) -> None:
    A, b, x0 = system(seed, kappa=10.0)
    result = cg.steepest_descent(A, b, x0)
    assert result.success
    r, p = replay(A, b, result)
    early = result.trace.grad_norm[:-1] > 1e-4
    np.testing.assert_allclose(p[early], r[:-1][early], rtol=1e-6, atol=1e-6)
    alphas = [exact_quadratic(-v, v, A @ v) for v in r[:-1][early]]
    np.testing.assert_allclose(result.trace.step[early], alphas, rtol=1e-5)
    assert cg.solve(A, b, x0).nit <= result.nit


# What goes wrong


def test_success_is_measured_not_believed() -> None:
    # the recurrence's residual falls below any tolerance here; the true one cannot
    n = 12
    H = 1 / (np.arange(n)[:, None] + np.arange(n) + 1.0)
    for tol in (1e-6, 1e-10, 1e-14, 0.0):
        result = cg.solve(H, H @ np.ones(n), tol=tol, max_iter=10_000)
        residual = np.linalg.norm(H @ result.x - H @ np.ones(n)) / np.linalg.norm(H @ np.ones(n))
        assert result.success == (residual <= tol)
        assert result.success or result.status in (Status.ROUND_OFF, Status.SINGULAR)
    large = problems.quadratic(1e6, 200, rng=np.random.default_rng(0)).A
    drifted = cg.solve(large, np.ones(200), tol=1e-15, max_iter=20_000)
    assert drifted.status is Status.ROUND_OFF
    assert drifted.nit < 20_000


@given(seeds, st.floats(0, 16), st.sampled_from([1e-4, 1e-8, 1e-12, 0.0]))
def test_success_means_a_small_true_residual(seed: int, exponent: float, tol: float) -> None:
    A, b, x0 = system(seed, 10.0**exponent)
    try:
        result = cg.solve(A, b, x0, tol=tol, keep_trace=bool(seed % 2))
    except ValueError as error:  # round-off has made A indefinite
        assert exponent > 14
        assert "A must be" in str(error)  # noqa: PT017
        return
    assert np.isfinite(result.x).all()
    assert result.success == (np.linalg.norm(b - A @ result.x) <= tol * np.linalg.norm(b))


def test_singular_and_inconsistent_is_named() -> None:
    result = cg.solve([[1.0, 1.0], [1.0, 1.0]], [1.0, 0.0])
    assert result.status is Status.SINGULAR
    assert len(result.trace) == 2
    assert cg.solve([[1.0, 1.0], [1.0, 1.0]], [1.0, 1.0]).success  # singular but consistent


def test_rank_deficient_with_round_off_is_singular_not_indefinite() -> None:
    for seed in range(20):
        B, b = np.random.default_rng(seed).standard_normal((6, 3)), np.arange(1.0, 7.0)
        assert cg.solve(B @ B.T, b, max_iter=200).status is Status.SINGULAR


def test_zero_right_hand_side() -> None:
    A, b, x0 = system(2)
    at_once = cg.solve(A, 0 * b)
    assert at_once.success
    assert at_once.nit == 0
    back = cg.solve(A, 0 * b, x0)
    assert back.success
    np.testing.assert_allclose(back.x, 0, atol=1e-6)


def test_the_start_of_a_linear_solve_is_judged_by_the_same_tolerance() -> None:
    assert cg.solve(np.eye(2), [1.0, 0.0], [1 - 0.9e-8, 0.0]).nit == 0
    assert cg.solve(np.eye(2), [1.0, 0.0], [1 - 1.1e-8, 0.0]).nit > 0


def test_callback_and_iteration_limit() -> None:
    A, b, x0 = system(4, n=9)
    seen: list[np.ndarray] = []

    def callback(x: np.ndarray) -> bool:
        seen.append(x.copy())
        x[:] = nan
        return len(seen) == 3

    result = cg.solve(A, b, x0, callback=callback)
    assert result.status is Status.CALLBACK
    np.testing.assert_array_equal(seen, result.trace.x[1:])
    assert cg.solve(A, b, x0, max_iter=2).status is Status.ITERATION_LIMIT


def test_a_sparse_system_with_and_without_a_preconditioner() -> None:
    A = poisson(40)
    b = np.ones(1600)
    plain = cg.solve(A, b, keep_trace=False)
    lower = sparse.tril(A, format="csr")
    diagonal = A.diagonal()

    def symmetric_gauss_seidel(r: np.ndarray) -> np.ndarray:
        z = scipy.sparse.linalg.spsolve_triangular(lower, r, lower=True)
        return np.asarray(scipy.sparse.linalg.spsolve_triangular(lower.T.tocsr(), diagonal * z, lower=False))

    helped = cg.solve(A, b, preconditioner=symmetric_gauss_seidel, keep_trace=False)
    assert plain.success
    assert helped.success
    assert helped.nit < 0.6 * plain.nit
    np.testing.assert_allclose(helped.x, scipy.sparse.linalg.spsolve(A.tocsc(), b), rtol=1e-6)


SOLVE: list[tuple[dict[str, Any], str]] = [
    ({"A": None}, "A must be"),
    ({"A": "matrix"}, "A must be"),
    ({"A": 2.0}, "A must have shape"),
    ({"A": np.ones((2, 3))}, "A must have shape"),
    ({"A": sparse.eye_array(3)}, "A must have shape"),
    ({"A": scipy.sparse.linalg.aslinearoperator(np.eye(3))}, "A must have shape"),
    ({"A": [[1.0, 2.0], [0.0, 1.0]]}, "A must be symmetric"),
    ({"A": sparse.csr_array([[3.0, 2.0], [0.0, 1.0]])}, "A must be symmetric"),
    ({"A": lambda v: np.array([[3.0, 0.1], [0.0, 1.0]]) @ v}, "A must be symmetric"),
    ({"A": [[1.0, 0.0], [0.0, -0.5]]}, "A must be positive definite"),
    ({"A": -np.eye(2)}, "A must be positive definite"),
    ({"A": np.zeros((2, 2))}, "A must be positive definite"),
    ({"A": [[nan, 0.0], [0.0, 1.0]]}, "A must be finite"),
    ({"A": [[1j, 0.0], [0.0, 1.0]]}, "A must be real"),
    ({"A": lambda v: v * 1j}, "what A returns must be real"),
    ({"A": lambda v: v[:1]}, "A returned shape"),
    ({"A": lambda v: None}, "what A returns must be"),
    ({"A": np.eye(2) * 1e-320}, "A must be scaled"),
    ({"A": [[nan, 0.0], [0.0, 1.0]], "x0": [1.0, 1.0]}, "A must be finite"),
    ({"b": [1.0, nan]}, "b must be finite"),
    ({"b": 1.0}, "b must be a vector"),
    ({"b": []}, "b must be a vector"),
    ({"b": [[1.0], [2.0]]}, "b must be a vector"),
    ({"b": "right"}, "b must be"),
    ({"b": [1e200, 1.0]}, "b must be scaled"),
    ({"b": [1e-200, 0.0]}, "b must be scaled"),
    ({"x0": [1.0]}, "x0 must have shape"),
    ({"x0": [inf, 0.0]}, "x0 must be finite"),
    ({"b": [0.0, 0.0], "x0": [1e-200, 0.0]}, "x0 must be scaled"),
    ({"tol": -1.0}, "tol"),
    ({"tol": nan}, "tol"),
    ({"max_iter": -1}, "max_iter"),
    ({"max_iter": 2.5}, "max_iter"),
    ({"callback": 1}, "callback must be callable"),
]

PRECONDITIONER: list[tuple[dict[str, Any], str]] = [
    ({"preconditioner": np.ones(2)}, "preconditioner must have shape"),
    ({"preconditioner": "jacobi"}, "preconditioner must be"),
    ({"preconditioner": -np.eye(2)}, "preconditioner must be positive definite"),
    ({"preconditioner": lambda r: 0 * r}, "preconditioner must be positive definite"),
    ({"preconditioner": lambda r: nan * r}, "preconditioner must be positive definite"),
    ({"preconditioner": lambda r: 1.0}, "preconditioner returned shape"),
]


def names(cases: list[tuple[dict[str, Any], str]]) -> list[str]:
    return [f"{'+'.join(change)}: {message}" for change, message in cases]


@pytest.mark.parametrize(("change", "message"), SOLVE + PRECONDITIONER, ids=names(SOLVE + PRECONDITIONER))
def test_solve_names_what_it_cannot_use(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cg.solve(**{"A": [[2.0, 1.0], [1.0, 3.0]], "b": [1.0, 2.0], **change})


@pytest.mark.parametrize(("change", "message"), SOLVE, ids=names(SOLVE))
def test_steepest_descent_names_what_it_cannot_use(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cg.steepest_descent(**{"A": [[2.0, 1.0], [1.0, 3.0]], "b": [1.0, 2.0], **change})


def test_the_tables_cover_every_keyword() -> None:
    for function, cases in (
        (cg.solve, SOLVE + PRECONDITIONER),
        (cg.steepest_descent, SOLVE),
        (cg.minimize, MINIMIZE),
    ):
        tested = {name for change, _ in cases for name in change}
        assert set(inspect.signature(function).parameters) == tested | {"keep_trace"}


@given(seeds)
def test_badly_conditioned_but_symmetric_is_not_called_asymmetric(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 30))
    H = 1 / (np.arange(n)[:, None] + np.arange(n) + 1.0)
    scale = 10 ** rng.uniform(-4, 4, n)
    A = scale[:, None] * H * scale
    b = np.linalg.eigh(A)[1][:, int(rng.integers(n))] if seed % 2 else A @ rng.standard_normal(n)
    assume(b @ b > 1e-200)
    try:
        cg.solve(A, b, max_iter=5)
    except ValueError as error:
        assert "positive definite" in str(error)  # noqa: PT017


# The nonlinear method

SMOOTH = [
    problems.rosenbrock,
    problems.beale,
    problems.himmelblau,
    problems.boyd_vandenberghe,
    problems.course_quadratic,
    problems.chained_rosenbrock(10),
    problems.extended_rosenbrock(50),
]


@pytest.mark.parametrize("beta", FORMULAS)
@pytest.mark.parametrize("p", SMOOTH, ids=lambda p: p.name)
def test_every_formula_reaches_the_minimum(p: problems.Problem, beta: str) -> None:
    result = cg.minimize(p.fun, p.x0, p.jac, beta=beta)
    assert result.success
    assert np.abs(p.jac(result.x)).max() <= 1e-6
    assert (np.diff(result.trace.fun) <= 0).all()
    local = np.array([-1.0, *np.ones(p.x0.size - 1)])  # the other minimum of the chained function
    distances = np.linalg.norm(np.vstack([np.atleast_2d(p.minimum), local]) - result.x, axis=1)
    assert distances.min() < (0.1 if distances.argmin() == len(distances) - 1 else 1e-4)


@pytest.mark.parametrize("beta", FORMULAS)
@given(seeds)
def test_a_quadratic_takes_n_steps_if_they_are_nearly_exact(beta: str, seed: int) -> None:
    A, b, x0 = system(seed, kappa=10.0)
    result = cg.minimize(lambda x: 0.5 * x @ A @ x - b @ x, x0, lambda x: A @ x - b, beta=beta, c2=2e-4)
    assert result.success
    assert result.nit <= b.size + 2


@pytest.mark.parametrize("beta", FORMULAS)
def test_steps_fulfil_the_strong_wolfe_conditions_and_directions_descend(beta: str) -> None:
    p = problems.rosenbrock
    t = cg.minimize(p.fun, p.x0, p.jac, beta=beta).trace
    for k in range(len(t) - 1):
        direction = (t.x[k + 1] - t.x[k]) / t.step[k]
        slope = p.jac(t.x[k]) @ direction
        assert slope < 0
        assert t.fun[k + 1] <= t.fun[k] + 1e-4 * t.step[k] * slope
        assert abs(p.jac(t.x[k + 1]) @ direction) <= 0.1 * abs(slope) * (1 + 1e-6)


@pytest.mark.parametrize("beta", FORMULAS)
def test_directions_are_those_of_the_formula_between_restarts(beta: str) -> None:
    p = problems.chained_rosenbrock(3)
    t = cg.minimize(p.fun, p.x0, p.jac, beta=beta, max_iter=20).trace
    directions = np.diff(t.x, axis=0) / t.step[:, None]
    gradients = np.array([p.jac(x) for x in t.x])
    formula: Callable[..., float] = getattr(cg, beta.replace("-", "_"))
    used = 0
    for k in range(len(directions) - 1):
        g, g_new, last = gradients[k], gradients[k + 1], directions[k]
        arguments = (g, g_new, last) if beta in ("hestenes-stiefel", "dai-yuan") else (g, g_new)
        expected = -g_new + formula(*arguments) * last
        restarted = np.allclose(directions[k + 1], -g_new, rtol=1e-8, atol=1e-8)
        assert restarted or np.allclose(directions[k + 1], expected, rtol=1e-6, atol=1e-6)
        used += not restarted
    assert used >= 5
    if beta in ("polak-ribiere", "hestenes-stiefel"):  # the others may have restarted before
        assert np.allclose(directions[18], -gradients[18])  # 6n steps after the start


def test_a_step_that_fulfils_only_armijo_is_followed_by_a_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    p, found = problems.chained_rosenbrock(3), []

    def search(*arguments: Any) -> Any:
        found.append(wolfe_search(*arguments))
        return (*found[-1][:-1], Status.LINE_SEARCH) if len(found) == 3 else found[-1]

    monkeypatch.setattr(cg, "wolfe_search", search)
    t = cg.minimize(p.fun, p.x0, p.jac, max_iter=5).trace
    for k, (s, alpha) in enumerate(zip(np.diff(t.x, axis=0), t.step, strict=True)):
        assert np.allclose(s / alpha, -p.jac(t.x[k])) == (k in (0, 3))


def test_powells_restart_saves_fletcher_and_reeves() -> None:
    p = problems.chained_rosenbrock(100)
    for beta in FORMULAS:
        result = cg.minimize(p.fun, p.x0, p.jac, beta=beta, tol=1e-5, keep_trace=False)
        assert result.success
        assert result.nit < 1100  # without the restarts Fletcher–Reeves and Dai–Yuan take 1800


@given(seeds)
def test_success_means_a_small_gradient(seed: int) -> None:
    a = np.random.default_rng(seed).uniform(-2, 2, 6)

    def fun(x: np.ndarray) -> Any:
        return a[0] * x[0] ** 2 + a[1] * x[0] * x[1] + x[1] ** 4 + anp.sin(a[2] * x[0]) + anp.log(x[1] + 3)

    result = cg.minimize(fun, [a[4], a[5]], beta=FORMULAS[seed % 4], max_iter=60, tol=1e-5)
    gradient = np.array(
        [
            2 * a[0] * result.x[0] + a[1] * result.x[1] + a[2] * np.cos(a[2] * result.x[0]),
            a[1] * result.x[0] + 4 * result.x[1] ** 3 + 1 / (result.x[1] + 3),
        ]
    )
    if result.success:
        assert np.abs(gradient).max() <= 1e-5 * (1 + 1e-6)
    assert np.isfinite(result.trace.x).all()
    assert result.fun == result.trace.fun[-1 if result.success else np.argmin(result.trace.fun)]


@pytest.mark.parametrize("beta", FORMULAS)
def test_it_goes_on_where_the_values_are_noise(beta: str) -> None:
    p = problems.quadratic(1e4, 300, rng=np.random.default_rng(0))
    b = p.A @ p.x0 / 100

    def fun(x: np.ndarray) -> float:
        return float(0.5 * x @ (p.A @ x) - b @ x)

    result = cg.minimize(fun, np.zeros(300), lambda x: p.A @ x - b, beta=beta, tol=1e-5)
    assert result.fun < -1e5
    assert result.success


def test_it_ends_when_round_off_has_won() -> None:
    p = problems.quadratic(1e3, 50, rng=np.random.default_rng(0))
    b = p.A @ p.x0
    for beta in FORMULAS:
        result = cg.minimize(
            lambda x: 0.5 * x @ (p.A @ x) - b @ x, np.zeros(50), lambda x: p.A @ x - b, beta=beta, tol=0.0
        )
        assert result.status is Status.ROUND_OFF
        assert result.nit < 2000


@pytest.mark.parametrize("beta", FORMULAS)
def test_a_kink_that_many_small_steps_lead_to_is_called_one(beta: str) -> None:
    result = cg.minimize(
        lambda x: max(x[0] ** 2, (x[0] - 2) ** 2) + x[1] ** 2,
        [3.0, 2.0],
        lambda x: 2 * np.array([x[0] if x[0] > 1 else x[0] - 2, x[1]]),
        beta=beta,
    )
    assert result.status is Status.KINK
    assert result.nfev < 1500


@pytest.mark.parametrize("beta", FORMULAS)
def test_a_search_too_far_to_bear_noise_is_tried_nearer(beta: str) -> None:
    # near the minimum at 1e-6 the values, near 15, resolve no fall, but the slopes still do
    result = cg.minimize(lambda x: 1e6 * x - anp.log(x) - anp.log(1 - x), 0.1, beta=beta)
    assert result.success


def test_a_start_whose_square_leaves_the_range() -> None:
    result = cg.minimize(lambda x: 1e-200 * x @ x, [1e140, 1e140], lambda x: 2e-200 * x, tol=1e-70)
    assert result.status is not Status.DIVERGED
    assert result.fun < 1e80


def test_the_first_trial_is_at_most_one_away() -> None:
    p, tried = problems.rosenbrock, []

    def fun(x: np.ndarray) -> float:
        tried.append(x.copy())
        return float(p.fun(x))

    cg.minimize(fun, p.x0, p.jac, max_iter=1)
    assert np.linalg.norm(tried[1] - p.x0) == pytest.approx(1)
    tried.clear()
    cg.minimize(fun, [1.0, 1.001], p.jac, max_iter=1)
    assert np.linalg.norm(tried[1] - tried[0]) == pytest.approx(min(1, np.linalg.norm(p.jac(tried[0]))))


def test_the_start_is_judged_by_the_same_tolerance() -> None:
    assert cg.minimize(lambda x: x**2, 0.45e-6).nit == 0
    assert cg.minimize(lambda x: x**2, 0.55e-6).nit > 0


def test_failures_have_their_name() -> None:
    for beta in FORMULAS:
        assert cg.minimize(lambda x: -x, 0.0, beta=beta).status is Status.DIVERGED
        wrong = cg.minimize(
            problems.rosenbrock.fun, [-1.2, 1.0], lambda x: -problems.rosenbrock.jac(x), beta=beta
        )
        assert wrong.status is Status.GRADIENT_MISMATCH
    kink = cg.minimize(lambda x: 3 * x + 1 if x > 0 else 1 - x, 0.3, lambda x: 3.0 if x > 0 else -1.0)
    assert kink.status is Status.KINK
    assert abs(kink.x) < 1e-6
    assert cg.minimize(lambda x: 5 * x - anp.log(x), 3.0).success
    assert cg.minimize(lambda x: 1e200 * x**2, 1.0).status is Status.LINE_SEARCH
    assert cg.minimize(lambda x: 1e-300 * x**2, 1.0, tol=0.0).status is Status.ROUND_OFF
    flat = cg.minimize(lambda x: anp.exp(x) - 5 * x, 3.0, tol=0.0)
    assert flat.status is Status.ROUND_OFF
    assert flat.x == pytest.approx(np.log(5), abs=1e-7)


def test_counts_callback_scalar_and_pair() -> None:
    p, calls = problems.rosenbrock, {"fun": 0, "jac": 0}

    def fun(x: np.ndarray) -> float:
        calls["fun"] += 1
        return float(p.fun(x))

    def jac(x: np.ndarray) -> np.ndarray:
        calls["jac"] += 1
        return np.asarray(p.jac(x))

    result = cg.minimize(fun, p.x0, jac)
    assert (result.nfev, result.njev) == (calls["fun"], calls["jac"])
    t = result.trace
    np.testing.assert_array_equal(t.fun, [p.fun(x) for x in t.x])
    np.testing.assert_array_equal(t.grad_norm, [np.abs(p.jac(x)).max() for x in t.x])
    pair = cg.minimize(lambda x: (p.fun(x), p.jac(x)), p.x0, True)
    np.testing.assert_array_equal(pair.trace.x, t.x)
    stopped = cg.minimize(p.fun, p.x0, p.jac, callback=lambda x: True)
    assert stopped.status is Status.CALLBACK
    assert stopped.nit == 1
    scalar = cg.minimize(lambda x: (x - 2) ** 4 + x**2, 1.0)
    assert scalar.success
    assert isinstance(scalar.x, float)
    limited = cg.minimize(p.fun, p.x0, p.jac, max_iter=3, keep_trace=False)
    assert limited.status is Status.ITERATION_LIMIT
    assert len(limited.trace) == 0


def test_scipy_takes_it_as_a_method() -> None:
    p = problems.rosenbrock
    result = scipy.optimize.minimize(p.fun, p.x0, jac=p.jac, method=cg.minimize, options={"beta": "dai-yuan"})
    assert result.success
    np.testing.assert_allclose(result.x, 1, atol=1e-5)


MINIMIZE: list[tuple[dict[str, Any], str]] = [
    ({"fun": None}, "fun must be callable"),
    ({"fun": lambda x: nan}, "x0 must lie in the domain of fun"),
    ({"fun": lambda x: [x, x]}, "fun returned shape"),
    ({"x0": nan}, "x0 must be finite"),
    ({"x0": []}, "x0 must be a number or a vector"),
    ({"jac": 3.0}, "jac must be callable"),
    ({"jac": lambda x: [1.0, 2.0]}, "jac returned shape"),
    ({"beta": "newton"}, "beta must be one of"),
    ({"c2": 1.0}, "c2 must lie between"),
    ({"c2": nan}, "c2 must be finite"),
    ({"beta": None}, "beta must be one of"),
    ({"beta": ["dai-yuan"]}, "beta must be one of"),
    ({"tol": -1.0}, "tol"),
    ({"max_iter": 1.5}, "max_iter"),
    ({"callback": 1}, "callback must be callable"),
]


@pytest.mark.parametrize(("change", "message"), MINIMIZE, ids=names(MINIMIZE))
def test_minimize_names_what_it_cannot_use(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cg.minimize(**{"fun": lambda x: x**2, "x0": 1.0, "jac": lambda x: 2 * x, **change})
