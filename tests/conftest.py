"""Options of the test run."""


def pytest_addoption(parser):
    parser.addoption("--kills", type=int, default=3, help="Kill the ingest job at so many random moments.")
