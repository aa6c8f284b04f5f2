"""The conclusion: what the results of one device come to, never more certain than they are."""
