from __future__ import annotations

import base64
import datetime
import gzip
import ipaddress
import ssl
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kedro.io.core import DatasetError

from from_scratch.datasets.fetch import download
from from_scratch.datasets.source import Source, require_source
from tests.support.file_server import FileServer, serving

CSV = b"a,b\n1,2\n"
ADA = {"username": "ada", "password": "secret ü"}
ADAS = f"Basic {base64.b64encode('ada:secret ü'.encode()).decode()}"


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serving(CSV) as server:
        yield server


@pytest.fixture
def elsewhere() -> Iterator[FileServer]:
    """Return a server that is another host for HTTP."""
    with serving(CSV, "127.0.0.2") as server:
        yield server


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "train.csv"


def test_downloads_what_is_there(server: FileServer, file: Path) -> None:
    download(Source(server.url), file)
    assert file.read_bytes() == CSV
    assert server.encodings == ["identity"]


@pytest.mark.parametrize("part", ["headers", "content"])
def test_a_server_that_drips_is_abandoned_after_max_seconds(
    server: FileServer, file: Path, part: str
) -> None:
    server.drip, server.content = part, b"x" * 10_000
    with pytest.raises(DatasetError) as error:
        download(Source(server.url, max_seconds=0.5), file)
    assert str(error.value) == (
        "the request to 127.0.0.1 failed: not complete after 0.5 seconds, the limit max_seconds in the "
        "catalog"
    )


def test_a_server_that_is_silent_is_abandoned_after_timeout(server: FileServer, file: Path) -> None:
    server.delay = 2
    with pytest.raises(
        DatasetError, match=r"ReadTimeout after 0\.2 seconds, the limit timeout in the catalog"
    ):
        download(Source(server.url, timeout=0.2), file)


@pytest.mark.parametrize("bomb", ["endless", "one file", "many files"])
def test_a_download_ends_at_max_bytes_and_takes_little_memory(
    server: FileServer, file: Path, bomb: str
) -> None:
    if bomb == "endless":
        server.is_endless, server.content = True, bytes(100_000)
    else:
        server.headers = {"Content-Encoding": "gzip"}
        server.content = (
            gzip.compress(bytes(200_000_000)) if bomb == "one file" else gzip.compress(bytes(1_000_000)) * 200
        )
    tracemalloc.start()
    try:
        with pytest.raises(DatasetError) as error:
            download(Source(server.url, max_bytes=20_000_000), file)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()
    assert str(error.value) == (
        f"{server.url} is larger than 20,000,000 bytes, the limit max_bytes in the catalog"
    )
    assert file.stat().st_size <= 20_000_000


def test_a_file_of_exactly_max_bytes_is_downloaded(server: FileServer, file: Path) -> None:
    download(Source(server.url, max_bytes=len(CSV)), file)
    assert file.read_bytes() == CSV


@pytest.mark.parametrize("status", [204, 206, 304, 401, 404, 500])
def test_a_response_without_a_file_is_reported(server: FileServer, file: Path, status: int) -> None:
    server.status = status
    with pytest.raises(DatasetError, match=rf"the request to 127\.0\.0\.1 failed: status {status}"):
        download(Source(server.url), file)


def test_an_incomplete_download_is_reported(server: FileServer, file: Path) -> None:
    server.left_out = 3
    with pytest.raises(DatasetError, match=r"IncompleteRead|ProtocolError"):
        download(Source(server.url), file)


# --- Encodings that were not requested

ROWS = b"a,b\n" + b"".join(b"%d,%d\n" % (number, number**2 % 1009) for number in range(10_000))
ZIPPED = gzip.compress(ROWS)


@pytest.mark.parametrize("content", [ZIPPED, gzip.compress(ROWS[:9]) + gzip.compress(ROWS[9:])])
@pytest.mark.parametrize("is_chunked", [False, True])
def test_gzip_is_decoded(server: FileServer, file: Path, content: bytes, is_chunked: bool) -> None:
    encode(server, content, is_chunked)
    download(Source(server.url), file)
    assert file.read_bytes() == ROWS


@pytest.mark.parametrize("is_chunked", [False, True])
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (ZIPPED[:-20_000], "it is truncated"),
        (ZIPPED[:-1], "it is truncated"),
        (ZIPPED + ZIPPED[:5], "it is truncated"),
        (b"", "it is truncated"),
        (ZIPPED[:-8] + bytes(8), "incorrect data check"),
        (ZIPPED + b"more", "incorrect header check"),
        (ROWS, "incorrect header check"),
    ],
)
def test_gzip_that_is_not_whole_is_refused(
    server: FileServer, file: Path, content: bytes, reason: str, is_chunked: bool
) -> None:
    encode(server, content, is_chunked)
    with pytest.raises(
        DatasetError, match=rf"^the request to 127\.0\.0\.1 failed: the gzip .* broken: .*{reason}$"
    ):
        download(Source(server.url), file)


def encode(server: FileServer, content: bytes, is_chunked: bool) -> None:
    """Serve content as gzip, with complete HTTP framing even if the content is incomplete."""
    server.content, server.headers = content, {"Content-Encoding": "gzip"}
    if is_chunked:
        server.headers["Transfer-Encoding"] = "chunked"
        pieces = [content[start : start + 7000] for start in range(0, len(content), 7000)]
        server.content = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in [*pieces, b""])


@pytest.mark.parametrize("encoding", ["deflate", "br", "gzip, gzip"])
def test_other_encodings_are_refused(server: FileServer, file: Path, encoding: str) -> None:
    server.headers = {"Content-Encoding": encoding}
    with pytest.raises(DatasetError, match=f": encoding '{encoding}'; expected identity or gzip$"):
        download(Source(server.url), file)


# --- Redirects


def test_a_redirect_to_another_host_is_refused(server: FileServer, elsewhere: FileServer, file: Path) -> None:
    server.redirect(elsewhere.url)
    with pytest.raises(DatasetError) as error:
        download(Source(server.url, ADA), file)
    here, there = (host.url.removesuffix("/train.csv") for host in (server, elsewhere))
    assert str(error.value) == (
        f"{server.url} redirects to '{there}'; expected {here}, since redirects to other servers are refused"
    )
    assert elsewhere.asked == 0


@pytest.mark.parametrize("here", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize(
    "address",
    [
        r"http://THERE\@HERE/evil.csv",
        r"http://HERE\@THERE/evil.csv",
        r"//THERE\@HERE/evil.csv",
        r"\\THERE/evil.csv",
        r"/\THERE/evil.csv",
        r"/evil\.csv",
        "http://eve:secret@HERE/evil.csv",
        "http://HERE@THERE/evil.csv",
        "http://HERE%40THERE/evil.csv",
        "http://THERE%5C@HERE/evil.csv",
        "http://THERE%23@HERE/evil.csv",
        "http://THERE#@HERE/evil.csv",
        "http://THERE?@HERE/evil.csv",
        "http://THERE\t@HERE/evil.csv",
        "http://THERE @HERE/evil.csv",
        "/evil\t.csv",
        "/evil .csv",
        "/evil\x1b.csv",
        "/evil\xc2\x85.csv",
        "http://[HERE/evil.csv",
    ],
)
def test_a_redirect_that_libraries_read_differently_is_refused(
    server: FileServer, elsewhere: FileServer, file: Path, address: str, here: str
) -> None:
    """In the first address, `urlsplit` finds another host than the one that requests connects to."""
    url = server.url.replace("127.0.0.1", here)
    places = {"HERE": f"{here}:{server.server_port}", "THERE": f"127.0.0.2:{elsewhere.server_port}"}
    for place, found in places.items():
        address = address.replace(place, found)
    server.redirect(address)
    with pytest.raises(DatasetError) as error:
        download(Source(url, ADA), file)
    assert f"{url} redirects to " in str(error.value)
    assert str(error.value).isprintable()
    assert "secret" not in str(error.value)
    assert (server.asked, elsewhere.asked) == (1, 0)
    assert not file.exists()


def test_a_redirect_to_another_port_is_refused(server: FileServer, file: Path) -> None:
    with serving(CSV) as other:
        server.redirect(other.url)
        with pytest.raises(DatasetError, match=f"redirects to '{other.url.removesuffix('/train.csv')}'"):
            download(Source(server.url), file)


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:,a", "http://x:port/"])
def test_redirects_stay_with_http(server: FileServer, file: Path, address: str) -> None:
    server.redirect(address)
    with pytest.raises(DatasetError, match=r"redirects to an address that .*; expected http://127"):
        download(Source(server.url), file)


def test_a_redirect_that_is_not_utf_8_is_refused(server: FileServer, file: Path) -> None:
    server.redirect("/evil\xff.csv")
    with pytest.raises(DatasetError, match=r"the request to 127\.0\.0\.1 failed: UnicodeDecodeError"):
        download(Source(server.url), file)


def test_redirects_on_the_same_host_are_followed_but_not_for_ever(server: FileServer, file: Path) -> None:
    server.redirect("/again?a=b")
    with pytest.raises(DatasetError, match="more than 10 redirects"):
        download(Source(server.url), file)
    assert server.asked == 11


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A certificate for 127.0.0.1 that downloads trust."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "certificate.pem"
    pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    file.write_bytes(key.private_bytes(*pem) + made.public_bytes(serialization.Encoding.PEM))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(file))
    return file


def test_a_redirect_from_https_to_http_is_refused(server: FileServer, certificate: Path, file: Path) -> None:
    with serving(CSV) as secure:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        secure.socket = context.wrap_socket(secure.socket, server_side=True)
        address = secure.url.replace("http:", "https:")
        download(Source(address, ADA), file)
        assert file.read_bytes() == CSV
        secure.redirect(server.url)
        with pytest.raises(DatasetError, match=f"redirects to 'http://.*'; expected {address[:-10]}"):
            download(Source(address, ADA), file)
    assert secure.authorizations == [ADAS] * 2
    assert server.asked == 0


# --- Credentials


def test_credentials_of_the_users_netrc_are_not_sent(
    server: FileServer, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login x password y\ndefault login x password y\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    download(Source(server.url), file)
    assert server.authorizations == [None]


@pytest.mark.parametrize("credentials", [None, {"username": "ada", "password": "wrong"}])
def test_wrong_or_missing_credentials_are_reported(
    server: FileServer, file: Path, credentials: dict[str, str] | None
) -> None:
    server.expected = ADAS
    hint = "expected other credentials" if credentials else "it may need credentials"
    with pytest.raises(DatasetError, match=f"status 401; {hint}") as error:
        download(Source(server.url, credentials), file)
    assert "wrong" not in str(error.value)


GOOD = Source("https://example.org/x.csv?mail=a@b")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"url": "ftp://example.org/x"},
            "url is 'ftp://example.org/x'; expected an address that begins with",
        ),
        ({"url": "example.org/x"}, "url is 'example.org/x'; expected an address"),
        ({"url": "http:///x"}, "url is 'http:///x'; expected an address"),
        ({"url": "http://x:port/x"}, "url is 'http://x:port/x'; expected an address"),
        ({"url": 5}, "url is 5; expected an address"),
        ({"url": "http:a:secret@b/x"}, "url contains a user name or a password"),
        ({"url": "a:secret@example.org/x"}, "url contains a user name or a password"),
        ({"url": "http://ada%3Asecret%40example.org/x"}, "url contains a user name or a password"),
        ({"url": "http://ada%3Asecret%2540example.org/x"}, "url contains a user name or a password"),
        ({"url": "http:ada%3Asecret%40example.org/x"}, "url contains a user name or a password"),
        ({"url": "http://ada:secret\\@example.org/x"}, "url contains a user name or a password"),
        ({"url": "http://example.org\\x"}, r"url is 'http://example.org\\x'; expected an address"),
        ({"url": "http://example.org/x y"}, "url is 'http://example.org/x y'; expected an address"),
        ({"url": " http://example.org/x"}, "url is ' http://example.org/x'; expected an address"),
        ({"url": "http://example.org/\nx"}, r"url is 'http://example.org/\nx'; expected an address"),
        ({"url": "http://example.org/\x00x"}, r"url is 'http://example.org/\x00x'; expected an address"),
        ({"url": "ftp://example.org/%20"}, "url is 'ftp://example.org/%20'; expected an address"),
        ({"url": "HTTPS://secret@example.org/x"}, "url contains a user name or a password"),
        ({"url": "http://a:1#secret@example.org/x"}, "url contains a user name or a password"),
        ({"timeout": 0}, "timeout is 0; expected a number above 0"),
        ({"max_seconds": "1 h"}, "max_seconds is '1 h'; expected a number above 0"),
        ({"max_seconds": True}, "max_seconds is True; expected a number above 0"),
        ({"max_bytes": float("nan")}, "max_bytes is nan; expected a number above 0"),
        ({"credentials": "secret"}, "credentials has no names; expected username and password"),
        ({"credentials": {"user": "secret"}}, "credentials has user; expected username and password"),
        ({"credentials": {}}, "credentials has no names; expected username and password"),
        (
            {"credentials": {"username": "a", "password": 5}},
            "credentials has a value that is not text; expected text. In",
        ),
    ],
)
def test_a_source_that_cannot_be_used_is_reported(changes: dict[str, Any], message: str) -> None:
    require_source(GOOD)
    require_source(replace(GOOD, url="https://münchen.example:8443/a%20b?c=%40#d%"))
    require_source(replace(GOOD, credentials=ADA, max_seconds=float("inf"), max_bytes=float("inf")))
    with pytest.raises(DatasetError) as error:
        require_source(replace(GOOD, **changes))
    assert str(error.value).startswith(message)
    assert "secret" not in str(error.value)
