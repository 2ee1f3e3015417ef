"""``python -m nnative`` is the command ``nnative``."""

from nnative.cli import main

raise SystemExit(main())
