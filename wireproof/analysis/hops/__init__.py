"""The same exchanges on several legs: which hop held, changed or lost what."""
