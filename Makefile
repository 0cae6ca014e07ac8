# The commands of this repository. `make` alone lists them; CONTRIBUTING.md says when to use which.
#
# Each target that builds runs scripts/setup first, which installs what is missing and takes a
# tenth of a second when nothing is.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# What `make lint` and `make format` read; folders that are not there are left out.
SWIFT_SOURCES := Package.swift $(wildcard Sources Tests Benchmarks Examples)

# The question of `make run ASK="…"`, handed on as it was typed: no `$` in it is expanded.
override ASK := $(value ASK)
export ASK

# Further arguments, of `make test`, `make bench`, `make workers` and the sanitizers.
ARGS ?=

# How many tests are in their bodies at once. Without a bound all thousand are, on the few threads of a small
# machine: each waits for all others, those with a server in them for minutes.
export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH ?= 8

# Of `make fuzz`: which decoder (or all), where the random numbers begin, and how many inputs.
TARGET ?= all
SEED ?= 1
ITERATIONS ?= 200000

# Of `make crash`: how many times a writing process is killed. The tests alone kill it 20 times.
RUNS ?= 200

##@ Every day

.PHONY: help
help: ## List these commands (the default)
	@awk 'BEGIN { FS = ":.*## " } \
	    /^##@ / { printf "%s%s\n", (seen++ ? "\n" : ""), substr($$0, 5) } \
	    /^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

.PHONY: setup
setup: ## Install the system packages that are missing, and check the Swift version
	@scripts/setup

.PHONY: build
build: setup ## Build for release: .build/release/loci and .build/release/bench
	swift build -c release

.PHONY: run
run: build ## Set up, build, and do the main job on real text; ASK="a question" asks yours
	@scripts/main-job

.PHONY: test
test: setup ## Set up, then run every test; ARGS="--filter StoreTests" runs some
	@scripts/fetch-clients
	@scripts/runpod-gateway --prepare || echo 'runpod-gateway: its tests are skipped'
	@scripts/openai-server --prepare || echo 'openai-server: its tests are skipped'
	@# One test has over a thousand connections open, and then Foundation's Process (6.3.1), in another one, copies
	@# some bytes beyond a buffer; with much memory asked for ahead there is some behind it.
	MALLOC_TOP_PAD_=62914560 swift test $(ARGS)

.PHONY: check
check: lint test ## What must pass before a commit: format, then all tests, the tidy ones among them

.PHONY: format
format: ## Rewrite the Swift files in the house's format
	swift format --in-place --recursive --parallel $(SWIFT_SOURCES)

.PHONY: lint
lint: ## Check the format of the Swift files, and change none
	swift format lint --strict --recursive --parallel $(SWIFT_SOURCES)

.PHONY: tidy
tidy: setup ## Run only the tests that read the tree: imports, pointers, links, words, lengths
	swift test --filter TidyTests $(ARGS)

##@ Now and then

.PHONY: bench
bench: build ## Measure everything that docs/performance.md claims; ARGS="ingest" measures one
	.build/release/bench $(or $(ARGS),all)

.PHONY: model
model: ## Fetch the model for vectors that know meanings (84 MB, Apache-2.0) into your cache
	@scripts/fetch-model

.PHONY: workers
workers: ## Set up Python, and test the RunPod workers and their gateway; ARGS="-k siglip2" tests some
	@scripts/runpod-gateway --models --prepare
	PYTHONDONTWRITEBYTECODE=1 .build/workers-venv/bin/python -m pytest -q -p no:cacheprovider workers/tests $(ARGS)

.PHONY: crash
crash: setup ## Kill a writing process 200 times, and look what is left; RUNS=n kills it n times
	LOCI_CRASH_RUNS=$(RUNS) swift test --filter CrashTests $(ARGS)

.PHONY: fuzz
fuzz: setup ## Throw bytes at every decoder; TARGET=name SEED=n ITERATIONS=n choose
	swift run -c release fuzz $(TARGET) --seed $(SEED) --iterations $(ITERATIONS)

.PHONY: tsan
tsan: setup ## Run the tests under ThreadSanitizer
	swift test --disable-xctest --sanitize=thread --scratch-path .build-tsan $(ARGS)

.PHONY: asan
asan: setup ## Run the tests under AddressSanitizer; a leak is a failure too
	ASAN_OPTIONS=external_symbolizer_path=$$(command -v llvm-symbolizer):suppressions=$(CURDIR)/Tests/Sanitizers/address.supp \
	LSAN_OPTIONS=suppressions=$(CURDIR)/Tests/Sanitizers/leak.supp:print_suppressions=0 \
	    swift test --disable-xctest --sanitize=address --scratch-path .build-asan $(ARGS)

.PHONY: docs
docs: setup ## Make the library's documentation in .build-docs/html; a link that leads nowhere fails
	swift build --target MemoryEngine --scratch-path .build-docs \
	    -Xswiftc -emit-symbol-graph -Xswiftc -emit-symbol-graph-dir -Xswiftc .build-docs
	rm -rf .build-docs/symbols && mkdir -p .build-docs/symbols
	cp .build-docs/MemoryEngine*.symbols.json .build-docs/symbols
	docc convert Sources/MemoryEngine/Documentation.docc --additional-symbol-graph-dir .build-docs/symbols \
	    --fallback-display-name MemoryEngine --fallback-bundle-identifier loci.MemoryEngine \
	    --diagnostics-file .build-docs/diagnostics.json --output-path .build-docs/html >.build-docs/log 2>&1 || \
	    { tail .build-docs/log; exit 1; }
	@if grep -q 'Documentation\.docc' .build-docs/diagnostics.json; then cat .build-docs/diagnostics.json; exit 1; fi

.PHONY: clean
clean: ## Remove what was built (stores and fetched text stay)
	rm -rf .build .build-tsan .build-asan .build-docs .build-examples Examples/.build
