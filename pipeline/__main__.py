"""Lets `python -m pipeline` do what `evipool` does."""

from pipeline.cli import main

if __name__ == "__main__":
    main()
