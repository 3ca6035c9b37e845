"""The marts computed a second time, from the landed files, by docs/method.md and the contracts.

Written without a look at the SQL. Reference lists (seeds) and contracts are shared; readers, joins
and statistics are not.
"""
