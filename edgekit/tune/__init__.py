"""The search for the smallest or quickest artifact that keeps a promise."""
