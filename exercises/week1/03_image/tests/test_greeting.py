from greeting import greeting


def test_it_greets():
    assert "Welcome" in greeting("/")
