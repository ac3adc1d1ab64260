"""`python -m bot`: the one place where the bot knows of an adapter."""

from adapters.cli import main

if __name__ == "__main__":
    main()
