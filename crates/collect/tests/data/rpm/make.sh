#!/bin/sh
# Makes rpmdb.sqlite: packages of a host with Red Hat's and Docker's, as rpm itself records them, then only the table of
# headers, in small pages. Needs rpm, rpmbuild and python3.
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# name, version, release, vendor, epoch, files
package() {
    name=$1 version=$2 release=$3 vendor=$4 epoch=$5
    shift 5
    {
        printf 'Name: %s\nVersion: %s\nRelease: %s\nVendor: %s\nEpoch: %s\n' "$name" "$version" "$release" "$vendor" "$epoch"
        printf 'Summary: x\nLicense: x\nBuildArch: noarch\nAutoReqProv: no\n%%description\nx\n%%install\n'
        for file; do echo "install -D /dev/null %{buildroot}$file"; done
        echo '%files'
        printf '%s\n' "$@"
    } | sed '/^Epoch: 0$/d' >"$work/spec"
    rpmbuild --quiet -bb --define "_topdir $work/top" --define '__os_install_post %{nil}' "$work/spec"
}

docker=Docker
red_hat='Red Hat, Inc.'
package runc 1.1.12 4.el9 "$red_hat" 0 /usr/bin/runc /usr/share/man/man8/runc.8.gz
package docker-ce 27.3.1 1.el9 "$docker" 3 /usr/bin/dockerd
package containerd.io 1.7.22 3.1.el9 "$docker" 0 /usr/bin/containerd /usr/bin/containerd-shim-runc-v2
for release in 427.13.1.el9_4 503.11.1.el9_5; do
    package kernel-core 5.14.0 "$release" "$red_hat" 0 \
        "/lib/modules/5.14.0-$release.x86_64/vmlinuz" "/boot/vmlinuz-5.14.0-$release.x86_64"
done
mkdir -p "$work/root/var/lib/rpm"
rpm --root "$work/root" --dbpath /var/lib/rpm --define '_db_backend sqlite' -i --justdb --nodeps --nosignature \
    --oldpackage "$work/top/RPMS/noarch/"*.rpm
rm -f rpmdb.sqlite
python3 - "$work/root/var/lib/rpm/rpmdb.sqlite" <<'PYTHON'
import sqlite3, sys
blobs = sqlite3.connect(sys.argv[1]).execute("select blob from Packages order by hnum").fetchall()
table = sqlite3.connect("rpmdb.sqlite", isolation_level=None)
table.execute("pragma page_size=512")
table.execute("create table 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT,blob BLOB NOT NULL)")
table.executemany("insert into Packages(blob) values(?)", blobs)
PYTHON
