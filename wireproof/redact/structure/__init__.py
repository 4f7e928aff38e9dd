"""Copies of captures in which nothing but structure can be read: an allowlist, and its own proof.

    masks = StructureMasks()
    masks.add(packets)              # and on as with :class:`~..frames.FrameMasks`

Strategy: every byte of a payload is an asterisk, unless something here knows it to be structure:
the syntax of HTTP, of event streams, of WebSocket, gRPC and JSON, names and values that their
standards or an API's own definition list (:mod:`.words`), lengths, and counts. So what nobody has
thought of is masked. :mod:`.proof` decodes the copy and looks at every word in it by a list alone.
"""
