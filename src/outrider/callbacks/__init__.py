"""Callbacks: promises to call a contact again, given to agents as cards when they are due, and never lost."""
