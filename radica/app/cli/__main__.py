"""`python -m radica.app.cli`: the same program as the installed `radica`."""

from __future__ import annotations

import sys

from radica.app.cli.program import main

if __name__ == "__main__":
    sys.exit(main())
