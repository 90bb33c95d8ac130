"""What TLS is spoken with, and what to do when the two sides do not agree. The server's name is
always checked; there is no way around that.
"""

from __future__ import annotations

import os
import socket
import ssl
from dataclasses import dataclass

# OpenSSL's numbers (x509_vfy.h) of what is wrong with a certificate.
_EXPIRED = 10
_NOT_YET_VALID = 9
_UNTRUSTED = (18, 19, 20, 21)
_WRONG_NAME = (62, 64)


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files. They are read anew for each connection: what is renewed there counts from the
    next reconnect on.
    """

    #: Whom to trust instead of whom the system trusts.
    ca: str | None
    #: A client's certificate, followed by those between it and its authority.
    cert: str | None
    #: The private key of `cert`.
    key: str | None

    def __post_init__(self) -> None:
        if (self.cert is None) != (self.key is None):
            raise ValueError("a client's certificate is cert_file and key_file together")

    def context(self) -> ssl.SSLContext:
        """Reads the files. Raises `OSError`, which says what is wrong with which."""
        try:
            context = ssl.create_default_context(cafile=self.ca)
        except (OSError, ssl.SSLError) as error:
            raise OSError(f"{self.ca}: {_plain(error, 'there is no certificate in it')}") from error
        if self.cert is not None:
            try:
                # A password would be asked for on the terminal: nobody may be there.
                context.load_cert_chain(self.cert, self.key, password="")
            except (OSError, ssl.SSLError) as error:
                wrong = "no certificate and its unencrypted private key"
                raise OSError(f"{self.cert}, {self.key}: {_plain(error, wrong)}") from error
        return context


def _plain(error: OSError, wrong: str) -> str:
    if isinstance(error, ssl.SSLError):
        return f"{wrong}; PEM text is wanted"
    return error.strerror or str(error)


def explain(error: BaseException) -> str:
    """The system's or TLS's words, and what to do about them."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _explain_certificate(error)
    if isinstance(error, ssl.SSLError):
        reason = error.reason or str(error)
        if reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST"):
            return (
                "that port speaks plain lines, not TLS; use linebus:// there, or the port for TLS"
            )
        if "CERTIFICATE_REQUIRED" in reason:
            return "the bus wants a client's certificate; give cert_file and key_file"
        if "ALERT" in reason and ("CERTIFICATE" in reason or "UNKNOWN_CA" in reason):
            return f"the bus does not accept this client's certificate ({reason})"
        return f"TLS failed: {reason}"
    if isinstance(error, OSError) and error.errno and not isinstance(error, socket.gaierror):
        return os.strerror(error.errno)
    return getattr(error, "strerror", None) or str(error)


def _explain_certificate(error: ssl.SSLCertVerificationError) -> str:
    code, text = error.verify_code, error.verify_message
    if code in _UNTRUSTED:
        return (
            "its certificate is signed by nobody who is trusted here; "
            f"give its authority's certificate as ca_file ({text})"
        )
    if code in _WRONG_NAME:
        return f"its certificate is for another name; use a name that it holds in the URL ({text})"
    if code == _EXPIRED:
        return "its certificate has expired; renew it there, or set this machine's clock"
    if code == _NOT_YET_VALID:
        return "its certificate is not valid yet; set this machine's clock"
    return f"its certificate is not accepted here: {text}"
