"""What goes over the wire as numbers for a monitoring system, without a change in the app."""
