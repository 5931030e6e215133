# make run      sets up and opens the window, at first with the sample case
# make test     sets up, with everything the tests need, and runs all checks
# make package  builds the application that needs no Python: dist/sightline/
# make installers  puts what was built into a .tar.zst and a .deb, in dist/

BIN := .venv/bin

# Tests and benchmarks look at real footage where there is some.
SIGHTLINE_FOOTAGE ?= $(abspath $(wildcard ../shared/data))
export SIGHTLINE_FOOTAGE

.PHONY: run test package installers setup setup-test setup-package check format

run: setup
	@$(BIN)/python main.py

test: setup-test check

# The same commit gives the same files: the time in them is the commit's, and nothing is in the
# order of a hash.
package: export SOURCE_DATE_EPOCH = $(shell git log -1 --format=%ct)
package: export PYTHONHASHSEED = 0
package: setup-package
	@$(BIN)/python -m PyInstaller --clean --noconfirm --log-level WARN --distpath dist \
		--workpath build packaging/sightline.spec
	@PYTHONPATH=. $(BIN)/python packaging/third_party.py build/sightline dist/sightline
	@PYTHONPATH=. $(BIN)/python packaging/manifest.py dist/sightline

installers:
	@packaging/installers.sh

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
	$(BIN)/python -m pytest -n auto --dist loadfile

format:
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
