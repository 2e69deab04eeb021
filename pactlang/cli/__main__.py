"""`python -m pactlang.cli` is `pactc`."""

from pactlang.cli import main

if __name__ == "__main__":
    main()
