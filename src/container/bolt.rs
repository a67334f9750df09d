//! Reading a BoltDB file (containerd's `meta.db`, podman's `bolt_state.db`) while its owner writes to it.
//!
//! Enters: an open file, names of buckets and a key. Leaves: values. Never: a lock (the owner holds it for as long as it
//! runs), the whole file (it can be hundreds of megabytes: pages are read one by one), more pages than [`PAGES`].
//!
//! The format: pages of one size, the first two are metas; the one with the higher transaction is true. A tree of branch
//! and leaf pages is a bucket; a value of a leaf may be a bucket, with its root page's number, or with the page itself
//! behind it when it is small. The owner never changes a page that its newest meta reaches, it writes others and then a new
//! meta; so what was read counts if the meta has not changed meanwhile, and is read again if it has.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::time::Instant;

const MAGIC: u32 = 0xED0C_DAED;
const VERSION: u32 = 2;
/// Bytes before the elements of a page.
const HEADER: usize = 16;
/// Bytes of an element of a branch or leaf.
const ELEMENT: usize = 16;
/// Bytes before the page of a small bucket.
const BUCKET: usize = 16;
const BRANCH: u16 = 1;
const LEAF: u16 = 2;
/// A value that is a bucket.
const IS_BUCKET: u32 = 1;
/// Bytes of one page with what overflows it: a value may be as long.
const LONGEST: usize = 4 << 20;
/// Pages of one look-up, those that long values overflow into counted.
const PAGES: usize = 4096;
/// How often everything is read again because the owner wrote.
const TRIES: usize = 5;

/// A file that is read.
pub struct Bolt<F = File> {
    file: F,
    until: Instant,
}

/// A key and its value.
pub type Pair = (Vec<u8>, Vec<u8>);

/// What can be read at an offset.
pub trait At {
    /// Fills the buffer or fails.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;
}

impl At for File {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.read_exact_at(buffer, offset)
    }
}

impl At for &[u8] {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let at = usize::try_from(offset).ok().and_then(|at| self.get(at..)?.get(..buffer.len()));
        buffer.copy_from_slice(at.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Meta {
    page_size: usize,
    root: u64,
    transaction: u64,
}

/// A page that is a node of a tree.
struct Node(Vec<u8>);

/// An element of a leaf.
struct Leaf<'a> {
    key: &'a [u8],
    value: &'a [u8],
    bucket: bool,
}

/// A bucket: the number of its root page, or that page.
enum Bucket {
    At(u64),
    Inside(Vec<u8>),
}

impl<F: At> Bolt<F> {
    /// A database in a file; a look-up ends at a time.
    pub fn new(file: F, until: Instant) -> Bolt<F> {
        Bolt { file, until }
    }

    /// The value of a key in a bucket of buckets, down a path of names.
    pub fn get(&self, buckets: &[&[u8]], key: &[u8]) -> Result<Option<Vec<u8>>, String> {
        self.steadily(|reading| {
            let Some(bucket) = reading.bucket(buckets)? else { return Ok(None) };
            Ok(reading.find(&bucket, key)?.filter(|(_, bucket)| !bucket).map(|(value, _)| value))
        })
    }

    /// Every key with its value in a bucket; buckets in it are left out.
    pub fn all(&self, buckets: &[&[u8]]) -> Result<Vec<Pair>, String> {
        self.steadily(|reading| {
            let Some(bucket) = reading.bucket(buckets)? else { return Ok(Vec::new()) };
            let mut found = Vec::new();
            reading
                .leaves(&bucket, |l| found.extend((!l.bucket).then(|| (l.key.to_vec(), l.value.to_vec()))))?;
            Ok(found)
        })
    }

    /// The names of the buckets in a bucket.
    pub fn buckets(&self, buckets: &[&[u8]]) -> Result<Vec<Vec<u8>>, String> {
        self.steadily(|reading| {
            let Some(bucket) = reading.bucket(buckets)? else { return Ok(Vec::new()) };
            let mut found = Vec::new();
            reading.leaves(&bucket, |l| found.extend(l.bucket.then(|| l.key.to_vec())))?;
            Ok(found)
        })
    }

    /// Reads until the owner has not written meanwhile.
    fn steadily<T>(&self, read: impl Fn(&mut Reading<F>) -> Result<T, String>) -> Result<T, String> {
        let mut last = "it changes all the time".to_owned();
        for _ in 0..TRIES {
            let before = self.meta()?;
            let got = read(&mut Reading { bolt: self, meta: before, pages: 0 });
            if self.meta()? == before {
                return got;
            }
            if let Err(e) = got {
                last = e;
            }
        }
        Err(last)
    }

    fn meta(&self) -> Result<Meta, String> {
        let first = self.meta_at(0);
        // The second is one page further, and its size stands in either.
        let second = match &first {
            Some(meta) => self.meta_at(meta.page_size),
            None => [4096, 8192, 16384, 65536].into_iter().find_map(|size| self.meta_at(size)),
        };
        let newer = first.into_iter().chain(second).max_by_key(|m| m.transaction);
        newer.ok_or_else(|| "not a BoltDB file".into())
    }

    fn meta_at(&self, at: usize) -> Option<Meta> {
        let mut page = [0; HEADER + 64];
        self.file.read_at(&mut page, at as u64).ok()?;
        let body = page.get(HEADER..)?;
        let (sum, checked) = (u64_at(body, 56)?, body.get(..56)?);
        if u32_at(body, 0)? != MAGIC || u32_at(body, 4)? != VERSION || fnv(checked) != sum {
            return None;
        }
        let page_size = usize::try_from(u32_at(body, 8)?)
            .ok()
            .filter(|s| s.is_power_of_two() && (512..=1 << 20).contains(s))?;
        Some(Meta { page_size, root: u64_at(body, 16)?, transaction: u64_at(body, 48)? })
    }
}

/// One attempt at one state of the file.
struct Reading<'a, F> {
    bolt: &'a Bolt<F>,
    meta: Meta,
    pages: usize,
}

impl<F: At> Reading<'_, F> {
    fn page(&mut self, number: u64) -> Result<Node, String> {
        if self.pages >= PAGES || Instant::now() >= self.bolt.until {
            return Err("it takes too long".into());
        }
        let size = self.meta.page_size;
        let at = number.checked_mul(size as u64).ok_or("a bad page")?;
        let read = |buffer: &mut [u8]| self.bolt.file.read_at(buffer, at).map_err(|e| e.to_string());
        let mut head = [0; HEADER];
        read(&mut head)?;
        let overflow = u32_at(&head, 12).unwrap_or(0) as usize;
        let length = overflow.checked_add(1).and_then(|n| n.checked_mul(size)).filter(|n| *n <= LONGEST);
        // A page that is used anew says another number, or is no node.
        if u64_at(&head, 0) != Some(number) {
            return Err("a bad page".into());
        }
        let mut page = vec![0; length.ok_or("a page is too long")?];
        self.pages += page.len() / size;
        read(&mut page)?;
        Ok(Node(page))
    }

    fn root(&mut self, bucket: &Bucket) -> Result<Node, String> {
        match bucket {
            Bucket::At(number) => self.page(*number),
            Bucket::Inside(page) => Ok(Node(page.clone())),
        }
    }

    fn bucket(&mut self, names: &[&[u8]]) -> Result<Option<Bucket>, String> {
        let mut bucket = Bucket::At(self.meta.root);
        for name in names {
            let Some((value, true)) = self.find(&bucket, name)? else { return Ok(None) };
            bucket = match u64_at(&value, 0).ok_or("a bad bucket")? {
                0 => Bucket::Inside(value.get(BUCKET..).unwrap_or_default().to_vec()),
                root => Bucket::At(root),
            };
        }
        Ok(Some(bucket))
    }

    /// The value of a key, and whether it is a bucket.
    fn find(&mut self, bucket: &Bucket, key: &[u8]) -> Result<Option<(Vec<u8>, bool)>, String> {
        let mut node = self.root(bucket)?;
        loop {
            match node.kind() {
                LEAF => {
                    let found = node.leaves().find(|l| l.key == key);
                    return Ok(found.map(|l| (l.value.to_vec(), l.bucket)));
                }
                BRANCH => {
                    // Keys of a branch are the first of what is below.
                    let below = node.branches().take_while(|(k, _)| *k <= key).last().map(|(_, child)| child);
                    let Some(child) = below else { return Ok(None) };
                    node = self.page(child)?;
                }
                _ => return Err("a bad page".into()),
            }
        }
    }

    fn leaves(&mut self, bucket: &Bucket, mut each: impl FnMut(&Leaf)) -> Result<(), String> {
        let mut todo = vec![self.root(bucket)?];
        while let Some(node) = todo.pop() {
            match node.kind() {
                LEAF => node.leaves().for_each(|l| each(&l)),
                BRANCH => {
                    let children: Vec<u64> = node.branches().map(|(_, child)| child).collect();
                    for child in children {
                        todo.push(self.page(child)?);
                    }
                }
                _ => return Err("a bad page".into()),
            }
        }
        Ok(())
    }
}

impl Node {
    fn kind(&self) -> u16 {
        u16_at(&self.0, 8).unwrap_or(0)
    }

    /// Where each element begins. Its position counts from there.
    fn elements(&self) -> impl Iterator<Item = (usize, &[u8])> {
        let count = usize::from(u16_at(&self.0, 10).unwrap_or(0));
        let at = |i: usize| HEADER + i * ELEMENT;
        (0..count).map_while(move |i| Some((at(i), self.0.get(at(i)..at(i) + ELEMENT)?)))
    }

    fn text(&self, from: usize, position: u32, skip: u32, length: u32) -> Option<&[u8]> {
        let at = from.checked_add(position as usize)?.checked_add(skip as usize)?;
        self.0.get(at..at.checked_add(length as usize)?)
    }

    fn branches(&self) -> impl Iterator<Item = (&[u8], u64)> {
        self.elements()
            .map_while(|(at, e)| Some((self.text(at, u32_at(e, 0)?, 0, u32_at(e, 4)?)?, u64_at(e, 8)?)))
    }

    fn leaves(&self) -> impl Iterator<Item = Leaf<'_>> {
        self.elements().map_while(|(at, e)| {
            let (flags, position, key, value) = (u32_at(e, 0)?, u32_at(e, 4)?, u32_at(e, 8)?, u32_at(e, 12)?);
            Some(Leaf {
                key: self.text(at, position, 0, key)?,
                value: self.text(at, position, key, value)?,
                bucket: flags & IS_BUCKET != 0,
            })
        })
    }
}

// BoltDB writes in the order of the machine, which is little-endian wherever we run.
fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// FNV-1a, the checksum of a meta.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, b| (sum ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    const PAGE: usize = 4096;

    /// A page: number, kind, elements of {flags or child, key, value}.
    fn page(number: u64, kind: u16, elements: &[(u64, &[u8], &[u8])]) -> Vec<u8> {
        let mut out = number.to_le_bytes().to_vec();
        out.extend(kind.to_le_bytes());
        out.extend((elements.len() as u16).to_le_bytes());
        out.extend(0u32.to_le_bytes());
        let mut texts = Vec::new();
        for (i, (number, key, value)) in elements.iter().enumerate() {
            let position = ((elements.len() - i) * ELEMENT + texts.len()) as u32;
            let sizes = (key.len() as u32).to_le_bytes();
            if kind == LEAF {
                out.extend((*number as u32).to_le_bytes());
                out.extend(position.to_le_bytes());
                out.extend(sizes);
                out.extend((value.len() as u32).to_le_bytes());
            } else {
                out.extend(position.to_le_bytes());
                out.extend(sizes);
                out.extend(number.to_le_bytes());
            }
            texts.extend_from_slice(key);
            texts.extend_from_slice(value);
        }
        out.extend(texts);
        out
    }

    fn meta(number: u64, root: u64, transaction: u64) -> Vec<u8> {
        let mut body = Vec::new();
        for n in [MAGIC, VERSION, PAGE as u32, 0] {
            body.extend(n.to_le_bytes());
        }
        for n in [root, 0, 0, 9, transaction] {
            body.extend(n.to_le_bytes());
        }
        let sum = fnv(&body);
        body.extend(sum.to_le_bytes());
        [page(number, 4, &[]), body].concat()
    }

    fn file(pages: Vec<Vec<u8>>) -> Vec<u8> {
        pages
            .into_iter()
            .flat_map(|mut p| {
                p.resize(PAGE, 0);
                p
            })
            .collect()
    }

    /// `outer` → a bucket on a page of its own, over two leaves; in it `small`, whose page is inside.
    fn sample() -> Vec<u8> {
        let inside = [vec![0; BUCKET], page(0, LEAF, &[(0, b"k", b"v")])].concat();
        let outer = [3u64.to_le_bytes(), [0; 8]].concat();
        file(vec![
            meta(0, 99, 6),
            meta(1, 2, 7),
            page(2, LEAF, &[(1, b"outer", &outer)]),
            page(3, BRANCH, &[(4, b"a", b""), (5, b"m", b"")]),
            page(4, LEAF, &[(0, b"a", b"1"), (0, b"b", b"2")]),
            page(5, LEAF, &[(0, b"m", b"3"), (1, b"small", &inside)]),
        ])
    }

    fn bolt(bytes: &[u8]) -> Bolt<&[u8]> {
        Bolt::new(bytes, Instant::now() + Duration::from_secs(5))
    }

    #[test]
    fn values_are_found_through_branches_and_buckets() {
        let bytes = sample();
        let bolt = bolt(&bytes);
        let get = |buckets: &[&[u8]], key: &[u8]| bolt.get(buckets, key).unwrap();
        assert_eq!(get(&[b"outer"], b"b"), Some(b"2".to_vec()));
        assert_eq!(get(&[b"outer"], b"m"), Some(b"3".to_vec()));
        assert_eq!(get(&[b"outer", b"small"], b"k"), Some(b"v".to_vec()));
        assert_eq!(get(&[b"outer"], b"c"), None);
        assert_eq!(get(&[b"outer"], b"A"), None);
        assert_eq!(get(&[b"outer"], b"small"), None);
        assert_eq!(get(&[b"none"], b"a"), None);
        let mut all = bolt.all(&[b"outer"]).unwrap();
        all.sort();
        assert_eq!(all.iter().map(|(k, _)| &k[..]).collect::<Vec<_>>(), [b"a", b"b", b"m"]);
    }

    #[test]
    fn a_tree_that_has_no_end_has_one() {
        let round = page(2, BRANCH, &[(2, b"", b"")]);
        let bytes = file(vec![meta(0, 2, 1), meta(1, 2, 1), round]);
        assert!(bolt(&bytes).get(&[], b"a").is_err());
        assert!(bolt(&bytes).all(&[]).is_err());
        assert!(bolt(b"").get(&[], b"a").is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn damage_is_an_error_or_another_value(at in 0..6 * PAGE, with in any::<u64>()) {
            let mut bytes = sample();
            let end = (at + 8).min(bytes.len());
            bytes[at..end].copy_from_slice(&with.to_le_bytes()[..end - at]);
            let bolt = bolt(&bytes);
            let _ = (bolt.get(&[b"outer", b"small"], b"k"), bolt.all(&[b"outer"]));
        }
    }
}
