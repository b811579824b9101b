from pathlib import Path


def test_what_cannot_be_served_is_refused(refused, trained: Path, tmp_path: Path):
    assert "port is 70000; it must be from 0 to 65535" in refused("serve", trained, "--port", "70000")
    assert "2 runs have 1 names" in refused("serve", trained, trained)
    assert "max seconds is 0" in refused("serve", trained, "--max-seconds", "0")
    assert "is not a run" in refused("serve", tmp_path, "--port", "0")
    (tmp_path / "key").write_text("\n")
    assert "is empty; it must have a key" in refused("serve", trained, "--api-key-file", tmp_path / "key")
