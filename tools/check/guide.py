"""Runs the shell blocks of the guide page by page, each page in its own folder with small versions of
the collections that the pages name. A service runs until its page ends.

Exits with 1 if a command fails, or prints nothing where it should.
"""
import csv
import gzip
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLACE = ROOT / "target/guide"
FASTLANE = Path(os.environ["FASTLANE"]).resolve()
HANDBOOK = ROOT / "examples/handbook"
# Commands that cannot run here, and why.
LEFT_OUT = {
    "cargo bench": "a bench: minutes of building",
    "cargo test": "the gate runs it",
    "cargo run --release": "the gate runs it",
    "tools/model/compare_with_transformers.py": "wants PyTorch",
}
READY = "listening on"
# Pages that create the index which the others need.
MAKERS = ["README", "first-index", "page"]
# The input of interactive commands and services.
TYPED = {
    "fastlane search docs.index": "who may write\n",
    "fastlane mcp docs.index": json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "guide", "version": "1"}}})
    + "\n" + json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}) + "\n",
}
# A debug build trains slowly: a few steps show that the command works.
SHORTENED = {"fastlane train recipes/laptop.toml": "--set schedule.steps=20"}
# Prefixes that multiply the queries of the handbook, because a batch needs several.
PHRASES = ["", "please: ", "tell me, ", "I wonder: "]


def commands(page: Path):
    """The commands of a page, with continuation lines joined, and long trainings shortened."""
    for block in re.findall(r"^```sh\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S):
        for command in block.replace("\\\n", " ").splitlines():
            if command.strip() and not command.startswith("#"):
                command = re.sub(r" {2,}", " ", command)
                yield " ".join([command, *(more for what, more in SHORTENED.items() if command.startswith(what))])


def collection(place: Path) -> None:
    """The handbook as a BEIR directory."""
    (place / "qrels").mkdir(parents=True)
    with (place / "corpus.jsonl").open("w", encoding="utf-8") as file:
        for note in sorted((HANDBOOK / "notes").iterdir()):
            text = note.read_text(encoding="utf-8")
            file.write(json.dumps({"_id": note.name, "text": text, "lang": "en", "year": 2020}) + "\n")
    rows = list(csv.reader((HANDBOOK / "queries.tsv").open(encoding="utf-8"), delimiter="\t"))
    judged = [line.split() for line in (HANDBOOK / "qrels.tsv").open(encoding="utf-8")]
    lines = []
    with (place / "queries.jsonl").open("w", encoding="utf-8") as file:
        for number, phrase in enumerate(PHRASES):
            for name, text in rows:
                file.write(json.dumps({"_id": f"{name}-{number}", "text": phrase + text}) + "\n")
            lines += [f"{row[0]}-{number}\t{row[1]}\t{row[2]}\n" for row in judged if row[2].isdigit()]
    for split in ["train", "dev", "test"]:
        text = "query-id\tcorpus-id\tscore\n" + "".join(lines)
        (place / f"qrels/{split}.tsv").write_text(text, encoding="utf-8")


def stage(place: Path) -> None:
    """Creates the files that the pages need."""
    shutil.rmtree(place, ignore_errors=True)
    work = place / "work"
    work.mkdir(parents=True)
    for name in ["tools", "recipes", "examples", "models"]:
        if (ROOT / name).exists():
            (work / name).symlink_to(ROOT / name)
    (work / "target").mkdir()
    (work / "target/models").symlink_to(ROOT / "target/models")
    (work / "MODEL").symlink_to(ROOT / "target/models/all-MiniLM-L6-v2")
    shutil.copytree(ROOT / "docs/guide", work / "docs/guide")
    collection(work / "scifact")
    for name in ["squad-dev", "squad-train-sent", "scifact", "scitldr", "medquad"]:
        collection(place / "shared/data" / name)
    scifact = work / "scifact"
    for name in ["corpus.jsonl", "docs.jsonl"]:
        shutil.copy(scifact / "corpus.jsonl", work / name)
    queries = HANDBOOK / "queries.tsv"
    for name in ["queries.tsv", "q.tsv"]:
        shutil.copy(queries, work / name)
    shutil.copy(HANDBOOK / "qrels.tsv", work / "qrels.tsv")
    goods = "sku,description\n1,a lamp for the table\n2,nine ships in a bottle\n"
    (work / "shop.csv").write_text(goods, encoding="utf-8")
    bm25 = [FASTLANE, "bm25", "--corpus", scifact, "--queries", queries, "--run", work / "bm25.run"]
    subprocess.run(bm25, check=True, stderr=subprocess.DEVNULL)
    other = work / "other.run"
    subprocess.run([*bm25[:4], "--queries", scifact, "--run", other], check=True, stderr=subprocess.DEVNULL)
    # both sets of queries, whichever a page's judgements are for
    other.write_bytes(other.read_bytes() + (work / "bm25.run").read_bytes())
    with gzip.open(work / "colbert.run.gz", "wb") as file:
        file.write((work / "bm25.run").read_bytes())
    certificate = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 " \
        "-subj /CN=search.example -addext subjectAltName=DNS:search.example -keyout key.pem -out cert.pem"
    subprocess.run(certificate.split(), cwd=work, check=True, stderr=subprocess.DEVNULL)
    tools = place / "bin"
    tools.mkdir()
    (tools / "fastlane").symlink_to(FASTLANE)
    # the host name in the guide does not exist
    (tools / "curl").write_text(f'#!/bin/sh\nexec {shutil.which("curl")} --fail --cacert cert.pem '
                                '--resolve search.example:7878:127.0.0.1 "$@"\n', encoding="utf-8")
    (tools / "curl").chmod(0o755)


class Page:
    """A page that is being run."""

    def __init__(self, page: Path):
        self.page, self.place = page, PLACE / page.stem
        stage(self.place)
        self.work = self.place / "work"
        self.environment = {**os.environ, "PATH": f"{self.place / 'bin'}:{os.environ['PATH']}"}
        if page.stem not in MAKERS and (problem := self.once("fastlane index docs --output docs.index --model MODEL")):
            raise SystemExit(f"error: no index for `{page.name}`: {problem}")
        self.service: subprocess.Popen | None = None

    def run(self) -> int:
        failed = 0
        for command in commands(self.page):
            why = next((why for what, why in LEFT_OUT.items() if what in command), None)
            if why:
                print(f"left out ({why}): {command}")
                continue
            began = time.monotonic()
            problem = self.serve(command) if " serve " in f" {command} " else self.once(command)
            print(f"{'FAILED' if problem else 'ok'} {time.monotonic() - began:5.1f} s  {command}", flush=True)
            if problem:
                print(problem)
                failed += 1
        self.stop()
        return failed

    def once(self, command: str) -> str:
        """Runs a command to its end; returns the problem, if any."""
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", command], cwd=self.work, timeout=600,
                              env=self.environment, text=True, input=TYPED.get(command, ""), capture_output=True)
        if command.startswith("fastlane key"):
            self.environment["KEY"] = done.stdout.strip()
        # a search without results, for example by its filter, is not a useful example
        lost = command.startswith("fastlane search") and re.search(r"^(warning: no|0 of)", done.stderr, re.M)
        if lost or done.returncode or not (done.stdout + done.stderr).strip():
            return f"status {done.returncode}\n{done.stdout}{done.stderr}"
        return ""

    def serve(self, command: str) -> str:
        """Starts a service, replacing the previous one."""
        self.stop()
        log = self.work / "serve.log"
        with log.open("wb") as file:
            self.service = subprocess.Popen(["bash", "-c", f"exec {command}"], cwd=self.work,
                                            env=self.environment, stderr=file, start_new_session=True)
        for _ in range(600):
            text = log.read_text(encoding="utf-8")
            if READY in text:
                return ""
            if self.service.poll() is not None:
                return text
            time.sleep(0.1)
        return "it does not listen after a minute"

    def stop(self) -> None:
        if self.service and self.service.poll() is None:
            self.service.send_signal(signal.SIGTERM)
            self.service.wait(timeout=60)


def main() -> int:
    pages = [*sorted((ROOT / "docs/guide").glob("*.md")), ROOT / "README.md"]
    wanted = set(sys.argv[1:]) or {page.name for page in pages}
    chosen = [page for page in pages if page.name in wanted]
    if len(chosen) < len(wanted):
        raise SystemExit(f"error: unknown page, wanted one of {', '.join(it.name for it in pages)}")
    failed = 0
    for page in chosen:
        print(f"-- {page.relative_to(ROOT)}", flush=True)
        failed += Page(page).run()
    print(f"{failed} commands failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
