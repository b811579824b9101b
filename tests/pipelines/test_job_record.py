from pathlib import Path

from pipelines.job_record import FILE_NAME, record_job, recorded_job
from pipelines.workspace import Workspace


def test_the_last_job_is_read_as_it_was_recorded(tmp_path: Path) -> None:
    workspace = Workspace(str(tmp_path), token="abc")
    assert recorded_job(workspace) is None
    record_job(workspace, title="reading text", stage="tokens", engine="Flink", units=9, done=2, job="job-1")
    found = recorded_job(workspace)
    assert found is not None and found.since > 0
    assert found._replace(since=0) == ("reading text", "tokens", "Flink", 0, 9, 2, "abc", "job-1")


def test_a_damaged_record_is_none(tmp_path: Path) -> None:
    workspace = Workspace(str(tmp_path))
    (tmp_path / "_work").mkdir()
    for content in (b"", b"[]", b'{"title": 3}'):
        (tmp_path / "_work" / FILE_NAME).write_bytes(content)
        assert recorded_job(workspace) is None
