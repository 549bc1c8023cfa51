"""The demo: everything that `make demo` needs besides the product itself."""
