"""What a fleet's captures cost: many small ones, a large ring, a data set of millions of rows."""
