# Two commands do everything on a fresh machine: `make demo` runs the main job, `make test` passes the tests.
SHELL := /bin/bash
.DEFAULT_GOAL := help
BIN := .venv/bin
DEMO := out/demo
AS_OF := 2026-11-02T11:30Z
# Tests and benchmarks start hundreds of processes; each would translate all modules again where the environment says this.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup dev demo test check oracle mutations replay faults bench bench-delivery bench-mail bench-pdf differential verapdf format clean

help: ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Make .venv with everything the engine needs
	@tools/setup.sh

dev:
	@tools/setup.sh dev

demo: setup ## Run the sample monthly-statement campaign: email, SMS, PDF and social posts, then show the report
	@tools/demo.sh $(DEMO) $(AS_OF)

test: dev ## Run all tests; `make test T=tests/plan` runs a part
	@$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(T)

check: dev ## Format, lint, strict types, import contracts, unused dependencies
	$(BIN)/ruff format --check ccm tests benchmarks data
	$(BIN)/ruff check ccm tests benchmarks data
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .
	$(BIN)/ccm check --strict

oracle: dev ## Compose all real data in ../shared/data and compare every total: checked N equal N differing N
	$(BIN)/python -m benchmarks.oracle $(O)

mutations: dev ## Break composed output in one place at a time: all must be caught; writes benchmarks/out/facts.json
	$(BIN)/python -m benchmarks.mutations $(M)

faults: dev ## Kill, starve, cut off and fence runs: nobody lost, nobody twice; writes benchmarks/out/faults.json
	$(BIN)/python -m benchmarks.faults $(F)

replay: dev ## Compose 1,000 sent pieces again after everything changed; name every alteration; writes benchmarks/out/replay.json
	$(BIN)/python -m benchmarks.replay $(R)

bench-delivery: dev ## Measure sending beside Postfix's smtp-source, and its memory; writes benchmarks/out/delivery.json
	$(BIN)/python -m benchmarks.delivery $(B)

bench: dev ## Measure emails, SMS and documents per second; writes benchmarks/out/bench.json
	$(BIN)/python -m benchmarks.bench $(B)

bench-pdf: dev ## Measure documents beside WeasyPrint, Typst, PlutoPrint and ReportLab, and a real month; writes benchmarks/out/pdf.json
	@tools/setup.sh bench
	$(BIN)/python -m benchmarks.pdf $(B)

differential: dev ## Fill 5,000 documents and lay them out by WeasyPrint too: 0 differences; writes benchmarks/out/differential.json
	$(BIN)/python -m benchmarks.pdf.differential $(D)

verapdf: dev ## Validate filled documents against PDF/UA-1 and PDF/A-3a with veraPDF; writes benchmarks/out/verapdf.json
	$(BIN)/python -m benchmarks.pdf.conformance $(V)

bench-mail: dev ## Measure HTML and ready-to-send messages per second beside the plain way; writes benchmarks/out/mail.json
	$(BIN)/python -m benchmarks.mail $(B)

format: dev ## Format the code
	$(BIN)/ruff format ccm tests benchmarks data
	$(BIN)/ruff check --fix ccm tests benchmarks data

clean: ## Remove what runs and tests left
	rm -rf out outbox archive preview draft .ccm benchmarks/out .mypy_cache .ruff_cache .hypothesis
