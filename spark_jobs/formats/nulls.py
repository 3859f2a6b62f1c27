"""A text that is null."""

from __future__ import annotations

import pyarrow as pa

# pa.scalar(None) would load pandas, half a second for every command, to ask whether it knows other nulls.
NO_TEXT = pa.nulls(1, pa.string())[0]
