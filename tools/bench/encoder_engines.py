"""The engines of the encoder bench: our bench binary, and ONNX Runtime with its best settings.

Both run the same token ids and return the seconds it took, measured inside the process that ran:
`queries(n)` one for each of n queries of 32 tokens, `documents(n)` the total of n documents of 128.
"""
import json
import os
import statistics
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy
import onnxruntime
from onnxruntime import OrtValue

QUERY_TOKENS = 32
DOCUMENT_TOKENS = 128
CORES = sorted(os.sched_getaffinity(0))


def token_ids(length: int) -> list[int]:
    ids = [1000 + (i * 7919 + length * 104729) % 28000 for i in range(length)]
    ids[-1] = 102
    ids[0] = 101
    return ids


def pin(threads: int) -> None:
    """Pins the calling thread to as many cores as it may use."""
    os.sched_setaffinity(0, CORES[:threads])


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


class Ours:
    """Our bench binary, controlled by lines on stdin."""

    def __init__(self, command: list[str], model: Path, threads: int, precision: str):
        self.threads = threads
        self.name = f"fastlane {precision}"
        self.detail = ""
        self.process = subprocess.Popen(
            [*command, "--serve", str(model), "--threads", str(threads), "--precision", precision],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
            preexec_fn=lambda: pin(threads))
        assert self.process.stdin and self.process.stdout
        self.requests, self.replies = self.process.stdin, self.process.stdout
        if self.line() != "ready":
            raise SystemExit(f"{self.name}: the bench binary did not say `ready`")

    def line(self) -> str:
        line = self.replies.readline()
        if not line:
            raise SystemExit(f"{self.name}: the bench binary stopped ({self.process.wait()})")
        return line.strip()

    def ask(self, request: str) -> list[float]:
        self.requests.write(f"{request}\n")
        return json.loads(self.line())["seconds"]

    def queries(self, count: int) -> list[float]:
        return self.ask(f"query {count}")

    def documents(self, count: int) -> float:
        return sum(self.ask(f"documents {count}"))


@dataclass(frozen=True)
class Way:
    """One configuration of ONNX Runtime."""

    graph: str
    batch: int
    # The number of concurrent calls; they share the threads equally.
    calls: int

    def __str__(self) -> str:
        side_by_side = f", {self.calls} calls side by side" if self.calls > 1 else ""
        return f"{self.graph}, batch {self.batch}{side_by_side}"


class Peer:
    """ONNX Runtime, in the configurations that a trial finds fastest for queries and for documents."""

    def __init__(self, kind: str, graphs: dict[str, Path], threads: int):
        self.threads = threads
        self.name = f"ONNX Runtime {kind}"
        self.graphs = graphs
        self.query = numpy.array([token_ids(QUERY_TOKENS)])
        self.document = numpy.array([token_ids(DOCUMENT_TOKENS)])
        splits = sorted({1, threads})
        # The threads of a session inherit the CPU affinity of the thread that creates it.
        pin(threads)
        self.sessions = {
            (graph, calls): self.session(path, threads // calls)
            for graph, path in graphs.items() for calls in splits
        }
        self.callers = ThreadPoolExecutor(threads)
        self.query_way, self.document_way = self.trial(splits)
        self.detail = f"query: {self.query_way}; documents: {self.document_way}"

    @staticmethod
    def session(path: Path, threads: int) -> onnxruntime.InferenceSession:
        # Its threads spin by default, which is best for latency: 1.9 instead of 2.7 ms.
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.log_severity_level = 3
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def trial(self, splits: list[int]) -> tuple[Way, Way]:
        query_ways = [Way(graph, 1, 1) for graph in self.graphs]
        document_ways = [
            Way(graph, batch, calls)
            for graph in self.graphs for batch in (1, 8, 32) for calls in splits
        ]
        return (
            min(query_ways, key=lambda way: statistics.median(self.run_queries(way, 30)[10:])),
            min(document_ways, key=lambda way: min(self.run_documents(way, 32) for _ in range(2))),
        )

    def queries(self, count: int) -> list[float]:
        return self.run_queries(self.query_way, count)

    def documents(self, count: int) -> float:
        return self.run_documents(self.document_way, count)

    def run_queries(self, way: Way, count: int) -> list[float]:
        pin(self.threads)
        run = self.ready_run(way, self.query)
        return [seconds(run) for _ in range(count)]

    def run_documents(self, way: Way, count: int) -> float:
        batch = numpy.repeat(self.document, way.batch, 0)
        ready = [self.ready_run(way, batch) for _ in range(way.calls)]
        repeats = -(-count // (way.batch * way.calls))

        def caller(run: Callable[[], None]) -> None:
            pin(self.threads)
            for _ in range(repeats):
                run()

        taken = seconds(lambda: list(self.callers.map(caller, ready)))
        return taken * count / (repeats * way.batch * way.calls)

    def ready_run(self, way: Way, ids: numpy.ndarray) -> Callable[[], None]:
        """A run with bound input and output, which saves 1 or 2 % of a query."""
        session = self.sessions[way.graph, way.calls]
        output = session.get_outputs()[0]
        binding = session.io_binding()
        binding.bind_ortvalue_input("input_ids", OrtValue.ortvalue_from_numpy(ids))
        binding.bind_ortvalue_output(output.name, OrtValue.ortvalue_from_shape_and_type(
            [*ids.shape, output.shape[-1]], numpy.float32))
        return lambda: session.run_with_iobinding(binding)

    def states(self, length: int) -> numpy.ndarray:
        """The last hidden state of one sequence, for a check."""
        session = self.sessions[self.query_way.graph, 1]
        return session.run(None, {"input_ids": numpy.array([token_ids(length)])})[0][0]
