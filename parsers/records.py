"""The records of the contract: what every view, export and test gets.

Field names and meanings are fixed; fields may be added. All of a record's values are what JSON
can hold: text, numbers, true, false, null, lists of them, and lists of objects made of them.
Each kind is described in its family's module under :mod:`~parsers.kinds`.
"""

from __future__ import annotations

from base64 import b64encode
from operator import attrgetter

from .kinds.connection import AckWait as AckWait
from .kinds.connection import ClosedWindow as ClosedWindow
from .kinds.connection import ConnectionRecord as ConnectionRecord
from .kinds.connection import DuplicateAcks as DuplicateAcks
from .kinds.connection import End as End
from .kinds.connection import Hole as Hole
from .kinds.connection import Resent as Resent
from .kinds.elements import AwsEventRecord as AwsEventRecord
from .kinds.elements import BodyElement as BodyElement
from .kinds.elements import GrpcMessageRecord as GrpcMessageRecord
from .kinds.elements import JsonLineRecord as JsonLineRecord
from .kinds.elements import PartRecord as PartRecord
from .kinds.elements import SseEventRecord as SseEventRecord
from .kinds.faults import DiagnosticRecord as DiagnosticRecord
from .kinds.faults import GapRecord as GapRecord
from .kinds.http import BodyRecord as BodyRecord
from .kinds.http import ChunkRecord as ChunkRecord
from .kinds.http import DataRecord as DataRecord
from .kinds.http import Encoding as Encoding
from .kinds.http import EndedBy as EndedBy
from .kinds.http import Fields as Fields
from .kinds.http import Framing as Framing
from .kinds.http import RequestRecord as RequestRecord
from .kinds.http import ResponseRecord as ResponseRecord
from .kinds.http import Transport as Transport
from .kinds.http2 import Http2DataRecord as Http2DataRecord
from .kinds.http2 import Http2FrameRecord as Http2FrameRecord
from .kinds.http2 import StallRecord as StallRecord
from .kinds.place import ByteSpace as ByteSpace
from .kinds.place import Placed as Placed
from .kinds.place import Sender as Sender
from .kinds.place import Sent as Sent
from .kinds.quic import Http3DataRecord as Http3DataRecord
from .kinds.quic import Http3FrameRecord as Http3FrameRecord
from .kinds.quic import QuicClose as QuicClose
from .kinds.quic import QuicLoss as QuicLoss
from .kinds.quic import QuicPacketRecord as QuicPacketRecord
from .kinds.quic import QuicRecord as QuicRecord
from .kinds.tls import TlsAlert as TlsAlert
from .kinds.tls import TlsConnectionRecord as TlsConnectionRecord
from .kinds.tls import TlsRecordRecord as TlsRecordRecord
from .kinds.websocket import MessageType as MessageType
from .kinds.websocket import WebSocketFrameRecord as WebSocketFrameRecord
from .kinds.websocket import WebSocketMessageRecord as WebSocketMessageRecord

FIRST_QUIC_CONNECTION = 1_000_000_000
"""The number of the first QUIC connection. Those of TCP are Wireshark's, which count from 0 by
themselves; so neither depends on how many there are of the other, however far a capture goes."""


def is_quic(connection: int) -> bool:
    """Whether a number is that of a QUIC connection."""
    return connection >= FIRST_QUIC_CONNECTION


PLACE = attrgetter("last_packet", "offset")
"""The contract's order among the records of one direction, but for those of bodies."""


def text_or_base64(data: bytes) -> tuple[str, Encoding]:
    """Return bytes as text if they are valid UTF-8, else in base64, and which it was."""
    try:
        return data.decode(), "utf-8"
    except UnicodeDecodeError:
        return b64encode(data).decode("ascii"), "base64"


BodyElementRecord = JsonLineRecord | PartRecord | AwsEventRecord | GrpcMessageRecord
"""Every kind of BodyElement."""
Record = (
    ConnectionRecord
    | RequestRecord
    | ResponseRecord
    | ChunkRecord
    | BodyRecord
    | SseEventRecord
    | DataRecord
    | JsonLineRecord
    | PartRecord
    | AwsEventRecord
    | GrpcMessageRecord
    | WebSocketFrameRecord
    | WebSocketMessageRecord
    | TlsConnectionRecord
    | TlsRecordRecord
    | Http2DataRecord
    | Http2FrameRecord
    | QuicRecord
    | Http3DataRecord
    | Http3FrameRecord
    | QuicPacketRecord
    | StallRecord
    | GapRecord
    | DiagnosticRecord
)


def field_names(kind: type[Record]) -> tuple[str, ...]:
    """Return the names of the fields that a kind of record has, in their order in JSON."""
    return ("record", *kind.__struct_fields__)
