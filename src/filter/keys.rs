//! Keys: what a block's summary must have, or a test holds for no row of the block.
//!
//! Enters: a test. Leaves: keys, one of which must be there, or nothing where a summary cannot tell. Never: a key for a
//! value that is not in the dictionary as it is (a command line is joined, an address may be written in several ways).

use std::net::IpAddr;

use super::compare::Compare;
use super::test::Test;
use crate::batch::{Subject, key, piece_keys};
use crate::fields::Extract;

/// Fields whose texts are strings of the dictionary, as they are.
const TEXTS: &[&str] = &[
    "proc.name",
    "proc.pname",
    "proc.aname",
    "proc.exepath",
    "proc.pexepath",
    "proc.aexepath",
    "proc.cwd",
    "thread.cgroups",
    "cgroup.path",
    "container.full_id",
    "container.name",
    "container.image",
    "container.image.id",
    "k8s.pod.name",
    "k8s.pod.uid",
    "k8s.pod.id",
    "k8s.ns.name",
    "k8s.container.name",
    "user.name",
    "user.homedir",
    "user.shell",
    "group.name",
    "fd.nameraw",
];
/// Of these the fields that are `host` where there is no container, which no dictionary has.
const HOSTED: &[&str] = &["container.id", "container.full_id", "container.name"];
const HOST: &[u8] = b"host";
/// The same where the text is a path; the names of sockets and pipes are put together.
const PATHS: &[&str] = &["fd.name", "fdlist.names"];
/// Fields that are the id of a process that has an entry.
const PIDS: &[&str] = &["proc.pid", "proc.apid"];
const ADDRESSES: &[&str] = &["fd.ip", "fd.cip", "fd.sip", "fd.lip", "fd.rip", "fdlist.cips", "fdlist.sips"];
const PORTS: &[&str] =
    &["fd.port", "fd.cport", "fd.sport", "fd.lport", "fd.rport", "fdlist.cports", "fdlist.sports"];
/// Longer lists are likely to be in every block.
const MOST: usize = 64;

/// The keys of a test; `results` and `without_result` are those of a test of the result.
pub fn of(test: &Test, results: &[(i128, i128)], without_result: bool) -> Option<Vec<u64>> {
    if test.negated() || !test.is_plain() {
        return None;
    }
    let is = |names: &[&str]| names.contains(&test.field.name);
    let keys = match &test.compare {
        _ if matches!(test.field.extract, Extract::Result(_)) => {
            // What holds for a result that is no error holds in every block.
            if without_result || results.iter().any(|(low, high)| *low < -4095 || *high >= 0) {
                return None;
            }
            let errors = numbers(results)?.into_iter().map(|n| n.unsigned_abs() as u16);
            errors.map(|n| key(Subject::Error, &n.to_le_bytes())).collect()
        }
        Compare::Texts(all) if is(HOSTED) && all.iter().any(|t| *t == *HOST) => return None,
        Compare::Texts(all) if is(TEXTS) || is(PATHS) && all.iter().all(|t| t.first() == Some(&b'/')) => {
            all.iter().map(|t| key(Subject::Text, t)).collect()
        }
        Compare::Ranges(ranges) if is(PIDS) => {
            numbers(ranges)?.into_iter().map(|n| key(Subject::Pid, &(n as u32).to_le_bytes())).collect()
        }
        Compare::Ranges(ranges) if is(PORTS) => {
            numbers(ranges)?.into_iter().map(|n| key(Subject::Port, &(n as u16).to_le_bytes())).collect()
        }
        Compare::Nets(nets) if is(ADDRESSES) => {
            let mut keys = Vec::new();
            for net in nets {
                match net.single()? {
                    IpAddr::V4(ip) => {
                        keys.push(key(Subject::Ip, &ip.octets()));
                        keys.push(key(Subject::Ip, &ip.to_ipv6_mapped().octets()));
                    }
                    IpAddr::V6(ip) => keys.push(key(Subject::Ip, &ip.octets())),
                }
            }
            keys
        }
        _ => return None,
    };
    Some(keys).filter(|k: &Vec<u64>| k.len() <= MOST)
}

/// Fields whose texts stand within strings of the dictionary, save for what was joined with blanks.
const WITHIN: &[&str] = &[
    "proc.exe",
    "proc.pexe",
    "proc.aexe",
    "proc.args",
    "proc.cmdline",
    "proc.pcmdline",
    "proc.acmdline",
    "proc.exeline",
    "container.id",
    "container.image.repository",
    "container.image.tag",
    "unit.name",
    "fd.directory",
    "fd.filename",
];
/// What names that are put together of numbers may have: addresses, ports, `pipe:[4711]` and `socket:[4711]`.
const NUMBERED: &[u8] = b"0123456789abcdefABCDEF.:->[]%pipesocket";

/// Of each text that may stand in a value, the keys of its pieces; nothing if other texts would do as well.
pub fn pieces(test: &Test) -> Option<Vec<Vec<u64>>> {
    if test.negated() || !test.is_plain() {
        return None;
    }
    let is = |names: &[&str]| names.contains(&test.field.name);
    let texts: Vec<&[u8]> = match &test.compare {
        Compare::Texts(all) if all.iter().count() <= MOST => all.iter().collect(),
        Compare::Contains(finder) => vec![finder.needle()],
        Compare::StartsWith(text) | Compare::EndsWith(text) => vec![text],
        _ => return None,
    };
    let sound = |text: &[u8]| {
        if is(HOSTED) && HOST.windows(text.len()).any(|part| part == text) {
            false
        } else if is(TEXTS) {
            true
        } else if is(WITHIN) {
            !text.contains(&b' ')
        } else {
            is(PATHS) && !text.contains(&b'@') && text.iter().any(|b| !NUMBERED.contains(b))
        }
    };
    texts.iter().all(|t| t.len() >= 3 && sound(t)).then(|| texts.iter().map(|t| piece_keys(t)).collect())
}

/// The numbers in some ranges, if they are few.
fn numbers(ranges: &[(i128, i128)]) -> Option<Vec<i128>> {
    let mut all = Vec::new();
    for (low, high) in ranges {
        if high.saturating_sub(*low) >= MOST as i128 || all.len() >= MOST {
            return None;
        }
        all.extend(*low..=*high);
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{Bitmap, Pieces, Summary, Tables, keys, summarise};
    use crate::fields::{self, Key, Takes, Value, fixture};
    use crate::filter::{Filter, Glance, Verdicts};

    /// Every value of the fields above has its keys in the summaries of a dictionary that has it.
    #[test]
    fn what_a_row_has_a_summary_has() {
        let (schema, block) = (fixture::schema(), fixture::block());
        let batch = block.view(&schema);
        let mut all = Vec::new();
        keys(&batch.dict, batch.dict.strings.len() as u32, &mut all);
        let bytes = summarise(&all);
        let summary = Summary::new(&bytes);
        let bytes = Pieces::default().of(&batch.dict, batch.dict.strings.len() as u32);
        let pieces = Summary::of_pieces(&bytes);
        let known = Glance { summary, pieces, ..Glance::default() };
        let mut asked = 0;
        for name in [TEXTS, PATHS, PIDS, ADDRESSES, PORTS, WITHIN].concat() {
            let (field, _) = fields::lookup(name).unwrap();
            let (key, index) = match field.takes {
                Takes::OptionalIndex => (Key::Index(0), "[0]"),
                _ => (Key::None, ""),
            };
            for row in 0..batch.rows {
                let values = match field.value(&batch, row, &key) {
                    Value::Any(all) => all,
                    one => vec![one],
                };
                for value in values {
                    let (constant, part) = match value {
                        Value::Text(t) if t.is_ascii() => {
                            let text = String::from_utf8_lossy(&t).into_owned();
                            (format!("'{text}'"), Some(text.chars().skip(1).take(5).collect::<String>()))
                        }
                        Value::UInt(n) => (n.to_string(), None),
                        Value::Ip(ip) => (ip.to_string(), None),
                        _ => continue,
                    };
                    let equal = format!("{name}{index} = {constant}");
                    let within = part.map(|part| format!("{name}{index} contains '{part}'"));
                    for text in [Some(equal), within].into_iter().flatten() {
                        let Ok(filter) = Filter::parse(&text, &schema) else { continue };
                        assert!(filter.may_be_in(&known), "{text}");
                        assert!(filter.tables() > Tables::Nothing || field.is_of_several());
                        let mut rows = Bitmap::default();
                        rows.reset(batch.rows, true);
                        filter.select_stage(0, &mut Verdicts::default(), &batch, &mut rows);
                        assert!(rows.get(row), "{text}");
                        asked += 1;
                    }
                }
            }
        }
        assert!(asked > 80, "{asked}");
        for text in [
            "proc.name = nobody-of-that-name",
            "proc.pid = 77777",
            "fd.ip = 9.9.9.9",
            "fd.name = /no/such",
            "fd.name contains such.sql",
            "proc.cmdline startswith zebra",
        ] {
            let filter = Filter::parse(text, &schema).unwrap();
            assert!(!filter.may_be_in(&known), "{text}");
            let filter = Filter::parse(&format!("not ({text})"), &schema).unwrap();
            assert!(filter.may_be_in(&known), "{text}");
        }
    }
}
