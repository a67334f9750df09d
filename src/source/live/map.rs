//! Shared memory of the probe's array maps.
//!
//! Enters: the descriptor of an mmapable array. Leaves: volatile reads and writes at checked offsets. Never: references
//! into memory that the kernel may be writing, but for [`Map::published`], whose reason stands there.
#![allow(unsafe_code, reason = "the live source maps memory that it shares with the kernel")]

use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::mm::{MapFlags, ProtFlags};

/// One mapped array map.
pub struct Map {
    base: *mut u8,
    len: usize,
    /// Keeps the map alive as long as its memory is used.
    _fd: OwnedFd,
}

// SAFETY: the memory is shared with the kernel anyway; every access is volatile or atomic and bounds-checked.
unsafe impl Send for Map {}

impl Map {
    /// Maps `len` bytes of an array map.
    pub fn new(fd: OwnedFd, len: usize) -> rustix::io::Result<Map> {
        // SAFETY: a fresh shared mapping at an address of the kernel's choice.
        let base = unsafe {
            rustix::mm::mmap(
                std::ptr::null_mut(),
                len,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::SHARED,
                fd.as_fd(),
                0,
            )?
        };
        Ok(Map { base: base.cast(), len, _fd: fd })
    }

    fn at<T>(&self, offset: usize) -> Option<*mut T> {
        let end = offset.checked_add(size_of::<T>())?;
        (end <= self.len && offset.is_multiple_of(align_of::<T>())).then(|| {
            // SAFETY: inside the mapping, by the test just made.
            unsafe { self.base.add(offset).cast() }
        })
    }

    /// A number that the probe publishes: everything written before it is visible after.
    pub fn load(&self, offset: usize) -> u64 {
        self.at::<u64>(offset).map_or(0, |p| {
            // SAFETY: aligned, inside the mapping; the other side writes it with an exchange or a single store.
            unsafe { AtomicU64::from_ptr(p) }.load(Ordering::Acquire)
        })
    }

    /// A number that the probe reads: everything read before it was read before.
    pub fn store(&self, offset: usize, value: u64) {
        if let Some(p) = self.at::<u64>(offset) {
            // SAFETY: as in `load`.
            unsafe { AtomicU64::from_ptr(p) }.store(value, Ordering::Release);
        }
    }

    /// One byte.
    pub fn get(&self, offset: usize) -> u8 {
        // SAFETY: inside the mapping; a byte cannot tear.
        self.at::<u8>(offset).map_or(0, |p| unsafe { p.read_volatile() })
    }

    /// Sets one byte.
    pub fn set(&self, offset: usize, value: u8) {
        if let Some(p) = self.at::<u8>(offset) {
            // SAFETY: as in `get`.
            unsafe { p.write_volatile(value) }
        }
    }

    /// Writes bytes while the probe does not use them (before it is attached, or one word at a time).
    pub fn write(&self, offset: usize, bytes: &[u8]) {
        for (i, b) in bytes.iter().enumerate() {
            self.set(offset + i, *b);
        }
    }

    /// Bytes that the probe has published and does not touch until the reader moves its tail past them.
    pub fn published(&self, offset: usize, len: usize) -> &[u8] {
        match offset.checked_add(len) {
            // SAFETY: inside the mapping. The caller took the head with `load` (acquire) and these bytes lie before it;
            // the probe writes again only behind the tail, which the caller moves when it has let go of the slice.
            Some(end) if end <= self.len => unsafe { std::slice::from_raw_parts(self.base.add(offset), len) },
            _ => &[],
        }
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        // SAFETY: the mapping made in `new`; nothing borrows it any more.
        let _ = unsafe { rustix::mm::munmap(self.base.cast(), self.len) };
    }
}
