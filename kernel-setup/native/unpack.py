"""Takes files out of a wheel, each checked against the hash in the wheel's own record.

Usage: python unpack.py WHEEL FOLDER PATTERN   (PATTERN: regular expression, matched from the start of the path inside the wheel)
Prints one line of JSON: {"version": ..., "files": [...], "requires": [...]}.
"""

import base64
import csv
import hashlib
import io
import json
import os
import re
import stat
import sys
import zipfile
from email.parser import HeaderParser


def main(wheel, folder, pattern):
    wanted = re.compile(pattern)
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        info = next(name.rsplit("/", 1)[0] for name in names if re.fullmatch(r"[^/]+\.dist-info/RECORD", name))
        rows = csv.reader(io.StringIO(archive.read(info + "/RECORD").decode()))
        hashes = {row[0]: row[1] for row in rows if len(row) > 1}
        metadata = HeaderParser().parsestr(archive.read(info + "/METADATA").decode())
        files = [name for name in names if wanted.match(name) and not name.endswith("/")]
        for name in files:
            unpack(archive, name, folder, hashes)
    print(json.dumps({"version": metadata["Version"], "files": files, "requires": metadata.get_all("Requires-Dist") or []}))


def unpack(archive, name, folder, hashes):
    target = os.path.join(folder, *name.split("/"))
    if os.path.relpath(target, folder).startswith(".."):
        sys.exit(f"{name} leaves its folder")
    kind, _, expected = hashes.get(name, "").partition("=")
    if kind != "sha256":
        sys.exit(f"{name} has no sha256 in the wheel's record")
    os.makedirs(os.path.dirname(target), exist_ok=True)
    digest = hashlib.sha256()
    with archive.open(name) as source, open(target, "wb") as copy:
        while piece := source.read(1 << 20):
            digest.update(piece)
            copy.write(piece)
    if base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode() != expected:
        sys.exit(f"{name} differs from the wheel's record")
    if archive.getinfo(name).external_attr >> 16 & stat.S_IXUSR:
        os.chmod(target, 0o755)


if __name__ == "__main__":
    main(*sys.argv[1:])
