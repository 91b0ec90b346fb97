"""The engines of the index bench: usearch, faiss, and our own index in a separate process.

An engine builds (or finds) its index once, then answers `search(queries, k, setting)` with distinct
documents and the seconds it took. The peers index views only: they fetch the number of views in
the setting, and double it for queries that have not found k documents yet. Grouping views into
documents costs a peer nothing here: only the seconds inside its own search are counted, and a call
takes many queries, which saves the overhead of Python.
"""
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import faiss
import numpy
from tools.bench.views_files import Views
from usearch.index import Index

LISTS = 4096
# Training views per list, and rounds: faiss's defaults (256 and 10) take 4 x as long.
TRAINED_BY, TRAINED = 64, 10
# Bits of the query: 4, the default, is not faster and finds less.
QUERY_BITS = 8
# Views compared exactly for each that is fetched.
REFINED = 4


@dataclass(frozen=True)
class Setting:
    """The search effort; every engine interprets the numbers in its own way."""

    effort: int
    # Views fetched at first (peers), or the margin in standard errors (ours).
    fetch: float


@dataclass
class Built:
    """The cost of an index: CPU seconds (the machine may be shared), bytes, seconds to open.

    Hot bytes are those that any search may touch, so that they must be in memory.
    """

    seconds: float
    size: int
    hot: int
    open: float = 0.0


@dataclass
class Answer:
    documents: numpy.ndarray
    seconds: float


def kept(path: Path, build: Callable[[], object]) -> float:
    """Builds unless that was done before; returns the time it took, which is stored in a file next to it."""
    note = path.with_name(path.name + ".json")
    if not note.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        start = cpu_seconds()
        build()
        note.write_text(json.dumps({"seconds": cpu_seconds() - start}))
    return json.loads(note.read_text())["seconds"]


def cpu_seconds() -> float:
    """Of this process and of the children it has waited for."""
    times = os.times()
    return sum(times[:4])


def opened(load: Callable[[], object]) -> tuple[object, float]:
    start = time.perf_counter()
    return load(), time.perf_counter() - start


class Peer:
    """An engine that indexes views, not documents."""

    name: str
    built: Built

    def __init__(self, views: Views):
        self.owners = views.owners()

    def views(self, queries: numpy.ndarray, fetch: int, setting: Setting) -> numpy.ndarray:
        """The best views of each query, best first; padded with -1."""
        raise NotImplementedError

    def search(self, queries: numpy.ndarray, k: int, setting: Setting) -> Answer:
        documents = numpy.full((len(queries), k), -1, numpy.int64)
        missing, fetch, seconds = numpy.arange(len(queries)), setting.fetch, 0.0
        while len(missing):
            asked = queries[missing]
            start = time.perf_counter()
            found = self.views(asked, fetch, setting)
            seconds += time.perf_counter() - start
            short = []
            for query, row in zip(missing, found):
                seen = list(dict.fromkeys(self.owners[row[row >= 0]].tolist()))[:k]
                documents[query, :len(seen)] = seen
                if len(seen) < k and (row >= 0).all():
                    short.append(query)
            missing = numpy.array(short, numpy.int64)
            fetch = min(2 * fetch, len(self.owners))
            if fetch == found.shape[1]:
                break
        return Answer(documents, seconds)


class Usearch(Peer):
    """HNSW over all views in f16, M 16; `expansion_add` is 128, the default."""

    name = "usearch HNSW f16 M16"

    def __init__(self, views: Views, folder: Path):
        super().__init__(views)
        path = folder / "usearch"
        seconds = kept(path, lambda: self.build(views, path))
        size = path.stat().st_size
        self.index, taken = opened(lambda: Index.restore(str(path)))
        self.built = Built(seconds, size, size, taken)

    @staticmethod
    def build(views: Views, path: Path) -> None:
        index = Index(ndim=views.vectors.shape[1], metric="ip", dtype="f16", connectivity=16,
                      expansion_add=128)
        index.add(numpy.arange(len(views.vectors)), views.vectors, threads=1)
        index.save(str(path))

    def views(self, queries: numpy.ndarray, fetch: int, setting: Setting) -> numpy.ndarray:
        self.index.expansion_search = setting.effort
        found = self.index.search(queries, fetch, threads=1)
        if len(queries) == 1:
            return found.keys.astype(numpy.int64)[None]
        keys = found.keys.astype(numpy.int64)
        keys[numpy.arange(fetch) >= found.counts[:, None]] = -1
        return keys

    @staticmethod
    def settings(_k: int) -> list[Setting]:
        """The expansion is at least the number of fetched views, so one number sets both."""
        return [Setting(effort, effort)
                for effort in (160, 320, 640, 960, 1280, 1600, 2000, 2400, 3200)]


class Faiss(Peer):
    """IVF with 1-bit codes, the best rescored with the f32 views."""

    name = f"faiss IVF{LISTS},RaBitQ,RFlat"

    def __init__(self, views: Views, folder: Path):
        super().__init__(views)
        faiss.omp_set_num_threads(1)
        path = folder / "faiss"
        seconds = kept(path, lambda: self.build(views, path))
        self.index, taken = opened(lambda: faiss.read_index(str(path)))
        lists = faiss.downcast_index(self.index.base_index)
        number = 8
        hot = lists.ntotal * (lists.code_size + number) + LISTS * 4 * lists.d
        self.built = Built(seconds, path.stat().st_size, hot, taken)

    @staticmethod
    def build(views: Views, path: Path) -> None:
        rows = views.vectors.astype(numpy.float32)
        index = faiss.index_factory(
            rows.shape[1], f"IVF{LISTS},RaBitQ,RFlat", faiss.METRIC_INNER_PRODUCT)
        lists = faiss.downcast_index(index.base_index)
        lists.cp.max_points_per_centroid, lists.cp.niter = TRAINED_BY, TRAINED
        index.train(rows)
        index.add(rows)
        faiss.write_index(index, str(path))

    def views(self, queries: numpy.ndarray, fetch: int, setting: Setting) -> numpy.ndarray:
        probing = faiss.IVFRaBitQSearchParameters(nprobe=setting.effort, qb=QUERY_BITS)
        refining = faiss.IndexRefineSearchParameters(k_factor=REFINED, base_index_params=probing)
        return self.index.search(queries, fetch, params=refining)[1]

    @staticmethod
    def settings(_k: int) -> list[Setting]:
        return [Setting(probes, fetch)
                for fetch in (160, 320, 640, 1600) for probes in (64, 128, 192, 256, 384)]


class Child:
    """An index searched by a separate process, which is controlled by lines on stdin.

    It runs on one core, with this protocol:

    1. Once the index is open it writes `ready HOT OPEN`: the hot bytes of the index, and the
       nanoseconds that opening took.
    2. It reads `search K EFFORT FETCH COUNT`, a line, and then COUNT queries, raw f32 values,
       little-endian.
    3. It searches the queries one after the other and writes a line for each:
       `NANOSECONDS DOCUMENT DOCUMENT ...`, the time inside the search and up to K document
       numbers, best first. A document's number is its place in the ids.txt that was indexed.
       Lines may come all at once when the last query is done.
    4. At the end of its input it stops.
    """

    def __init__(self, index: Path, build: list, serve: list):
        seconds = kept(index, lambda: self.build(index, build))
        self.process = subprocess.Popen(serve, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdin and self.process.stdout
        self.requests, self.replies = self.process.stdin, self.process.stdout
        ready, *figures = self.line()
        if ready != "ready":
            raise SystemExit(f"`{serve[0]}` said `{ready}`, not `ready`")
        size = sum(file.stat().st_size for file in index.rglob("*") if file.is_file())
        self.built = Built(seconds, size, int(figures[0]), int(figures[1]) / 1e9)

    @staticmethod
    def build(index: Path, command: list) -> None:
        # Otherwise the files of a stopped run would be added to.
        shutil.rmtree(index, ignore_errors=True)
        subprocess.run(command, check=True)

    def line(self) -> list[str]:
        line = self.replies.readline().decode().split()
        if not line:
            raise SystemExit(f"a process that serves an index stopped ({self.process.wait()})")
        return line

    def ask(self, count: int, values: bytes, k: int, setting: Setting) -> Answer:
        request = f"search {k} {setting.effort} {setting.fetch} {count}\n"
        self.requests.write(request.encode() + values)
        self.requests.flush()
        documents, nanoseconds = numpy.full((count, k), -1, numpy.int64), 0
        for row in documents:
            taken, *found = self.line()
            row[:len(found)] = [int(number) for number in found]
            nanoseconds += int(taken)
        return Answer(documents, nanoseconds / 1e9)


class FastLane(Child):
    """Our index, by `crates/engine/benches/index.rs`: EFFORT is PROBES and FETCH is MARGIN.

    Both 0 stand for the default effort. A query is one row of unit length.
    """

    name = "fastlane"

    def __init__(self, views: Views, folder: Path, command: list):
        path = folder / "fastlane"
        # Near-duplicates are kept, as the peers keep them too.
        super().__init__(path, [*command, "--build", views.folder, path], [*command, path])

    def search(self, queries: numpy.ndarray, k: int, setting: Setting) -> Answer:
        return self.ask(len(queries), queries.astype("<f4").tobytes(), k, setting)

    @staticmethod
    def settings(k: int) -> list[Setting]:
        return [Setting(0, 0), *(Setting(probes, margin)
                for margin in (1, 1.5, 2) for probes in (32, 64, 128, 256, 384, 512))]


class NextPlaid(Child):
    """PLAID with 4-bit residuals, which takes all views of a query: sum-max, its own settings.

    Its exact answers are different documents: recall is measured against the exact sum-max. A query is the number
    of its views as u32 and then the views.
    """

    name = "next-plaid, all query views"

    def __init__(self, views: Views, folder: Path, binary: Path):
        path = folder / "next-plaid"
        super().__init__(path, [binary, "build", views.folder, path], [binary, "serve", path])

    def search(self, queries: list[numpy.ndarray], k: int, setting: Setting) -> Answer:
        values = b"".join(len(views).to_bytes(4, "little") + views.astype("<f4").tobytes()
                          for views in queries)
        return self.ask(len(queries), values, k, setting)

    @staticmethod
    def settings(_k: int) -> list[Setting]:
        """Its default, and a quarter of the documents scored in full."""
        return [Setting(8, 1024), Setting(8, 4096)]
