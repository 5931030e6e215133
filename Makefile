# make run      sets up and starts Sightline
# make test     sets up, with everything the tests need, and runs all checks
# make package  builds the application that needs no Python: dist/sightline/

BIN := .venv/bin
SAMPLE := resources/sample/sample.mp4
CASE := work/sample.case

.PHONY: run test package setup setup-test setup-package check format

run: setup
	@mkdir -p $(dir $(CASE))
	@$(BIN)/python main.py analyze $(SAMPLE) --case $(CASE) --resume
	@$(BIN)/python main.py events --case $(CASE)
	@echo "The case lies in $(CASE)"

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
