#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Images of one tree as others read them: GNU cpio, bsdcpio and zstd an initramfs, unsquashfs a squashfs.

The same tree is built several times, with another count of workers, store, time zone, language and umask: the bytes
are the same. The first argument is the program differential-image, then COUNT and SEED."""
import filecmp
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from datetime import datetime, timezone

EPOCH = 1700000000
FILE, DIRECTORY, SYMLINK = 1, 2, 3
checks = 0


def check(held, *words):
    global checks
    checks += 1
    if not held:
        sys.exit("not so: " + " ".join(map(str, words)))


def run(*argv, **more):
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more).stdout


class Entry:
    def __init__(self, line):
        (self.path, kind, mode, uid, gid, size, self.target, group, owner, xattrs, self.digest) = line.split("\t")
        self.kind, self.mode = int(kind), int(mode, 8)
        self.uid, self.gid, self.size, self.group = int(uid), int(gid), int(size), int(group)
        self.owner, self.xattrs = int(owner), int(xattrs)

    def letters(self):
        out = {FILE: "-", DIRECTORY: "d", SYMLINK: "l"}[self.kind]
        for shift, special, mark in ((6, 0o4000, "s"), (3, 0o2000, "s"), (0, 0o1000, "t")):
            bits = self.mode >> shift & 7
            run_bit = "x" if bits & 1 else "-"
            if self.mode & special:
                run_bit = mark if bits & 1 else mark.upper()
            out += ("r" if bits & 4 else "-") + ("w" if bits & 2 else "-") + run_bit
        return out


def expected(directory):
    with open(directory + "/expected") as lines:
        return {e.path: e for e in map(Entry, lines.read().splitlines())}


def digest(path):
    with open(path, "rb") as f:
        return hashlib.blake2b(f.read(), digest_size=32).hexdigest()


def compare_extracted(root, entries, what, owners, whole):
    found = 0
    for path, e in entries.items():
        there = root + path
        if not os.path.lexists(there):
            check(not whole, what, path, "is not there")
            continue
        found += 1
        status = os.lstat(there)
        if e.kind == SYMLINK:
            check(os.readlink(there) == e.target, what, path, "target", os.readlink(there))
        elif e.kind == FILE:
            check(digest(there) == e.digest, what, path, "has other bytes")
            names = sum(1 for o in entries.values() if o.group == e.group) if e.group else 1
            check(status.st_nlink == names, what, path, "has", status.st_nlink, "names, not", names)
            check(status.st_mtime == EPOCH, what, path, "mtime", status.st_mtime)
        if e.kind != SYMLINK and owners:
            check(status.st_mode & 0o7777 == e.mode, what, path, "mode", oct(status.st_mode))
        # GNU cpio leaves the directory that it unpacks into as it is; who owns "/" is compared by its list.
        if owners and (path, what) != ("/", "cpio"):
            check((status.st_uid, status.st_gid) == (e.uid, e.gid), what, path, "owner", status.st_uid, status.st_gid)
    there = sum(len(d) + len(f) for _, d, f in os.walk(root)) + 1
    check(there == found, what, "has", there, "entries,", found, "known")


def extract_cpio(reader, directory, into):
    """All segments one over the other, as the kernel unpacks them."""
    os.mkdir(into)
    for number in range(100):
        segment = f"{directory}/segment-{number}.zst"
        if not os.path.exists(segment):
            return number
        archive = run("zstd", "-dcq", segment)
        check(archive.count(b"TRAILER!!!") == 1 and len(archive) % 4 == 0, "the end of", segment)
        if reader == "cpio":
            run("cpio", "-idmu", "--quiet", "--no-absolute-filenames", cwd=into, input=archive)
        else:
            run("bsdcpio", "-idmu", "--quiet", cwd=into, input=archive)
    return 0


def list_cpio(directory, entries):
    """Names, modes, owners and sizes of each segment, by GNU cpio."""
    seen = {}
    for number in range(100):
        segment = f"{directory}/segment-{number}.zst"
        if not os.path.exists(segment):
            break
        listing = run("cpio", "-itvn", "--quiet", input=run("zstd", "-dcq", segment), env={"TZ": "UTC", "LANG": "C"})
        above = set()
        for line in listing.decode().splitlines():
            mode, _, uid, gid, size, _, _, _, name = line.split(None, 8)
            name, _, target = name.partition(" -> ")
            path = "/" if name == "." else "/" + name
            e = entries[path]
            check(mode == e.letters(), path, "mode", mode, e.letters())
            check((int(uid), int(gid)) == (e.uid, e.gid), path, "owner", uid, gid)
            check(target == e.target, path, "target", target)
            check(path == "/" or os.path.dirname(path) in above, path, "comes before its directory")
            if e.kind == DIRECTORY:
                above.add(path)
            else:
                check(path not in seen, path, "is in two segments")
            check(e.kind != FILE or int(size) in (e.size, 0), path, "size", size)
            seen[path] = True
    check(len(seen) == len(entries), "cpio lists", len(seen), "of", len(entries))


def list_squashfs(image, entries):
    listing = run("unsquashfs", "-lln", image, env={"TZ": "UTC", "LANG": "C", "PATH": os.environ["PATH"]})
    stamp = datetime.fromtimestamp(EPOCH, timezone.utc).strftime("%Y-%m-%d %H:%M")
    seen = 0
    for line in listing.decode().splitlines():
        if line[:1] not in "-dl" or "squashfs-root" not in line:
            continue
        mode, owner, size, day, time, name = line.split(None, 5)
        name, _, target = name[len("squashfs-root"):].partition(" -> ")
        e = entries[name or "/"]
        check(mode == e.letters(), e.path, "mode", mode, e.letters())
        check(owner == f"{e.uid}/{e.gid}", e.path, "owner", owner)
        check(target == e.target, e.path, "target", target)
        check(f"{day} {time}" == stamp, e.path, "time", day, time)
        check(e.kind != FILE or int(size) == e.size, e.path, "size", size)
        seen += 1
    check(seen == len(entries), "unsquashfs lists", seen, "of", len(entries))


def read_squashfs(image, entries, into, root):
    run("unsquashfs", "-q", "-n", "-d", into, *([] if root else ["-no-xattrs"]), image)
    compare_extracted(into, entries, "unsquashfs", root, True)
    if not root:
        return
    for path, e in entries.items():
        if e.kind != SYMLINK:
            names = os.listxattr(into + path)
            check(len([n for n in names if n.startswith("user.")]) == e.xattrs, path, "attributes", names)


def build(program, directory, store, seed, workers, zone, language, mask):
    os.makedirs(directory)
    environment = dict(os.environ, TZ=zone, LANG=language, LC_ALL=language)
    subprocess.run([program, directory, store, str(seed), str(workers)], check=True, env=environment,
                   preexec_fn=lambda: os.umask(mask))


def one(program, work, seed):
    root = os.geteuid() == 0
    a, b, c = (f"{work}/{name}" for name in "abc")
    build(program, a, a + "-store", seed, 1, "UTC", "C", 0o022)
    build(program, b, f"{work}/some/where/else", seed, 2, "Asia/Tokyo", "de_DE.UTF-8", 0o077)
    build(program, c, a + "-store", seed, 3, "America/Lima", "C.UTF-8", 0o000)
    entries = expected(a)
    for name in ("initramfs", "squashfs"):
        for other in (b, c):
            if os.path.exists(f"{a}/{name}"):
                check(filecmp.cmp(f"{a}/{name}", f"{other}/{name}", False), name, "differs in", other)
    for reader in ("cpio", "bsdcpio"):
        count = extract_cpio(reader, a, f"{work}/{reader}")
        check(count == 4, count, "segments")
        compare_extracted(f"{work}/{reader}", entries, reader, root, True)
    list_cpio(a, entries)
    if os.path.exists(a + "/squashfs"):
        list_squashfs(a + "/squashfs", entries)
        read_squashfs(a + "/squashfs", entries, f"{work}/unsquashed", root)
        if shutil.which("sqfs2tar"):
            tar = run("sqfs2tar", a + "/squashfs")
            check(len(tar) % 512 == 0, "sqfs2tar")
        if shutil.which("sqfsdiff"):
            run("sqfsdiff", "-a", a + "/squashfs", "-b", b + "/squashfs")


def main():
    for tool in ("zstd", "cpio", "bsdcpio", "unsquashfs"):
        if not shutil.which(tool):
            print("skip image", tool, "is not installed")
            sys.exit(77)
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    for number in range(count):
        with tempfile.TemporaryDirectory(prefix="hn-image-") as work:
            one(sys.argv[1], work, seed + number)
    print("checks:", checks)


main()
