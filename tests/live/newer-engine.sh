#!/bin/sh
# Fetches an engine that can keep its images in containerd, from Debian's unstable suite, and unpacks it; nothing is
# installed. Prints the directory of its programs, which the live tests take from PLIMSOLL_NEWER_ENGINE.
#
#   tests/live/newer-engine.sh DIRECTORY
set -eu

folder=$1
programs=$folder/programs
mkdir -p "$folder/lists/partial" "$folder/cache/archives/partial" "$folder/packages" "$programs"
folder=$(cd "$folder" && pwd)
programs=$folder/programs
if [ -x "$programs/dockerd" ] && [ -x "$programs/containerd" ]; then
    echo "$programs"
    exit
fi

# The repository that this machine's own packages come from.
mirror=$(apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' 'Created-By: Packages' |
    awk '$1 == "Debian" && $2 !~ /security/ { sub("/$", "", $2); print $2; exit }')
[ -n "$mirror" ] || { echo "newer-engine.sh: apt on this machine has no source of Debian" >&2; exit 1; }
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror sid main" >"$folder/sources.list"
: >"$folder/status"
own_apt() {
    apt-get -qq -o Dir::Etc::sourcelist="$folder/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::Etc::preferencesparts=/dev/null -o Dir::State::lists="$folder/lists" -o Dir::Cache="$folder/cache" \
        -o Dir::State::status="$folder/status" -o APT::Sandbox::User=root "$@"
}
own_apt update >&2
(cd "$folder/packages" && own_apt download docker.io containerd >&2)
for package in "$folder/packages"/*.deb; do dpkg -x "$package" "$folder/root"; done
# runc is the machine's own: the newer one wants newer libraries.
for program in usr/sbin/dockerd usr/sbin/docker-proxy usr/bin/docker-proxy usr/bin/containerd usr/bin/containerd-shim-runc-v2; do
    [ ! -x "$folder/root/$program" ] || ln -sf "$folder/root/$program" "$programs/"
done
echo "$programs"
