#!/usr/bin/python3
"""lease.py: kill.py with functions that outlive their lease, two workers, released locks."""
import os
import runpy

os.environ["KILL_LEASES"] = "1"
os.environ.setdefault("KILLS", "4")
runpy.run_path(os.path.join(os.path.dirname(os.path.abspath(__file__)), "kill.py"), run_name="__main__")
