# make run    sets up and opens the window, at first with the sample case
# make test   sets up, with everything the tests need, and runs all checks

BIN := .venv/bin

.PHONY: run test setup setup-test check format

run: setup
	@$(BIN)/python main.py

test: setup-test check

setup:
	@packaging/setup.sh run

setup-test:
	@packaging/setup.sh test

check:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest

format:
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
