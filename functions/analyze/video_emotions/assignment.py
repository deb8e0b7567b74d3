"""The assignment problem: which pairs of rows and columns have the least sum of costs.

OpenCV's earth mover's distance solves it (Rubner et al., 1998): each row has one unit of earth, each column room for
one. SciPy has a solver by that name, and would add 110 MB to the image.
"""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Costs = Sequence[Sequence[float | None]]
"""A row for each path, with a cost for each face. None: the pair cannot be."""


def assign(costs: Costs, columns: int) -> list[int | None]:
    """Return each row's column, or None. Each column is used once.

    The assignment has the least sum of costs of all that have the most pairs. OpenCV ends after 500 steps. They are
    enough for 60 rows and columns whose pairs can all be. A larger group gets an assignment that is nearly as good.

    Parameters
    ----------
    costs : sequence of sequence of float or None
    columns : int
        Length of each row.
    """
    table = np.array([[np.inf if cost is None else cost for cost in row] for row in costs])
    table = table.reshape(len(costs), columns)
    chosen: list[int | None] = [None] * len(costs)
    for rows, places in _groups(np.isfinite(table)):
        for row, place in _solved(table[np.ix_(rows, places)]):
            chosen[rows[row]] = places[place]
    return chosen


def _groups(possible: NDArray[np.bool_]) -> Iterator[tuple[list[int], list[int]]]:
    """Yield the rows and columns that are connected by pairs. Groups do not compete, and small ones are solved fast."""
    left = set(range(len(possible)))
    while left:
        rows, columns = {left.pop()}, set[int]()
        while True:
            reached = set(np.flatnonzero(possible[list(rows)].any(axis=0)).tolist())
            if reached == columns:
                break
            columns = reached
            rows = set(np.flatnonzero(possible[:, list(columns)].any(axis=1)).tolist())
        left -= rows
        if columns:
            yield sorted(rows), sorted(columns)


def _solved(table: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Return the pairs of an assignment. What is infinite in the table cannot be a pair."""
    possible = np.isfinite(table)
    least, most = table[possible].min(), table[possible].max()
    # One impossible pair costs more than all others can save.
    forbidden = (most - least + 1) * (min(table.shape) + 1)
    costs = np.where(possible, table - least, forbidden).astype(np.float32)
    rows, columns = (np.ones((count, 1), np.float32) for count in costs.shape)
    _, _, flow = cv2.EMD(rows, columns, cv2.DIST_USER, costs)
    pairs = np.argwhere((flow > 0.5) & possible)
    return [(int(row), int(column)) for row, column in pairs]
