//! gRPC with one message each way, over a unix socket.
//!
//! Enters: a method and a message. Leaves: the first message of the answer. Never: headers of the answer (they are not
//! decoded: an answer without a message is a refusal, whatever its reason), a frame of more than [`FRAME`], a message of
//! more than [`MESSAGE`], a wait beyond the deadline.
//!
//! HTTP/2 (RFC 9113) as far as that takes: our headers are literals, the peer is told to keep no table of headers and that our
//! windows are as wide as what we take, so that nothing is left of flow control; pings and settings are answered.

use std::io::{Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use super::unix::Talk;

/// Bytes of one frame of the peer's.
const FRAME: usize = 1 << 20;
/// Bytes of one message.
const MESSAGE: usize = 4 << 20;
/// Bytes that one answer may take with everything around it.
const TOTAL: usize = 8 << 20;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// HEADER_TABLE_SIZE 0, ENABLE_PUSH 0, INITIAL_WINDOW_SIZE 8 MiB.
const SETTINGS: &[u8] = &[0, 1, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 4, 0, 0x80, 0, 0];
/// What is added to the window of the connection.
const WINDOW: u32 = 1 << 30;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS_FRAME: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;

const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;
const PADDED: u8 = 8;

/// A connection; one question at a time.
pub struct Client<S = Talk> {
    stream: S,
    /// Streams of a client are odd.
    next: u32,
}

impl Client {
    /// Connects to a socket; everything on the connection ends after `patience`.
    pub fn connect(path: &Path, patience: Duration) -> Result<Client, String> {
        let talk = Talk::connect(path, Instant::now() + patience).map_err(|e| e.to_string())?;
        Client::over(talk)
    }
}

impl<S: Read + Write> Client<S> {
    /// A client over any two-way stream.
    pub fn over(mut stream: S) -> Result<Client<S>, String> {
        let mut out = PREFACE.to_vec();
        frame(&mut out, SETTINGS_FRAME, 0, 0, SETTINGS);
        frame(&mut out, WINDOW_UPDATE, 0, 0, &WINDOW.to_be_bytes());
        stream.write_all(&out).map_err(|e| e.to_string())?;
        Ok(Client { stream, next: 1 })
    }

    /// Calls `/PACKAGE.SERVICE/METHOD`; `metadata` are further headers in small letters.
    pub fn call(
        &mut self,
        method: &str,
        metadata: &[(&str, &[u8])],
        message: &[u8],
    ) -> Result<Vec<u8>, String> {
        let id = self.next;
        self.next = self.next.checked_add(2).filter(|n| *n < 1 << 31).ok_or("too many questions")?;
        let mut out = Vec::new();
        frame(&mut out, HEADERS, END_HEADERS, id, &headers(method, metadata));
        let mut body = vec![0];
        body.extend_from_slice(&u32::try_from(message.len()).map_err(|e| e.to_string())?.to_be_bytes());
        body.extend_from_slice(message);
        // The peer's windows are 64 KiB and its frames 16 KiB at least; questions are smaller.
        if body.len() > 16 << 10 {
            return Err("the question is too long".into());
        }
        frame(&mut out, DATA, END_STREAM, id, &body);
        self.stream.write_all(&out).map_err(|e| e.to_string())?;
        self.answer(id)
    }

    fn answer(&mut self, id: u32) -> Result<Vec<u8>, String> {
        let (mut got, mut total) = (Vec::new(), 0);
        loop {
            let mut head = [0; 9];
            self.stream.read_exact(&mut head).map_err(|e| e.to_string())?;
            let [a, b, c, kind, flags, s0, s1, s2, s3] = head;
            let length = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
            let stream = u32::from_be_bytes([s0 & 0x7f, s1, s2, s3]);
            total += length + head.len();
            if length > FRAME || total > TOTAL {
                return Err("the answer is too long".into());
            }
            let mut payload = vec![0; length];
            self.stream.read_exact(&mut payload).map_err(|e| e.to_string())?;
            match kind {
                SETTINGS_FRAME if flags & ACK == 0 => self.send(SETTINGS_FRAME, ACK, &[])?,
                PING if flags & ACK == 0 => self.send(PING, ACK, &payload)?,
                GOAWAY => return Err("the daemon closes the connection".into()),
                RST_STREAM if stream == id => return Err("the daemon breaks off".into()),
                DATA if stream == id => {
                    got.extend_from_slice(unpadded(&payload, flags).ok_or("a bad frame")?);
                    if let Some(message) = whole(&got)? {
                        return Ok(message.to_vec());
                    }
                }
                _ => {}
            }
            if stream == id && matches!(kind, DATA | HEADERS) && flags & END_STREAM != 0 {
                return Err("no message: it does not know that, or refuses".into());
            }
        }
    }

    fn send(&mut self, kind: u8, flags: u8, payload: &[u8]) -> Result<(), String> {
        let mut out = Vec::new();
        frame(&mut out, kind, flags, 0, payload);
        self.stream.write_all(&out).map_err(|e| e.to_string())
    }
}

/// The message, when all of it is there: a byte that says whether it is compressed, its length, itself.
fn whole(got: &[u8]) -> Result<Option<&[u8]>, String> {
    let &[compressed, a, b, c, d, ref rest @ ..] = got else { return Ok(None) };
    let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).map_err(|e| e.to_string())?;
    match () {
        () if compressed != 0 => Err("a compressed message".into()),
        () if length > MESSAGE => Err("the message is too long".into()),
        () => Ok(rest.get(..length)),
    }
}

fn unpadded(payload: &[u8], flags: u8) -> Option<&[u8]> {
    if flags & PADDED == 0 {
        return Some(payload);
    }
    let (padding, rest) = payload.split_first()?;
    rest.get(..rest.len().checked_sub(usize::from(*padding))?)
}

fn frame(out: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    // Ours are short.
    out.extend_from_slice(&(payload.len() as u32).to_be_bytes()[1..]);
    out.extend_from_slice(&[kind, flags]);
    out.extend_from_slice(&stream.to_be_bytes());
    out.extend_from_slice(payload);
}

/// A block of headers (RFC 7541): two from the static table, the rest literals that nobody need remember.
fn headers(method: &str, metadata: &[(&str, &[u8])]) -> Vec<u8> {
    // :method POST, :scheme http; :path and :authority by the number of the name.
    let mut out = vec![0x83, 0x86, 0x04];
    literal(&mut out, method.as_bytes());
    out.push(0x01);
    literal(&mut out, b"localhost");
    let fixed: [(&str, &[u8]); 2] = [("content-type", b"application/grpc"), ("te", b"trailers")];
    for (name, value) in fixed.iter().chain(metadata) {
        out.push(0);
        literal(&mut out, name.as_bytes());
        literal(&mut out, value);
    }
    out
}

/// A text with its length, in 7 bits or more.
fn literal(out: &mut Vec<u8>, text: &[u8]) {
    if text.len() < 127 {
        out.push(text.len() as u8);
    } else {
        out.push(127);
        let mut rest = text.len() - 127;
        while rest >= 0x80 {
            out.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        out.push(rest as u8);
    }
    out.extend_from_slice(text);
}

#[cfg(test)]
mod tests {
    use std::io::{self, Cursor};

    use proptest::prelude::*;

    use super::*;

    /// A frame: kind, flags, stream, payload.
    type Sent<'a> = (u8, u8, u32, &'a [u8]);

    /// What a peer says, whatever it is told.
    struct Peer(Cursor<Vec<u8>>, Vec<u8>);

    impl Read for Peer {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.read(buffer)
        }
    }

    impl Write for Peer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.1.write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn asked(said: Vec<u8>) -> (Result<Vec<u8>, String>, Vec<u8>) {
        let mut client = Client::over(Peer(Cursor::new(said), Vec::new())).unwrap();
        let answer = client.call("/a.B/C", &[("containerd-namespace", b"k8s.io")], b"question");
        (answer, client.stream.1)
    }

    fn said(frames: &[Sent]) -> Vec<u8> {
        let mut out = Vec::new();
        for (kind, flags, stream, payload) in frames {
            frame(&mut out, *kind, *flags, *stream, payload);
        }
        out
    }

    #[test]
    fn a_message_may_come_in_pieces_among_other_frames() {
        let (answer, told) = asked(said(&[
            (SETTINGS_FRAME, 0, 0, &[0, 3, 0, 0, 0, 100]),
            (HEADERS, END_HEADERS, 1, &[0x88]),
            (DATA, PADDED, 1, &[2, 0, 0, 0, 0, 9, 9]),
            (PING, 0, 0, b"12345678"),
            (DATA, 0, 3, b"another's"),
            (DATA, 0, 1, &[5, b'h', b'e']),
            (WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1]),
            (DATA, 0, 1, b"llo"),
        ]));
        assert_eq!(answer.as_deref(), Ok(&b"hello"[..]));
        assert!(told.starts_with(PREFACE));
        let has = |part: &[u8]| told.windows(part.len()).any(|w| w == part);
        assert!(has(b"\x00\x14containerd-namespace\x06k8s.io") && has(b"\x00\x00\x00\x00\x08question"));
        assert!(has(&said(&[(SETTINGS_FRAME, ACK, 0, &[])])) && has(&said(&[(PING, ACK, 0, b"12345678")])));
    }

    #[test]
    fn what_is_no_answer_is_an_error() {
        let bad: &[&[Sent]] = &[
            &[],
            &[(HEADERS, END_HEADERS | END_STREAM, 1, &[0x88])],
            &[(DATA, END_STREAM, 1, &[0, 0, 0, 0, 9])],
            &[(RST_STREAM, 0, 1, &[0; 4])],
            &[(GOAWAY, 0, 0, &[0; 8])],
            &[(DATA, 0, 1, &[1, 0, 0, 0, 0])],
            &[(DATA, 0, 1, &[0, 0xff, 0xff, 0xff, 0xff])],
            &[(DATA, PADDED, 1, &[9, 0])],
            &[(DATA, PADDED, 1, &[])],
        ];
        for frames in bad {
            assert!(asked(said(frames)).0.is_err(), "{frames:?}");
        }
        assert!(asked(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()).0.is_err());
        // Frames for ever.
        assert!(asked(said(&[(PING, ACK, 0, &[0; 8])]).repeat(TOTAL / 17 + 2)).0.is_err());
    }

    #[test]
    fn long_texts_have_long_lengths() {
        let length = |n: usize| {
            let mut out = Vec::new();
            literal(&mut out, &vec![b'a'; n]);
            out.truncate(out.len() - n);
            out
        };
        assert_eq!(
            (length(126), length(127), length(127 + 300)),
            (vec![126], vec![127, 0], vec![127, 0xac, 2])
        );
    }

    proptest! {
        #[test]
        fn any_bytes_end(said in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = asked(said);
        }
    }
}
