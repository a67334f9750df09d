//! A conversation over a unix socket that ends in time.
//!
//! Enters: a socket, a deadline. Leaves: bytes. Never: a wait beyond the deadline, at no step: not for a daemon that does not
//! accept, does not read, or answers a byte at a time.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};

/// An open conversation.
pub struct Talk {
    stream: UnixStream,
    until: Instant,
}

impl Talk {
    /// Connects to the socket at a path, which must fit into an address (107 bytes).
    pub fn connect(path: &Path, until: Instant) -> io::Result<Talk> {
        let socket = socket_with(
            AddressFamily::UNIX,
            SocketType::STREAM,
            SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
            None,
        )?;
        // A full backlog is an error here, where a blocking socket would wait for a daemon that does not accept.
        connect(&socket, &SocketAddrUnix::new(path)?)?;
        let stream = UnixStream::from(socket);
        stream.set_nonblocking(false)?;
        Ok(Talk { stream, until })
    }

    /// Who listens there: the process that made it listen, as the kernel noted it then (unix(7), SO_PEERCRED).
    pub fn peer(&self) -> Option<u32> {
        let peer = rustix::net::sockopt::socket_peercred(&self.stream).ok()?;
        u32::try_from(peer.pid.as_raw_nonzero().get()).ok()
    }

    /// What is left, at least a little: zero would mean for ever.
    fn left(&self) -> io::Result<Duration> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left < Duration::from_millis(1) { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
    }
}

impl Read for Talk {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(self.left()?))?;
        self.stream.read(buffer)
    }
}

impl Write for Talk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(self.left()?))?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
