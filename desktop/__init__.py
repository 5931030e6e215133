"""The window: shows state, sends requests to the engine, writes the examiner's own edits."""

import os

# PySide makes the Python type of a Qt class when it is first named, and not safely so: two threads,
# or an event filter, that come to it together end the process. With this all types are made when
# their module is imported, which costs a start a tenth of a second.
os.environ.setdefault("PYSIDE6_OPTION_LAZY", "0")
