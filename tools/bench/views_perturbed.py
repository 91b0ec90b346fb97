"""More views than there are in the text: copies of real ones with seeded noise, as new documents.

The noise has the standard deviation of the views in each dim, so copies are distributed like real
views. With a noise of 0.5 the cosine of a copy with its original is about 0.9.
"""
from pathlib import Path

import numpy
from tools.bench.views_files import Aside, Views

SEED = 11
# Views generated at a time.
CHUNK = 1 << 17


class Noise:
    """Perturbs rows, one seed for all."""

    def __init__(self, views: Views, size: float):
        self.numbers = numpy.random.default_rng(SEED)
        sample = views.vectors[::max(1, len(views.vectors) // 100_000)].astype(numpy.float32)
        self.spread = size * sample.std(0)

    def on(self, rows: numpy.ndarray) -> numpy.ndarray:
        moved = self.numbers.standard_normal(rows.shape, numpy.float32)
        moved *= self.spread
        moved += rows
        moved /= numpy.linalg.norm(moved, axis=1, keepdims=True)
        return moved


def enlarge(real: Views, wanted: int, size: float, output: Path) -> None:
    """Writes the real documents and then copies of them, until there are `wanted` views."""
    noise, names = Noise(real, size), real.ids()
    order: list[int] = []
    missing, rounds = wanted - len(real.vectors), 0
    while missing > 0:
        rounds += 1
        for document in noise.numbers.permutation(len(real.lengths)):
            if missing > 0:
                order.append(int(document))
                names.append(f"copy{rounds}/{names[document]}")
                missing -= int(real.lengths[document])
    lengths = numpy.concatenate([real.lengths, real.lengths[order]])
    aside = Aside(output, lengths, real.vectors.shape[1])
    for start in range(0, len(real.vectors), CHUNK):
        aside.append(real.vectors[start:start + CHUNK])
    for start in range(0, len(order), 256):
        some = order[start:start + 256]
        aside.append(noise.on(numpy.concatenate(
            [real.vectors[real.starts[one]:real.ends[one]] for one in some])))
    aside.finish(names)


def lanes(real: Views, documents: int, count: int, size: float, output: Path) -> None:
    """Writes documents of `count` views each, copies of views that one real document has."""
    noise, names, starts = Noise(real, size), real.ids(), real.starts
    filled = numpy.flatnonzero(real.lengths)
    aside = Aside(output, numpy.full(documents, count), real.vectors.shape[1])
    ids: list[str] = []
    while len(ids) < documents:
        some = noise.numbers.choice(filled, min(CHUNK // count, documents - len(ids)))
        places = noise.numbers.random((len(some), count)) * real.lengths[some][:, None]
        rows = starts[some][:, None] + places.astype(numpy.int64)
        aside.append(noise.on(real.vectors[rows.ravel()]))
        ids += [f"lanes{len(ids) + place}/{names[one]}" for place, one in enumerate(some)]
    aside.finish(ids)
