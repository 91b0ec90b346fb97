"""Compares the loss of codecs that store views in few bits per value.

`tools/bench/stores` prepares Python and starts this; `tools/bench/make-views` made the views. Each
codec encodes and decodes all views; then exact products with these are compared with exact products
with halves. The codec of the engine is `turned, bent`: `crates/engine/src/codec/levels.rs`.
"""
from dataclasses import dataclass
from pathlib import Path

import faiss
import numpy
from tools.bench.views_files import Views

VIEWS = Path(__file__).resolve().parents[2] / "target/views"
QUERIES, DOCUMENTS, TRAINED_BY = 200, 400, 20_000
TRIES = (1.0, 0.93, 0.86, 0.79, 0.72, 0.65)


@dataclass
class Way:
    """A codec: what is subtracted from a view, how the rest is scaled, and its quantisation points."""

    name: str
    bits: int = 4
    bend: float = 0.0
    tries: tuple = TRIES
    turned: bool = True
    by_dimension: bool = False
    # The views on which 255 centroids are trained: none, the first, or any.
    centroids: str = ""


WAYS = [
    Way("largest value as last point, not turned", tries=(1.0,), turned=False),
    Way("best scale, not turned", turned=False),
    Way("best scale by dimension, not turned", turned=False, by_dimension=True),
    Way("largest value as last point, turned", tries=(1.0,)),
    Way("best scale, turned"),
    Way("best scale, turned, bent", bend=0.006),
    Way("the same of what 255 centroids of the first leave", bend=0.006, centroids="first"),
    Way("the same of what 255 centroids of any leave", bend=0.006, centroids="any"),
    Way("8 bits, turned", bits=8, tries=(1.0,)),
]


class Coder:
    """Encodes and decodes views."""

    def __init__(self, way: Way, samples: dict[str, numpy.ndarray]):
        self.way, dim = way, samples["any"].shape[1]
        self.turn = numpy.eye(dim, dtype=numpy.float32)
        if way.turned:
            noise = numpy.random.default_rng(1).standard_normal((dim, dim))
            self.turn = numpy.linalg.qr(noise)[0].astype(numpy.float32)
        self.kmeans = None
        if way.centroids:
            self.kmeans = faiss.Kmeans(dim, 255, niter=8, seed=1, max_points_per_centroid=80)
            self.kmeans.train(samples[way.centroids])
        rest = samples["any"] - self.nearest(samples["any"])
        self.scales = numpy.sqrt((rest**2).mean(0)) if way.by_dimension else numpy.float32(1)
        levels = numpy.arange(2**way.bits) - (2**way.bits - 1) / 2
        self.points = (levels * (1 + way.bend * levels**2)).astype(numpy.float32)
        self.limits = (self.points[1:] + self.points[:-1]) / 2

    def nearest(self, views: numpy.ndarray) -> numpy.ndarray | float:
        if not self.kmeans:
            return 0.0
        return self.kmeans.centroids[self.kmeans.index.search(views, 1)[1][:, 0]]

    def read_again(self, views: numpy.ndarray) -> numpy.ndarray:
        centroids = self.nearest(views)
        rest = (views - centroids) @ self.turn / self.scales
        largest = numpy.abs(rest).max(1, keepdims=True) / self.points[-1]
        best, least = numpy.zeros_like(rest), numpy.full(len(rest), numpy.inf)
        for share in self.way.tries:
            scale = numpy.maximum(share * largest, 1e-12)
            found = scale * self.points[numpy.searchsorted(self.limits, rest / scale)]
            errors = (((rest - found) * self.scales)**2).sum(1)
            better = errors < least
            best[better], least[better] = found[better], errors[better]
        return centroids + (best * self.scales) @ self.turn.T


def recall(scores: numpy.ndarray, truth: numpy.ndarray, k: int) -> float:
    found = numpy.argsort(-scores, axis=1)[:, :k]
    hits = [len(set(row) & set(best[:k])) for row, best in zip(found.tolist(), truth.tolist())]
    return sum(hits) / found.size


def measure(way: Way, views: Views, queries: numpy.ndarray, truth: numpy.ndarray) -> None:
    any_views = numpy.random.default_rng(0).permutation(len(views.vectors))[:TRAINED_BY]
    samples = {"first": views.vectors[:TRAINED_BY].astype(numpy.float32),
               "any": views.vectors[numpy.sort(any_views)].astype(numpy.float32)}
    coder, errors, scores = Coder(way, samples), 0.0, []
    for first in range(0, len(views.lengths), DOCUMENTS):
        starts = views.starts[first:first + DOCUMENTS]
        end = views.ends[first:first + DOCUMENTS][-1]
        rows = views.vectors[starts[0]:end].astype(numpy.float32)
        again = coder.read_again(rows)
        errors += ((rows - again)**2).sum()
        scores.append(numpy.maximum.reduceat(again @ queries.T, starts - starts[0], axis=0).T)
    found = numpy.concatenate(scores, axis=1)
    print(f"{way.name:<48}{errors / len(views.vectors):9.5f}"
          f"{recall(found, truth, 10):8.4f}{recall(found, truth, 100):8.4f}", flush=True)


def main() -> None:
    views = Views(VIEWS / "million")
    queries = numpy.load(VIEWS / "queries.npy")[:QUERIES].astype(numpy.float32)
    truth = numpy.load(VIEWS / "million/truth.npy")[:QUERIES]
    print(f"{'':48}{'error²':>9}{'r@10':>8}{'r@100':>8}")
    for way in WAYS:
        measure(way, views, queries, truth)


main()
