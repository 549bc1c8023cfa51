"""Contacts: lists of people, their import from CSV files, filters, and who must not be contacted.

`service` and `store` work on lists, `imports/` brings files in, `do_not_contact/` keeps people out; the
files beside them are pure. Importing this package imports nothing, so that worker processes start fast.
"""
