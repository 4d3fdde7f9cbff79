"""Sparse symmetric systems, factored once and solved for many right-hand sides."""

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_matrix
from scipy.sparse.linalg import splu

from protocol.errors import InputError

Array = NDArray[np.float64]
Solve = Callable[[Array], Array]
"""Right-hand sides (n, k) -> solutions (n, k)."""

Library = Literal["cholespy", "scipy"]


def factorize(matrix: csc_matrix, library: Library | None = None) -> Solve:
    """Factor a symmetric positive definite ``matrix``, in double precision: by cholespy's Cholesky
    where it is installed, else by scipy's LU. Raises :class:`InputError` ``system_singular``."""
    try:
        if library == "scipy":
            return _by_scipy(matrix)
        return _by_cholespy(matrix)
    except ImportError:
        return _by_scipy(matrix)
    except (RuntimeError, ValueError) as error:
        raise InputError(
            "system_singular", "The mesh is too degenerate to be deformed.",
            "Run Mesh > Clean Up > Degenerate Dissolve and Merge by Distance, and try again.",
        ) from error


def _by_cholespy(matrix: csc_matrix) -> Solve:
    from cholespy import CholeskySolverD, MatrixType

    starts, rows = matrix.indptr.astype(np.int32), matrix.indices.astype(np.int32)
    solver = CholeskySolverD(matrix.shape[0], starts, rows, matrix.data, MatrixType.CSC)

    def solve(right: Array) -> Array:
        found = np.empty(right.shape)
        solver.solve(np.ascontiguousarray(right), found)
        return found

    return solve


def _by_scipy(matrix: csc_matrix) -> Solve:
    solve: Solve = splu(matrix).solve
    return solve
