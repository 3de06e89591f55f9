# TLS under the double: wrapped in PRELOGIN packets while hands are shaken, bare afterwards. Knows no message.
"""`Encrypted`: what a `Channel` uses of a socket, over TLS; and certificates to play it with."""

import datetime
import socket
import ssl
import struct
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_PRELOGIN = 0x12
_HEADER = 8
_READ = 1 << 16


def make_certificate(folder: Path, host: str) -> Path:
    """A file with a key and a certificate for a host that nobody has signed but itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{host}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path


class Encrypted:
    """A socket over TLS 1.2. With `wrapped` the handshake stands in packets of TDS, as in TDS 7; raises OSError."""

    def __init__(self, sock: socket.socket, certificate: Path, wrapped: bool) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        # With TLS 1.3 the server still speaks when the client is already done, and nobody knows where wrapping ends.
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        if not wrapped:
            context.set_alpn_protocols(["tds/8.0"])
        self._socket = sock
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        while not self._is_shaken():
            self._flush(wrapped)
            self._incoming.write(self._read_packet() if wrapped else self._receive())
        self._flush(wrapped)

    def recv(self, size: int) -> bytes:
        """What has arrived, `b""` at the end."""
        while True:
            try:
                return self._tls.read(size)
            except ssl.SSLWantReadError:
                self._incoming.write(self._receive())
            except ssl.SSLZeroReturnError:
                return b""

    def sendall(self, data: bytes) -> None:
        """Sends all of it."""
        self._tls.write(data)
        self._flush(wrapped=False)

    def fileno(self) -> int:
        """What `select` looks at."""
        return self._socket.fileno()

    def close(self) -> None:
        """Closes the socket."""
        self._socket.close()

    def _is_shaken(self) -> bool:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def _flush(self, wrapped: bool) -> None:
        data = self._outgoing.read()
        if data and wrapped:
            data = struct.pack(">BBHHBB", _PRELOGIN, 1, len(data) + _HEADER, 0, 1, 0) + data
        self._socket.sendall(data)

    def _read_packet(self) -> bytes:
        head = self._receive_exactly(_HEADER)
        return self._receive_exactly(int.from_bytes(head[2:4], "big") - _HEADER)

    def _receive_exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            data += self._receive(size - len(data))
        return data

    def _receive(self, size: int = _READ) -> bytes:
        data = self._socket.recv(size)
        if not data:
            raise ConnectionResetError("the client has gone")
        return data
