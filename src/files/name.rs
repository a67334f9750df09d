//! Names of the files of a capture that rotates.
//!
//! Enters: the name that was given, a number, a time. Leaves: names that sort in order of time and that no earlier file
//! of this capture had. Never: a file.
//!
//! `t.reel` becomes `t-000001.reel`, `t-000002.reel`; conversions of strftime(3) are filled in first, with the local time
//! at which the file begins: `t-%Y%m%d.reel` becomes `t-20260109-000001.reel`.

use std::io;
use std::path::{Path, PathBuf};

use jiff::Zoned;
use jiff::fmt::strtime;

const DIGITS: usize = 6;

/// Fills in the conversions.
fn filled(template: &Path, now: &Zoned) -> Result<PathBuf, String> {
    match template.to_str() {
        Some(text) if text.contains('%') => {
            strtime::format(text, now).map(PathBuf::from).map_err(|e| format!("{text}: {e}"))
        }
        _ => Ok(template.to_owned()),
    }
}

/// An error for the user if the name holds conversions that do not exist.
pub fn check(template: &Path) -> Result<(), String> {
    filled(template, &Zoned::now()).map(drop)
}

/// The name of the file with this number.
pub fn numbered(template: &Path, number: u32, now: Zoned) -> io::Result<PathBuf> {
    let path = filled(template, &now).map_err(io::Error::other)?;
    let stem = path.file_stem().unwrap_or_default();
    let mut name = stem.to_os_string();
    name.push(format!("-{number:0DIGITS$}"));
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    Ok(path.with_file_name(name))
}

/// Where a file is written that is to replace another.
pub fn aside(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}", std::process::id()));
    path.with_file_name(name)
}

/// The largest number among the files whose names differ from this one's in the number only.
pub fn after(path: &Path) -> Option<u32> {
    let split = |path: &Path| -> Option<(String, u32, String)> {
        let (stem, extension) = (path.file_stem()?.to_str()?, path.extension());
        let (before, number) = stem.rsplit_once('-')?;
        let extension = extension.map_or(Some(""), |e| e.to_str())?;
        Some((before.to_owned(), number.parse().ok()?, extension.to_owned()))
    };
    let (before, _, extension) = split(path)?;
    let dir = path.parent().filter(|d| !d.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let names = std::fs::read_dir(dir).ok()?.flatten().map(|e| PathBuf::from(e.file_name()));
    names
        .filter_map(|n| split(&n))
        .filter(|(b, _, e)| *b == before && *e == extension)
        .map(|(_, n, _)| n)
        .max()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at() -> Zoned {
        jiff::Timestamp::from_second(1_767_992_843).unwrap().to_zoned(jiff::tz::TimeZone::UTC)
    }

    #[test]
    fn names_sort_and_keep_their_ending() {
        let name = |t: &str, n| numbered(Path::new(t), n, at()).unwrap().to_string_lossy().into_owned();
        assert_eq!(name("t.reel", 1), "t-000001.reel");
        assert_eq!(name("dir.d/t", 12), "dir.d/t-000012");
        assert_eq!(name("/x/t-%Y%m%d.reel", 3), "/x/t-20260109-000003.reel");
        assert!(name("t.reel", 9) < name("t.reel", 10));
        assert!(check(Path::new("t-%Y.reel")).is_ok());
        assert!(check(Path::new("t-%J.reel")).unwrap_err().contains("t-%J.reel"));
    }

    #[test]
    fn numbers_go_on_after_those_that_are_there() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["t-000007.reel", "t-000003.reel", "u-000100.reel", "t-000200.txt", "t-x.reel"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        assert_eq!(after(&dir.path().join("t-000001.reel")), Some(7));
        assert_eq!(after(&dir.path().join("v-000001.reel")), None);
    }
}
