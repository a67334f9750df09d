#!/bin/sh
# Builds the probe's object with rustc alone: no cargo, no linker, no LLVM tools. It needs the rust-src of the very
# rustc it runs (Debian: rustc-web, rust-web-src; rustup: component rust-src), for the metadata of `core`.
#   PROBE_RUSTC  the compiler (default rustc);  PROBE_BUILD  scratch directory;  $1  the object to write
set -eu
cd "$(dirname "$0")"
RUSTC=${PROBE_RUSTC:-rustc}
export RUSTC_BOOTSTRAP=1
B=${PROBE_BUILD:-target}
L=$B/sys/lib/rustlib/probe-bpf/lib
mkdir -p "$L"
SRC=$("$RUSTC" --print sysroot)/lib/rustlib/src/rust/library/core/src/lib.rs
[ -f "$SRC" ] || { echo "no rust-src for $("$RUSTC" -V)" >&2; exit 2; }
"$RUSTC" -Zunstable-options --print target-spec-json --target bpfel-unknown-none |
    sed 's/"obj-is-bitcode": true/"obj-is-bitcode": false/' > "$B/probe-bpf.json"
T="-Zunstable-options --target $B/probe-bpf.json --edition=2024 --crate-type rlib -Cpanic=abort -Copt-level=3"
if [ ! -f "$L/libcore.rmeta" ]; then
    # shellcheck disable=SC2086
    "$RUSTC" $T --cap-lints allow -Zalways-encode-mir --crate-name core --emit=metadata --out-dir "$L" "$SRC"
    echo '#![no_std] #![feature(compiler_builtins)] #![compiler_builtins]' > "$B/cb.rs"
    # shellcheck disable=SC2086
    "$RUSTC" $T --cap-lints allow --sysroot "$B/sys" --crate-name compiler_builtins --emit=metadata --out-dir "$L" "$B/cb.rs"
fi
# shellcheck disable=SC2086
"$RUSTC" $T --sysroot "$B/sys" -Ccodegen-units=1 -Ctarget-cpu=v3 -Cdebuginfo=0 --remap-path-prefix="$PWD"=probe \
    --crate-name probe --emit=obj="${1:-probe.o}" probe.rs
[ -n "${1:-}" ] || "$RUSTC" -V > probe.o.rustc
