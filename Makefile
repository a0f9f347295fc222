# SPDX-License-Identifier: Apache-2.0
# The commands of the project. `make help` lists them; everything they make lies in .venv, build, dist and demo-data.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
# SYSTEM=off skips the look at the Debian packages (another distribution, a prepared image).
SYSTEM ?= on
VENV := .venv
BIN := $(VENV)/bin
RELEASE := build/release
# How pip builds: in build/release, with the tests, so that one compile serves both. WERROR=ON refuses warnings.
export WERROR ?= OFF
SETTINGS := build-dir=$(RELEASE) \
  $(addprefix cmake.define.PENSTOCK_,TESTS=ON BENCHES=ON WERROR=$(WERROR))
export CMAKE_BUILD_PARALLEL_LEVEL := $(JOBS)
# What ccache holds serves in every checkout: paths are told from its root.
export CCACHE_BASEDIR := $(CURDIR)
export CCACHE_NOHASHDIR := true
export CTEST_PARALLEL_LEVEL := $(JOBS)

# -- Set-up ------------------------------------------------------------------------------------------------------------
.PHONY: help system system-core system-demo system-dev system-torture
help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

system: ## Install the Debian packages that are missing (as root; otherwise print the line to run)
	@tools/system.sh core demo dev

system-core system-demo system-dev system-torture: system-%:
	@[[ $(SYSTEM) == off ]] || tools/system.sh $*

$(BIN)/python: | system-core
	$(PYTHON) -m venv $(VENV)

# One stamp a requirements file; a changed file installs again.
$(VENV)/%.stamp: requirements/%.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

# What the Python tests need: their own packages, and the libraries that compute with Penstock arrays.
TESTED := $(VENV)/test.stamp $(VENV)/clients.stamp

# -- Build and test ----------------------------------------------------------------------------------------------------
.PHONY: build test demo dev bench bench-quick bench-env install
build: $(VENV)/build.stamp | system-core ## Build everything in build/release and install the package into .venv
	$(BIN)/python -m pip install --verbose --disable-pip-version-check --no-deps --no-build-isolation \
	  $(addprefix --config-settings=,$(SETTINGS)) .
	@cp $(RELEASE)/python/bind/stubs/*.pyi python/penstock  # for editors, and for mypy in the source tree

python/penstock/_core.pyi:
	$(MAKE) build

test: build $(TESTED) ## Run the C++ tests and the Python tests
	$(BIN)/python tools/run_tests.py $(RELEASE)

demo: build $(VENV)/demo.stamp | system-demo ## Run the demo on real photographs (about three minutes)
	$(BIN)/python examples/demo.py

dev: | system-core ## Build and test the C++ side for one CPU target (about a minute)
	cmake --preset dev
	cmake --build --preset dev
	python3 tools/run_tests.py build/dev --no-python

# Needs the package's own Python files only, so that it can go on beside a build.
bench-env: $(BIN)/python ## Make a peer's environment for the benchmarks (PEER=torch; all of them without: 3.5 GB)
	PYTHONPATH=python $(BIN)/python benchmarks/env.py $(PEER)

# A peer that cannot be installed is said in its rows.
BENCH ?=
bench: build ## Run the benchmarks within an hour and write their page (BENCH=--resume goes on after a stop)
	-$(BIN)/python benchmarks/env.py
	$(BIN)/python benchmarks/run.py $(BENCH) || [[ $$? == 1 ]]  # rows that cannot be measured say why
	$(BIN)/python benchmarks/report.py

bench-quick: build ## A dozen benchmarks at full size within three minutes: what to expect, no claims
	$(BIN)/python benchmarks/run.py --telling || [[ $$? == 1 ]]

install: | system-core ## Install the C++ library and headers under PREFIX
	cmake --preset release -DCMAKE_INSTALL_PREFIX=$(PREFIX)
	cmake --build --preset release --target penstock
	cmake --install $(RELEASE) --prefix $(PREFIX) --component cpp

# -- Checks ------------------------------------------------------------------------------------------------------------
CHECKED := $(VENV)/build.stamp $(VENV)/lint.stamp python/penstock/_core.pyi
.PHONY: lint tidy format asan tsan fuzz cover neon consumer wheel torture
lint: $(CHECKED) | system-core system-dev ## Every static check but clang-tidy (tools/lint.sh)
	tools/lint.sh

tidy: | system-core system-dev ## clang-tidy (about ten minutes)
	tools/lint.sh tidy

format: $(VENV)/lint.stamp | system-dev ## Rewrite C++ and Python in the agreed format
	git ls-files '*.h' '*.cc' | xargs clang-format-14 -i
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format --quiet .

asan: | system-core system-dev ## C++ tests under AddressSanitizer and UndefinedBehaviorSanitizer
	cmake --preset asan
	cmake --build --preset asan
	python3 tools/run_tests.py build/asan --no-python --preset asan

tsan: | system-core system-dev ## C++ tests under ThreadSanitizer
	cmake --preset tsan
	cmake --build --preset tsan
	python3 tools/run_tests.py build/tsan --no-python --preset tsan

# FUZZ_SECONDS is for each target.
FUZZ_SECONDS ?= 60
fuzz: | system-core system-dev ## Fuzz each reader of untrusted bytes for FUZZ_SECONDS
	cmake --preset fuzz
	cmake --build --preset fuzz --target fuzz/all
	tools/fuzz.sh $(FUZZ_SECONDS)

cover: build $(TESTED) | system-core system-dev ## Line coverage of penstock/, at least 85 %
	cmake --preset cover -DPENSTOCK_PYTHON=ON -DPython_EXECUTABLE=$(CURDIR)/$(BIN)/python
	cmake --build --preset cover
	rm -rf build/cover/site
	cmake --install build/cover --component python --prefix build/cover/site
	cp -r python/penstock build/cover/site
	find build/cover -name '*.gcda' -delete
	PYTHONPATH=$(CURDIR)/build/cover/site $(BIN)/python tools/run_tests.py build/cover
	gcovr --root . --filter 'penstock/' --exclude '.*_(test|bench)\.cc' --print-summary --fail-under-line 85 build/cover

neon: | system-core system-dev ## Cross-compile for arm64 and run the tests under qemu
	tools/arm64_sysroot.sh build/sysroot
	cmake --preset neon
	cmake --build --preset neon
	python3 tools/run_tests.py build/neon --no-python --preset neon

consumer: | system-core ## Build examples/cpp_consumer against an installed tree, pkg-config and a sub-directory
	cmake --preset release
	cmake --build --preset release --target penstock
	tools/test_consumer.sh

wheel: $(VENV)/build.stamp $(VENV)/wheel.stamp | system-core system-dev ## Build a self-contained wheel and test it
	tools/wheel.sh $(addprefix --config-settings=,$(SETTINGS))

# TORTURE is a line of tools/torture/run.sh's list, such as "kill 100".
TORTURE ?= all
torture: | system-core system-torture ## Kill, fault and cut the power of a writer of files (root; about twenty minutes)
	tools/torture/run.sh $(TORTURE)

# EXAMPLES is what is tried of each test; CHECKOUT a checkout of the suite; KEEP=--keep writes the page.
EXAMPLES ?= 10
CHECKOUT ?=
KEEP ?=
.PHONY: conformance
conformance: build $(VENV)/conformance.stamp ## The public conformance suite of the array API standard, both versions
	$(BIN)/python tools/conformance.py run --examples $(EXAMPLES) $(CHECKOUT:%=--checkout %) $(KEEP)

# SEQUENCES of 40 calls each; about 30 a second.
SEQUENCES ?= 20000
.PHONY: sequences
sequences: build $(VENV)/test.stamp ## Random sequences of calls against NumPy, and bad input for every function
	PENSTOCK_TEST_SEQUENCES=$(SEQUENCES) PENSTOCK_TEST_FULL=1 $(BIN)/python -m pytest -q -p no:cacheprovider \
	  python/tests/test_standard_sequences.py python/tests/test_standard_bad_input.py

.PHONY: accuracy exhaust nightly
accuracy: build ## Measure the errors of the mathematical functions and write their table
	tools/accuracy.py $(RELEASE)

exhaust: build $(TESTED) ## Mathematics at every float32 and 10^7 float64, Ctrl-C a hundred times (hours)
	PENSTOCK_TEST_POINTS=10000000 ctest --test-dir $(RELEASE) --output-on-failure --tests-regex Maths
	PENSTOCK_TEST_FULL=1 $(BIN)/python -m pytest -q python/tests/test_cli_interrupt.py

nightly: ## What .ci/run leaves out: tidy, exhaust, cover, fuzz, sequences, torture (as root; hours)
	.ci/run tidy exhaust cover fuzz sequences torture

# -- Cleaning ----------------------------------------------------------------------------------------------------------
.PHONY: clean
clean: ## Delete build, dist and .venv (demo-data stays)
	rm -rf build dist $(VENV)
