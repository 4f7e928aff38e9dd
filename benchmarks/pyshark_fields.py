"""The peer pyshark: print the chunk sizes of a capture, as its documentation would have it."""

from __future__ import annotations

import sys

import pyshark


def main() -> None:
    with pyshark.FileCapture(sys.argv[1], keep_packets=False) as capture:
        for packet in capture:
            for layer in packet.get_multiple_layers("http"):
                sizes = layer.get_field("chunk_size")
                if sizes is not None:
                    print(packet.number, [field.get_default_value() for field in sizes.all_fields])


if __name__ == "__main__":
    main()
