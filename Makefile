# make run      sets up and opens the window, at first with the sample case
# make test     sets up, with everything the tests need, and runs all checks
# make package  builds the application that needs no Python: dist/sightline/

BIN := .venv/bin

.PHONY: run test package setup setup-test setup-package check format

run: setup
	@$(BIN)/python main.py

test: setup-test check

package: setup-package
	@$(BIN)/python -m PyInstaller --noconfirm --log-level WARN --distpath dist --workpath build \
		packaging/sightline.spec

setup:
	@packaging/setup.sh run

setup-test:
	@packaging/setup.sh test

setup-package:
	@packaging/setup.sh package

check:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest

format:
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
