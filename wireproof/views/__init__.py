"""What people see: tables, NDJSON, JSON, CSV."""
