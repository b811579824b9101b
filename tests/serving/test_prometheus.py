from textgen.serving.prometheus import Metrics


def test_counters_gauges_and_histograms_are_written():
    metrics = Metrics({"texts": lambda: 3})
    metrics.count("requests_total", 'status="200"')
    metrics.count("requests_total", 'status="200"', 2)
    metrics.observe("seconds", 0.02)
    metrics.observe("seconds", 100)
    lines = metrics.text().splitlines()
    assert lines[:2] == ["# TYPE texts gauge", "texts 3"]
    assert 'requests_total{status="200"} 3' in lines
    assert 'seconds_bucket{le="0.01"} 0' in lines and 'seconds_bucket{le="0.025"} 1' in lines
    assert 'seconds_bucket{le="+Inf"} 2' in lines and "seconds_count 2" in lines
    assert "seconds_sum 100.020000" in lines
