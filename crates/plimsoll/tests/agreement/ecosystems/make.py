#!/usr/bin/env python3
"""Makes the files of this folder that are no text: package databases of rpm, programs and a Java archive.

Headers of rpms are rpm's own (packages rpm and binutils of Debian); of the database only its table of packages is kept.
The programs are an ELF file without code, with the sections that Go's linker and cargo-auditable write.
"""

import pathlib, sqlite3, struct, subprocess, tempfile, zipfile, zlib

HERE = pathlib.Path(__file__).parent

# Root, name, version, release, epoch, vendor, and the source package where it has another name.
RPMS = [
    ("rhel-9", "sudo", "1.9.5p2", "9.el9", None, "Red Hat, Inc.", "sudo"),
    ("rhel-9", "libcurl", "7.76.1", "26.el9_3.2", None, "Red Hat, Inc.", "curl"),
    ("rhel-9", "bash", "5.1.8", "6.el9_1", None, "Red Hat, Inc.", "bash"),
    ("almalinux-9", "runc", "1.1.9", "1.el9", 4, "AlmaLinux", "runc"),
    ("almalinux-9", "sudo", "1.9.5p2", "10.el9_6.1", None, "AlmaLinux", "sudo"),
    ("rocky-9", "sudo", "1.9.5p2", "7.el9", None, "Rocky Enterprise Software Foundation", "sudo"),
    ("rocky-9", "bash", "5.1.8", "6.el9_1", None, "Rocky Enterprise Software Foundation", "bash"),
    ("sles-15.1", "helm-mirror", "0.2.0", "1.4.1", None, "SUSE LLC <https://www.suse.com/>", "helm-mirror"),
    ("opensuse-leap-15.6", "libicu-suse65_1", "65.1", "150200.4.10.1", None, "SUSE LLC <https://www.suse.com/>", "icu"),
    ("opensuse-leap-15.6", "libicu65_1-ledata", "65.1", "150200.4.10.1", None, "SUSE LLC <https://www.suse.com/>", "icu"),
    ("amazon-2023", "openssl-libs", "3.0.8", "1.amzn2023.0.9", 1, "Amazon Linux", "openssl"),
]
LIBRARY = {"sles-15.1": "usr/lib/sysimage/rpm", "opensuse-leap-15.6": "usr/lib/sysimage/rpm"}

GO_MODULES = """path\texample.org/server
mod\texample.org/server\tv1.0.0\th1:=
dep\tgolang.org/x/net\tv0.10.0\th1:=
dep\tgolang.org/x/text\tv0.9.0\th1:=
build\t-compiler=gc
"""
CRATES = '{"packages":[{"name":"server","version":"1.0.0","source":"local","dependencies":[1,2],"root":true},' \
    '{"name":"serde","version":"1.0.200","source":"crates.io"},{"name":"time","version":"0.1.45","source":"crates.io"}]}'


def header(name, version, release, epoch, vendor, source):
    """The header of one installed rpm, as rpm itself keeps it."""
    with tempfile.TemporaryDirectory() as folder:
        spec = pathlib.Path(folder, "x.spec")
        # The source of a package is called after the first one of its specification.
        sub = "" if name == source else f"%package -n {name}\nSummary: x\n%description -n {name}\n%files -n {name}\n"
        epoch = f"Epoch: {epoch}\n" if epoch else ""
        files = "%files\n" if name == source else ""
        spec.write_text(f"Name: {source}\n{epoch}Version: {version}\nRelease: {release}\nSummary: x\nLicense: x\n"
                        f"Vendor: {vendor}\nBuildArch: noarch\n%description\n{sub}{files}")
        subprocess.run(["rpmbuild", "-bb", "--quiet", "--define", f"_topdir {folder}", spec], check=True)
        packages = [str(path) for path in pathlib.Path(folder, "RPMS").rglob("*.rpm")]
        database = pathlib.Path(folder, "db")
        subprocess.run(["rpm", "-i", "--justdb", "--nodeps", "--dbpath", database, *packages], check=True)
        rows = sqlite3.connect(database / "rpmdb.sqlite").execute("select blob from Packages").fetchall()
        assert len(rows) == 1, rows
        return rows[0][0]


def databases():
    for root in {row[0] for row in RPMS}:
        folder = HERE / root / LIBRARY.get(root, "var/lib/rpm")
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "rpmdb.sqlite"
        path.unlink(missing_ok=True)
        table = sqlite3.connect(path)
        table.execute("pragma page_size=1024")
        table.execute("create table 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT,blob BLOB NOT NULL)")
        for row in RPMS:
            if row[0] == root:
                table.execute("insert into Packages(blob) values(?)", (header(*row[1:]),))
        table.commit()


def program(path, section, content, flags):
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        source, made, data = (pathlib.Path(folder, name) for name in ("x.s", "x.o", "data"))
        source.write_text(".globl _start\n_start: hlt\n.data\n.fill 4096\n")
        data.write_bytes(content)
        subprocess.run(["as", "-o", made, source], check=True)
        subprocess.run(["objcopy", "--add-section", f"{section}={data}", "--set-section-flags", f"{section}={flags}",
                        "--set-section-alignment", f"{section}=16", made], check=True)
        subprocess.run(["ld", "-s", "-o", path, made], check=True)


def text(value):
    length, rest = len(value) & 0x7F, len(value) >> 7
    return (bytes([length | 0x80, rest]) if rest else bytes([length])) + value


def programs():
    marked = b"0w\xaf\x0c\x92t\x08\x02A\xe1\xc1\x07\xe6\xd6\x18\xe6" + GO_MODULES.encode() \
        + b"\xf92C1\x86\x18 r\x00\x82B\x10A\x16\xd8\xf2"
    information = b"\xff Go buildinf:\x08\x02".ljust(32, b"\0") + text(b"go1.21.0") + text(marked)
    program(HERE / "go/usr/local/bin/server", ".go.buildinfo", information, "alloc,data")
    program(HERE / "rust/usr/local/bin/server", ".dep-v0", zlib.compress(CRATES.encode()), "alloc,data,readonly")


def archive():
    path = HERE / "java/opt/app/app.jar"
    path.parent.mkdir(parents=True, exist_ok=True)
    properties = "META-INF/maven/org.apache.logging.log4j/{0}/pom.properties"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as jar:
        for artifact in ("log4j-core", "log4j-api"):
            entry = zipfile.ZipInfo(properties.format(artifact))
            jar.writestr(entry, f"version=2.14.1\ngroupId=org.apache.logging.log4j\nartifactId={artifact}\n")


databases()
programs()
archive()
