import pytest

from operando.electrochemistry import planes, threads


@pytest.mark.parametrize("count", [1, 2, 3, 7])
@pytest.mark.parametrize("shape", [(1, 9, 9), (5, 400, 400), (64, 100, 100)])
def test_every_plane_is_worked_on_once(monkeypatch, count, shape):
    monkeypatch.setattr(threads, "threads", lambda: count)
    planes.edges_of_shares.cache_clear()
    shares = planes.over_planes(lambda start, stop, more: range(start + more, stop + more), shape, 10)
    planes.edges_of_shares.cache_clear()
    assert [plane for share in shares for plane in share] == list(range(10, 10 + shape[0]))
    assert len(shares) <= count
