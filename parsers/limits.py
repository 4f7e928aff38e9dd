"""Every limit, with its precedent.

A capture is hostile input: no length that it declares is believed, and nothing is kept without
a bound. Past a limit there is one diagnostic, what is known stays, and decoding goes on at the
next boundary. Sizes are in bytes unless the name says otherwise.
"""

from __future__ import annotations

KiB = 1024
MiB = 1024 * KiB

# --- all connections together ---
MAX_MEMORY = 256 * MiB
"""What is held for all connections together, unless told otherwise: beyond it the connections that
have been idle for longest, or hold most, are let go."""
PROGRAM_COST = 80 * MiB
"""What the program itself takes, and a batch of packets with what comes of it."""
CONNECTION_COST = 20 * KiB
"""Charged for an open connection itself: two directions of TCP, and their receivers."""
WAITING_COST = 900
"""Charged for a segment that waits behind a hole, on top of its bytes."""
FRAGMENTS_COST = 600
"""Charged for an IP packet whose fragments wait, on top of their bytes."""
QUIC_CONNECTION_COST = 48 * KiB
"""Charged for an open QUIC connection itself: keys, numbers and IDs."""
STREAM_COST = 4 * KiB
"""Charged for an open HTTP/2 or HTTP/3 stream itself."""
INFLATER_COST = 80 * KiB
"""Charged for an inflater: zlib's state and window, and a copy of both."""
CODER_COST = 48 * KiB
"""Charged for a content coding that is undone, on top of its window: zlib's state and window."""
CHARGE_STEP = 4 * KiB
"""Bytes that arrive before what is held of them is charged anew."""
MAX_DECODED_TOTAL = 64 * MiB
"""Decoded bytes of all bodies and messages together before MAX_DECODED_RATIO counts for them."""
MAX_DECODED_SHARE = 64 * KiB
"""Decoded bytes of one body beside USUAL_RATIO that are not held against it."""
USUAL_RATIO = 20
"""Decoded bytes for one coded byte that are usual: text and JSON have 3 to 15. Bodies within it go
on where all bodies together have more than they may."""

# --- capture files ---
MAX_BLOCK = 16 * MiB
"""One pcapng block: libpcap's own limit."""
MAX_PACKET = 256 * KiB
"""One captured packet of a pcap file: libpcap's and Wireshark's MAXIMUM_SNAPLEN."""
MAX_INTERFACES = 65_536
"""Interfaces that one pcapng file describes."""
MAX_ORIGINS = 16_384
"""Changes between packets of a relay and others that are remembered: more than a batch can have,
and what has been read ahead of it."""
MAX_COMMENTS = 16 * MiB
"""Characters of a pcapng file's comments and interface names; a sixty-fourth as many of them."""
MAX_SECRETS = 64 * MiB
"""Bytes of a pcapng file's decryption secrets; a sixty-fourth as many of them."""
MAX_CAPTURE_FAULTS = 100
"""Faults of a capture file that are listed one by one."""
MAX_ZSTD_FILE_WINDOW = 128 * MiB
"""zstd(1) decompresses files with windows up to 128 MiB unless told otherwise."""

# --- the order of a file ---
MAX_LATE_PACKETS = 1_024
"""Packets that are read ahead, so that one that was stored late can be put in its place: what two
rings of a network card hold, of 256 to 512 each."""
MAX_LATE_BYTES = 256 * KiB
"""Bytes that are read ahead: as many as are decoded at once, since more would leave the processor's
cache. Where order must be restored, three times as many."""
MAX_LATE_TIME = 10**9
"""Nanoseconds that a packet is stored late at most: tcpdump takes packets from the kernel once a
second at least. Where time goes back further, a clock was set, or files were put together."""

# --- decoding ---
BATCH = 2_048
"""Packets that are decoded at once. Their records are sorted before they are handed on, so what
is in one batch or in two makes no difference but in speed: larger ones leave the processor's
cache, smaller ones save less."""
MAX_BATCH = 256 * KiB
"""Bytes of packets that are decoded at once: every two of them may make a frame, a message and
their records, which stand in memory together, 700 bytes of them."""
LEAST_HEADERS = 14 + 20 + 20
"""Bytes of a packet that are headers at least, Ethernet's, IPv4's and TCP's: they make nothing, and
are not counted where more than BATCH are decoded at once."""
MAX_UNFOLDED_BATCH = 4 * MiB
"""Bytes that what was decoded at once may decompress to before less is decoded at once: a
sixteenth."""
CHECKPOINT = 64 * KiB
"""Coded bytes that are kept of a body, so that what lies before damage can be told exactly."""

# --- IP ---
MAX_FRAGMENTED_PACKETS = 1_024
"""Fragmented packets that wait to be completed; Linux bounds the same by memory (4 MiB)."""
MAX_FRAGMENT_AGE = 60 * 10**9
"""Nanoseconds that fragments wait for the rest of their packet: RFC 8200 section 4.5."""
MAX_IP_PACKET = 65_535 + 40
"""What fragments can make (RFC 791 section 3.1; RFC 8200 adds the header)."""

MAX_TUNNELS = 16
"""Headers of tunnels around one packet: Suricata's decoder.max-layers."""
MAX_UNDECODED_KINDS = 64
"""Protocols and ports whose packets are counted apart; the rest are counted together. A port scan
has one of each."""
MAX_UNDECODED_LISTED = 8
"""Of those, how many are named where a capture has nothing else."""

# --- TCP ---
MAX_OUT_OF_ORDER = 4 * MiB
"""Bytes that wait behind a hole, in one direction; Linux's default tcp_rmem limit is 6 MiB."""
MAX_OUT_OF_ORDER_SEGMENTS = 16_384
"""Segments that wait behind a hole, so that one-byte segments do not cost a hundred times more."""
MAX_HISTORY_SEGMENTS = 16
"""Segments kept after they were put in order, so that a late copy can be compared with them."""
MAX_HISTORY = 64 * KiB
"""Bytes of them, in one direction: a window of TCP without scaling (RFC 7323 section 2)."""
USUAL_HISTORY = 24 * KiB
"""Of them, those that are charged with the connection: as many segments of Ethernet have them. If
there are more, MAX_HISTORY is charged."""
MAX_DROPPED_SEGMENTS = 16
"""Segments with a wrong checksum that are kept until it is certain that they were dropped."""
GAP_PATIENCE = 16
"""Packets of a connection that may still bring bytes that were acknowledged already: captures
of several queues or cores show a segment after its acknowledgement, but not long after."""
MAX_COPY_DISTANCE = 32
"""Packets among which the first of two copies is looked for: drivers hand packets on by 64, and
two interfaces share them."""
MAX_COPY_AGE = 10_000_000
"""Nanoseconds that lie between two copies: what a switch or a bridge takes. Linux waits 200 ms at
least before it sends again (TCP_RTO_MIN)."""
MAX_COPY_AGE_WITHOUT_ID = 500_000
"""The same where no identification tells a copy from what was sent again: a tail loss probe waits
two milliseconds at least (RFC 8985 section 7.2)."""
MAX_ENDS = 64
"""FINs and RSTs of one connection that are listed: who gives up after 15 retries has sent 16."""
MAX_PATH_FACTS = 256
"""Closed windows, holes, and runs of duplicate acknowledgements of one connection that are listed,
256 of each: the first ones tell what its path is like."""
MAX_CLOSED_CONNECTIONS = 4_096
"""Closed connections that are remembered, so that a late packet is not taken for a new one."""
MAX_CONNECTIONS = 65_536
"""Connections that are open at once; Linux's conntrack default is of this size."""
MAX_SHORT_CONNECTIONS = 2_048
"""Connections that are followed at once by their packets alone, as long as all in them is usual."""
MAX_SHORT_PACKETS = 48
"""Packets of such a connection: all of them are kept, in case something unusual comes."""
MAX_SHORT_BYTES = 8 * KiB
"""What they may hold together: less than an open connection is charged."""
MAX_SILENCE = (2 * 60 + 4) * 60 * 10**9
"""Nanoseconds without a packet after which a connection that is watched live counts as gone: before
that no NAT may forget it, for by then keep-alives are due (RFC 5382 section 5, REQ-5)."""
MAX_TRANSITORY_SILENCE = 4 * 60 * 10**9
"""The same while it is not open on both sides, or not any more (RFC 5382 section 5, REQ-5)."""
MAX_UNDECIDED = 16 * KiB
"""Bytes kept while it is not known what protocol a connection speaks, or who is the client."""

MAX_SWITCHES = 16
"""Switches of protocols on one connection, such as CONNECT in CONNECT; further ones are not
followed: MAX_TUNNELS."""

MAX_PREFACE = 8 * KiB
"""What each side may say before another protocol begins: SOCKS takes 1,032 bytes at most (RFC
1928), the greetings before STARTTLS a few hundred."""
MAX_PROXY_HEADERS = 8
"""PROXY protocol headers before one another: a balancer each."""

# --- HTTP/1.1 ---
MAX_REFUSAL = 4 * KiB
"""Bytes in which the reason is looked for why an upgrade was not granted."""
MAX_SURPLUS = 64 * KiB
"""Bytes after a complete message that are counted until the next one: a body whose Content-Length
is too small may go on for ever."""
MAX_LINE = 64 * KiB
"""One start line, field line or chunk line: CPython's http.client allows 64 KiB."""
MAX_HEAD = 256 * KiB
"""Start line and header section together: Node allows 16 KiB, Chromium 256 KiB."""
MAX_KNOWN_SECTION = 2 * KiB
"""A field section up to this is known again when it comes: longer ones are hardly ever the same."""
MAX_KNOWN_SECTIONS = 256
"""How many are known: as many as a client has endpoints, and a server kinds of answers."""
MAX_KNOWN_LINE = 256
"""A field line or a start line up to this is known again: in longer ones are tokens and cookies."""
MAX_KNOWN_LINES = 1_024
"""How many are known of each, of all connections together."""
MAX_KNOWN_FRAMINGS = 16
"""Answers that are kept for a section: they differ by version, method and status."""
MAX_KNOWN_ADDRESSES = 1_024
"""Addresses that are kept as text, of all connections together."""
MAX_FIELDS = 1_000
"""Fields of a header or trailer section: http.client allows 100, Suricata 1,024."""
MAX_CHUNK_SIZE = 2**63 - 1
"""A chunk-size above this overflows what any peer could count (RFC 9112 section 7.1)."""
MAX_CONTENT_LENGTH = 2**63 - 1
"""As for a chunk-size: above it Chromium, curl and Go refuse the message."""
MAX_CHUNK_EXTENSIONS = 16 * KiB
"""Chunk extensions of one body in total: Go and Node chose 16 KiB after CVE-2023-39326."""
MAX_KEPT_CHUNK = 16 * MiB
"""What is kept of one chunk's data for its record; framing and content go on beyond it."""
MAX_TRAILERS = 64 * KiB
"""A trailer section."""
MAX_PIPELINED = 1_024
"""Requests that wait for their responses on one connection."""
MAX_RECEIVED = 64
"""Changes of what a client had received that are remembered while it sends: of a head, two."""
MAX_HELD_UPGRADE = 1 * MiB
"""Bytes after a request to upgrade that wait for the answer: Node holds one read, 64 KiB."""
MAX_RESYNCHRONISE = 64 * KiB
"""How far ahead a place must prove itself at which decoding may go on after missing bytes."""

MAX_DATA_RUN = 256 * KiB
"""One run of a body without framing of its own: a packet is no longer."""

MAX_KEPT_RUNS = 16 * MiB
"""What is kept of one such body's content in its runs, as of one chunk."""

# --- HTTP/2 ---
MAX_HEADER_BLOCK = 256 * KiB
"""One header block, coded: as of HTTP/1.1's head, Chromium's limit."""
MAX_HEADER_LIST = 1 * MiB
"""One header list, decoded: a block may refer to the same long entry again and again."""
MAX_HEADER_FIELDS = 4_096
"""Fields of one header block: nghttp2 bounds the bytes, 64 KiB, which 32 for each make 2,048."""
MAX_HEADER_TABLE = 1 * MiB
"""A dynamic table: Chromium and curl allow 64 KiB."""
MAX_CONTINUATIONS = 256
"""CONTINUATION frames of one header block: CVE-2024-27316; nghttp2 allows 8, Go 10 of 16 KiB."""
MAX_CONTROL_FRAME = 64 * KiB
"""What is kept of one frame that is neither DATA nor of a header block: the debug data of a GOAWAY
is a line of text."""
MAX_OPEN_STREAMS = 4_096
"""Streams of one connection that are open at once: servers allow 100 to 256."""
MAX_CLOSED_STREAMS = 4_096
"""Streams that are remembered after their end, so that late frames are told from wrong ones."""
MAX_HTTP2_FAULTS = 16
"""Faults of one kind in one direction of a connection that are listed: a flood is one."""
MAX_KEPT_DATA_FRAME = 1 * MiB
"""What is kept of one DATA frame for its record: frames are 16 KiB unless both sides allow more."""
MAX_TUNNEL_EXCHANGES = 4_096
"""Exchanges in one tunnel of HTTP/2 whose numbers are remembered: as many as streams."""

# --- HTTP/3 ---
MAX_QPACK_TABLE = 64 * KiB
"""A dynamic table: what Chromium, Firefox and curl allow."""
MAX_QPACK_SECTION = 64 * MiB
"""What one field section may decode to at most, were each of its lines as large as the table."""
MAX_BLOCKED_SECTIONS = 65_535
"""Sections that may wait for instructions of QPACK: what they take MAX_QPACK_BLOCKED bounds."""
MAX_WAITING_EVENTS = 1_024
"""Events of one stream that wait behind such a section: as many DATA frames of any size."""
MAX_QPACK_BLOCKED = 4 * MiB
"""Bytes of one connection's streams that wait for instructions of QPACK: as of what waits behind a
hole."""

# --- content codings ---
MAX_DECODED_STEP = 256 * KiB
"""What a decompressor may put out at once, so that a bomb never stands in memory."""
MAX_DECODED_RATIO = 200
"""Decoded bytes for one coded byte, beyond the first MiB: Apache's DeflateInflateRatioLimit."""
MAX_DECODED_FREE = 1 * MiB
"""Decoded bytes before the ratio counts: Suricata's compression-bomb-limit."""
MAX_EVENTS_FREE = 65_536
"""Events of a coded event stream before their ratio counts."""
MAX_EVENTS_RATIO = 1
"""Events for one coded byte, beyond that: what a server flushes takes five bytes and more."""
MAX_EXTENTS = 4_096
"""Runs of one body's bytes that are listed if others' lie between them: 64 MiB in frames of
HTTP/2's usual 16 KiB (RFC 9113 section 4.2). Beyond that, only the hull is given."""
MAX_GZIP_MEMBERS = 1_024
"""Members of one gzip body: aiohttp's limit; small members were quadratic."""
MAX_CODINGS = 5
"""Content codings over one another: curl's MAX_ENCODE_STACK after CVE-2022-32206."""
MAX_ZSTD_WINDOW = 8 * MiB
"""RFC 8878 section 3.1.1.1.2 recommends 8 MiB; RFC 9659 makes it the limit."""

# --- server-sent events ---
MAX_SSE_LINE = 4 * MiB
"""One line of an event stream."""
MAX_SSE_EVENT = 16 * MiB
"""The fields of one block together."""
MAX_SSE_FIELDS = 65_536
"""Fields of one block."""
MAX_SSE_UNKNOWN_FIELDS = 64
"""Names of unknown fields that are noted in one stream: each once, not in every event."""

# --- JSON values one after another ---
MAX_KEPT_JSON_VALUE = 16 * MiB
"""What is kept of one value's text: what is kept of a chunk."""
MAX_JSON_FAULTS = 100
"""Values of one body that are listed as no JSON: what is listed of a capture file's faults."""

# --- multipart ---
MAX_BOUNDARY = 70
"""A boundary (RFC 2046 section 5.1.1)."""
MAX_BOUNDARY_LINE = 1 * KiB
"""A line that begins as a boundary does, with the padding after it (RFC 2046 section 5.1.1)."""
MAX_KEPT_PART = 16 * MiB
"""What is kept of one part's content: what is kept of a chunk."""
MAX_PART_HEAD = 64 * KiB
"""A part's header section: that of trailers."""

# --- AWS event streams ---
MAX_AWS_MESSAGE = 24 * MiB
"""One message with its framing: botocore allows 24 MiB, as the service does."""
MAX_AWS_HEADERS = 128 * KiB
"""The headers of one message: aws-c-event-stream's and botocore's limit."""

# --- gRPC-Web ---
MAX_KEPT_GRPC_MESSAGE = 16 * MiB
"""What is kept of one message; gRPC's peers refuse more than 4 MiB unless told otherwise."""

# --- TLS ---
MAX_TLS_RECORD = 16 * KiB + 2 * KiB
"""A record's fragment, encrypted and compressed (RFC 5246 section 6.2.3); TLS 1.3 allows less."""
MAX_TLS_HELLO = 128 * KiB
"""What is kept of a ClientHello or ServerHello: the longest ClientHello that OpenSSL takes."""

MAX_TLS_SEARCH = 65_536
"""Numbers of records, and keys, that are tried for the first record after missing bytes: as many as
1.4 MB of the shortest records have, in a fifth of a second."""
MAX_TLS_TRIALS = 65_536
"""Keys of other connections, and numbers with them, that are tried on one side of a connection
whose hello is missing or hidden: a fifth of a second."""
MAX_TLS_BACKLOG = 256 * KiB
"""Bytes of one side's records that wait for what the other side has yet to send, or for keys."""
MAX_TLS_WAITING = 32 * MiB
"""The same of all connections together, while a capture is taken."""
MAX_KEY_LOG_CONNECTIONS = 65_536
"""Connections whose secrets are held, the newest ones of a key log: MAX_CONNECTIONS."""
MAX_KEY_LOG_LINE = 1 * KiB
"""One line of a key log: the longest one that says something has 223 bytes."""

# --- QUIC ---
MAX_QUIC_CONNECTIONS = 4_096
"""Connections that are followed at once; each may hold a few MiB, and its keys."""
MAX_QUIC_IDS = 64
"""Connection ids of one side that are known at once: active_connection_id_limit is 2 to 8."""
MAX_QUIC_PLACES = 1_024
"""Addresses and ids of one connection, new and old: its packets are known by them."""
MAX_QUIC_WAITING = 4 * MiB
"""Bytes of one side's streams that wait behind holes, together: as in one direction of TCP."""
MAX_QUIC_CRYPTO = 64 * KiB
"""The same of its handshake: RFC 9000 section 7.5 asks for 4 KiB at least."""
MAX_ACK_RANGES = 256
"""Ranges of one ACK frame that are looked at: quic-go sends 32, Chromium 255."""
MAX_NUMBER_RANGES = 256
"""Runs of packet numbers that are kept; everything below them counts as seen."""
MAX_UNACKNOWLEDGED = 4_096
"""Packets that wait for their acknowledgement: a window of 5 MiB."""
MAX_QUIC_FAULTS = 16
"""Faults of one kind in one connection that are listed: as of HTTP/2."""
MAX_QUIC_BACKLOG = 256 * KiB
"""Bytes of packets that are kept for keys that may come late."""
MAX_QUIC_TRIALS = 65_536
"""Keys, lengths of ids and packet numbers that are tried in one capture for connections whose
beginning it lacks: MAX_TLS_TRIALS."""
MAX_QUIC_CANDIDATES = 64
"""Keys that are held at once for one side of such a connection, until one opens a packet."""
MAX_QUIC_GENERATIONS = 32
"""Key updates that are tried of a connection of QUIC that was joined in the middle; RFC 9001
section 6.6 asks for one after 2^23 packets with AES-GCM."""
MAX_QUIC_SEARCHES = 8
"""Packets of one side for which they are tried: foreign ones do not open with any."""
MIN_QUIC_SEGMENT = 1_200
"""Bytes of the datagrams that offload joins, at least: the smallest path (RFC 9000 section 14)."""
MAX_QUIC_SEGMENT = 1_472
"""Their most: a frame of Ethernet less the headers of IPv4 and UDP."""
MAX_QUIC_SEGMENT_SEARCHES = 8
"""Places that are tried where a joined packet may end; where its id is too short to be found, how
often all sizes are."""

# --- WebSocket ---
MAX_KEPT_FRAME = 16 * MiB
"""What is kept of one frame's payload; framing goes on beyond it."""
PART_SIZE = 64 * KiB
"""Payloads of frames longer than this are unmasked, checked and inflated in parts of this size."""
MAX_MESSAGE = 100 * MiB
"""One message after inflating: ws's default maxPayload."""
MAX_FRAGMENTS = 131_072
"""Fragments of one message: ws's default maxFragments."""
MAX_INFLATED_FREE = 16 * MiB
"""Inflated bytes of one message before the ratio counts."""
MAX_INFLATED_RATIO = 200
"""Inflated bytes for one compressed byte, beyond that: Apache's DeflateInflateRatioLimit."""
MAX_DEFLATE_STREAMS = 1_024
"""Final blocks inside one message: each starts zlib anew."""
