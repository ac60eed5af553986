"""The code on the front pages runs as it stands there."""

import re
from pathlib import Path

import matplotlib as mpl
import pytest

ROOT = Path(__file__).parents[2]
PAGES = ["README.md", "index.md"]


@pytest.mark.parametrize("page", PAGES)
def test_the_python_on_the_page_runs(page):
    examples = re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)
    assert examples
    for example in examples:
        names: dict[str, object] = {}
        with mpl.rc_context({"backend": "Agg"}):
            exec(example, names)
        assert names["result"].success
