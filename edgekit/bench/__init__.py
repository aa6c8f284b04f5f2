"""Measuring: plan the jobs, run them on a device, judge what comes back.

`plan`, `statistics`, `fidelity` and `accuracy` are arithmetic; `run` talks to devices; `results`
is what is left when all is done, and all that reports read.
"""
