# Every command of this project; `make help` lists them. Nothing here writes outside this folder.

HOST ?= 127.0.0.1
PORT ?= 8000

VENV := .venv
PY := $(VENV)/bin/python
CACHE := $(CURDIR)/.cache
PIP := $(PY) -m pip --disable-pip-version-check install --quiet --require-hashes

export PIP_CACHE_DIR := $(CACHE)/pip
export UV_CACHE_DIR := $(CACHE)/uv
export npm_config_cache := $(CACHE)/npm
export npm_config_update_notifier := false
export HYPOTHESIS_STORAGE_DIRECTORY := $(CACHE)/hypothesis

# What a production server would have, for the checks; no connection is made.
AS_PRODUCTION := LEERPUNT_MODE=production AUDIT_KEY=only-for-make-check-0123456789 SECRET_KEY=only-for-make-check-0123456789-abcdefghijklmnopqrstuvwxyz \
	ALLOWED_HOSTS=www.example.org CSRF_TRUSTED_ORIGINS=https://www.example.org SITE_URL=https://www.example.org \
	DATABASE_URL=postgres://leerpunt@localhost/leerpunt
AS_DEVELOPER := LEERPUNT_MODE=development DATABASE_URL=sqlite://:memory:
AS_DEMO := env -u DATABASE_URL LEERPUNT_MODE=demo SITE_URL=http://127.0.0.1:$(PORT) PATH="$(CURDIR)/$(VENV)/bin:$$PATH"

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

# -- run ------------------------------------------------------------------------------------------

.PHONY: demo demo-reset serve
demo: $(VENV)/.runtime ## the demonstration site, production server, http://127.0.0.1:8000 (PORT=8001 for another)
	$(AS_DEMO) $(PY) manage.py demo --port $(PORT)

demo-reset: $(VENV)/.runtime ## the same, from an empty database
	$(AS_DEMO) $(PY) manage.py demo --reset --port $(PORT)

serve: $(VENV)/.dev ## the development server, on a database of its own
	$(PY) manage.py migrate --verbosity 0
	$(PY) manage.py runserver $(HOST):$(PORT)

# -- test -----------------------------------------------------------------------------------------

.PHONY: test test-slow torture bench
test: $(VENV)/.dev ## all tests but the slow ones: SQLite, PostgreSQL, browser
	@bash tests/run.sh "not slow"

test-slow: $(VENV)/.dev ## torture, large parity and long hypothesis runs
	@bash tests/run.sh slow

torture: $(VENV)/.dev ## kills 200 processes in the middle of their moves on PostgreSQL; figures in docs/torture.md
	$(AS_DEVELOPER) bash tests/with_postgres.sh $(PY) -m tests.torture --kills 200 --write docs/torture.md

bench: $(VENV)/.dev ## measures response times and page weight
	$(AS_DEMO) $(PY) manage.py bench $(ARGS)
	$(AS_DEMO) $(PY) manage.py bench_results
	$(AS_DEMO) $(PY) manage.py bench_search
	$(AS_DEMO) $(PY) manage.py bench_words

# -- write ----------------------------------------------------------------------------------------

.PHONY: check fmt messages
check: $(VENV)/.dev ## everything that finds a fault without running the site
	$(VENV)/bin/ruff format --check --output-format concise .
	$(VENV)/bin/ruff check --output-format concise .
	$(VENV)/bin/djangofmt --check --quiet templates
	find templates -name '*.html' -exec $(VENV)/bin/djade --check {} +
	$(VENV)/bin/lint-imports --no-logo --cache-dir $(CACHE)/import-linter
	$(AS_DEVELOPER) $(VENV)/bin/mypy
	$(AS_PRODUCTION) $(PY) manage.py check --deploy --fail-level WARNING
	$(AS_DEVELOPER) $(PY) manage.py makemigrations --check --dry-run

fmt: $(VENV)/.dev ## formats code and templates, repairs what can be repaired
	$(VENV)/bin/ruff check --fix-only --quiet .
	$(VENV)/bin/ruff format .
	$(VENV)/bin/djangofmt --quiet templates || true  # exits 1 when it changed something
	find templates -name '*.html' -exec $(VENV)/bin/djade {} + || true
	$(VENV)/bin/djangofmt --check --quiet templates

messages: $(VENV)/.dev ## finds the words to translate (locale/*/django.po) and compiles them (.mo)
	$(AS_DEVELOPER) $(PY) manage.py messages

# -- install --------------------------------------------------------------------------------------

.PHONY: venv web lock clean
venv: $(VENV)/.dev ## .venv with everything for development

web: tests/web/node_modules/.installed ## the check tools of tests/web (npm)

lock: $(CACHE)/tools/bin/uv ## writes requirements.lock and requirements-dev.lock from pyproject.toml (UPGRADE=--upgrade)
	$(LOCK) pyproject.toml --output-file requirements.lock
	$(LOCK) --group dev --constraints requirements.lock --output-file requirements-dev.lock

LOCK := $(CACHE)/tools/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command "make lock" $(UPGRADE)

clean: ## removes all that can be made again, the demonstration database too
	rm -rf $(VENV) $(CACHE) tests/web/node_modules var/static var/demo.sqlite3*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A Python of at least 3.11 that can make virtual environments, or a sentence that says what is missing.
$(PY):
	@for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
		if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			if $$python -c 'import ensurepip, venv' 2>/dev/null; then exec $$python -m venv --clear $(VENV); fi; \
			echo "$$python cannot make a virtual environment: install its venv package (Debian: python3-venv)." >&2; \
		fi; \
	done; \
	echo "Python 3.11 or newer is needed, with venv; set PYTHON=/path/to/python3 if it is not on the PATH." >&2; exit 1

$(VENV)/.runtime: requirements.lock | $(PY)
	$(PIP) -r requirements.lock
	@touch $@

$(VENV)/.dev: requirements.lock requirements-dev.lock | $(PY)
	$(PIP) -r requirements.lock -r requirements-dev.lock
	@touch $@ $(VENV)/.runtime

tests/web/node_modules/.installed: tests/web/package.json tests/web/package-lock.json
	npm ci --prefix tests/web --ignore-scripts --no-audit --no-fund --loglevel error
	@touch $@

$(CACHE)/tools/bin/uv: | $(PY)
	$(PY) -m venv $(CACHE)/tools
	$(CACHE)/tools/bin/python -m pip --disable-pip-version-check install --quiet uv
