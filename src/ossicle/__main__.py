"""``python -m ossicle``: the command line."""

from ossicle.app.cli.start import main

if __name__ == "__main__":
    main()
