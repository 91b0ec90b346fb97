"""Makes token views of real text, queries and exact answers, to measure an index with.

`tools/bench/make-views` prepares Python and the encoder, and starts this. Its output in target/views:

- `million/`: vectors.npy, doclens.npy and ids.txt as `fastlane encode` writes them; the documents
  of all collections in the data folder, mixed, until there are 1,000,000 token views;
- `queries.npy`: 1,000 real queries (f32, unit length), one vector each: its soft lane, which
  without a router is the mean of its token states; `query-tokens/`: all views of their tokens;
- `truth.npy` and `truth-scores.npy` in the folder of each set: the 100 best documents of each
  query by its best view, exactly; `target/views/truth.npy` names the million's.

`--views` and `--lanes` make further sets: a part of `million`, or perturbed copies.
"""
import argparse
import subprocess
import sys
import time
from pathlib import Path

import numpy
from tools.bench import views_model, views_perturbed, views_text, views_truth
from tools.bench.views_files import Views, join

ROOT = Path(__file__).resolve().parents[2]
ENCODER = ROOT / "target/models/all-MiniLM-L6-v2"
MILLION = 1_000_000
QUERIES = 1000


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tools/bench/make-views", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT / "../shared/data",
                        help="a folder of BEIR collections")
    parser.add_argument("--output", type=Path, default=ROOT / "target/views")
    parser.add_argument("--dim", type=int, default=128,
                        help="dimension of the views, up to the encoder's 384; set another --output with it")
    parser.add_argument("--views", type=int, default=MILLION,
                        help="number of views: more than 1,000,000 adds perturbed copies, fewer truncates")
    parser.add_argument("--lanes", type=int, help="number of perturbed views per document")
    parser.add_argument("--documents", type=int, default=MILLION, help="number of documents with --lanes")
    parser.add_argument("--noise", type=float, default=0.5,
                        help="length of the noise that is added to a copy; 1 is the length of a view")
    parser.add_argument("--fastlane", type=Path, help="the binary; it is built by default")
    return parser.parse_args()


def say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


class Work:
    """The steps in order; each does nothing when its result exists."""

    def __init__(self, options: argparse.Namespace):
        self.options = options
        self.output: Path = options.output
        self.model = ROOT / f"target/models/minilm-{options.dim}"
        self.output.mkdir(parents=True, exist_ok=True)

    def binary(self) -> Path:
        if not self.options.fastlane:
            say("building the encoder")
            subprocess.run(["cargo", "build", "--release", "--package", "fastlane-app"],
                           cwd=ROOT, check=True)
            self.options.fastlane = ROOT / "target/release/fastlane"
        return self.options.fastlane

    def encode(self, model: Path, text: Path, output: Path, *more: str) -> Views:
        if not output.exists():
            subprocess.run([self.binary(), "encode", "--model", model, "--input", text,
                            "--output", output, *more], check=True)
        return Views(output)

    def part(self, number: int, every: list[dict]) -> Path:
        """The texts that are encoded together."""
        path = self.output / f"parts/{number:04}.jsonl"
        views_text.write(path, every[number * views_text.PART:][:views_text.PART])
        return path

    def checkpoint(self, every: list[dict]) -> None:
        if self.model.exists():
            return say(f"{self.model.name} is there already")
        sample = self.encode(ENCODER, self.part(0, every), self.output / "parts/plain")
        weights, kept = views_model.principal(sample.vectors, self.options.dim)
        views_model.write(ENCODER, self.model, weights)
        say(f"{self.model.name}: {self.options.dim} of {weights.shape[1]} directions keep {kept:.1%} of the "
            f"squared length of {len(sample.vectors)} states")

    def million(self, every: list[dict]) -> Views:
        output = self.output / "million"
        if not output.exists():
            join(self.parts(every), MILLION, output)
        return Views(output)

    def parts(self, every: list[dict]) -> list[Views]:
        parts: list[Views] = []
        while sum(len(part.vectors) for part in parts) < MILLION:
            number = len(parts)
            if number * views_text.PART >= len(every):
                raise SystemExit(f"`{self.options.data}` has text for fewer than {MILLION} views")
            parts.append(self.encode(self.model, self.part(number, every),
                                     self.output / f"parts/{number:04}"))
        return parts

    def queries(self) -> numpy.ndarray:
        path, text = self.output / "queries.npy", self.output / "queries.jsonl"
        if not path.exists():
            views_text.write(text, views_text.queries(self.options.data, QUERIES))
            tokens = self.encode(self.model, text, self.output / "query-tokens", "--query")
            lanes = numpy.load(tokens.folder / "soft.npy").astype(numpy.float32)
            views_truth.save(path, lanes / numpy.linalg.norm(lanes, axis=1, keepdims=True))
        return numpy.load(path)

    def larger(self, real: Views) -> Views:
        """The set that the options select."""
        options = self.options
        if options.lanes:
            output = self.output / f"lanes-{options.lanes}"
            if not output.exists():
                views_perturbed.lanes(
                    real, options.documents, options.lanes, options.noise, output)
        elif options.views != MILLION:
            output = self.output / f"views-{options.views}"
            if output.exists():
                pass
            elif options.views < MILLION:
                join([real], options.views, output)
            else:
                views_perturbed.enlarge(real, options.views, options.noise, output)
        else:
            return real
        return Views(output)

    def truth(self, views: Views, queries: numpy.ndarray) -> None:
        if not (views.folder / "truth.npy").exists():
            start = time.perf_counter()
            views_truth.write(views, queries)
            say(f"{views.folder.name}: exact answers in {time.perf_counter() - start:.0f} s")

    def link(self) -> None:
        name = self.output / "truth.npy"
        if not name.is_symlink():
            name.symlink_to("million/truth.npy")


def main() -> None:
    work = Work(arguments())
    every = views_text.documents(work.options.data)
    say(f"{len(every)} different documents in `{work.options.data}`")
    work.checkpoint(every)
    million, queries = work.million(every), work.queries()
    work.truth(million, queries)
    work.link()
    made = work.larger(million)
    work.truth(made, queries)
    say(f"{made.folder}: {len(made.lengths)} documents, {len(made.vectors)} views of "
        f"{made.vectors.shape[1]} dims, {made.vectors.nbytes / 1e6:.0f} MB; {len(queries)} queries")


main()
