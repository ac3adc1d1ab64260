"""Every spelling of a date that a chat file may hold means one moment."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from bot.transcripts.sillytavern.dates import read_date, written_date


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("June 19, 2023 2:20pm", datetime(2023, 6, 19, 14, 20, tzinfo=UTC)),
        ("June 19, 2023 12:05am", datetime(2023, 6, 19, 0, 5, tzinfo=UTC)),
        ("June 19, 2023 12:05pm", datetime(2023, 6, 19, 12, 5, tzinfo=UTC)),
        ("Dec 1, 2023 9:03 AM", datetime(2023, 12, 1, 9, 3, tzinfo=UTC)),
        ("2023-6-19 @14h 20m 13s 123ms", datetime(2023, 6, 19, 14, 20, 13, 123_000, tzinfo=UTC)),
        ("2026-09-25 @23h59m28s", datetime(2026, 9, 25, 23, 59, 28, tzinfo=UTC)),
        ("2025-09-26T07:04:12.006Z", datetime(2025, 9, 26, 7, 4, 12, 6_000, tzinfo=UTC)),
        ("2025-09-26T09:04:12+02:00", datetime(2025, 9, 26, 7, 4, 12, tzinfo=UTC)),
        ("2025-09-26T07:04:12", datetime(2025, 9, 26, 7, 4, 12, tzinfo=UTC)),
        (1_758_870_000_000, datetime(2025, 9, 26, 7, 0, tzinfo=UTC)),
        ("1758870000000", datetime(2025, 9, 26, 7, 0, tzinfo=UTC)),
        (1_758_870_000_000.0, datetime(2025, 9, 26, 7, 0, tzinfo=UTC)),
    ],
)
def test_a_date_is_read_in_every_spelling(value: object, moment: datetime) -> None:
    assert read_date(value) == moment


@pytest.mark.parametrize(
    "value",
    [
        *("", "yesterday", "Smarch 19, 2023 2:20pm", "February 31, 2023 2:20pm", "2023-13-19 @14h 20m 13s"),
        *(None, True, [], 1e300, 10**40, 10**400, float("inf"), "9" * 64, "x" * 10_000),
    ],
)
def test_what_is_no_date_is_none(value: object) -> None:
    assert read_date(value) is None


def test_a_written_date_is_utc_in_iso_and_reads_as_itself() -> None:
    moment = datetime(2025, 9, 26, 9, 4, 12, 6_000, tzinfo=timezone(timedelta(hours=2)))

    assert written_date(moment) == "2025-09-26T07:04:12.006Z"
    assert read_date(written_date(moment)) == moment
