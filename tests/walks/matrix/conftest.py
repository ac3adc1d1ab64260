"""Posts of a tenth of their length, so that replies of several are soon written."""

import pytest

from adapters.matrix.posting import courier
from adapters.matrix.posting.saying import POST_LENGTH


@pytest.fixture
def short_posts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier, "POST_LENGTH", POST_LENGTH // 10)
