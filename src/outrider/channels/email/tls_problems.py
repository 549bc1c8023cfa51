"""What a failed TLS handshake means, in one sentence each. Pure.

`check` shows them; the numbers are OpenSSL's (x509_vfy.h), which the standard library passes on.
"""

import ssl

_EXPIRED, _NOT_YET_VALID = 10, 9
_SELF_SIGNED = frozenset({18, 19})
_UNKNOWN_ISSUER = frozenset({2, 20, 21, 27})
_WRONG_NAME = frozenset({62, 64})

_NO_TLS_REASONS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "UNKNOWN_PROTOCOL")


def explain_certificate(error: ssl.SSLCertVerificationError, host: str) -> str:
    """Return what is wrong with the server's certificate, and what to do."""
    code = error.verify_code
    if code in _WRONG_NAME:
        return f"the certificate is not for {host}; use the name that is in it as the host"
    if code == _EXPIRED:
        return "the certificate has expired; the server's administrator must renew it"
    if code == _NOT_YET_VALID:
        return "the certificate is not valid yet; compare this machine's clock with the server's"
    if code in _SELF_SIGNED:
        return "the certificate is self-signed; name it in ca_file to trust it"
    if code in _UNKNOWN_ISSUER:
        return "nobody we trust has issued the certificate; name the issuer's certificate in ca_file"
    return f"the certificate is not accepted: {error.verify_message}"


def speaks_no_tls(error: ssl.SSLError) -> bool:
    """Return whether the other side answered the handshake with something that is not TLS."""
    return (error.reason or "").startswith(_NO_TLS_REASONS)


def explain_handshake(error: Exception, host: str) -> str:
    """Return why TLS was not agreed on."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return explain_certificate(error, host)
    if isinstance(error, ssl.SSLError):
        reason = (error.reason or str(error)).replace("_", " ").lower()
        return f"the TLS handshake failed: {reason}"
    return f"the connection broke during the TLS handshake: {str(error) or type(error).__name__}"
