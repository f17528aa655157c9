//! A client for HTTP/1.1 over TLS that can misbehave: it sends whatever bytes it is given.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, HandshakeKind, RootCertStore, StreamOwned};

/// How long a test waits for bytes: longer than anything takes that works.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// The name that certificates are for.
pub(crate) const NAME: &str = "tidewaiter.example.com";

/// Returns a configuration that trusts one certificate. Sessions are remembered in it.
pub(crate) fn trusting(certificate: &CertificateDer<'static>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// Returns a header; its name is in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// Returns the `response` of an AdmissionReview.
    pub(crate) fn review(&self) -> serde_json::Value {
        assert_eq!(self.status, 200, "{self:?}");
        let review: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(review["kind"], "AdmissionReview");
        review["response"].clone()
    }
}

/// A connection, with TLS or without.
pub(crate) struct Connection<S> {
    stream: S,
    unread: Vec<u8>,
}

/// A connection with TLS.
pub(crate) type TlsConnection = Connection<StreamOwned<ClientConnection, TcpStream>>;

impl TlsConnection {
    /// Connects and shakes hands.
    pub(crate) fn open(address: SocketAddr, config: &Arc<ClientConfig>) -> io::Result<Self> {
        let mut tcp = tcp(address)?;
        let name = ServerName::try_from(NAME).unwrap();
        let mut tls = ClientConnection::new(Arc::clone(config), name).map_err(io::Error::other)?;
        while tls.is_handshaking() {
            tls.complete_io(&mut tcp)?;
        }
        Ok(Self { stream: StreamOwned::new(tls, tcp), unread: Vec::new() })
    }

    pub(crate) fn handshake(&self) -> Option<HandshakeKind> {
        self.stream.conn.handshake_kind()
    }

    pub(crate) fn version(&self) -> Option<rustls::ProtocolVersion> {
        self.stream.conn.protocol_version()
    }

    /// Says that nothing more comes, without waiting for an answer.
    pub(crate) fn finish(&mut self) {
        self.stream.conn.send_close_notify();
        drop(self.stream.flush());
        drop(self.stream.sock.shutdown(Shutdown::Write));
    }
}

impl Connection<TcpStream> {
    /// Connects without TLS.
    pub(crate) fn plain(address: SocketAddr) -> io::Result<Self> {
        Ok(Self { stream: tcp(address)?, unread: Vec::new() })
    }
}

fn tcp(address: SocketAddr) -> io::Result<TcpStream> {
    let tcp = TcpStream::connect(address)?;
    tcp.set_read_timeout(Some(PATIENCE))?;
    tcp.set_write_timeout(Some(PATIENCE))?;
    tcp.set_nodelay(true)?;
    Ok(tcp)
}

impl<S: Read + Write> Connection<S> {
    /// Sends bytes as they are.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref())?;
        self.stream.flush()
    }

    /// Sends a review and waits for the answer.
    pub(crate) fn review(&mut self, target: &str, body: impl AsRef<[u8]>) -> io::Result<Response> {
        self.post(target, &[("Content-Type", "application/json")], body.as_ref())
    }

    /// Sends a POST and waits for the answer.
    pub(crate) fn post(
        &mut self,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<Response> {
        self.send(request(target, headers, body))?;
        self.response()
    }

    /// Sends a request without a body and waits for the answer.
    pub(crate) fn ask(&mut self, method: &str, target: &str) -> io::Result<Response> {
        self.send(format!("{method} {target} HTTP/1.1\r\nHost: {NAME}\r\n\r\n"))?;
        self.response()
    }

    /// Reads one answer.
    pub(crate) fn response(&mut self) -> io::Result<Response> {
        let end = loop {
            if let Some(at) = self.unread.windows(4).position(|it| it == b"\r\n\r\n") {
                break at;
            }
            self.more()?;
        };
        let head: Vec<u8> = self.unread.drain(..end + 4).collect();
        let head = String::from_utf8(head).map_err(io::Error::other)?;
        let mut lines = head.lines();
        let status = lines.next().and_then(|it| it.split(' ').nth(1)).unwrap().parse().unwrap();
        let headers: Vec<(String, String)> = lines
            .filter_map(|it| it.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let length: usize = length.map_or(0, |(_, value)| value.parse().unwrap());
        while self.unread.len() < length {
            self.more()?;
        }
        Ok(Response { status, headers, body: self.unread.drain(..length).collect() })
    }

    fn more(&mut self) -> io::Result<()> {
        let mut buffer = vec![0; 64 << 10];
        match self.stream.read(&mut buffer)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            read => {
                self.unread.extend(&buffer[..read]);
                Ok(())
            }
        }
    }

    /// Waits until the server closes the connection; says whether it does, and without a word.
    pub(crate) fn ends(&mut self) -> bool {
        let before = self.unread.len();
        loop {
            match self.more() {
                Ok(()) => {}
                Err(err) => {
                    let waits = [io::ErrorKind::WouldBlock, io::ErrorKind::TimedOut];
                    return !waits.contains(&err.kind()) && self.unread.len() == before;
                }
            }
        }
    }
}

/// Returns the bytes of a POST.
pub(crate) fn request(target: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let headers: Vec<String> =
        headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let out = format!(
        "POST {target} HTTP/1.1\r\nHost: {NAME}\r\n{}Content-Length: {}\r\n\r\n",
        headers.concat(),
        body.len()
    );
    [out.as_bytes(), body].concat()
}

/// Returns the head of a POST whose body comes in chunks.
pub(crate) fn chunked(target: &str) -> String {
    format!(
        "POST {target} HTTP/1.1\r\nHost: {NAME}\r\nContent-Type: application/json\r\n\
         Transfer-Encoding: chunked\r\n\r\n"
    )
}

/// Returns one chunk; an empty one ends the body.
pub(crate) fn chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

/// Asks an address without TLS, on a connection of its own.
pub(crate) fn get(address: SocketAddr, target: &str) -> io::Result<Response> {
    Connection::plain(address)?.ask("GET", target)
}
