"""``python -m go_live``."""

from go_live.python_version import require

require()

import sys  # noqa: E402 - an old Python is told so before anything of golive is imported

from go_live.cli import main  # noqa: E402 - likewise

sys.exit(main())
