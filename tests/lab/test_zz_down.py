"""The last of the tier, by its name: taking the lab down."""

from tests.lab.machine import look, run_lake


def test_down_leaves_the_machine_as_it_was(machine_before, deployed):
    run_lake("lab", "down")
    assert look() == machine_before
