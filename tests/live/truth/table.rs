//! How rows are made and said: a call, how it ended, and what must be shown of it.
//!
//! Before each call the actor closes a descriptor that cannot exist, whose number is the row's: the thread's next event is
//! the row's call. What is expected is written as JSON, in which an object with one key that begins with `$` is a matcher.

use std::ffi::{CStr, CString};

use serde_json::{Value, json};

/// Row N is announced by `close(-MARK - N)`.
pub const MARK: i64 = 1_000_000;

/// A system call and nothing else: no errno, no cancellation.
pub unsafe fn raw(nr: i64, a: [u64; 6]) -> i64 {
    let ret;
    unsafe {
        std::arch::asm!("syscall", inlateout("rax") nr => ret, in("rdi") a[0], in("rsi") a[1], in("rdx") a[2],
            in("r10") a[3], in("r8") a[4], in("r9") a[5], lateout("rcx") _, lateout("r11") _);
    }
    ret
}

/// What fits a register.
pub trait Word {
    fn word(self) -> u64;
}
macro_rules! words {
    ($($t:ty)*) => { $(impl Word for $t { fn word(self) -> u64 { self as i64 as u64 } })* };
}
words!(i32 u32 i64 u64 usize u16);
impl<T> Word for *const T {
    fn word(self) -> u64 {
        self as u64
    }
}
impl<T> Word for *mut T {
    fn word(self) -> u64 {
        self as u64
    }
}
impl<T> Word for &T {
    fn word(self) -> u64 {
        std::ptr::from_ref(self) as u64
    }
}
impl<T> Word for &mut T {
    fn word(self) -> u64 {
        std::ptr::from_mut(self) as u64
    }
}
impl Word for &CStr {
    fn word(self) -> u64 {
        self.as_ptr() as u64
    }
}

/// Rows that were made, and not yet told to the test.
pub struct Table {
    told: String,
    next: i64,
}

/// How a call must end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// With success.
    Ok,
    /// With this error.
    Fails(i32),
    /// That is up to the machine.
    Any,
}

impl Table {
    pub fn new() -> Table {
        Table { told: String::new(), next: 0 }
    }

    /// Announces the next row.
    pub fn mark(&mut self) -> i64 {
        self.next += 1;
        unsafe { raw(libc::SYS_close, [(-MARK - self.next) as u64, 0, 0, 0, 0, 0]) };
        self.next
    }

    /// A row was announced by other means.
    pub fn took(&mut self, row: i64) {
        self.next = row;
    }

    /// Makes the call of a row.
    pub fn call(&mut self, nr: i64, words: &[u64]) -> i64 {
        let mut six = [0; 6];
        six[..words.len()].copy_from_slice(words);
        self.mark();
        unsafe { raw(nr, six) }
    }

    fn tell(&mut self, mut row: Value) {
        row["tid"] = unsafe { libc::gettid() }.into();
        self.told += &row.to_string();
        self.told.push('\n');
    }

    /// What must be seen of the call that was last announced.
    pub fn row(&mut self, name: &str, end: End, ret: i64, args: Value) {
        let as_meant = match end {
            End::Ok => !(-4095..0).contains(&ret),
            End::Fails(errno) => ret == -i64::from(errno),
            End::Any => true,
        };
        let meant = if as_meant { Value::Null } else { format!("{end:?}").into() };
        self.tell(json!({ "row": self.next, "call": name, "ret": ret, "args": args, "not": meant }));
    }

    /// A call that does not come back: told before it is made. `ret` is null if it has no result.
    pub fn last(&mut self, name: &str, nr: i64, words: &[u64], ret: Value, args: Value) {
        self.tell(json!({ "row": self.next + 1, "call": name, "ret": ret, "args": args, "not": null }));
        self.flush();
        self.call(nr, words);
    }

    /// Tells the test.
    pub fn flush(&mut self) {
        let mut rest = self.told.as_bytes();
        while !rest.is_empty() {
            let n = unsafe { libc::write(1, rest.as_ptr().cast(), rest.len()) };
            rest = &rest[usize::try_from(n).unwrap_or(rest.len())..];
        }
        self.told.clear();
    }

    /// Does it in a child, which may spoil whatever a process has.
    pub fn child(&mut self, f: impl FnOnce(&mut Table)) -> i32 {
        self.flush();
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            f(self);
            self.flush();
            unsafe { libc::_exit(0) };
        }
        let mut status = 0;
        unsafe { libc::waitpid(pid, &mut status, libc::__WALL) };
        self.tell(json!({ "child": pid, "status": status }));
        // Numbers of rows are the threads' own.
        pid
    }
}

/// `row!(t: name(arguments) = end, json)`: makes the call, and tells what must be seen of it. `end` is `ok`, `any` or the
/// name of an error; the JSON is looked at after the call, so it can tell what the kernel wrote. Gives the result.
macro_rules! row {
    ($t:ident: $name:ident($($arg:expr),* $(,)?) = $end:ident, $json:tt) => {{
        #[allow(unused_imports, reason = "for calls without arguments")]
        use $crate::live::truth::table::Word as _;
        let ret = $t.call(syscalls::x86_64::Sysno::$name.id().into(), &[$($arg.word()),*]);
        $t.row(stringify!($name), row!(@end $end), ret, serde_json::json!($json));
        ret
    }};
    (@end ok) => { $crate::live::truth::table::End::Ok };
    (@end any) => { $crate::live::truth::table::End::Any };
    (@end $errno:ident) => { $crate::live::truth::table::End::Fails(libc::$errno) };
}
pub(super) use row;

// --- what is expected ---

/// An address or a word in hex.
pub fn hex(n: impl Word) -> Value {
    format!("0x{:x}", n.word()).into()
}
/// Anything: what neither the actor nor the test can know.
pub fn any() -> Value {
    json!({ "$any": true })
}
/// One of these.
pub fn or(a: Value, b: Value) -> Value {
    json!({ "$or": [a, b] })
}
/// An object with at least these members.
pub fn has(v: Value) -> Value {
    json!({ "$has": v })
}
/// An address whose contents are shown or not, and unknown here.
pub fn behind(p: impl Word) -> Value {
    or(hex(p), json!({ "$decoded": true }))
}
/// Flags, in whatever order.
pub fn flags<const N: usize>(names: [&str; N]) -> Value {
    json!({ "$set": names.to_vec() })
}
/// At least these flags.
pub fn flags_with<const N: usize>(names: [&str; N]) -> Value {
    json!({ "$with": names.to_vec() })
}
/// A descriptor, whatever is known of it.
pub fn fd(n: impl Word) -> Value {
    has(json!({ "fd": n.word() as i32 }))
}
/// A descriptor of a file of this name.
pub fn named(n: impl Word, name: &str) -> Value {
    has(json!({ "fd": n.word() as i32, "name": name }))
}
/// A descriptor that does not exist.
pub fn nofd(n: i32) -> Value {
    json!({ "fd": n })
}
/// The working directory.
pub fn cwd() -> Value {
    json!({ "fd": -100, "alias": "AT_FDCWD" })
}
/// Memory that cannot be read.
pub fn unreadable(p: impl Word) -> Value {
    json!({ "unreadable": hex(p) })
}
/// A buffer: the first 80 bytes, and how many there were.
pub fn data(bytes: &[u8]) -> Value {
    let (shown, cut) = bytes.split_at(bytes.len().min(80));
    let whole = cut.is_empty();
    let v = match std::str::from_utf8(shown) {
        Ok(text) if whole => return text.into(),
        Ok(text) => json!({ "text": text }),
        Err(_) => json!({ "b64": base64(shown) }),
    };
    let Value::Object(mut o) = v else { return v };
    if !whole {
        o.insert("cut".into(), true.into());
        o.insert("len".into(), bytes.len().into());
    }
    Value::Object(o)
}
/// The beginning of something longer.
pub fn beginning(bytes: &[u8], of: usize) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => json!({ "text": text, "cut": true, "len": of }),
        Err(_) => json!({ "b64": base64(bytes), "cut": true, "len": of }),
    }
}
/// What was gathered from several buffers. (A cut may be claimed where there was room for more than came.)
pub fn gathered(text: &str) -> Value {
    or(text.into(), json!({ "text": text, "cut": true }))
}
/// A number as JSON has it: beyond 2^53 a string.
pub fn num(n: i64) -> Value {
    if n.unsigned_abs() > 1 << 53 { n.to_string().into() } else { n.into() }
}

fn base64(bytes: &[u8]) -> String {
    const SET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let n = chunk.iter().fold(0u32, |n, b| n << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for i in 0..4 {
            let digit = SET[(n >> (18 - 6 * i) & 63) as usize];
            out.push(if i <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    out
}

/// True if what was shown is what was expected.
pub fn fits(want: &Value, got: &Value) -> bool {
    let Value::Object(o) = want else {
        return match (want, got) {
            (Value::Array(a), Value::Array(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| fits(a, b))
            }
            _ => want == got,
        };
    };
    let Some((key, v)) = o.iter().next().filter(|(k, _)| k.starts_with('$')) else {
        return got.as_object().is_some_and(|g| {
            g.len() == o.len() && o.iter().all(|(k, w)| g.get(k).is_some_and(|x| fits(w, x)))
        });
    };
    let list = |v: &Value| v.as_array().cloned().unwrap_or_default();
    match key.as_str() {
        "$any" => true,
        "$or" => list(v).iter().any(|w| fits(w, got)),
        "$decoded" => got.is_object() || got.is_array() || got.is_number(),
        // Somewhere in it something is said to be missing.
        "$holey" => got.to_string().contains("\"cut\":true") || got.to_string().contains("\"unreadable\":"),
        "$has" => {
            v.as_object().is_some_and(|w| w.iter().all(|(k, w)| got.get(k).is_some_and(|g| fits(w, g))))
        }
        "$set" => {
            got.is_array()
                && list(v).len() == list(got).len()
                && list(v).iter().all(|w| list(got).contains(w))
        }
        "$with" => got.is_array() && list(v).iter().all(|w| list(got).contains(w)),
        _ => false,
    }
}

/// A path that lives as long as the program.
pub fn path(text: &str) -> CString {
    CString::new(text).unwrap()
}
