"""The ``fleet`` command from a clone: ``python cli.py VERB …``. An installed package has the script `fleet`."""

from solvers.command.application import main

if __name__ == "__main__":
    main()
