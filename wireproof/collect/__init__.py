"""A recorder that runs for months: a ring of files on a disk, and a data set of what is in them."""
