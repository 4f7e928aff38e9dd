"""The timeline of one exchange as a picture, for a paper or a README."""

from __future__ import annotations
