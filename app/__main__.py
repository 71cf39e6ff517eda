"""`python -m app`: the command line, where the console script is not on the path."""

from app.cli import main

raise SystemExit(main())
