# Konsilium: `make run` and `make test` do all their own set-up.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PY := .venv/bin/python
CODE := src tests $(wildcard bench)
BUNDLE := src/konsilium/static/dist/app.js
CATALOGUE := src/konsilium/locale/ru/LC_MESSAGES/django.mo
unexport VIRTUAL_ENV

.PHONY: help setup ready run test check fmt bench prove cast messages chromium video

help: ## Show what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: .venv/.app $(BUNDLE) $(CATALOGUE) ## Set up everything that running needs

ready: setup .venv/.dev

run: setup ## Start the product with a demonstration world on http://127.0.0.1:8000
	@KONSILIUM_DEMO=1 exec .venv/bin/konsilium serve

cast: setup ## Show the demonstration's people and how they sign in
	@KONSILIUM_DEMO=1 .venv/bin/konsilium cast

test: ready chromium video ## Run all checks, tests and browser stories
	@$(MAKE) --no-print-directory check
	$(PY) -m pytest -n 2 --dist loadgroup

prove: ready chromium video ## Run the heavy proofs at full size
	KONSILIUM_PROVE=1 $(PY) -m pytest -m "prove or not prove"

check: ready ## Lint, types, import contracts, texts
	.venv/bin/ruff format --check $(CODE)
	.venv/bin/ruff check $(CODE)
	.venv/bin/mypy
	.venv/bin/lint-imports --no-cache
	.venv/bin/codespell
	.venv/bin/djlint src/konsilium/web --lint --quiet
	@.venv/bin/konsilium messages --check

fmt: .venv/.dev ## Format the code
	.venv/bin/ruff format $(CODE)
	.venv/bin/ruff check --fix-only --quiet $(CODE)

bench: ready chromium ## Measure speed and memory as ratios in one run
	$(PY) -m bench
	$(PY) -m bench.uploads
	$(PY) -m bench.imports
	$(PY) -m bench.frames
	$(PY) -m bench.viewer
	$(PY) -m bench.papers
	$(PY) -m bench.line

messages: .venv/.app ## Compile the Russian catalogue
	@.venv/bin/konsilium messages

.venv/.app: requirements.lock tools/environment
	@tools/environment requirements.lock
	@touch $@

.venv/.dev: .venv/.app requirements-dev.lock
	@tools/environment requirements-dev.lock
	@touch $@

$(BUNDLE): frontend/package-lock.json frontend/.npmrc frontend/build.mjs tools/frontend $(shell find frontend/src -type f) | .venv/.app
	@tools/frontend
	@touch $@

$(CATALOGUE): $(wildcard src/konsilium/locale/ru/*.po) | .venv/.app
	@.venv/bin/konsilium messages
	@touch $@

chromium:
	@tools/chromium

video:
	@tools/video
