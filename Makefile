# Konsilium: `make run` and `make test` do all their own set-up.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PY := .venv/bin/python
export PYTHONDONTWRITEBYTECODE := 1
unexport VIRTUAL_ENV

.PHONY: help setup run test check fmt bench prove cast messages

help: ## Show what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: .build/app ## Set up everything that running needs

run: setup ## Start the product with a demonstration world on http://127.0.0.1:8000
	@KONSILIUM_DEMO=1 exec .venv/bin/konsilium serve

cast: setup ## Show the demonstration's people and how they sign in
	@KONSILIUM_DEMO=1 .venv/bin/konsilium cast

test: .build/dev .build/chromium ## Run all checks, tests and browser stories
	@$(MAKE) --no-print-directory check
	$(PY) -m pytest -n 2 --dist loadgroup

prove: .build/dev .build/chromium ## Run the heavy proofs at full size
	KONSILIUM_PROVE=1 $(PY) -m pytest -m "prove or not prove"

check: .build/dev messages ## Lint, types, import contracts, texts
	.venv/bin/ruff format --check src tests bench
	.venv/bin/ruff check src tests bench
	.venv/bin/mypy
	.venv/bin/lint-imports --no-cache
	.venv/bin/codespell
	.venv/bin/djlint src/konsilium/web --lint --quiet
	@.venv/bin/konsilium messages --check

fmt: .build/dev ## Format the code
	.venv/bin/ruff format src tests bench
	.venv/bin/ruff check --fix-only --quiet src tests bench

bench: .build/dev ## Measure speed and memory as ratios in one run
	$(PY) -m bench

messages: .build/app ## Compile the Russian catalogue
	@.venv/bin/konsilium messages

.build/venv: requirements.lock
	@tools/environment requirements.lock
	@mkdir -p .build && touch $@

.build/frontend: .build/venv frontend/package-lock.json frontend/.npmrc frontend/build.mjs $(shell find frontend/src -type f 2>/dev/null)
	@tools/frontend
	@touch $@

.build/app: .build/venv .build/frontend $(wildcard src/konsilium/locale/ru/*.po)
	@.venv/bin/konsilium messages
	@touch $@

.build/dev: .build/app requirements-dev.lock
	@tools/environment requirements-dev.lock
	@touch $@

.build/chromium:
	@tools/chromium
	@mkdir -p .build && touch $@
