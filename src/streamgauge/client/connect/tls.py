"""TLS settings, and one SSL context for all streams with the same settings."""

import ssl
from dataclasses import dataclass
from functools import lru_cache


class TlsError(ValueError):
    """Certificates or keys that cannot be used."""


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """Which certificates to trust and to show. Files are PEM; ``insecure`` accepts any certificate.

    Without ``ca_file`` the system's authorities are trusted.
    """

    ca_file: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    insecure: bool = False


@lru_cache(maxsize=32)
def context_of(settings: TlsSettings) -> ssl.SSLContext:
    """Return the context for these settings. Raises TlsError, which names the file."""
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
    except OSError as error:
        raise TlsError(f"cannot read authorities from {settings.ca_file!r}: {_describe(error)}") from None
    context.set_alpn_protocols(["http/1.1"])
    if settings.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if settings.client_key and not settings.client_cert:
        raise TlsError(f"a client key ({settings.client_key!r}) needs a client certificate")
    if settings.client_cert:
        try:
            context.load_cert_chain(settings.client_cert, settings.client_key, password=_no_password)
        except OSError as error:
            raise TlsError(f"cannot use the client certificate {settings.client_cert!r}: {_describe(error)}") from None
    return context


def _no_password() -> str:
    raise TlsError("the client key is encrypted: give one that is not")


def _describe(error: OSError) -> str:
    return error.strerror or str(error)
