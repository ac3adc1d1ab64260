"""The gateway's transport compression: one stream for a connection, flushed after each message. It knows no message."""

import zlib
from collections.abc import Callable

import zstandard


def compressor(kind: str) -> Callable[[str], bytes] | None:
    """What turns a text into the next piece of the stream; None where the client asked for plain text frames.

    Both kinds are one stream each: a client feeds what it gets to a single decompressor. zlib's pieces end with the marks of
    a sync flush, by which a client knows that a message is complete; zstd must not begin a new frame for each message.
    """
    if kind == "zlib-stream":
        deflate = zlib.compressobj()
        return lambda text: deflate.compress(text.encode()) + deflate.flush(zlib.Z_SYNC_FLUSH)
    if kind == "zstd-stream":
        stream = zstandard.ZstdCompressor().compressobj()
        return lambda text: stream.compress(text.encode()) + stream.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
    return None
