#!/bin/sh
# Makes the images that the live tests use, from Debian's packages. What exists already is left as it is.
#
#   plimsoll-test/base:bookworm          a minimal Debian, one layer
#   plimsoll-test/mariadb:bookworm       MariaDB from Debian, USER mysql
#   plimsoll-test/mariadb-root:bookworm  the same, starting as root and dropping to mysql in its entrypoint
#
# Needs root, a running engine and debootstrap (installed from the machine's own sources where it is missing).
# Packages come from wherever this machine's apt takes them.
set -eu

suite=bookworm
prefix=plimsoll-test

exists() { docker image inspect "$1" >/dev/null 2>&1; }

# The repository that this machine uses for the suite, without its trailing slash.
mirror() {
    apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
        awk -v suite="$suite" '$1 == suite { sub("/$", "", $2); print $2; exit }'
}

make_base() {
    mirror=$(mirror)
    [ -n "$mirror" ] || { echo "images.sh: apt on this machine has no source for $suite" >&2; exit 1; }
    command -v debootstrap >/dev/null || apt-get install -y --no-install-recommends debootstrap
    debootstrap --variant=minbase "$suite" "$work/root" "$mirror" >"$work/debootstrap.log" 2>&1 ||
        { tail -20 "$work/debootstrap.log" >&2; exit 1; }
    rm -rf "$work/root/var/cache/apt/archives/"*.deb "$work/root/var/lib/apt/lists/"*
    tar -C "$work/root" --numeric-owner --one-file-system --xattrs -cf - . |
        docker import --change 'CMD ["bash"]' - "$prefix/base:$suite" >/dev/null
}

# Dockerfile on standard input, context in $work/context.
build() { DOCKER_BUILDKIT=0 docker build --network host --quiet --tag "$1" --file - "$work/context" >/dev/null; }

make_mariadb() {
    mkdir -p "$work/context/apt"
    cp -rL /etc/apt/sources.list /etc/apt/sources.list.d "$work/context/apt/" 2>/dev/null || true
    # Third-party sources of the machine need keys and tools that the image lacks.
    find "$work/context/apt" -type f ! -name 'debian*.sources' ! -name sources.list -delete
    build "$prefix/mariadb:$suite" <<DOCKERFILE
FROM $prefix/base:$suite
COPY apt /etc/apt
RUN printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d \
 && apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends mariadb-server \
 && rm -rf /var/lib/apt/lists/* /usr/sbin/policy-rc.d \
 && install -d -o mysql -g mysql -m 755 /run/mysqld
VOLUME /var/lib/mysql
EXPOSE 3306
USER mysql
CMD ["mariadbd", "--bind-address=0.0.0.0"]
DOCKERFILE
}

make_mariadb_root() {
    mkdir -p "$work/context"
    cat >"$work/context/docker-entrypoint.sh" <<'ENTRYPOINT'
#!/bin/sh
set -eu
if [ "$(id -u)" = 0 ]; then
    chown mysql:mysql /var/lib/mysql /run/mysqld
    exec setpriv --reuid=mysql --regid=mysql --init-groups -- "$0" "$@"
fi
exec "$@"
ENTRYPOINT
    chmod 755 "$work/context/docker-entrypoint.sh"
    build "$prefix/mariadb-root:$suite" <<DOCKERFILE
FROM $prefix/mariadb:$suite
USER root
COPY docker-entrypoint.sh /usr/local/bin/
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["mariadbd", "--bind-address=0.0.0.0"]
DOCKERFILE
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
exists "$prefix/base:$suite" || make_base
exists "$prefix/mariadb:$suite" || make_mariadb
exists "$prefix/mariadb-root:$suite" || make_mariadb_root
