"""What several tests of credentials share."""

import sys
from pathlib import Path

# Test modules are imported by path, so what stands beside them is found only when its folder is named.
sys.path.insert(0, str(Path(__file__).parent))
