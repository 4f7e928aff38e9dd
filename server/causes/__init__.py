"""What holds streams back, for real, and what cures each: a fault and its remedy, side by side."""
