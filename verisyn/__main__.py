"""``python -m verisyn`` is the command line."""

from verisyn.cli import main

if __name__ == "__main__":
    main()
