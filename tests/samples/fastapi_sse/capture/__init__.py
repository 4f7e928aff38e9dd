"""The sample's own capture: of screens, say."""

MINE = True
