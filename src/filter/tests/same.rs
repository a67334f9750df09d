//! Whatever the filter and the block: the fast way and the slow way agree, and nothing that could match is left out.

use proptest::prelude::*;

use super::world::{CODES, Plain, block, good, parse, schema};
use crate::batch::{Bitmap, NONE};
use crate::filter::{Glance, Verdicts};

fn leaf() -> impl Strategy<Value = String> {
    let lines = concat!(
        include_str!("../../../testdata/filters/accept/basic.txt"),
        include_str!("../../../testdata/filters/accept/fields.txt"),
        include_str!("../../../testdata/filters/accept/operators.txt"),
        include_str!("../../../testdata/filters/accept/transformers.txt")
    );
    // A comment would take the parenthesis behind it.
    let corpus: Vec<String> = lines.lines().filter(|l| !l.contains('#')).map(|l| format!("({l})")).collect();
    let number = prop::sample::select(vec![
        "evt.latency",
        "evt.cpu",
        "evt.time",
        "thread.tid",
        "proc.pid",
        "evt.buflen",
    ]);
    let op = prop::sample::select(vec!["=", "!=", "<", "<=", ">", ">="]);
    let name = prop::sample::select(vec!["cat", "nginx", "systemd", "''", "'a b'", "n", "dog"]);
    let text = prop::sample::select(vec!["proc.name", "proc.aname", "proc.aname[1]", "evt.arg.fd"]);
    let call = prop::sample::select(vec!["read", "open", "openat", "getppid"]);
    let eq = prop::sample::select(vec!["=", "!="]);
    let small = 0u64..1000;
    let sets = prop::sample::select(vec![
        "proc.name",
        "proc.aname",
        "fd.name",
        "evt.arg.path",
        "tolower(proc.name)",
    ]);
    let op2 = prop::sample::select(vec![
        "=",
        "!=",
        "contains",
        "icontains",
        "startswith",
        "endswith",
        "glob",
        "iglob",
        "regex",
    ]);
    let modifier = prop::sample::select(vec!["oneof", "anyof", "allof"]);
    let names = prop::collection::vec(
        prop::sample::select(vec!["cat", "n", "/etc", "systemd", "a", "d", "/tmp", "s.*", "conf"]),
        1..5,
    );
    let transformed = prop::sample::select(vec![
        "toupper(proc.name)",
        "len(proc.name)",
        "basename(fd.name)",
        "concat(proc.name, proc.pid)",
        "len(evt.arg.path)",
    ]);
    let eq2 = prop::sample::select(vec!["=", "!="]);
    let other = prop::sample::select(vec!["3", "7"]);
    prop_oneof![
        2 => prop::sample::select(corpus),
        2 => (number.clone(), op.clone(), small.clone()).prop_map(|(f, o, n)| format!("{f} {o} {n}")),
        1 => (number, small.clone(), small).prop_map(|(f, a, b)| format!("{f} in ({a}, {b}, 3)")),
        1 => (op.clone(), -5i64..5).prop_map(|(o, n)| format!("evt.rawres {o} {n}")),
        2 => (text, op, name).prop_map(|(f, o, n)| format!("{f} {o} {n}")),
        2 => (eq, call).prop_map(|(o, c)| format!("evt.type {o} {c}")),
        2 => (sets, op2, modifier, names).prop_map(|(f, o, m, n)| format!("{f} {o} {m} ({})", n.join(", "))),
        2 => (transformed, eq2, other).prop_map(|(f, o, n)| format!("{f} {o} {n}")),
        1 => (-9i64..9, 0i64..9).prop_map(|(a, n)| format!("evt.rawres in ({a}..{}, 3)", a + n)),
    ]
}

fn filter() -> impl Strategy<Value = String> {
    leaf().prop_recursive(5, 24, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|f| format!("not ({f})")),
            prop::collection::vec(inner.clone(), 2..4).prop_map(|f| format!("({})", f.join(" and "))),
            prop::collection::vec(inner, 2..4).prop_map(|f| format!("({})", f.join(" or "))),
        ]
    })
}

fn row() -> impl Strategy<Value = Plain> {
    let id = || prop_oneof![5 => 0u32..6, 1 => Just(NONE), 1 => Just(70)];
    (0..CODES.len(), 0u16..4, prop::option::of(0u64..1000), -4i64..900, id(), id(), 0u32..5)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn select_is_matches(
        text in filter(),
        procs in prop::collection::vec((0usize..7, 0u32..900), 0..6),
        files in prop::collection::vec((0usize..10, 0usize..5, 0u16..900), 0..6),
        rows in prop::collection::vec(row(), 0..260),
        cut in 0usize..260,
    ) {
        let filter = good(&text);
        let schema = schema();
        let b = block(&procs, &files, &rows);
        let batch = b.view(&schema);
        let cut = cut.min(rows.len());
        let want: Vec<bool> = (0..rows.len()).map(|r| filter.matches(&batch, r)).collect();

        // The block grows between two drains.
        let early = block(&procs, &files, &rows[..cut]);
        let (mut state, mut out) = (Verdicts::default(), Bitmap::default());
        filter.select(&mut state, &early.view(&schema), 0..cut, &mut out);
        filter.select(&mut state, &batch, cut..rows.len(), &mut out);
        let got: Vec<bool> = (0..rows.len()).map(|r| out.get(r)).collect();
        prop_assert_eq!(&got, &want, "{}", text);

        // Only the rows that were asked for are written.
        let mut full = Bitmap::default();
        full.reset(rows.len() + 3, true);
        filter.select(&mut state, &batch, cut..rows.len(), &mut full);
        for r in 0..rows.len() + 3 {
            prop_assert_eq!(full.get(r), r < cut || want.get(r).copied().unwrap_or(true));
        }

        for (r, _) in want.iter().enumerate().filter(|(_, w)| **w) {
            prop_assert!(filter.codes().has(batch.call[r]), "{}", text);
            prop_assert!(filter.bounds().allow(&batch, r), "{}: {:?}", text, filter.bounds());
            let group = batch.proc.get(r).is_none_or(|p| filter.may_run(&batch.dict, *p));
            prop_assert!(group, "{}: not in its control group", text);
        }
        let mut codes = batch.call.to_vec();
        codes.sort_unstable();
        codes.dedup();
        let times = Some((batch.meta, 0, rows.len() as u64 * 100));
        let known = Glance { codes: Some(&codes), times, ..Glance::default() };
        let may = filter.may_match(&mut Verdicts::default(), &known, &batch.dict);
        prop_assert!(may || !want.contains(&true), "{}", text);
        prop_assert!(filter.may_be_in(&known) || !may, "{}", text);
        prop_assert!(filter.may_be_in(&Glance::default()) || !may, "{}", text);
    }

    #[test]
    fn any_text_is_accepted_or_refused(text in "\\PC{0,60}") {
        if let Err(errors) = parse(&text) {
            prop_assert!(!errors.0.is_empty());
            errors.render(&text);
        }
    }

    #[test]
    fn any_tokens_are_accepted_or_refused(
        tokens in prop::collection::vec(prop::sample::select(vec![
            "evt.failed", "proc.name", "proc.pid", "evt.arg", "[", "]", "(", ")", "and", "or", "not", "=", "!=", "<", "in",
            "exists", "contains", "cat", "1", "'", "\"x\"", ",", "#", "\n", "&&", "!", "é", "\\",
        ]), 0..24),
        glue in prop::sample::select(vec!["", " "]),
    ) {
        let text = tokens.join(glue);
        if let Err(errors) = parse(&text) {
            prop_assert!(!errors.0.is_empty());
            for error in &errors.0 {
                prop_assert!(error.span.start <= error.span.end && error.span.end <= text.len());
            }
            errors.render(&text);
        }
    }
}
