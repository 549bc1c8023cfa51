"""Email over SMTP: templates, message bytes, one-click unsubscribe, and what a server's answer means.

All modules but `smtp` are pure; `smtp` is the MailChannel of `channels/base.py`.
"""
