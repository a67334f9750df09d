//! Paths below other paths: `pmatch`.
//!
//! Enters: a list of paths, whose components may be shell patterns. Leaves: whether a path is one of them or lies below
//! one. Never: the file system; links and `..` are text here.

use hashbrown::HashSet;
use rustc_hash::FxBuildHasher;

use super::glob::Glob;

/// The paths of a list.
#[derive(Clone, Debug)]
pub struct Paths {
    /// Those without a pattern, without a slash at the end. The root is empty.
    plain: HashSet<Box<[u8]>, FxBuildHasher>,
    /// Longest of them.
    longest: usize,
    /// Those with a pattern, by component.
    patterns: Vec<Vec<Glob>>,
}

impl Paths {
    /// Compiles one list.
    pub fn new<'p>(paths: impl IntoIterator<Item = &'p [u8]>) -> Result<Paths, &'static str> {
        let mut all = Paths { plain: HashSet::default(), longest: 0, patterns: Vec::new() };
        for path in paths {
            let path = trim(path);
            if path.iter().any(|b| b"*?[\\".contains(b)) {
                let parts = path.split(|b| *b == b'/').map(|part| Glob::new(part, false));
                all.patterns.push(parts.collect::<Result<_, _>>()?);
            } else {
                all.longest = all.longest.max(path.len());
                all.plain.insert(path.into());
            }
        }
        Ok(all)
    }

    /// True if `path` is one of them or below one.
    pub fn is_above(&self, path: &[u8]) -> bool {
        let path = trim(path);
        // Every prefix that ends where a component does: from the root down.
        let ends = memchr::memchr_iter(b'/', path).chain([path.len()]).take_while(|end| *end <= self.longest);
        if !self.plain.is_empty() && ends.into_iter().any(|end| self.plain.contains(&path[..end])) {
            return true;
        }
        self.patterns.iter().any(|pattern| {
            let mut parts = path.split(|b| *b == b'/');
            pattern.iter().all(|glob| parts.next().is_some_and(|part| glob.is_match(part)))
        })
    }
}

fn trim(mut path: &[u8]) -> &[u8] {
    while let Some(rest) = path.strip_suffix(b"/") {
        path = rest;
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn below() {
        let of = |list: &[&str], path: &str| {
            Paths::new(list.iter().map(|p| p.as_bytes())).unwrap().is_above(path.as_bytes())
        };
        assert!(of(&["/etc"], "/etc/passwd"));
        assert!(of(&["/etc"], "/etc"));
        assert!(of(&["/etc/"], "/etc/"));
        assert!(!of(&["/etc"], "/etcetera"));
        assert!(!of(&["/etc/ssh"], "/etc"));
        assert!(of(&["/var", "/etc"], "/etc/ssh/x"));
        assert!(of(&["/"], "/etc"));
        assert!(of(&["/"], "/"));
        assert!(!of(&["/"], "etc"));
        assert!(of(&["etc"], "etc/x"));
        assert!(!of(&["/etc"], ""));
        assert!(of(&["/home/*/.ssh"], "/home/me/.ssh/id"));
        assert!(!of(&["/home/*/.ssh"], "/home/a/b/.ssh/id"));
        assert!(of(&["/usr/lib*"], "/usr/lib64/x"));
        assert!(!of(&["/usr/lib?"], "/usr/lib/x"));
        assert!(Paths::new([&b"/a/[x"[..]]).is_err());
    }
}
