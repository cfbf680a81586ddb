# Everything runs from .venv; see README.md. PORT, DATA_DIR and the rest come from the environment.

PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(PYTHON) marketplace/config/install.py

.PHONY: help run install install-test test check test-long bench books lock

help:
	@echo "make run | test | test-long | bench | books MONTH=2026-01 | check | lock"

run: ## the site with a sample city, until Ctrl-C
	@exec $(INSTALL) --run

install:
	@$(INSTALL)

install-test:
	@$(INSTALL) --test

check: install-test ## what can be seen without running anything
	$(BIN)/ruff check --output-format concise .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy marketplace vouchers providers ledger
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run

test: check ## every check and every test
	$(BIN)/pytest -n 3 --dist loadfile -m "not long"

test-long: check ## the same, with the long ones: hundreds of random histories
	LONG=1 $(BIN)/pytest -n 2 --dist loadfile

bench: install-test ## side by side with other software; writes docs/performance.md
	$(BIN)/python -m tests.bench

books: install ## one month's books in the browser: make books MONTH=2026-01 [BOOKS_PORT=5000]
	@$(BIN)/python -m marketplace.config.books "$(MONTH)"

lock: ## pin anew what requirements*.in ask for
	@for name in requirements requirements-test requirements-node; do \
		$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate \
			--no-emit-index-url $$name.in --output-file $$name.txt $(LOCK); done
