"""The tables of a case: one file a subject, with its rows, its new rows and its repository.

`Case` and `Change` (`engine/case/case.py`) hold the repositories. A table is made by a migration
(`engine/case/store/migrations.py`, which says what else it needs).
"""
