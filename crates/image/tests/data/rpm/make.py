#!/usr/bin/env python3
"""Makes the databases of this directory from one that rpm itself wrote: make.py DBPATH (with its rpmdb.sqlite).

The header blobs are rpm's. SQLite and Berkeley DB (db5.3_load, package db5.3-util) write their own files; ndb is written
here after rpm's lib/backend/ndb/rpmpkg.c, because Debian's rpm is built without it.
"""

import os, shutil, sqlite3, struct, subprocess, sys, zlib

blobs = [row[0] for row in sqlite3.connect(f"{sys.argv[1]}/rpmdb.sqlite").execute("select blob from Packages order by hnum")]
# More packages of the same shape, so that the table has inner pages.
more = [blobs[1].replace(b"hello\0", b"hell%c\0" % c) for c in b"abcdefghij"]
blobs += more

def table(name, rows, mode):
    db = sqlite3.connect(name, isolation_level=None)
    db.execute("pragma page_size=512")
    db.execute(f"pragma journal_mode={mode}")
    db.execute("pragma wal_autocheckpoint=0")
    db.execute("create table 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT,blob BLOB NOT NULL)")
    for blob in rows:
        db.execute("insert into Packages(blob) values(?)", (blob,))
    return db

for name in ("rpmdb.sqlite", "logged.sqlite", "logged.sqlite-wal", "Packages.db", "Packages"):
    if os.path.exists(name):
        os.remove(name)

table("rpmdb.sqlite", blobs, "delete").close()

# A database whose last package, and a change of the first, are only in the log.
db = table("work.sqlite", blobs[:1], "wal")
db.execute("pragma wal_checkpoint(truncate)")
db.execute("insert into Packages(blob) values(?)", (blobs[1],))
shutil.copy("work.sqlite", "logged.sqlite")
shutil.copy("work.sqlite-wal", "logged.sqlite-wal")
db.close()
os.remove("work.sqlite")

with open("Packages.db", "wb") as ndb:
    slots, body, offset = b"", b"", 4096 // 16
    for index, blob in enumerate(blobs, 1):
        size = (16 + len(blob) + 12 + 15) // 16 * 16
        head = b"BlbS" + struct.pack("<III", index, 1, len(blob))
        filled = head + blob.ljust(size - 28, b"\0")
        stored = filled + struct.pack("<II", zlib.adler32(filled), len(blob)) + b"BlbE"
        slots += b"Slot" + struct.pack("<III", index, offset, size // 16)
        body += stored
        offset += size // 16
    slots = slots.ljust(4096 - 32, b"\0")
    slots = b"".join(slots[i:i + 16] if slots[i:i + 4] == b"Slot" else b"Slot" + bytes(12) for i in range(0, len(slots), 16))
    ndb.write(b"RpmP" + struct.pack("<IIII", 0, 1, 1, len(blobs) + 1) + bytes(12) + slots + body)

dump = "VERSION=3\nformat=bytevalue\ntype=hash\ndb_pagesize=512\nHEADER=END\n"
for index, value in enumerate([struct.pack("<I", len(blobs))] + blobs):
    dump += f" {struct.pack('<I', index).hex()}\n {value.hex()}\n"
subprocess.run(["db5.3_load", "-f", "/dev/stdin", "Packages"], input=dump + "DATA=END\n", text=True, check=True)
