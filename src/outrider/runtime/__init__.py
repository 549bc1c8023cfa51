"""The program at work: the worker with its dial loops, the driver, the recorder, recovery, the monitor."""
