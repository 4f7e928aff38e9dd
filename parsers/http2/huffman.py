"""HPACK's Huffman code (RFC 7541 section 5.2 and appendix B).

Strategy: the code is canonical (codes of one length follow one another in the order of their
symbols, and those of the next length after them), so the lengths say all of it. Input is taken byte
by byte: what a byte means in a state, the node of the tree where the byte before it ended, is
worked out when it is first met, and then looked up. There are at most 257 states of 256 bytes each.
"""

from __future__ import annotations

EOS = 256
# fmt: off
LENGTHS = (
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30,
    28, 28, 28, 28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
    5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7,
    7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22,
    22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22,
    23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21,
    23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26,
    27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24,
    20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27,
    28, 27, 27, 27, 27, 27, 26, 30,
)
# fmt: on
"""How many bits the code of each byte has, and that of EOS (RFC 7541 appendix B)."""
_ROOT = 0
_MAX_PADDING = 7

Step = tuple[bytes, int]
"""What a byte gives in a state, and the state after it."""


class HuffmanError(ValueError):
    """What is wrong with a coded string, in words."""


def _codes() -> dict[int, int]:
    """Return the code of each symbol, those of the shortest codes first."""
    codes: dict[int, int] = {}
    code, length = 0, 0
    for symbol in sorted(range(EOS + 1), key=lambda one: (LENGTHS[one], one)):
        code <<= LENGTHS[symbol] - length
        length = LENGTHS[symbol]
        codes[symbol] = code
        code += 1
    return codes


_CODES = _codes()


def _tree() -> list[list[int]]:
    """Return the nodes: where a bit leads, a node's number, or ~symbol."""
    nodes: list[list[int]] = [[0, 0]]
    for symbol, code in _CODES.items():
        length, node = LENGTHS[symbol], _ROOT
        for shift in range(length - 1, 0, -1):
            bit = code >> shift & 1
            if not nodes[node][bit]:
                nodes.append([0, 0])
                nodes[node][bit] = len(nodes) - 1
            node = nodes[node][bit]
        nodes[node][code & 1] = ~symbol
    return nodes


_NODES = _tree()
_STEPS: dict[int, Step] = {}


def _padding_nodes() -> frozenset[int]:
    """Return where a string may end: after at most seven ones, the beginning of EOS."""
    found, node = {_ROOT}, _ROOT
    for _ in range(_MAX_PADDING):
        node = _NODES[node][1]
        found.add(node)
    return frozenset(found)


_ENDS = _padding_nodes()


def _step(state: int, byte: int) -> Step:
    out, node = bytearray(), state
    for shift in range(7, -1, -1):
        node = _NODES[node][byte >> shift & 1]
        if node < 0:
            if ~node == EOS:
                raise HuffmanError("EOS within a Huffman-coded string")
            out.append(~node)
            node = _ROOT
    return bytes(out), node


def decode(data: bytes) -> bytes:
    """Return what a coded string says. Raises HuffmanError if EOS or a wrong padding is in it."""
    state, out = _ROOT, []
    for byte in data:
        key = state << 8 | byte
        found = _STEPS.get(key)
        if found is None:
            found = _STEPS[key] = _step(state, byte)
        said, state = found
        if said:
            out.append(said)
    if state not in _ENDS:
        raise HuffmanError("the padding of a Huffman-coded string is not the beginning of EOS")
    return b"".join(out)


def encode(data: bytes) -> bytes:
    """Return the code of a string, padded with the beginning of EOS."""
    bits = "".join(f"{_CODES[byte]:0{LENGTHS[byte]}b}" for byte in data)
    bits += "1" * (-len(bits) % 8)
    return int(bits or "0", 2).to_bytes(len(bits) // 8)
