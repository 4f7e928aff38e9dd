"""The guest's own folder: nothing of wireproof's may take it for its own."""

raise RuntimeError("the project's own parsers/ was imported")
