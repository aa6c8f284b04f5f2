"""`edgekit` and `python -m edgekit`: the command line."""

import signal

# Until the command line is read there is nothing to clean up: a Ctrl-C ends the program at once,
# without Python's traceback.
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def main() -> None:
    """Run the command line and exit with its code."""
    from edgekit.cli import main as run

    run()


if __name__ == "__main__":
    main()
