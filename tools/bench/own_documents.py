"""Gathers a folder of documents as people have them, from the packages of this machine: pages of HTML, packed changelogs, READMEs
without an extension, PDFs, source code, Markdown, manual pages, and pictures that have no text.

    python3 -m tools.bench.own_documents target/own-documents

About 190 files and 8 MB. The same machine gives the same folder. Prints what it took and from where.
"""
import argparse
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

DOC = Path("/usr/share/doc")
MANUALS = Path("/usr/share/man")
# Larger files would be most of the folder.
LARGEST = 400_000


class Kind(NamedTuple):
    """Files of one kind: where they are, what they are called, and how much of them to take."""

    name: str
    roots: list[Path]
    patterns: list[str]
    files: int
    size: int
    # Smaller files are redirections, lists of one line and the like.
    least: int = 1000


def sysroot() -> Path:
    """The folder of the Rust toolchain, or one that does not exist."""
    try:
        found = subprocess.run(["rustc", "--print", "sysroot"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return Path("/nonexistent")
    return Path(found.stdout.strip())


def kinds() -> list[Kind]:
    rust = sysroot() / "share/doc"
    crates = sorted((Path.home() / ".cargo/registry/src").glob("*"))
    python = [Path(sysconfig.get_paths()["stdlib"])]
    return [
        Kind("html", [rust, DOC], ["*.html"], 68, 3_600_000, 8_000),
        Kind("changelogs", [DOC], ["changelog*.gz", "NEWS*.gz", "CHANGES*.gz"], 34, 1_300_000, 8_000),
        Kind("readme", [DOC], ["README", "README.Debian", "TODO", "AUTHORS", "copyright"], 28, 500_000, 2_000),
        Kind("pdf", [DOC, *crates], ["*.pdf"], 2, 800_000),
        Kind("rust", crates, ["*.rs"], 24, 1_200_000, 12_000),
        Kind("python", python, ["*.py"], 12, 600_000, 20_000),
        Kind("markdown", crates, ["*.md"], 20, 800_000, 12_000),
        Kind("manuals", [MANUALS / "man1", MANUALS / "man8"], ["*.gz"], 8, 200_000, 4_000),
        Kind("pictures", [rust, DOC, Path("/usr/share/icons"), *crates], ["*.png"], 6, 400_000),
    ]


def candidates(kind: Kind, root: Path) -> Iterator[Path]:
    """All files of a kind that have a useful size, sorted by their paths."""
    for path in sorted({path for pattern in kind.patterns for path in root.rglob(pattern)}):
        # links would make the same text twice
        if path.is_file() and not path.is_symlink() and kind.least <= path.stat().st_size <= LARGEST:
            yield path


def spread(paths: list[Path], count: int) -> list[Path]:
    """So many of the paths, spread evenly over all."""
    return paths if len(paths) <= count else [paths[place * len(paths) // count] for place in range(count)]


def chosen(kind: Kind) -> list[Path]:
    """As many files as wanted, from all places alike, within the bytes of the kind."""
    found = [paths for root in kind.roots if (paths := list(candidates(kind, root)))]
    wanted = [path for paths in found for path in spread(paths, -(-kind.files // len(found)))]
    taken: list[Path] = []
    left = kind.size
    for path in wanted:
        size = path.stat().st_size
        if len(taken) < kind.files and size <= left:
            taken.append(path)
            left -= size
    return taken


def place(kind: Kind, path: Path, output: Path) -> Path:
    """Where a file goes: below its kind and the name of its folder, which tells its package."""
    target = output / kind.name / path.parent.name / path.name
    number = 2
    while target.exists():
        target = target.with_name(f"{number}-{path.name}")
        number += 1
    return target


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path, help="the folder to make; it must not exist")
    output = parser.parse_args().output
    if output.exists():
        print(f"error: `{output}` exists\nhint: name a new folder, or remove it", file=sys.stderr)
        return 1
    files = size = 0
    for kind in kinds():
        paths = chosen(kind)
        for path in paths:
            target = place(kind, path, output)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        taken = sum(path.stat().st_size for path in paths)
        places = sorted({str(root) for root in kind.roots for path in paths if root in path.parents})
        print(f"{kind.name:10} {len(paths):4} files {taken / 1e6:6.2f} MB  from {', '.join(places) or 'nowhere'}")
        files, size = files + len(paths), size + taken
    print(f"{'in all':10} {files:4} files {size / 1e6:6.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
