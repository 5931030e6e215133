#!/bin/sh
# Makes the installers for Linux from dist/sightline/: a portable .tar.zst and a .deb, in dist/.
# Files get the time of the commit (SOURCE_DATE_EPOCH) and belong to root, so that the same bundle
# gives the same installers.
set -eu
cd "$(dirname "$0")/.."

[ -f dist/sightline/_internal/manifest.json ] || {
    echo "error: no built application, dist/sightline, run make package" >&2
    exit 4
}
for command in dpkg-deb zstd; do
    command -v $command >/dev/null || {
        echo "error: no $command found, this system, apt-get install dpkg zstd" >&2
        exit 4
    }
done
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
version=$(sed -n 's/^ "version": "\(.*\)",$/\1/p' dist/sightline/_internal/manifest.json)
level=${ZSTD_LEVEL:-9}

portable() {
    tar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner --mode=go=rX \
        -C dist -cf - sightline | zstd -q -f -T0 "-$level" -o "dist/sightline-$version-linux-x86_64.tar.zst"
}

debian() {
    tree=build/debian
    rm -rf $tree
    mkdir -p $tree/DEBIAN $tree/opt $tree/usr/bin $tree/usr/share/applications \
        $tree/usr/share/mime/packages $tree/usr/share/icons/hicolor/scalable/apps \
        $tree/usr/share/doc/sightline
    # Hard links: the bundle is a gigabyte and a half.
    cp -al dist/sightline $tree/opt/sightline
    ln -s ../../opt/sightline/sightline $tree/usr/bin/sightline
    cp packaging/linux/sightline.desktop $tree/usr/share/applications/
    cp packaging/linux/sightline.xml $tree/usr/share/mime/packages/
    cp packaging/linux/sightline.svg $tree/usr/share/icons/hicolor/scalable/apps/
    ln -s ../../../../opt/sightline/_internal/THIRD-PARTY-NOTICES.txt $tree/usr/share/doc/sightline/copyright
    size=$(du -k --apparent-size -s $tree | cut -f1)
    cat >$tree/DEBIAN/control <<END
Package: sightline
Version: $version
Architecture: amd64
Maintainer: Sightline maintainers <maintainers@localhost>
Installed-Size: $size
Depends: $(paste -sd, packaging/linux/depends | sed 's/,/, /g')
Recommends: libwayland-client0, libwayland-cursor0, libwayland-egl1
Section: video
Priority: optional
Description: Review of surveillance footage, offline
 Scores every frame of a video for anomaly, shows where and why, follows what
 moved, answers questions about it, and keeps everything in a case whose history
 cannot be changed without notice. Uses no network.
END
    find $tree -type d -exec chmod 755 {} +
    dpkg-deb --root-owner-group -Zzstd "-z$level" --build $tree "dist/sightline_${version}_amd64.deb" >/dev/null
    rm -rf $tree
}

portable
debian
ls -l dist/*.tar.zst dist/*.deb
