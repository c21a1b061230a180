"""The documents on the engine: their code runs and prints what they say."""

import contextlib
import io
import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_code_of_the_library_page_runs_and_prints_what_it_says():
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / "policy-library.md").read_text(), re.DOTALL)
    names: dict[str, object] = {}
    printed = io.StringIO()

    with contextlib.redirect_stdout(printed):
        for block in blocks:
            exec(block, names)

    assert 4 == len(blocks)
    assert "True an identity-based policy allows it" == printed.getvalue().splitlines()[0]
    assert "ALLOWED: an identity-based policy allows it" in printed.getvalue()


def test_every_name_the_pages_mention_is_exported():
    from crownkeep import policy

    text = (DOCS / "policy-library.md").read_text()

    mentioned = set(re.findall(r"policy\.([A-Za-z_]+)", text)) - {"md"}
    assert mentioned <= set(policy.__all__)
