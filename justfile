# The commands of this repository; `just` lists them. Each is one line that works without just, too.

_default:
    @just --list --unsorted

# all tests, with the oracles they ask (a few minutes)
test *arguments: oracles
    cargo test --locked {{ arguments }}

# the full tier: every test with all its cases, then the soak (about two hours)
test-full: oracles
    tests/tier/run full

# formatting and lints, warnings are errors
lint:
    cargo fmt --all -- --check
    cargo clippy --locked --all-targets -- -D warnings

# format the code
fmt:
    cargo fmt --all

# the documentation of the code, private items and all
docs:
    RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --document-private-items

# everything that must pass before a change lands (25 minutes from scratch on two cores)
ci:
    bash .ci/run

# licences, sources, banned crates and known vulnerabilities (needs `cargo install --locked cargo-deny`)
deny:
    cargo deny --locked check

# the sandbox, for a try without an account (README, "Try it without an account")
run-sandbox *arguments:
    cargo run --release -- sandbox {{ arguments }}

# reviews a second, CPU and memory a review
bench *arguments:
    cargo bench --bench throughput -- {{ arguments }}

# half an hour under faults, then twenty minutes with a kill every minute
soak *arguments:
    cargo bench --bench soak -- {{ arguments }}

# let a fuzzer look for SECONDS (needs rustup's nightly toolchain and `cargo install --locked cargo-fuzz`)
fuzz TARGET SECONDS="600":
    mkdir -p fuzz/corpus/{{ TARGET }} fuzz/regressions/{{ TARGET }}
    cargo +nightly fuzz run --sanitizer none {{ TARGET }} fuzz/corpus/{{ TARGET }} fuzz/seeds/{{ TARGET }} fuzz/regressions/{{ TARGET }} -- -dict=fuzz/dictionaries/{{ TARGET }}.dict -max_total_time={{ SECONDS }} -timeout=20 -rss_limit_mb=1024

# the programs that tests ask what they read, in `target/oracles`
oracles:
    test ! -e tests/oracles/requirements.txt || test -x target/oracles/bin/python || python3 -m venv target/oracles
    test ! -e tests/oracles/requirements.txt || target/oracles/bin/python -m pip install --quiet -r tests/oracles/requirements.txt
    tests/oracles/web/install

# docs/gallery.md and its pictures, drawn anew (needs what docs/gallery/make.sh says)
gallery:
    docs/gallery/make.sh

# build the image and test it (needs a Docker engine with BuildKit)
container-test:
    tests/container/run

# build what the Dockerfile builds without a Docker engine, and test the result
container-replay:
    tests/container/replay
