"""The exact answers: for each query the documents with the best inner product of any view."""
from pathlib import Path

import numpy
from views_files import Views

TOP = 100
# Views scored at a time.
CHUNK = 1 << 14


def best_documents(views: Views, queries: numpy.ndarray) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Document numbers and scores, best first, the lower number before its equals.

    Products are of the stored f16 values and the f32 query, summed in f32.
    """
    filled = numpy.flatnonzero(views.lengths)
    starts, ends = views.starts[filled], views.ends[filled]
    documents = numpy.full((len(queries), TOP), -1, numpy.int32)
    scores = numpy.full((len(queries), TOP), -numpy.inf, numpy.float32)
    first = 0
    while first < len(filled):
        last = max(first + 1, int(numpy.searchsorted(ends, starts[first] + CHUNK, "right")))
        rows = views.vectors[starts[first]:ends[last - 1]].astype(numpy.float32)
        found = numpy.maximum.reduceat(queries @ rows.T, starts[first:last] - starts[first], axis=1)
        numbers = numpy.broadcast_to(filled[first:last].astype(numpy.int32), found.shape)
        documents = numpy.concatenate([documents, numbers], axis=1)
        scores = numpy.concatenate([scores, found], axis=1)
        order = numpy.argsort(-scores, axis=1, kind="stable")[:, :TOP]
        documents = numpy.take_along_axis(documents, order, axis=1)
        scores = numpy.take_along_axis(scores, order, axis=1)
        first = last
    return documents, scores


def write(views: Views, queries: numpy.ndarray) -> None:
    documents, scores = best_documents(views, queries)
    save(views.folder / "truth-scores.npy", scores)
    save(views.folder / "truth.npy", documents)


def save(path: Path, values: numpy.ndarray) -> None:
    """Leaves no half file under the name."""
    aside = path.with_name("partial-" + path.name)
    numpy.save(aside, values)
    aside.rename(path)
