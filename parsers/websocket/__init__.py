"""The WebSocket protocol (RFC 6455): bytes in, frames and messages out."""
