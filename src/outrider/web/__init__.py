"""The web shell: access control, errors as problem+json, live events, pages, and the FastAPI app."""
