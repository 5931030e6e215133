#!/bin/sh
# Makes everything that the application (`setup.sh run`), its checks (`setup.sh test`) or its bundle
# (`setup.sh package`) need:
# system packages, .venv/ with pinned packages, resources/weights/. What is there already and
# still right is left alone; a set-up that was interrupted is taken up again.
set -eu
cd "$(dirname "$0")/.."

kind=$1
mkdir -p .cache/wheels
if command -v flock >/dev/null; then
    # Two set-ups at once would write into one environment.
    exec 9>.cache/setup.lock
    flock 9
fi

new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

choose_python() {
    for python in ${PYTHON:-python3.11 python3}; do
        if new_enough "$python"; then
            return
        fi
    done
    if found=$("$python" --version 2>&1); then
        what="$found is too old"
    else
        what="no Python found"
    fi
    echo "error: $what, $python, install Python 3.11 or newer" \
        "or name one: make PYTHON=/path/to/python3.11" >&2
    exit 4
}

# Of everything that decides what is installed.
fingerprint() {
    {
        .venv/bin/python -VV
        cat pyproject.toml constraints.txt packaging/setup.sh packaging/requirements.py
    } | sha256sum
}

build_llama() {
    version=$(sed -n 's/^llama-cpp-python==//p' constraints.txt)
    set -- .cache/wheels/llama_cpp_python-"$version"-*.whl
    if [ -f "$1" ]; then
        return
    fi
    echo "set-up: building llama-cpp-python $version (once; about 10 minutes on two cores)"
    rm -rf .cache/building
    # GGML_NATIVE=OFF: the wheel must run on other processors than the one that builds it.
    # Older pip reads the first constraint for what builds the wheel, newer pip the second.
    PIP_CONSTRAINT=packaging/build-constraints.txt \
        PIP_BUILD_CONSTRAINT=packaging/build-constraints.txt \
        CMAKE_ARGS=-DGGML_NATIVE=OFF \
        CMAKE_BUILD_PARALLEL_LEVEL=$(nproc) \
        .venv/bin/python -m pip wheel --quiet --no-input --no-deps \
        --wheel-dir .cache/building "llama-cpp-python==$version"
    mv .cache/building/llama_cpp_python-"$version"-*.whl .cache/wheels/
    rm -rf .cache/building
}

install_packages() {
    set -- ".venv/setup-$kind.stamp"
    if [ "$kind" = run ]; then
        # What the tests or the bundle need includes what the application needs.
        set -- .venv/setup-test.stamp .venv/setup-package.stamp "$1"
    fi
    for stamp in "$@"; do
        if [ -f "$stamp" ] && [ "$(fingerprint)" = "$(cat "$stamp")" ]; then
            return
        fi
    done
    rm -f "$stamp"
    if ! .venv/bin/python -m pip --version >/dev/null 2>&1 || ! new_enough .venv/bin/python; then
        echo "set-up: making .venv with $("$python" --version)"
        "$python" -m venv --clear .venv
    fi
    extras=
    if [ "$kind" = test ]; then
        extras="test open-clip llama"
        build_llama
    elif [ "$kind" = package ]; then
        extras="package llama"
        build_llama
    fi
    echo "set-up: installing pinned packages (the first time takes a few minutes)"
    # shellcheck disable=SC2086 # one word an extra
    .venv/bin/python packaging/requirements.py $extras >.venv/requirements.txt
    quiet=--quiet
    if [ -t 1 ]; then
        quiet=
    fi
    # shellcheck disable=SC2086 # empty or one option
    .venv/bin/python -m pip install $quiet --no-input --disable-pip-version-check \
        --only-binary :all: --find-links .cache/wheels --constraint constraints.txt \
        --requirement .venv/requirements.txt
    .venv/bin/python -m pip check
    fingerprint >"$stamp"
}

choose_python
PYTHON=$python packaging/system_packages.sh "$kind"
install_packages
.venv/bin/python packaging/fetch_weights.py
