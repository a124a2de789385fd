//! What each upgrade step stops: pure functions over facts.
