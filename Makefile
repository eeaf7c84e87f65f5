# `make` sets up and shows the main job; `make test` sets up and tests. Nothing else is needed.
# Both use one environment. `make` installs what the program needs, in seconds; what tests need as well (Spark, Dask,
# DuckDB, a browser: 2 GB) comes with `make test`.

PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin
SHOW    = $(VENV)/.show
READY   = $(VENV)/.ready
PIP     = $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
RUN     = $(BIN)/itp-response
GOLDEN  = tests/test_golden.py tests/test_docs.py tests/test_tutorial.py tests/definitions/test_criteria.py tests/outputs/test_figures.py
LAWS    = tests/evaluation/test_properties.py tests/evaluation/test_rules.py tests/evaluation/test_completions_law.py tests/explanation/test_laws.py tests/classification/test_by_visit.py tests/definitions/test_criteria.py tests/readers/test_broken_files.py
STUDY   = examples/visits.csv --patients examples/patients.csv

# Compiled once, not by every process that the tests start; an empty value is none.
export PYTHONDONTWRITEBYTECODE =

.PHONY: show test lint long regolden schema definitions tutorial errors site bench debian clean

show: $(SHOW)
	@printf '\n%s\n%s\n\n' 'Why is the result of an invented patient relapse?' \
		'$$ itp-response explain $(STUDY) --patient ITP-0003 --endpoint relapse'
	@$(RUN) explain $(STUDY) --patient ITP-0003 --endpoint relapse
	@printf '\n%s\n%s\n\n' 'And the results of the whole study, by the definitions of the ATRA trial?' \
		'$$ itp-response classify $(STUDY) --format first'
	@$(RUN) classify $(STUDY) --format first

test: $(READY) lint debian
	$(BIN)/pytest -n auto --dist loadgroup

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

long: $(READY)
	HYPOTHESIS_PROFILE=long $(BIN)/pytest -n auto $(LAWS)
	HYPOTHESIS_PROFILE=longer $(BIN)/pytest -n auto -m hypothesis
	$(BIN)/python tests/agree.py --patients 3000 --under 20
	$(BIN)/python tests/kills.py --kills 200
	$(BIN)/python tests/adam_rules.py
	$(RUN) validate --generated 1000 --criteria examples/own_definition.toml --output build/validation --force
	$(BIN)/python tests/fuzz/run.py --inputs 20000

# The second run decides: what still fails there is no difference of outputs.
regolden: $(READY)
	REGOLDEN=1 $(BIN)/pytest -q $(GOLDEN) || echo "Some tests failed; all are run again below."
	git diff -- tests README.md docs
	git status --short -- tests README.md docs
	$(BIN)/pytest -q $(GOLDEN)

schema: $(READY)
	$(RUN) schema > criteria/schema.json

definitions: $(READY)
	$(BIN)/python -c "from itp_response.authoring.definitions_page import definitions_page; print(definitions_page(), end='')" > docs/definitions.md

tutorial: $(READY)
	$(BIN)/python docs/tutorial/make.py

site: $(READY)
	$(BIN)/python docs/site_tree.py

bench: $(READY)
	$(BIN)/python benchmarks/bench.py --write
	$(BIN)/python benchmarks/sensitivity.py

# What the tests need of Debian: a browser for the pages, Java for Spark. What is there is left alone.
debian:
	@command -v chromium >/dev/null && command -v java >/dev/null || tests/debian.sh

clean:
	rm -rf $(VENV) build dist

$(SHOW): pyproject.toml constraints.txt
	@echo "Setting up: an environment in $(VENV) with the program and the six libraries it needs (some seconds)."
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) --editable .
	@touch $@

$(READY): pyproject.toml constraints.txt | $(SHOW)
	@echo "Setting up for tests: all extras, Spark, Dask and the tools, 2 GB in $(VENV) (some minutes)."
	@$(PIP) --editable '.[dev]'
	@touch $@

errors: $(READY)
	$(BIN)/python docs/errors_page.py
