from textgen.dataset.storage.unit_report import UnitReport


def test_dropped_documents_are_found_ones_that_are_counted_by_reason():
    made = UnitReport(unit=0)
    made.drop("empty")
    made.drop("malformed row", 3)
    made.drop("empty")
    assert (made.documents, made.kept, made.dropped) == (5, 0, {"empty": 2, "malformed row": 3})


def test_a_total_of_nothing_is_nothing():
    assert UnitReport.total([]) == UnitReport()
