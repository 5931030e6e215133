#!/bin/sh
# Tries the built application where there is no network and nothing of the project.
#
#   packaging/smoke.sh --quick   dist/sightline/ on this machine, read-only, at a path with a space and
#                                letters that are not ASCII; no socket of a network family may be opened
#   packaging/smoke.sh           the .tar.zst and the .deb of dist/, each unpacked in a Debian 12 root made
#                                by debootstrap, with nothing but the stated dependencies and what a screen
#                                needs (Xvfb); needs root, and the network until the roots are ready
#
# Either way everything runs in a network namespace without interfaces. The steps are in smoke_steps.sh.
set -eu
cd "$(dirname "$0")/.."

root=$PWD
steps=$root/packaging/smoke_steps.sh
work=${SMOKE_WORK:-$root/.cache/smoke}
mkdir -p "$work"
registries=$work/registries.txt
.venv/bin/python main.py registries >"$registries"

stop() { # stop WHAT WHERE REMEDY
    echo "error: $1, $2, $3" >&2
    exit 4
}

need() { # need COMMAND PACKAGE
    command -v "$1" >/dev/null || stop "no $1 found" "this system" "apt-get install $2"
}

quick() {
    need Xvfb xvfb
    need xwininfo x11-utils
    need strace strace
    need unshare util-linux
    [ -x dist/sightline/sightline ] || stop "no built application" dist/sightline "run make package"
    place="$work/Prüf stand/sightline"
    home="$work/home"
    rm -rf "$home"
    mkdir -p "$place" "$home"
    # The mount is seen inside the namespace only, and goes with it.
    export SMOKE_APPLICATION="$root/dist/sightline" SMOKE_PLACE="$place" SMOKE_TRACE="$work/sockets.txt"
    rm -f "$SMOKE_TRACE"
    unshare --map-root-user --mount --net sh -c '
        mount --bind "$SMOKE_APPLICATION" "$SMOKE_PLACE"
        mount -o remount,bind,ro "$SMOKE_PLACE"
        exec env -i PATH=/usr/bin:/bin HOME="$2" LANG=C.UTF-8 SMOKE_TRACE="$SMOKE_TRACE" \
            sh "$1" "$SMOKE_PLACE/sightline" "$2" "$3"
    ' sh "$steps" "$home" "$registries"
    if grep -E 'AF_INET|AF_INET6|AF_PACKET' "$SMOKE_TRACE"; then
        stop "a socket of a network family was opened" "$SMOKE_TRACE" "find out what opens it"
    fi
    families=$(grep -o 'AF_[A-Z0-9]*' "$SMOKE_TRACE" | sort | uniq -c | tr -s ' \n' ' ')
    echo "good  sockets opened:$families"
}

base() { # a root of Debian 12 with Xvfb, made once
    if [ ! -f "$work/bookworm.tar" ]; then
        need debootstrap debootstrap
        echo "smoke: making a Debian 12 root"
        rm -rf "$work/making"
        debootstrap --variant=minbase bookworm "$work/making" >"$work/debootstrap.log" ||
            stop "debootstrap failed" "$work/debootstrap.log" "read its end"
        chroot "$work/making" apt-get install -y -qq --no-install-recommends xvfb x11-utils zstd \
            >>"$work/debootstrap.log" 2>&1
        tar --numeric-owner -C "$work/making" -cf "$work/bookworm.part" .
        mv "$work/bookworm.part" "$work/bookworm.tar"
        rm -rf "$work/making"
    fi
}

whole() { # whole FILE
    echo "smoke: $(basename "$1") in Debian 12"
    there=$work/root
    rm -rf --one-file-system "$there"
    mkdir -p "$there"
    tar --numeric-owner -C "$there" -xf "$work/bookworm.tar"
    cp /etc/resolv.conf "$there/etc/resolv.conf"
    cp "$1" "$steps" "$registries" packaging/linux/depends "$there/tmp/"
    case $1 in
    *.deb)
        chroot "$there" apt-get install -y -qq --no-install-recommends "/tmp/$(basename "$1")" \
            >"$work/apt.log" 2>&1 || stop "the package cannot be installed" "$work/apt.log" "read its end"
        program=/usr/bin/sightline
        ;;
    *)
        # shellcheck disable=SC2046 # one word a package
        chroot "$there" apt-get install -y -qq --no-install-recommends \
            $(sed 's/ (.*)//' packaging/linux/depends) >"$work/apt.log" 2>&1
        mkdir "$there/srv/Prüf stand"
        chroot "$there" tar -C "/srv/Prüf stand" --zstd -xf "/tmp/$(basename "$1")"
        program="/srv/Prüf stand/sightline/sightline"
        ;;
    esac
    rm "$there/tmp/$(basename "$1")"
    mkdir -p "$there/home/examiner"
    chown 1000:1000 "$there/home/examiner"
    unshare --mount --net --pid --fork sh -c '
        mount -t proc proc "$1/proc"
        mount --rbind /dev "$1/dev"
        exec chroot --userspec=1000:1000 "$1" env -i PATH=/usr/bin:/bin HOME=/home/examiner LANG=C.UTF-8 \
            sh /tmp/smoke_steps.sh "$2" /home/examiner /tmp/registries.txt
    ' sh "$there" "$program"
    case $1 in
    *.deb)
        chroot "$there" apt-get purge -y -qq sightline >"$work/apt.log" 2>&1
        # But the user's own folders, what was put here to test with, and the log of the package manager.
        left=$(cd "$there" && find . -xdev -path ./home -prune -o -path ./tmp -prune -o -path ./var/log -prune \
            -o -iname '*sightline*' -print)
        [ -z "$left" ] || stop "uninstalling leaves files" "$left" "see packaging/installers.sh"
        echo "good  uninstalled, nothing left"
        ;;
    esac
    rm -rf --one-file-system "$there"
}

if [ "${1:-}" = --quick ]; then
    quick
else
    [ "$(id -u)" = 0 ] || stop "root is needed" "this user" "run as root, or with --quick"
    base
    found=no
    for file in dist/*.tar.zst dist/*.deb; do
        if [ -f "$file" ]; then
            found=yes
            whole "$file"
        fi
    done
    [ $found = yes ] || stop "no installers" dist "run make installers"
fi
echo "smoke: all good"
