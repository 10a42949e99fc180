"""Writes Outlook `.msg` files: a compound file (MS-CFB, version 3) with the properties of MS-OXMSG.

No library writes them, so this does, as small as the reader's tests need: streams, storages, unicode and binary
properties, attachments by value and embedded messages. Files stay under 7 MB (no DIFAT sectors).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime

SECTOR, MINI, CUTOFF = 512, 64, 4096
FREE, END, FAT_SECTOR = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
UNICODE, BINARY, INT32, TIME = 0x001F, 0x0102, 0x0003, 0x0040


@dataclass
class _Node:
    name: str
    data: bytes | None = None  # None: a storage
    kids: list[_Node] = field(default_factory=list)
    left: int = FREE
    right: int = FREE
    child: int = FREE
    start: int = END
    size: int = 0


def msg(
    *,
    asunto: str,
    texto: str = "",
    html: str = "",
    remitente: str = "eps@example.com",
    message_id: str = "",
    enviado: datetime | None = None,
    adjuntos: tuple[tuple[str, bytes | _Node], ...] = (),
    logos: tuple[tuple[str, bytes], ...] = (),
) -> bytes:
    """Return the bytes of a message."""
    return _compound(mensaje(asunto=asunto, texto=texto, html=html, remitente=remitente, message_id=message_id,
                             enviado=enviado, adjuntos=adjuntos, logos=logos, head=32))  # fmt: skip


def mensaje(*, head: int = 24, **parts: object) -> _Node:
    """Return a message's storage; with the default head it can be embedded in another as an attachment."""
    adjuntos: list[tuple[str, bytes | _Node, str]] = [(n, d, "") for n, d in parts.get("adjuntos") or ()]  # type: ignore[attr-defined]
    adjuntos += [(n, d, f"{n}@logo") for n, d in parts.get("logos") or ()]  # type: ignore[attr-defined]
    root = _Node("Root Entry" if head == 32 else "__substg1.0_3701000D")
    if head == 32:
        kinds = ("00020102", "00030102", "00040102")
        root.kids.append(_Node("__nameid_version1.0", kids=[_Node(f"__substg1.0_{kind}", b"") for kind in kinds]))
    html = str(parts.get("html") or "")
    values: list[tuple[int, int, object]] = [
        (0x001A, UNICODE, "IPM.Note"),
        (0x0037, UNICODE, parts["asunto"]),
        (0x0C1A, UNICODE, "Auditoría"),
        (0x5D01, UNICODE, parts.get("remitente") or ""),
        (0x1035, UNICODE, f"<{parts['message_id']}>" if parts.get("message_id") else ""),
        (0x1000, UNICODE, parts.get("texto") or ""),
        (0x1013, BINARY, html.encode()),
        (0x3FDE, INT32, 65001),
        (0x340D, INT32, 0x00040000),
    ]
    if parts.get("enviado"):
        values.append((0x0E06, TIME, parts["enviado"]))
    header = struct.pack("<8x4I", 0, len(adjuntos), 0, len(adjuntos)).ljust(head, b"\0")
    _add_properties(root, header, values)
    for number, (name, content, cid) in enumerate(adjuntos):
        storage = _Node(f"__attach_version1.0_#{number:08X}")
        embedded = isinstance(content, _Node)
        inner: list[tuple[int, int, object]] = [
            (0x3707, UNICODE, name),
            (0x3705, INT32, 5 if embedded else 1),
            (0x3712, UNICODE, cid),
        ]
        if not embedded:
            inner.append((0x3701, BINARY, content))
        _add_properties(storage, bytes(8), inner)
        if isinstance(content, _Node):
            storage.kids.append(content)
        root.kids.append(storage)
    return root


def _add_properties(storage: _Node, header: bytes, values: list[tuple[int, int, object]]) -> None:
    stream = bytearray(header)
    for pid, kind, value in values:
        if kind == INT32:
            body = struct.pack("<iI", value, 0)
        elif kind == TIME:
            assert isinstance(value, datetime)
            ticks = int((value - datetime(1601, 1, 1, tzinfo=UTC)).total_seconds()) * 10_000_000
            body = struct.pack("<Q", ticks)
        else:
            if not value:
                continue
            data = value.encode("utf-16-le") if isinstance(value, str) else value
            assert isinstance(data, bytes)
            storage.kids.append(_Node(f"__substg1.0_{pid:04X}{kind:04X}", data))
            body = struct.pack("<II", len(data) + (2 if kind == UNICODE else 0), 0)
        stream += struct.pack("<HHI", kind, pid, 6) + body
    storage.kids.append(_Node("__properties_version1.0", bytes(stream)))


def _compound(root: _Node) -> bytes:
    nodes: list[_Node] = []
    _number(root, nodes)
    big, mini, mini_fat = bytearray(), bytearray(), []
    fat: list[int] = []

    def chain(table: list[int], count: int) -> int:
        first = len(table)
        table.extend([*range(first + 1, first + count), END] if count else [])
        return first if count else END

    for node in nodes[1:]:
        if node.data is None:
            node.start = 0
            continue
        node.size = len(node.data)
        if node.size < CUTOFF:
            node.start = chain(mini_fat, -(-node.size // MINI))
            mini += node.data.ljust(-(-node.size // MINI) * MINI, b"\0")
        else:
            node.start = chain(fat, -(-node.size // SECTOR))
            big += node.data.ljust(-(-node.size // SECTOR) * SECTOR, b"\0")

    def place(data: bytes) -> int:
        count = -(-len(data) // SECTOR)
        big.extend(data.ljust(count * SECTOR, b"\0"))
        return chain(fat, count)

    nodes[0].start, nodes[0].size = place(bytes(mini)), len(mini)
    mini_table = b"".join(struct.pack("<I", n) for n in mini_fat).ljust(
        -(-len(mini_fat) * 4 // SECTOR) * SECTOR, b"\xff"
    )
    mini_start, mini_count = place(mini_table), len(mini_table) // SECTOR
    directory = b"".join(_entry(node, root=index == 0) for index, node in enumerate(nodes))
    while len(directory) % SECTOR:
        directory += _entry(_Node(""), root=False, empty=True)
    directory_start = place(directory)
    fat_count = 1
    while (len(fat) + fat_count) * 4 > fat_count * SECTOR:
        fat_count += 1
    assert fat_count <= 109
    first_fat = len(fat)
    fat.extend([FAT_SECTOR] * fat_count)
    big += b"".join(struct.pack("<I", n) for n in fat).ljust(fat_count * SECTOR, b"\xff")
    difat = [*range(first_fat, first_fat + fat_count)]
    header = struct.pack(
        "<8s16xHHHHH6xIIIIIIIII", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0x3E, 3, 0xFFFE, 9, 6, 0, fat_count,
        directory_start, 0, CUTOFF, mini_start, mini_count, END, 0,
    )  # fmt: skip
    header += b"".join(struct.pack("<I", n) for n in [*difat, *[FREE] * (109 - len(difat))])
    return header + bytes(big)


def _number(node: _Node, nodes: list[_Node]) -> None:
    """Give every node its place in the directory and hang each storage's children in a balanced tree."""
    if not nodes:
        nodes.append(node)
    ordered = sorted(node.kids, key=lambda one: (len(one.name), one.name.upper()))
    first = len(nodes)
    nodes.extend(ordered)

    def tree(low: int, high: int) -> int:
        if low >= high:
            return FREE
        middle = (low + high) // 2
        ordered[middle].left, ordered[middle].right = tree(low, middle), tree(middle + 1, high)
        return first + middle

    node.child = tree(0, len(ordered))
    for kid in ordered:
        if kid.data is None:
            _number(kid, nodes)


def _entry(node: _Node, *, root: bool, empty: bool = False) -> bytes:
    name = node.name.encode("utf-16-le") + b"\0\0" if not empty else b""
    kind = 0 if empty else 5 if root else 1 if node.data is None else 2
    return struct.pack(
        "<64sHBBIII16xI8x8xIQ", name, len(name), kind, 1, node.left, node.right, node.child, 0, node.start, node.size
    )
