"""A browser as a device: a page is one more worker.

backends.py   which engine of the page runs a format, and on which back ends
files.py      a job's files as addresses
exchange.py   what passes between the device and its page
server.py     the same over HTTP, on loopback
launch.py     which browser there is and what it is started with
chromium.py, program.py, manual.py    three ways to bring a browser to the page
device.py     the device
"""
