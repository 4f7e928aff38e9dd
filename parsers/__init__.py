"""From the bytes of a capture file to records: pure Python, no I/O but reading.

    bytes of a file -> packets -> connections -> byte streams -> messages -> events -> records

This is the face: what others import of ``parsers`` they import from here, or from the modules that
stand beside it: ``records``, ``streams``, ``provenance``, ``diagnostics``, ``limits``, ``content``,
``expressions``.
The packages under it are its own affair, and ruff holds that. A name is looked up in its module
when it is first asked for, so that nobody loads what he does not use.
``docs/architecture.md`` says which file does what.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .decode import capture
    from .decode.capture import decode_batches as decode_batches
    from .decode.capture import decode_capture as decode_capture
    from .decode.capture import decode_share as decode_share
    from .decode.capture_faults import Choice as Choice
    from .decode.connection import address_text as address_text
    from .decode.connection import client_by_tcp as client_by_tcp
    from .decode.dividing import Indivisible as Indivisible
    from .decode.dividing import Portion as Portion
    from .decode.dividing import divided as divided
    from .decode.elements import names_elements as names_elements
    from .decode.keys import CaptureKeys as CaptureKeys
    from .decode.ordered_capture import OrderedCapture as OrderedCapture
    from .decode.ordered_capture import batched as batched
    from .decode.packets import BATCH as BATCH
    from .decode.packets import PacketDecoder as PacketDecoder
    from .decode.side import completion as completion
    from .decode.side import with_ends_last as with_ends_last
    from .decode.taps import Listener as Listener
    from .decode.taps import Streams as Streams
    from .decode.taps import TlsTap as TlsTap
    from .decode.time_order import TimeOrder as TimeOrder
    from .decode.undeclared import CODING_MAGIC as CODING_MAGIC
    from .decode.usual_headers import ETHERNET as ETHERNET
    from .files.blocks import BYTE_ORDER_MAGIC as BYTE_ORDER_MAGIC
    from .files.blocks import DECRYPTION_SECRETS as DECRYPTION_SECRETS
    from .files.blocks import ENHANCED_PACKET as ENHANCED_PACKET
    from .files.blocks import IF_DESCRIPTION as IF_DESCRIPTION
    from .files.blocks import IF_FILTER as IF_FILTER
    from .files.blocks import IF_HARDWARE as IF_HARDWARE
    from .files.blocks import IF_NAME as IF_NAME
    from .files.blocks import IF_TSRESOL as IF_TSRESOL
    from .files.blocks import INTERFACE_DESCRIPTION as INTERFACE_DESCRIPTION
    from .files.blocks import INTERFACE_STATISTICS as INTERFACE_STATISTICS
    from .files.blocks import ISB_ENDTIME as ISB_ENDTIME
    from .files.blocks import ISB_FILTERACCEPT as ISB_FILTERACCEPT
    from .files.blocks import ISB_IFDROP as ISB_IFDROP
    from .files.blocks import ISB_IFRECV as ISB_IFRECV
    from .files.blocks import ISB_OSDROP as ISB_OSDROP
    from .files.blocks import ISB_STARTTIME as ISB_STARTTIME
    from .files.blocks import ISB_USRDELIV as ISB_USRDELIV
    from .files.blocks import OBSOLETE_PACKET as OBSOLETE_PACKET
    from .files.blocks import OPT_COMMENT as OPT_COMMENT
    from .files.blocks import OPT_ENDOFOPT as OPT_ENDOFOPT
    from .files.blocks import SECTION_HEADER as SECTION_HEADER
    from .files.blocks import SECTION_LENGTH_UNKNOWN as SECTION_LENGTH_UNKNOWN
    from .files.blocks import SHB_USERAPPL as SHB_USERAPPL
    from .files.blocks import SIMPLE_PACKET as SIMPLE_PACKET
    from .files.blocks import TLS_KEY_LOG as TLS_KEY_LOG
    from .files.blocks import Block as Block
    from .files.blocks import padded as padded
    from .files.input import Readable as Readable
    from .files.input import Seekable as Seekable
    from .files.joined import JoinedFiles as JoinedFiles
    from .files.joined import Part as Part
    from .files.packets import NANOSECONDS as NANOSECONDS
    from .files.packets import RELAY_HARDWARE as RELAY_HARDWARE
    from .files.packets import CaptureFault as CaptureFault
    from .files.packets import Interface as Interface
    from .files.packets import Packet as Packet
    from .files.packets import UnreadableCapture as UnreadableCapture
    from .files.pcapng import UsualBlocks as UsualBlocks
    from .files.reader import CaptureReader as CaptureReader
    from .http1.chunk_line import general_chunk_line as general_chunk_line
    from .http1.chunk_line import match_chunk_line as match_chunk_line
    from .http2.flow import FlowControl as FlowControl
    from .http2.placed import MASK_CHARACTERS as MASK_CHARACTERS
    from .http2.placed import UNREADABLE as UNREADABLE
    from .http2.placed import FieldText as FieldText
    from .http2.placed import PlacedContent as PlacedContent
    from .http2.placed import PlacedFrames as PlacedFrames
    from .http2.placed import Plain as Plain
    from .http2.placed import Syntax as Syntax
    from .http2.placed import Unread as Unread
    from .http2.placed import rewritten_field as rewritten_field
    from .memory import Account as Account
    from .memory import Holding as Holding
    from .memory import Memory as Memory
    from .net.fragments import FragmentReassembler as FragmentReassembler
    from .net.fragments import WholePacket as WholePacket
    from .net.ip import TCP as TCP
    from .net.ip import Fragment as Fragment
    from .net.ip import IpPacket as IpPacket
    from .net.link import LINK_TYPES as LINK_TYPES
    from .net.link import UNKNOWN_LINK_TYPE as UNKNOWN_LINK_TYPE
    from .net.link import network_offset as network_offset
    from .net.segment import ACK as ACK
    from .net.segment import FIN as FIN
    from .net.segment import SYN as SYN
    from .net.segment import TCP_HEADER as TCP_HEADER
    from .net.segment import Segment as Segment
    from .net.segment import read_segment as read_segment
    from .net.table import reverse_key as reverse_key
    from .net.tcp import Connection as Connection
    from .net.tcp import Direction as Direction
    from .net.tcp_header import MAX_WINDOW_SCALE as MAX_WINDOW_SCALE
    from .net.tcp_header import TcpHeader as TcpHeader
    from .net.tcp_header import read_tcp_header as read_tcp_header
    from .net.tcp_header import tcp_options as tcp_options
    from .net.tcp_header import usual_tcp_header as usual_tcp_header
    from .net.tcp_header import window_scale as window_scale
    from .net.tunnels import entry_of as entry_of
    from .net.tunnels import outermost as outermost
    from .net.tunnels import packets_inside as packets_inside
    from .net.tunnels import read_packet as read_packet
    from .net.tunnels import realm as realm
    from .net.undecoded import NOT_DECODED as NOT_DECODED
    from .tls.key_log import KeyLog as KeyLog
    from .websocket.handshake import accept_for as accept_for

    decode_stream = capture.decode

_EXPORTED = {
    "decode.capture": ("decode_batches", "decode_capture", "decode_share", "decode_stream"),
    "decode.connection": ("address_text", "client_by_tcp"),
    "decode.dividing": ("Indivisible", "Portion", "divided"),
    "decode.elements": ("names_elements",),
    "decode.keys": ("CaptureKeys",),
    "decode.capture_faults": ("Choice",),
    "decode.packets": ("BATCH", "PacketDecoder"),
    "decode.side": ("completion", "with_ends_last"),
    "tls.key_log": ("KeyLog",),
    "decode.undeclared": ("CODING_MAGIC",),
    "decode.usual_headers": ("ETHERNET",),
    "decode.ordered_capture": ("OrderedCapture", "batched"),
    "decode.taps": ("Listener", "Streams", "TlsTap"),
    "decode.time_order": ("TimeOrder",),
    "files.blocks": (
        "BYTE_ORDER_MAGIC",
        "Block",
        "DECRYPTION_SECRETS",
        "ENHANCED_PACKET",
        "IF_DESCRIPTION",
        "IF_FILTER",
        "IF_HARDWARE",
        "IF_NAME",
        "IF_TSRESOL",
        "INTERFACE_DESCRIPTION",
        "INTERFACE_STATISTICS",
        "ISB_ENDTIME",
        "ISB_FILTERACCEPT",
        "ISB_IFDROP",
        "ISB_IFRECV",
        "ISB_OSDROP",
        "ISB_STARTTIME",
        "ISB_USRDELIV",
        "OBSOLETE_PACKET",
        "OPT_COMMENT",
        "OPT_ENDOFOPT",
        "SECTION_HEADER",
        "SECTION_LENGTH_UNKNOWN",
        "SHB_USERAPPL",
        "SIMPLE_PACKET",
        "TLS_KEY_LOG",
        "padded",
    ),
    "files.input": ("Readable", "Seekable"),
    "files.joined": (
        "JoinedFiles",
        "Part",
    ),
    "files.packets": (
        "CaptureFault",
        "Interface",
        "NANOSECONDS",
        "Packet",
        "RELAY_HARDWARE",
        "UnreadableCapture",
    ),
    "files.pcapng": ("UsualBlocks",),
    "files.reader": ("CaptureReader",),
    "http1.chunk_line": (
        "general_chunk_line",
        "match_chunk_line",
    ),
    "http2.flow": ("FlowControl",),
    "http2.placed": (
        "FieldText",
        "MASK_CHARACTERS",
        "PlacedContent",
        "PlacedFrames",
        "Plain",
        "Syntax",
        "UNREADABLE",
        "Unread",
        "rewritten_field",
    ),
    "memory": ("Account", "Holding", "Memory"),
    "net.fragments": ("FragmentReassembler", "WholePacket"),
    "net.ip": (
        "Fragment",
        "IpPacket",
        "TCP",
    ),
    "net.link": (
        "LINK_TYPES",
        "UNKNOWN_LINK_TYPE",
        "network_offset",
    ),
    "net.segment": (
        "ACK",
        "FIN",
        "SYN",
        "Segment",
        "TCP_HEADER",
        "read_segment",
    ),
    "net.table": ("reverse_key",),
    "net.tcp": (
        "Connection",
        "Direction",
    ),
    "net.tcp_header": (
        "MAX_WINDOW_SCALE",
        "TcpHeader",
        "read_tcp_header",
        "usual_tcp_header",
        "tcp_options",
        "window_scale",
    ),
    "net.tunnels": (
        "entry_of",
        "outermost",
        "packets_inside",
        "read_packet",
        "realm",
    ),
    "net.undecoded": ("NOT_DECODED",),
    "websocket.handshake": ("accept_for",),
}
"""What each module behind the face gives to it."""
_RENAMED = {"decode_stream": "decode"}
"""What has another name at home: ``parsers.decode`` is a package."""
_HOMES = {name: module for module, names in _EXPORTED.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f".{_HOMES[name]}", __name__), _RENAMED.get(name, name))
    globals()[name] = found  # the next look-up comes by no function
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
