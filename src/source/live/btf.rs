//! A reader of the kernel's BTF, just enough to find where a member of a structure lies.
//!
//! Enters: the bytes of /sys/kernel/btf/vmlinux. Leaves: offsets in bytes. Never: anything of other types. The format is
//! the kernel's Documentation/bpf/btf.rst.

use std::collections::HashMap;

/// Types by id, and the structures that are asked for by name.
pub struct Btf<'a> {
    data: &'a [u8],
    strings: &'a [u8],
    /// Offset of each type's record.
    types: Vec<u32>,
    named: HashMap<&'a [u8], u32>,
}

const KIND_ARRAY: u32 = 3;
const KIND_STRUCT: u32 = 4;
const KIND_UNION: u32 = 5;
const KIND_TYPEDEF: u32 = 8;

fn u32_at(data: &[u8], at: usize) -> Option<u32> {
    data.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_le_bytes)
}

impl<'a> Btf<'a> {
    /// Parses the index of all types. Only structures and type names of which `wanted` is true can be asked for: there are ten thousand.
    pub fn parse(bytes: &'a [u8], wanted: impl Fn(&[u8]) -> bool) -> Option<Btf<'a>> {
        if bytes.get(..2)? != [0x9f, 0xeb] {
            return None;
        }
        let header = u32_at(bytes, 4)? as usize;
        let section = |at: usize| -> Option<&'a [u8]> {
            let from = header.checked_add(u32_at(bytes, at)? as usize)?;
            bytes.get(from..from.checked_add(u32_at(bytes, at + 4)? as usize)?)
        };
        let (data, strings) = (section(8)?, section(16)?);
        // Type 0 is void and has no record.
        let mut btf = Btf { data, strings, types: vec![u32::MAX], named: HashMap::new() };
        let mut at = 0usize;
        while at + 12 <= data.len() {
            let info = u32_at(data, at + 4)?;
            let (kind, vlen) = ((info >> 24) & 0x1f, (info & 0xffff) as usize);
            let id = btf.types.len() as u32;
            btf.types.push(at as u32);
            if matches!(kind, KIND_STRUCT | KIND_UNION | KIND_TYPEDEF)
                && let Some(name) = btf.string(u32_at(data, at)?).filter(|n| !n.is_empty() && wanted(n))
            {
                btf.named.entry(name).or_insert(id);
            }
            at += 12
                + match kind {
                    1 | 14 | 17 => 4,
                    KIND_ARRAY => 12,
                    KIND_STRUCT | KIND_UNION | 15 | 19 => vlen * 12,
                    6 | 13 => vlen * 8,
                    _ => 0,
                };
        }
        Some(btf)
    }

    fn string(&self, at: u32) -> Option<&'a [u8]> {
        let rest = self.strings.get(at as usize..)?;
        let end = rest.iter().position(|b| *b == 0)?;
        rest.get(..end)
    }

    /// Kind, number of members, flag, and start of a type's record; modifiers and typedefs are followed.
    fn resolve(&self, mut id: u32) -> Option<(u32, usize, bool, usize)> {
        for _ in 0..32 {
            let at = *self.types.get(id as usize)? as usize;
            let info = u32_at(self.data, at + 4)?;
            let kind = (info >> 24) & 0x1f;
            match kind {
                // typedef, volatile, const, restrict, type tag
                8..=11 | 18 => id = u32_at(self.data, at + 8)?,
                _ => return Some((kind, (info & 0xffff) as usize, info >> 31 == 1, at)),
            }
        }
        None
    }

    /// Offset in bits and type of a member, also of one inside anonymous structures and unions.
    fn member(&self, id: u32, name: &str, depth: u32) -> Option<(u32, u32)> {
        let (kind, count, flag, at) = self.resolve(id)?;
        if !matches!(kind, KIND_STRUCT | KIND_UNION) || depth > 8 {
            return None;
        }
        for i in 0..count {
            let m = at + 12 + i * 12;
            let (own, ty, offset) =
                (u32_at(self.data, m)?, u32_at(self.data, m + 4)?, u32_at(self.data, m + 8)?);
            let offset = if flag { offset & 0xff_ffff } else { offset };
            let own = self.string(own)?;
            if own == name.as_bytes() {
                return Some((offset, ty));
            }
            if own.is_empty()
                && let Some((inner, ty)) = self.member(ty, name, depth + 1)
            {
                return Some((offset + inner, ty));
            }
        }
        None
    }

    /// How many arguments a hook of this tracepoint has, by the name of its type (`btf_trace_` and the tracepoint's): a
    /// pointer to a function whose first argument is not the hook's.
    pub fn arguments(&self, typedef: &str) -> Option<usize> {
        let (_, _, _, pointer) = self.resolve(*self.named.get(typedef.as_bytes())?)?;
        let (_, count, _, _) = self.resolve(u32_at(self.data, pointer + 8)?)?;
        count.checked_sub(1)
    }

    /// Offset in bytes of `struct.member.member`.
    pub fn offset(&self, path: &str) -> Option<u32> {
        let mut parts = path.split('.');
        let mut id = *self.named.get(parts.next()?.as_bytes())?;
        let mut bits = 0;
        for part in parts {
            let (offset, ty) = self.member(id, part, 0)?;
            bits += offset;
            id = ty;
        }
        Some(bits / 8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_bytes_are_refused() {
        assert!(Btf::parse(&[], |_| true).is_none());
        assert!(Btf::parse(&[0x9f, 0xeb, 1, 0, 24, 0, 0, 0], |_| true).is_none());
        let mut b = vec![0x9f, 0xeb, 1, 0, 24, 0, 0, 0];
        b.extend_from_slice(&[0xff; 16]);
        assert!(Btf::parse(&b, |_| true).is_none());
    }

    #[test]
    fn the_running_kernel_has_what_the_probe_needs() {
        let Ok(bytes) = std::fs::read("/sys/kernel/btf/vmlinux") else {
            return;
        };
        let btf = Btf::parse(&bytes, |n| n == b"task_struct").expect("a kernel's BTF");
        // thread_info is the first member of task_struct on every architecture with CONFIG_THREAD_INFO_IN_TASK.
        assert_eq!(btf.offset("task_struct.thread_info"), Some(0));
        assert!(btf.offset("task_struct.tgid") > btf.offset("task_struct.pid"));
        assert_eq!(btf.offset("task_struct.no_such_member"), None);
    }
}
