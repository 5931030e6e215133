#!/bin/sh
# Makes sure that the system has what the set-up needs: `system_packages.sh run|test`.
# What is missing is found by what it provides, so that package names, which differ between
# releases, matter only for the apt-get line. With CI=true and root the packages are installed,
# otherwise the line is printed and the exit code is 4.
set -eu

kind=$1
python=${PYTHON:-python3}
missing=

need() { # need PACKAGE COMMAND...: the package is missing when the command fails
    package=$1
    shift
    "$@" >/dev/null 2>&1 || missing="$missing $package"
}

# As root's PATH and a user's differ in /sbin.
libraries=$(PATH="$PATH:/usr/sbin:/sbin" ldconfig -p)
library() { # library PACKAGE SONAME
    case $libraries in
    *"	$2 "*) ;;
    *) missing="$missing $1" ;;
    esac
}

look() {
    missing=
    need python3-venv "$python" -c 'import ensurepip, venv'
    # What Qt itself loads.
    library libegl1 libEGL.so.1
    library libgl1 libGL.so.1
    library libxkbcommon0 libxkbcommon.so.0
    library libdbus-1-3 libdbus-1.so.3
    library libfontconfig1 libfontconfig.so.1
    library libglib2.0-0 libglib-2.0.so.0
    # What its window on X11 and under XWayland loads.
    library libx11-xcb1 libX11-xcb.so.1
    library libxkbcommon-x11-0 libxkbcommon-x11.so.0
    library libxcb-cursor0 libxcb-cursor.so.0
    library libxcb-icccm4 libxcb-icccm.so.4
    library libxcb-image0 libxcb-image.so.0
    library libxcb-keysyms1 libxcb-keysyms.so.1
    library libxcb-randr0 libxcb-randr.so.0
    library libxcb-render-util0 libxcb-render-util.so.0
    library libxcb-shape0 libxcb-shape.so.0
    library libxcb-shm0 libxcb-shm.so.0
    library libxcb-sync1 libxcb-sync.so.1
    library libxcb-xfixes0 libxcb-xfixes.so.0
    library libxcb-xkb1 libxcb-xkb.so.1
    if [ "$kind" != run ]; then
        # What compiles llama.cpp.
        need gcc command -v gcc
        need g++ command -v g++
        need cmake command -v cmake
    fi
    if [ "$kind" = test ]; then
        need xvfb command -v Xvfb
        need xauth command -v xauth
        need qpdf command -v qpdf
        need poppler-utils command -v pdftotext
        need chromium command -v chromium
    fi
}

look
[ -n "$missing" ] || exit 0
if [ "${CI:-}" = true ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "set-up: installing system packages:$missing"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # shellcheck disable=SC2086 # one word a package
    apt-get install -y -qq --no-install-recommends $missing >/dev/null
    libraries=$(PATH="$PATH:/usr/sbin:/sbin" ldconfig -p)
    look
    [ -n "$missing" ] || exit 0
fi
sudo="sudo "
if [ "$(id -u)" = 0 ]; then
    sudo=
fi
echo "error: system packages are missing, install them and run again:" >&2
echo "${sudo}apt-get install$missing" >&2
exit 4
