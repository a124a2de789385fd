#!/bin/sh
# Makes the package databases of Debian releases, as installing packages would leave them: apt chooses the packages from
# the release's own indexes, and dpkg writes the status file from the stanzas of these indexes. The packages' files and
# scripts are left out, since only what is installed matters; os-release is that of the real base-files.
#
#   debian-roots.sh FOLDER SUITE...   makes FOLDER/SUITE; one that is there is left as it is
#
# Needs root, and a Debian source among those of this machine's apt: its mirror is asked for the other releases too.
set -eu

extras="ca-certificates curl gnupg mariadb-server nginx openssh-server openssl perl python3 runc"

# The repository that this machine's apt uses for Debian suites of this ending, without its trailing slash.
mirror() {
    apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' |
        awk -v ending="$1" '$1 ~ "^[a-z]+" ending "$" { sub("/$", "", $2); print $2; exit }'
}

# apt, looking at $apt alone, with an empty list of installed packages.
apt_of() {
    tool=$1
    shift
    "$tool" -o Dir::Etc::SourceList="$apt/sources.list" -o Dir::Etc::SourceParts=- -o Dir::State="$apt/state" \
        -o Dir::State::status="$apt/status" -o Dir::Cache="$apt/cache" -o APT::Install-Recommends=false \
        -o Dir::Cache::pkgcache=pkgcache.bin -o APT::Sandbox::User=root -o Acquire::Languages=none "$@"
}

# Each stanza of an index, on standard input, becomes an empty package of the same control file.
pack_all() {
    awk -v folder="$apt/stubs" '
        /^Package:/ { name = $2; system("mkdir -p " folder "/" name "/DEBIAN"); file = folder "/" name "/DEBIAN/control" }
        /^[^ \t]/ { keep = $0 !~ /^(Filename|Size|MD5sum|SHA1|SHA256|Description-md5|Tag):/ }
        keep && NF { print >file }
        !NF { close(file) }'
    for stub in "$apt/stubs/"*; do
        dpkg-deb -Znone --root-owner-group --build "$stub" "$apt/debs/" >/dev/null
    done
}

make_root() {
    suite=$1 apt=$work/apt-$1 root=$work/$1
    mkdir -p "$apt/state/lists/partial" "$apt/cache/archives/partial" "$apt/debs" "$root/var/lib/dpkg/info" "$root/var/lib/dpkg/updates"
    : >"$apt/status"
    : >"$root/var/lib/dpkg/status"
    printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "$archive" "$suite" "$keyring" "$security" "$suite-security" >"$apt/sources.list"
    apt_of apt-get -qq update
    apt_of apt-get -qq --simulate install '?essential' '?priority(required)' apt $extras |
        awk '$1 == "Inst" { print $2 "=" substr($3, 2) }' >"$apt/chosen"
    [ -s "$apt/chosen" ] || { echo "debian-roots.sh: apt chose nothing for $suite" >&2; exit 1; }
    # shellcheck disable=SC2046
    apt_of apt-cache show $(cat "$apt/chosen") | pack_all
    dpkg --root="$root" --force-depends --force-unsafe-io --install "$apt/debs/"*.deb >"$apt/log" 2>&1 || { tail -5 "$apt/log" >&2; exit 1; }
    (cd "$apt" && apt_of apt-get -qq download base-files && dpkg-deb --fsys-tarfile base-files_*.deb | tar -C "$root" -x ./etc ./usr/lib/os-release)
    mv "$root" "$folder/$suite"
}

folder=$1
shift
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
archive=$(mirror '')
security=$(mirror -security)
[ -n "$archive" ] && [ -n "$security" ] || { echo "debian-roots.sh: apt on this machine has no source of Debian" >&2; exit 1; }
mkdir -p "$folder"
work=$(mktemp -d "$folder/.work-XXXXXX")
trap 'rm -rf "$work"' EXIT
for suite in "$@"; do
    [ -d "$folder/$suite" ] || make_root "$suite"
done
