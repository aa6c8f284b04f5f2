"""Run an artifact somewhere: engines, the worker protocol and the devices that start a worker.

The ground floor of edgekit. It needs numpy (1.26 or 2) and the standard library, nothing else,
so that it can be copied to a Raspberry Pi and run there unchanged.
"""
