"""Tools for developers: environment, lock file, house rules, benchmarks, migrations."""
