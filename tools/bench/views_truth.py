"""The exact answers: for each query the documents with the best inner product of any view.

For a query with many views: the sum over its views of the best product with each (sum-max).
"""
from collections.abc import Iterator
from pathlib import Path

import numpy
from tools.bench.views_files import Views

TOP = 100
# Views scored at a time.
CHUNK = 1 << 14


def best_documents(views: Views, queries: numpy.ndarray) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Document numbers and scores, best first; ties by number.

    Products are of the stored f16 values and the f32 query, summed in f32.
    """
    best = Best(len(queries))
    for numbers, found in max_products(views, queries):
        best.take(numbers, found)
    return best.documents, best.scores


def best_sums(views: Views, queries: list[numpy.ndarray]) -> numpy.ndarray:
    """Document numbers by the sum-max of all views of a query."""
    lengths = numpy.array([len(query) for query in queries])
    best = Best(len(queries))
    for numbers, found in max_products(views, numpy.concatenate(queries)):
        best.take(numbers, numpy.add.reduceat(found, lengths.cumsum() - lengths, axis=0))
    return best.documents


def max_products(views: Views, queries: numpy.ndarray) -> Iterator[tuple]:
    """Some documents at a time, and the best product of each of their views with each query."""
    filled = numpy.flatnonzero(views.lengths)
    starts, ends = views.starts[filled], views.ends[filled]
    first = 0
    while first < len(filled):
        last = max(first + 1, int(numpy.searchsorted(ends, starts[first] + CHUNK, "right")))
        rows = views.vectors[starts[first]:ends[last - 1]].astype(numpy.float32)
        places = starts[first:last] - starts[first]
        yield filled[first:last], numpy.maximum.reduceat(queries @ rows.T, places, axis=1)
        first = last


class Best:
    """The best documents of each query so far."""

    def __init__(self, queries: int):
        self.documents = numpy.full((queries, TOP), -1, numpy.int32)
        self.scores = numpy.full((queries, TOP), -numpy.inf, numpy.float32)

    def take(self, numbers: numpy.ndarray, found: numpy.ndarray) -> None:
        numbers = numpy.broadcast_to(numbers.astype(numpy.int32), found.shape)
        documents = numpy.concatenate([self.documents, numbers], axis=1)
        scores = numpy.concatenate([self.scores, found], axis=1)
        order = numpy.argsort(-scores, axis=1, kind="stable")[:, :TOP]
        self.documents = numpy.take_along_axis(documents, order, axis=1)
        self.scores = numpy.take_along_axis(scores, order, axis=1)


def write(views: Views, queries: numpy.ndarray) -> None:
    documents, scores = best_documents(views, queries)
    save(views.folder / "truth-scores.npy", scores)
    save(views.folder / "truth.npy", documents)


def save(path: Path, values: numpy.ndarray) -> None:
    """Writes a file atomically."""
    aside = path.with_name("partial-" + path.name)
    numpy.save(aside, values)
    aside.rename(path)
