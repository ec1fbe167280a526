"""The instruments, simulated: from a cell's state to the raw files that an instrument would write."""
