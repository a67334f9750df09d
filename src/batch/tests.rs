//! What few rows have, on its way through blocks: files of sets and arrays of descriptors.

use super::*;
use crate::schema::{Arch, Schema, fdlist};

/// Ten rows; those whose numbers have two digits of `lists` have files: row, count, first file.
fn block(lists: &[(usize, usize, u32)]) -> Builder {
    let mut b = Builder::new();
    for i in 0..30 {
        let name = b.string(format!("/file{i}").as_bytes());
        b.file(File { kind: FileKind::File, name, ..File::default() });
    }
    for num in 0..10 {
        // A number without a call: no words are needed.
        b.push(Row { num, call: crate::schema::CODES, proc: NONE, ..Row::default() }, &[], &[], &[]);
        if let Some((_, count, first)) = lists.iter().find(|(row, ..)| *row as u64 == num) {
            let files: Vec<FileId> =
                (0..*count as u32).map(|n| if n == 1 { NONE } else { first + n }).collect();
            b.fdlist(&files);
        }
    }
    b
}

/// Number of the event and names of the files, of each row that has any.
fn names(b: &Builder, schema: &Schema) -> Vec<(u64, Vec<String>)> {
    let view = b.view(schema);
    let name = |id: &FileId| {
        let name = view.dict.file(*id).and_then(|f| view.dict.strings.find(f.name));
        name.map_or("?".to_owned(), |n| String::from_utf8_lossy(n).into_owned())
    };
    (0..view.rows)
        .map(|row| (view.num[row], view.fdlist_of(row).iter().map(name).collect::<Vec<_>>()))
        .filter(|(_, names)| !names.is_empty())
        .collect()
}

fn is(num: u64, names: &[&str]) -> (u64, Vec<String>) {
    (num, names.iter().map(|n| (*n).to_owned()).collect())
}

const LISTS: &[(usize, usize, u32)] = &[(0, 1, 3), (4, 3, 7), (5, 2, 20), (9, 1, 3)];

fn keep(rows: &[usize]) -> Bitmap {
    let mut keep = Bitmap::default();
    keep.reset(10, false);
    rows.iter().for_each(|row| keep.set(*row, true));
    keep
}

#[test]
fn rows_have_their_own_files() {
    let schema = Schema::native(Arch::X86_64);
    let all =
        [is(0, &["/file3"]), is(4, &["/file7", "?", "/file9"]), is(5, &["/file20", "?"]), is(9, &["/file3"])];
    let mut b = block(LISTS);
    assert_eq!(names(&b, &schema), all);
    b.truncate(5);
    assert_eq!(names(&b, &schema), all[..2]);
    b.truncate(0);
    assert_eq!(names(&b, &schema), []);
    b.fdlist(&[1]);
    assert_eq!(b.view(&schema).fdlist, [] as [FileId; 0], "there is no row");
}

#[test]
fn compacting_moves_them_with_their_rows() {
    let schema = Schema::native(Arch::X86_64);
    for (from, kept, want) in [
        (0, &[][..], vec![]),
        (0, &[4, 9], vec![is(4, &["/file7", "?", "/file9"]), is(9, &["/file3"])]),
        (0, &[1, 2, 5, 8], vec![is(5, &["/file20", "?"])]),
        // What stands before `from` stays, whatever the bits say.
        (5, &[6, 7, 9], vec![is(0, &["/file3"]), is(4, &["/file7", "?", "/file9"]), is(9, &["/file3"])]),
        (9, &[], vec![is(0, &["/file3"]), is(4, &["/file7", "?", "/file9"]), is(5, &["/file20", "?"])]),
    ] {
        let mut b = block(LISTS);
        b.compact(from, &keep(kept));
        assert_eq!(b.rows(), from + kept.len());
        assert_eq!(names(&b, &schema), want, "{from} {kept:?}");
        let before = names(&b, &schema);
        b.close();
        assert_eq!(names(&b, &schema), before, "closing renumbers");
    }
}

/// What a row mentions stays, what none mentions is gone: from the table and from the bytes.
#[test]
fn a_dictionary_holds_what_they_mention_and_no_more() {
    let schema = Schema::native(Arch::X86_64);
    let strings = |b: &Builder| String::from_utf8_lossy(b.view(&schema).dict.strings.bytes).into_owned();
    let mut b = block(LISTS);
    b.compact(0, &keep(&[0, 5, 9]));
    b.close();
    assert_eq!((strings(&b).as_str(), b.view(&schema).dict.files.len()), ("/file3/file20", 2));

    let from = block(LISTS);
    let (view, mut to) = (from.view(&schema), Builder::new());
    let mut copier = Copier::new(&view);
    for row in [3, 4, 9] {
        copier.row(&view, row, &mut to);
    }
    assert_eq!(names(&to, &schema), [is(4, &["/file7", "?", "/file9"]), is(9, &["/file3"])]);
    assert_eq!(strings(&to), "/file7/file9/file3");
    to.close();
    assert_eq!(names(&to, &schema), [is(4, &["/file7", "?", "/file9"]), is(9, &["/file3"])]);

    // Without the names of descriptors the files are there, nameless.
    struct Nameless;
    impl Edit for Nameless {
        fn changes(&self, role: TextRole) -> bool {
            role == TextRole::File
        }
        fn text(&self, _: TextRole, _: &[u8], _: &mut Vec<u8>) -> bool {
            false
        }
    }
    let mut to = Builder::new();
    Copier::new(&view).edited(&view, 4, &mut to, &Nameless);
    assert_eq!(names(&to, &schema), [is(4, &["?", "?", "?"])]);
    assert_eq!(strings(&to), "");
}

#[test]
fn a_block_is_full_of_them_too() {
    let mut b = block(&[]);
    let many = vec![0; fdlist::MOST + 7];
    for _ in 0..builder::MAX_FDLIST / fdlist::MOST {
        assert!(!b.is_full());
        b.push(Row { call: crate::schema::CODES, proc: NONE, ..Row::default() }, &[], &[], &[]);
        b.fdlist(&many);
    }
    assert!(b.is_full());
    b.reset(2);
    assert!(!b.is_full());
}
