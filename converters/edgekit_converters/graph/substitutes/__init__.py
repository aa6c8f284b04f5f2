"""Operators that a format lacks, in operators that it has: one kind per file.

Each has a `rewrite(graph)`, as those of `graph/normalize/`; a format applies what it needs.
"""
