#!/bin/sh
# Runs one fuzz target with coverage feedback: fuzz/run.sh TARGET SECONDS
#
# `cargo fuzz` needs a nightly compiler for its sanitizers. Coverage works on stable: the flags below
# are LLVM's, and an explicit --target keeps them away from build scripts. Instead of a sanitizer,
# overflow checks and debug assertions are on; the targets run next to no `unsafe` code. A run starts
# from the fixtures of the tests. New inputs are stored in fuzz/corpus, crashing ones in
# fuzz/artifacts; neither is committed.
set -eu
target=${1:?target, for example corpus_jsonl}
seconds=${2:?seconds}
cd "$(dirname "$0")"

host=$(rustc -vV | sed -n 's/^host: //p')
level=-Cllvm-args=-sanitizer-coverage
RUSTFLAGS="--cfg fuzzing -Ccodegen-units=1 -Cpasses=sancov-module $level-level=4 \
$level-inline-8bit-counters $level-pc-table $level-trace-compares"
export RUSTFLAGS
cargo build --profile fuzz --target "$host" --target-dir "${CARGO_TARGET_DIR:-target}" \
    --package fastlane-fuzz --features link --bin "$target"

mkdir -p "corpus/$target" "artifacts/$target"
exec "${CARGO_TARGET_DIR:-target}/$host/fuzz/$target" "corpus/$target" ../crates/*/tests/fixtures \
    -max_total_time="$seconds" -artifact_prefix="artifacts/$target/" -rss_limit_mb=1024 -timeout=10
