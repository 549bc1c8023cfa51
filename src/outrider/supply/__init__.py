"""Where licences come from: signed licence files, the keys that sign them, and the host they are for.

A file is loaded from disk (`file.load`); what it authorises becomes the entitlement that
`licences.tree` divides over zones and organizations.
"""
