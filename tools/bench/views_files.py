"""A directory of views as `fastlane encode` writes it: vectors.npy, doclens.npy, ids.txt."""
import shutil
from pathlib import Path

import numpy
from numpy.lib.format import open_memmap


class Views:
    """The memory-mapped views of some documents."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.vectors = numpy.load(folder / "vectors.npy", mmap_mode="r")
        self.lengths = numpy.load(folder / "doclens.npy").astype(numpy.int64)
        self.ends = self.lengths.cumsum()
        if len(self.ends) and self.ends[-1] != len(self.vectors):
            raise SystemExit(f"`{folder}` has {len(self.vectors)} views, "
                             f"its doclens.npy counts {self.ends[-1]}")

    @property
    def starts(self) -> numpy.ndarray:
        return self.ends - self.lengths

    def ids(self) -> list[str]:
        return (self.folder / "ids.txt").read_text(encoding="utf-8").splitlines()

    def owners(self) -> numpy.ndarray:
        """The document of each view."""
        return numpy.repeat(numpy.arange(len(self.lengths), dtype=numpy.int32), self.lengths)


class Aside:
    """Writes a directory of views, which is renamed when it is complete."""

    def __init__(self, output: Path, lengths: numpy.ndarray, dim: int):
        self.output = output
        self.folder = output.with_name(output.name + ".partial")
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        numpy.save(self.folder / "doclens.npy", lengths.astype(numpy.uint32))
        self.vectors = open_memmap(self.folder / "vectors.npy", "w+", numpy.float16,
                                   (int(lengths.sum()), dim))
        self.written = 0

    def append(self, rows: numpy.ndarray) -> None:
        self.vectors[self.written:self.written + len(rows)] = rows
        self.written += len(rows)

    def finish(self, ids: list[str]) -> None:
        assert self.written == len(self.vectors)
        self.vectors.flush()
        (self.folder / "ids.txt").write_text("".join(f"{name}\n" for name in ids), encoding="utf-8")
        self.folder.rename(self.output)


def join(parts: list[Views], wanted: int, output: Path) -> None:
    """Writes the first documents of the parts that have `wanted` views together."""
    lengths = numpy.concatenate([part.lengths for part in parts])
    documents = int(numpy.searchsorted(lengths.cumsum(), wanted)) + 1
    aside = Aside(output, lengths[:documents], parts[0].vectors.shape[1])
    for part in parts:
        aside.append(part.vectors[:len(aside.vectors) - aside.written])
    aside.finish([name for part in parts for name in part.ids()][:documents])
