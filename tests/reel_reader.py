#!/usr/bin/env python3
"""Reads a reel and prints what is in it as JSON lines.

Written from the manual page sysreel-reel(5) alone, to prove that it says enough; it shares nothing with sysreel. First
comes a line with the header, then for each block of events or of a snapshot a line with its dictionary and one for each
row, then the end.
Bytes are printed in hex. Damage goes to standard error, and the exit status is then 4.

Needs python3-lz4 (Debian) or lz4 (PyPI) for blocks that are packed, which is nearly all.
"""

import json
import struct
import sys
import zlib

import lz4.block

SYNC = bytes.fromhex("895245454c0d0a1a")
MIB = 1 << 20
UNKNOWN = 0xFFFFFFFF
M64 = (1 << 64) - 1


class Damage(Exception):
    """What is in the file makes no sense."""


def check(condition, what):
    if not condition:
        raise Damage(what)


class Bytes:
    """Bytes that are taken from the front."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def left(self):
        return len(self.data) - self.at

    def take(self, n):
        check(n <= self.left(), "cut off")
        self.at += n
        return self.data[self.at - n : self.at]

    def numbers(self, form):
        return struct.unpack("<" + form, self.take(struct.calcsize("<" + form)))

    def number(self, form):
        return self.numbers(form)[0]

    def leb128(self):
        value = 0
        for shift in range(0, 70, 7):
            byte = self.number("B")
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                check(value <= M64, "a number of more than 64 bits")
                return value
        raise Damage("a number of more than ten bytes")

    def text(self):
        return self.take(self.leb128()).decode("utf-8", "replace")

    def list(self):
        return [self.text() for _ in range(self.leb128())]

    def end(self):
        check(self.left() == 0, "bytes behind the last number")


def unzigzag(v):
    return -((v + 1) >> 1) if v & 1 else v >> 1


def signed(v, bits=64):
    v &= (1 << bits) - 1
    return v - (1 << bits) if v >> (bits - 1) else v


def unpack(packing, stored, size):
    if packing == 0:
        raw = stored
    elif packing == 1:
        check(size <= 255 * len(stored), "more than LZ4 can make")
        try:
            raw = lz4.block.decompress(stored, uncompressed_size=size)
        except lz4.block.LZ4BlockError as error:
            raise Damage(f"LZ4: {error}") from error
    else:
        raise Damage(f"packing {packing}")
    check(len(raw) == size, "length unpacked")
    return raw


# Columns of numbers


def packed_bits(data, count):
    values = []
    while len(values) < count:
        n = min(128, count - len(values))
        width, exceptions = data.numbers("BB")
        check(width <= 56, "width of a group")
        bits = int.from_bytes(data.take((n * width + 7) // 8), "little")
        group = [bits >> (i * width) & ((1 << width) - 1) for i in range(n)]
        for _ in range(exceptions):
            place, high = data.number("B"), data.leb128()
            check(place < n and high << width <= M64, "exception of a group")
            group[place] |= high << width
        values += group
    return values


def differences(data, count):
    values, value = [], 0
    for _ in range(count):
        value = (value + unzigzag(data.leb128())) & M64
        values.append(value)
    return values


def sums(steps):
    values, value = [], 0
    for step in steps:
        value += step
        check(value <= M64, "a number of more than 64 bits")
        values.append(value)
    return values


FIXED = {1: "B", 2: "H", 4: "I", 8: "Q"}


def column(encoding, raw, count):
    """The numbers of a column, each as 64 bits without a sign."""
    data = Bytes(raw)
    if encoding in (0x01, 0x02, 0x04, 0x08):
        values = list(data.numbers(str(count) + FIXED[encoding]))
    elif encoding in (0x11, 0x12, 0x14, 0x18):
        values = [v & M64 for v in data.numbers(str(count) + FIXED[encoding & 15].lower())]
    elif encoding == 0x20:
        values = [data.leb128() for _ in range(count)]
    elif encoding == 0x21:
        values = differences(data, count)
    elif encoding == 0x22:
        values = sums(data.leb128() for _ in range(count))
    elif encoding == 0x30:
        first, step = data.leb128(), data.leb128()
        values = [(first + i * step) & M64 for i in range(count)]
    elif encoding in (0x41, 0x42, 0x44):
        width = encoding & 15
        exceptions = data.leb128()
        narrow = data.numbers(str(count) + FIXED[width].lower())
        smallest = -(1 << (8 * width - 1))
        check(exceptions == narrow.count(smallest), "count of exceptions")
        wide = iter(differences(data, exceptions))
        values = [next(wide) if v == smallest else v & M64 for v in narrow]
    elif encoding == 0x50:
        values = packed_bits(data, count)
    elif encoding == 0x51:
        values = sums(packed_bits(data, count))
    else:
        raise Damage(f"encoding {encoding:02x}")
    data.end()
    return values


# Header and end


def records(body):
    data = Bytes(body)
    packing, size = data.numbers("BI")
    check(size <= 16 * MIB, "length of the records")
    data = Bytes(unpack(packing, data.take(data.left()), size))
    found = {}
    while data.left():
        tag, length = data.numbers("HI")
        found[tag] = data.take(length)
    return found


def packed_record(record):
    data = Bytes(record)
    packing, size = data.numbers("BI")
    check(size <= 16 * MIB, "length of a record")
    return unpack(packing, data.take(data.left()), size)


class Shape:
    """What a row of one code looks like."""

    def __init__(self, code, name, words, items, refs, result):
        self.code, self.name, self.result = code, name, result
        self.words, self.items, self.refs = words, items, refs


def unlisted(code):
    name = f"syscall_{code}" if code < 1024 else f"event_{code}" if code < 2048 else f"compat_{code - 2048}"
    return Shape(code, name, [f"arg{i}" for i in range(6)], [], 0, "int")


def parse_schema(raw):
    data, shapes, before = Bytes(raw), {}, -1
    while data.left():
        code, _described, name, _classes = data.leb128(), data.leb128(), data.text(), data.leb128()
        check(before < code < 3072, "order of codes")
        before = code
        result, refs, count = data.text(), data.leb128(), data.leb128()
        check(count <= 16, "number of arguments")
        words, items, of_arguments = [], [], 0
        for _ in range(count):
            argument, _kind, bits = data.text(), data.text(), data.number("B")
            words.append(argument)
            if bits & 1:
                items.append(argument)
            of_arguments += bits >> 2 & 7
        check(refs == of_arguments + (result == "fd"), "number of references")
        shapes[code] = Shape(code, name, words, items, refs, result)
    return shapes


def parse_header(body):
    found = records(body)
    check(4 in found and 9 in found, "header without architecture or schema")
    plain = lambda tag: found.get(tag, b"").decode("utf-8", "replace")
    header = {"host": plain(1), "kernel": plain(2), "version": plain(3), "arch": plain(4), "filter": plain(7)}
    numbers = Bytes(found.get(5, bytes(4)))
    for name in ("boot", "wall", "cpus", "snaplen"):
        header[name] = numbers.leb128()
    header["hooks"] = Bytes(found.get(6, b"\0")).list()
    header["command"] = Bytes(found.get(8, b"\0")).list()
    return header, parse_schema(found[9])


TAIL = bytes.fromhex("0a454e44")


def listed_column(data, count):
    encoding = data.number("B")
    return column(encoding, data.take(data.leb128()), count)


def byte_strings(raw, count):
    """Bytes of each block, after a column of their lengths."""
    data = Bytes(raw)
    lengths = listed_column(data, count)
    found = [data.take(length) for length in lengths]
    data.end()
    return found


def marked_codes(raw, count):
    data = Bytes(raw)
    codes = [data.leb128() for _ in range(data.leb128())]
    check(codes == sorted(set(codes)) and all(c < 3072 for c in codes), "codes of the index")
    blocks = []
    for _ in range(count):
        bits = int.from_bytes(data.take((len(codes) + 7) // 8), "little")
        blocks.append([code for i, code in enumerate(codes) if bits >> i & 1])
    data.end()
    return blocks


def summary_of(keys, size, probes):
    """A summary of that many bytes, with the bits of these keys."""
    bits = bytearray(size)
    for key in keys:
        low, high = key & UNKNOWN, key >> 32
        for i in range(probes):
            bit = (low + i * (high | 1)) % (8 * size)
            bits[bit // 8] |= 1 << bit % 8
    return bytes(bits)


def key(subject, data):
    value = 0xCBF29CE484222325
    for byte in bytes([subject]) + data:
        value = (value ^ byte) * 0x100000001B3 & M64
    value = (value ^ value >> 32) * 0x9E3779B97F4A7C15 & M64
    return value ^ value >> 29


def piece_key(piece):
    value = (int.from_bytes(piece, "big") + 1) * 0x9E3779B97F4A7C15 & M64
    return value ^ value >> 29


def check_summary(stored, keys, probes, what):
    """Whether all of the keys are in it; true if nothing else is."""
    check(len(stored) and len(stored) & (len(stored) - 1) == 0, f"length of {what}")
    due = summary_of(keys, len(stored), probes)
    check(all(a & b == b for a, b in zip(stored, due)), f"{what} without what is there")
    return stored == due


def parse_end(body, place, seen):
    """The end; `place` is where its block begins, `seen` are the event blocks before it, by their places."""
    begin = None
    if body[-16:-12] == TAIL:
        length, begin = struct.unpack("<IQ", body[-12:])
        check(length == Frame.SIZE + len(body), "length of the end block")
        body = body[:-16]
    found, end = records(body), {}
    if 32 in found:
        totals = Bytes(found[32])
        for name in ("produced", "written", "filtered", "lost", "state_only", "first_time", "last_time"):
            end[name] = totals.leb128()
    for tag, what in ((33, "index"), (41, "snapshots")):
        if tag not in found:
            continue
        data = Bytes(found[tag])
        count = data.leb128()
        check(count <= 1 << 18, "length of the index")
        names = ("offset", "rows", "earliest", "latest", "first_number")
        columns = {name: listed_column(data, count) for name in names}
        data.end()
        end[what] = [dict(zip(columns, entry)) for entry in zip(*columns.values())]
    if "index" in end and begin == place:
        end["exact"] = marks(end["index"], found, seen)
    return end


def marks(index, found, seen):
    """Adds what else is told of each block, and compares all with the blocks. True if summaries hold nothing else."""
    count, exact = len(index), True
    codes = marked_codes(found[34], count) if 34 in found else None
    clocks = Bytes(found[35]) if 35 in found else None
    walls, starts = (clocks and listed_column(clocks, count) for _ in range(2))
    summaries = byte_strings(packed_record(found[39]), count) if 39 in found else None
    pieces = byte_strings(packed_record(found[40]), count) if 40 in found else None
    for i, entry in enumerate(index):
        check(entry["offset"] in seen, "place in the index")
        block = seen[entry["offset"]]
        check(all(entry[name] == value for name, value in block["entry"].items()), "entry of the index")
        if codes is not None:
            entry["codes"] = codes[i]
            check(codes[i] == block["codes"], "codes of a block")
        if clocks:
            entry["clocks"] = [walls[i], starts[i]]
            check(entry["clocks"] == block["clocks"], "clocks of a block")
        if summaries:
            exact &= check_summary(summaries[i], block["keys"], 4, "a summary")
        if pieces:
            exact &= check_summary(pieces[i], block["pieces"], 2, "pieces")
    return exact


# The dictionary: name of a column, and how it is stored. `+` is plus one, `s` a string's id plus one, `-` as it is.

PROCESS = """pid- ppid- parent+ start- uid+ gid+ ruid+ rgid+ loginuid+ user+ group+ sid- pgid- tty- vpid- comms exepaths
    argss cwds cgroups flags- login+ leader+ group_leader+ stdin+ stdout+ stderr+ threads- exe_ino- exe_ctime- exe_mtime-
    permitted- inheritable- effective- envs container+""".split()
FILE = "kind- role- l4- names givens dev- ino- lport- rport- laddr- laddr8- raddr- raddr8- flags-".split()
USER = "uid+ names homes shells".split()
GROUP = "gid+ names".split()
CONTAINER = """runtime- flags- sources- ids names images image_ids image_digests labelss mountss ips started- outers pods
    namespaces pod_uids pod_labelss pod_ips sandboxs qoss""".split()


def table(raw, layout, count, strings):
    data, entries = Bytes(raw), [{} for _ in range(count)]
    for spec in layout:
        name, form = spec[:-1], spec[-1]
        if data.left():
            encoding, length = data.numbers("BI")
            stored = data.take(length)
            absent = encoding == 0 and length == 0
            values = [0] * count if absent else column(encoding, stored, count)
        else:
            values = [0] * count
        for entry, value in zip(entries, values):
            if form != "-":
                value = (value - 1) & UNKNOWN
                check(form != "s" or value == UNKNOWN or value < len(strings), "id of a string")
                value = None if value == UNKNOWN else strings[value].hex() if form == "s" else value
            entry[name] = value
    # What is left are columns of a later version.
    return entries


def addresses(file):
    for side in ("laddr", "raddr"):
        file[side] = struct.pack("<QQ", file[side], file.pop(side + "8")).hex()


# Event blocks

KNOWN = set(range(1, 11)) | set(range(16, 29)) | {30, 31, 32, 33, 34}


class Events:
    """One event block, unpacked."""

    def __init__(self, rows, front, body, schema):
        data = Bytes(front)
        self.rows, self.words, self.items, self.refs = data.numbers("4I")
        check(self.rows == rows, "number of rows")
        check(max(self.words, self.items, self.refs) <= 1 << 20, "number of words")
        (self.first, self.before, self.start, self.boot, self.wall, self.earliest, self.latest) = data.numbers("7Q")
        *tables, strings, string_bytes = data.numbers("6I")
        check(max(tables) <= 1 << 16 and strings <= MIB, "size of the dictionary")
        self.host, codes, sections = data.numbers("3H")
        check(sections <= 256, "number of sections")
        self.codes = data.numbers(f"{codes}H")
        check(list(self.codes) == sorted(set(self.codes)) and all(c < 3072 for c in self.codes), "codes")
        listed = [data.numbers("HBBIII") for _ in range(sections)]
        self.parts = [(strings, string_bytes), (0, 0), (0, 0)]
        if data.left():
            first, first_bytes, second, second_bytes = data.numbers("4I")
            rest = strings - first - second, string_bytes - first_bytes - second_bytes
            check(min(rest) >= 0, "parts of the strings")
            self.parts = [(first, first_bytes), (second, second_bytes), rest]
        containers = data.numbers("I")[0] if data.left() else 0
        check(containers <= 1 << 16, "number of containers")
        check(sum(s[3] for s in listed) <= 24 * MIB, "length of the sections")
        self.shapes = {code: schema.get(code) or unlisted(code) for code in self.codes}
        stored, self.sections, self.encodings = Bytes(body), {}, {}
        for number, encoding, packing, size, length, crc in listed:
            raw = stored.take(length)
            check(zlib.crc32(raw) == crc, f"checksum of section {number}")
            if number in KNOWN:
                self.sections[number] = unpack(packing, raw, size)
                self.encodings[number] = encoding
        stored.end()
        self.dictionary(tables, containers)
        self.columns()
        self.lists()
        self.runs()
        self.sets()

    def section(self, number):
        check(number in self.sections, f"no section {number}")
        return self.sections[number]

    def column(self, number, count):
        raw = self.section(number)
        return column(self.encodings[number], raw, count)

    def dictionary(self, tables, containers):
        self.strings = []
        records = self.structures()
        for part, (count, size) in enumerate(self.parts):
            if part == 2:
                count, size = count - len(records), size - sum(map(len, records))
                check(count >= 0 and size >= 0, "number of structures")
            if (count, size) == (0, 0) and 5 + 2 * part not in self.sections and part > 0:
                continue
            lengths = self.column(5 + 2 * part, count)
            joined = Bytes(self.section(6 + 2 * part))
            check(len(joined.data) == size and sum(lengths) == size, "length of the strings")
            self.strings += [joined.take(n) for n in lengths]
        self.strings += records
        layouts = (PROCESS, FILE, USER, GROUP)
        self.procs, self.files, self.users, self.groups = (
            table(self.section(number), layout, size, self.strings)
            for number, layout, size in zip(range(1, 5), layouts, tables)
        )
        self.containers = table(self.section(33), CONTAINER, containers, self.strings) if containers else []
        for i, proc in enumerate(self.procs):
            for name in ("parent", "leader", "group_leader"):
                check(proc[name] is None or proc[name] < i, f"{name} behind what it leads")
            for name in ("user", "login"):
                check(proc[name] is None or proc[name] < len(self.users), "id of a user")
            for name in ("stdin", "stdout", "stderr"):
                check(proc[name] is None or proc[name] < len(self.files), "id of a file")
            check(proc["group"] is None or proc["group"] < len(self.groups), "id of a group")
            check(proc["container"] is None or proc["container"] < len(self.containers), "id of a container")
        for file in self.files:
            addresses(file)

    def structures(self):
        if 34 not in self.sections:
            return []
        data, found = Bytes(self.section(34)), []
        runs = [(data.leb128(), data.leb128()) for _ in range(data.leb128())]
        check(all(1 <= size <= 512 for _, size in runs), "size of a structure")
        check(sum(count for count, _ in runs) <= self.parts[2][0], "number of structures")
        for count, size in runs:
            cells = []
            for at in range(0, size, 8):
                encoding, length = data.number("B"), data.number("I")
                width = min(8, size - at)
                cells.append([v.to_bytes(8, "little")[:width] for v in column(encoding, data.take(length), count)])
            found += [b"".join(parts) for parts in zip(*cells)]
        data.end()
        return found

    def columns(self):
        rows = self.rows
        places = self.column(16, rows)
        check(all(p < len(self.codes) for p in places), "place of a code")
        self.code = [self.codes[p] for p in places]
        self.proc = [(v - 1) & UNKNOWN for v in self.column(17, rows)]
        check(all(p == UNKNOWN or p < len(self.procs) for p in self.proc), "id of a process")
        self.lane = [p % 64 for p in self.proc]
        self.cpu, last = [], [0] * 64
        for lane, moved in zip(self.lane, self.column(18, rows)):
            last[lane] = (last[lane] + moved) & 0xFFFF
            self.cpu.append(last[lane])
        pid = lambda p: 0 if p == UNKNOWN else self.procs[p]["pid"]
        self.tid = [(pid(p) + v) & UNKNOWN for p, v in zip(self.proc, self.column(19, rows))]
        self.result = [signed(v) for v in self.column(20, rows)]
        self.flags = self.column(21, rows)
        self.time = self.column(22, rows)
        check(min(self.time, default=0) == self.earliest and max(self.time, default=0) == self.latest, "times")
        self.number = self.column(23, rows)
        self.latency = [None if v == 0 else (v - 1) & M64 for v in self.column(24, rows)]
        less = self.column(28, rows) if 28 in self.sections else [0] * rows
        before = [self.before] + self.time[:-1]
        self.delta = [(time - past - v) & M64 for time, past, v in zip(self.time, before, less)]

    def lists(self):
        """Compares the lists of failures and of long latencies with the columns."""
        if 30 in self.sections:
            data = Bytes(self.section(30))
            below = {row: result for row, result in enumerate(self.result) if result < 0}
            if data.data:
                bits = int.from_bytes(data.take((self.rows + 7) // 8), "little")
                check(bits == sum(1 << row for row in below), "rows of failures")
                results = [signed(v) for v in listed_column(data, len(below))]
                check(results == list(below.values()), "list of failures")
                data.end()
            else:
                check(not below, "list of failures")
        if 31 in self.sections:
            data = Bytes(self.section(31))
            floor, count = data.leb128(), data.leb128()
            check(count <= self.rows, "length of the list of long latencies")
            rows, over = listed_column(data, count), listed_column(data, count)
            data.end()
            known = ((row, v) for row, v in enumerate(self.latency) if v is not None and v >= floor)
            check([(row, floor + v) for row, v in zip(rows, over)] == list(known), "list of long latencies")

    def slots(self, width):
        """Code by code, then place by place, then row by row."""
        of_code = {code: [] for code in self.codes}
        for row, code in enumerate(self.code):
            of_code[code].append(row)
        for code in self.codes:
            for place in range(width(self.shapes[code])):
                yield place, of_code[code]

    def runs(self):
        empty = lambda: [[] for _ in range(self.rows)]
        self.row_words, self.row_items, self.row_refs = empty(), empty(), empty()

        data = Bytes(self.section(25))
        for _, rows in self.slots(lambda shape: len(shape.words)):
            last = [0] * 64
            for row in rows:
                lane = self.lane[row]
                last[lane] = (last[lane] + unzigzag(data.leb128())) & M64
                self.row_words[row].append(last[lane])
        data.end()

        data = Bytes(self.section(26))
        for _, rows in self.slots(lambda shape: len(shape.items)):
            following = 0
            for row in rows:
                value = data.leb128()
                if value < 2:
                    self.row_items[row].append(None if value == 0 else "unreadable")
                    continue
                away, cut = unzigzag((value - 2) >> 1), (value - 2) & 1
                number = following - away
                check(0 <= number < len(self.strings), "id of a string")
                following = max(following, number + 1)
                self.row_items[row].append({"bytes": self.strings[number].hex(), "cut": bool(cut)})
        data.end()

        data, following = Bytes(self.section(27)), 0
        lists = [[] for _ in range(64)]
        for row, code in enumerate(self.code):
            recent = lists[self.lane[row]]
            for _ in range(self.shapes[code].refs):
                value = data.leb128()
                if value == 0:
                    self.row_refs[row].append(None)
                    continue
                if value <= 4:
                    check(value <= len(recent), "place without a file")
                    number = recent[value - 1]
                elif value == 5:
                    number = following
                else:
                    number = following - unzigzag(value - 6)
                check(0 <= number < len(self.files), "id of a file")
                following = max(following, number + 1)
                if number in recent:
                    recent.remove(number)
                recent.insert(0, number)
                del recent[4:]
                self.row_refs[row].append(number)
        data.end()
        count = lambda runs: sum(map(len, runs))
        check(
            (count(self.row_words), count(self.row_items), count(self.row_refs)) == (self.words, self.items, self.refs),
            "number of words, items or references",
        )

    def sets(self):
        """Files of sets and arrays of descriptors."""
        self.row_sets = {}
        if 32 not in self.sections:
            return
        data = Bytes(self.section(32))
        count = data.leb128()
        check(count <= self.rows, "rows of sets")
        rows, lengths = listed_column(data, count), listed_column(data, count)
        check(rows == sorted(set(rows)) and all(row < self.rows for row in rows), "rows of sets")
        check(all(1 <= n <= 4096 for n in lengths) and sum(lengths) <= 1 << 20, "length of a set")
        files = [(v - 1) & M64 for v in listed_column(data, sum(lengths))]
        data.end()
        check(all(f == M64 or f < len(self.files) for f in files), "id of a file")
        files = iter(None if f == M64 else f for f in files)
        self.row_sets = {row: [next(files) for _ in range(n)] for row, n in zip(rows, lengths)}

    def summary(self):
        """What the index may say of the block."""
        texts = self.strings[: self.parts[0][0] + self.parts[1][0]]
        keys = {key(0, text) for text in texts} | {key(1, struct.pack("<I", p["pid"])) for p in self.procs}
        for file in self.files:
            if file["kind"] not in (6, 7):
                continue
            size = 4 if file["kind"] == 6 else 16
            for known, side in ((2, "l"), (4, "r")):
                if file["flags"] & known:
                    keys.add(key(2, bytes.fromhex(file[side + "addr"])[:size]))
                    keys.add(key(3, struct.pack("<H", file[side + "port"])))
        keys |= {key(4, struct.pack("<H", -r)) for r in self.result if -4096 < r < 0}
        pieces = {text[i : i + 3] for text in texts for i in range(len(text) - 2)}
        return {
            "entry": {
                "rows": self.rows,
                "earliest": self.earliest,
                "latest": self.latest,
                "first_number": self.number[0] if self.rows else self.first,
            },
            "codes": list(self.codes),
            "clocks": [(self.wall - self.boot) & M64, self.start],
            "keys": keys,
            "pieces": {piece_key(piece) for piece in pieces},
        }

    def event(self, row):
        shape = self.shapes[self.code[row]]
        proc = self.procs[self.proc[row]] if self.proc[row] != UNKNOWN else {}
        file = lambda ref: None if ref is None else self.files[ref]["name"]
        return {
            "number": self.number[row],
            "time": self.time[row],
            "wall": (self.wall + self.time[row] - self.boot) & M64,
            "delta": self.delta[row],
            "latency": self.latency[row],
            "code": shape.code,
            "name": shape.name,
            "cpu": self.cpu[row],
            "pid": proc.get("pid"),
            "tid": self.tid[row],
            "comm": proc.get("comm"),
            "result": self.result[row],
            "flags": self.flags[row],
            "process": None if self.proc[row] == UNKNOWN else self.proc[row],
            "words": dict(zip(shape.words, self.row_words[row])),
            "items": dict(zip(shape.items, self.row_items[row])),
            "refs": self.row_refs[row],
            "files": [file(ref) for ref in self.row_refs[row]],
            "sets": self.row_sets.get(row, []),
        }


# The file


class Frame:
    """The header of a block."""

    SIZE = 60

    def __init__(self, raw):
        check(len(raw) == self.SIZE, "cut off")
        check(raw[:8] == SYNC, "no block")
        check(zlib.crc32(raw[:56]) == struct.unpack("<I", raw[56:])[0], "checksum of a block's header")
        self.version, self.kind, _flags, self.file = struct.unpack("<HHI16s", raw[8:32])
        self.number, self.length, self.front, self.rows, self.crc = struct.unpack("<QIIII", raw[32:56])


def body_of(data, at, frame):
    check(frame.version == 0, f"version {frame.version}; this reader knows version 0")
    check(frame.front <= frame.length <= 24 * MIB and frame.front <= 16 * MIB, "length of a block")
    check(frame.rows <= 1 << 17, "number of rows")
    body = data[at + Frame.SIZE : at + Frame.SIZE + frame.length]
    check(len(body) == frame.length, "cut off")
    front = body[: frame.front]
    check(zlib.crc32(front) == frame.crc, "checksum of a front")
    return front, body[frame.front :]


def read(data, out, complain):
    """Prints all that can be read of a file. False if it has no end."""
    schema = name = None
    at = expected = 0
    ended = False
    seen = {}
    say = lambda thing: print(json.dumps(thing), file=out)
    while at < len(data):
        try:
            frame = Frame(data[at : at + Frame.SIZE])
            check(name in (None, frame.file), "a block of another file")
            check(not ended, "data behind the end")
            check(frame.number >= expected, "a block again")
            if frame.number > expected:
                complain(f"byte {at}: blocks {expected} to {frame.number - 1} are missing")
            front, rest = body_of(data, at, frame)
            if frame.kind == 1 and schema is None:
                header, schema = parse_header(front)
                name = frame.file
                say({"header": header})
            elif frame.kind in (2, 5) and schema is not None:
                block = Events(frame.rows, front, rest, schema)
                tables = {"processes": block.procs, "files": block.files, "users": block.users, "groups": block.groups,
                          "containers": block.containers}
                say({"block": frame.number, "host": block.host, "start": block.start, "tables": tables})
                if frame.kind == 2:
                    seen[at] = block.summary()
                for row in range(block.rows):
                    say(block.event(row))
            elif frame.kind == 4:
                say({"end": parse_end(front, at, seen)})
                ended = True
            expected = frame.number + 1
            at += Frame.SIZE + frame.length
        except Damage as damage:
            complain(f"byte {at}: {damage}")
            found = data.find(SYNC, at + 1)
            at = found if found >= 0 else len(data)
    if schema is None:
        complain("no header")
    return ended


def main():
    damages = []

    def complain(text):
        damages.append(text)
        print(f"{sys.argv[1]}: {text}", file=sys.stderr)

    with open(sys.argv[1], "rb") as file:
        data = file.read()
    if not read(data, sys.stdout, complain):
        print(f"{sys.argv[1]}: no end", file=sys.stderr)
    sys.exit(4 if damages else 0)


if __name__ == "__main__":
    main()
