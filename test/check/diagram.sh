#!/bin/bash
# diagram.sh: the drawings of generated definitions are sound; what that means is in diagram.py.
# The drawings of the runs of whole files are checked where test/flows plays these.
PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 test/check/diagram.py
