//! Texts that nobody sane writes.

use std::time::{Duration, Instant};

use super::world::{block, good, parse, schema};
use crate::batch::Bitmap;
use crate::filter::{MAX_DEPTH, MAX_LENGTH, Verdicts};

/// The text of the errors; checks that nothing in it can harm a terminal and that the carets fit.
fn refused(text: &str) -> String {
    let shown = parse(text).unwrap_err().render(text);
    assert!(shown.bytes().all(|b| b == b'\n' || (b' '..=b'~').contains(&b)), "{shown:?}");
    assert!(shown.len() < 20_000, "{}", shown.len());
    shown
}

#[test]
fn deep() {
    let nested = |n: usize| format!("{}evt.failed{}", "(".repeat(n), ")".repeat(n));
    good(&nested(MAX_DEPTH));
    assert!(refused(&nested(MAX_DEPTH + 1)).contains("nested too deeply"));
    assert!(refused(&nested(30_000)).contains("nested too deeply"));
    assert!(refused(&"(".repeat(MAX_LENGTH)).contains("nested too deeply"));
    refused(&"not (".repeat(MAX_DEPTH));
    refused(&")".repeat(MAX_LENGTH));
    // A comment right behind an operator: neither reading of the `#` may hide what follows.
    let hidden = |n: usize| format!("evt.cpu >=#'\n 1 and {}", nested(n));
    good(&hidden(MAX_DEPTH));
    assert!(refused(&hidden(MAX_DEPTH + 1)).contains("nested too deeply"));
    refused(&hidden(1000));
    refused(&hidden(5000));
    // Quotes hide parentheses from the one who counts, not from the parser.
    refused(&format!("a'{}", "(".repeat(MAX_LENGTH - 2)));
    refused(&format!("x#{}", "(".repeat(20_000)));
    refused(&format!("a [' {} ", "(".repeat(20_000)));
    refused(&format!("{}#'\n{}", "(".repeat(10), "(".repeat(20_000)));
    refused(&format!("a=b#'\n{}", "(".repeat(20_000)));
    refused(&format!("a=b'#{}", "(' ".repeat(20_000)));
}

#[test]
fn long() {
    let list = |n: usize| format!("proc.name in ({})", vec!["a"; n].join(","));
    good(&list(50_000));
    good(&format!("{}evt.failed", "not ".repeat(16_000)));
    good(&format!("{}evt.failed", "!".repeat(60_000)));
    good(&format!("proc.name = '{}'", "x".repeat(65_000)));
    good(&format!("proc.name = '{}'", "\\\\".repeat(32_000)));
    good(&vec!["evt.failed"; 4500].join(" or "));
    good(&" ".repeat(MAX_LENGTH));
    assert!(refused(&" ".repeat(MAX_LENGTH + 1)).contains("too long"));
    for piece in [
        "a ",
        "a=",
        "=",
        ",",
        "a in (",
        "a in (b ",
        "'",
        "\"'",
        "\\",
        "and ",
        "or ",
        "not ",
        "[",
        "a[b] ",
        "a[",
        "\0",
        "é",
        "\u{202e}",
        "evt.type=x or ",
        "proc.pid=x and ",
        "(a) ",
        "() ",
        "a=b ",
        "&",
        "#",
        "# \n a",
        "a in (,) ",
    ] {
        // Long enough to show what is worse than linear; a megabyte of each is for the release build.
        let text = piece.repeat(MAX_LENGTH / 8 / piece.len());
        if let Err(errors) = parse(&text) {
            errors.render(&text);
        } else {
            assert_eq!(piece, "#");
        }
    }
}

#[test]
fn strange_letters() {
    let shown = refused("proc.\u{1b}[31mname\0 = x");
    assert!(shown.contains("\\u{1b}"), "{shown}");
    refused("\0");
    refused("proc.name = a and \u{202e}x = 1");
    refused("proc.pid = ´");
    refused("proc.name = 'a\n\u{7}");
    good("proc.name = '\0\u{7}é'");
    good("proc.name = \u{1b}");
    // Carets stand under the place, escapes or not.
    for (text, from) in [("é.x = 1 or proc.naem = a", "proc.naem"), ("proc.name = '\t' or x.y = 1", "x.y")] {
        let shown = refused(text);
        let lines: Vec<&str> = shown.lines().collect();
        let at = lines[lines.len() - 2].find(from).unwrap();
        assert_eq!(lines[lines.len() - 1].find('^'), Some(at), "{shown}");
    }
    // Only the line with the place is shown.
    let shown = refused("evt.failed and # first\n  proc.naem = a\nor evt.failed");
    assert_eq!(shown.lines().nth(1), Some("  |   proc.naem = a"), "{shown}");
}

/// What a step may take: a second as it is released, more where nothing is optimised.
const LIMIT: Duration = Duration::from_secs(if cfg!(debug_assertions) { 20 } else { 1 });

fn timed<T>(what: &str, run: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = run();
    let took = start.elapsed();
    assert!(took < LIMIT, "{what}: {took:?}");
    result
}

#[test]
fn a_megabyte_of_garbage() {
    let mut seed = 1u64;
    let mut noise = |letters: &[u8]| -> String {
        let mut one = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            letters[(seed >> 33) as usize % letters.len()] as char
        };
        (0..1 << 20).map(|_| one()).collect()
    };
    let all: Vec<u8> = (1..=127).collect();
    for letters in [&all[..], b"(", b")", b"'", b"a ", b"a=( ", b"not (", b"evt.failed and or (), '\"\\[]#\n"]
    {
        let text = noise(letters);
        timed("a megabyte", || refused(&text));
        // The longest that is read at all.
        timed("as much as is read", || {
            drop(parse(&text[..MAX_LENGTH]).map_err(|e| e.render(&text[..MAX_LENGTH])))
        });
    }
    // Mistakes whose explanation is dear: only the first hundred are explained.
    for piece in
        ["evt.type = openn or ", "proc.nmae = a or ", "proc.name regex '(' or ", "evt.res = ENOENTT or "]
    {
        let text = piece.repeat(MAX_LENGTH / piece.len()) + "evt.failed";
        timed(piece, || refused(&text));
    }
    for op in [
        "evt.type in",
        "evt.res in",
        "proc.pid in",
        "fd.ip in",
        "proc.name regex anyof",
        "evt.arg.flags has anyof",
    ] {
        let text = format!("{op} ({})", vec!["'(openn'"; 40_000].join(","));
        timed(op, || refused(&text));
    }
}

#[test]
fn ten_thousand_alternatives() {
    let b = block(&[(0, 1), (1, 2)], &[(0, 0, 0)], &vec![(2, 0, None, 0, 0, 0, 7777); 4096]);
    let schema = schema();
    let batch = b.view(&schema);
    let list = |of: &dyn Fn(usize) -> String| (0..10_000).map(of).collect::<Vec<_>>().join(", ");
    let text = list(&|i| format!("/tmp{i}x{i}"));
    let hit = list(&|i| format!("/tmp{i}"));
    for (filter, rows) in [
        (format!("evt.arg.path in ({text})"), 0),
        (format!("evt.arg.path in ({hit})"), 4096),
        (format!("evt.arg.path = anyof ({hit})"), 4096),
        (format!("evt.arg.path contains anyof ({text})"), 0),
        (format!("evt.arg.path icontains anyof ({hit})"), 4096),
        (format!("evt.arg.path startswith anyof ({hit})"), 4096),
        (format!("evt.arg.path endswith anyof ({text})"), 0),
        (format!("evt.arg.path pmatch ({hit})"), 4096),
        (format!("evt.arg.path != allof ({hit})"), 0),
        (format!("evt.rawarg.path in ({})", list(&|i| format!("{}..{}", i * 3, i * 3 + 1))), 4096),
        (format!("proc.pid in ({})", list(&|i| i.to_string())), 4096),
        (format!("fd.ip in ({})", list(&|i| format!("10.{}.{}.0/24", i / 250, i % 250))), 0),
        (format!("evt.type in ({})", vec!["open"; 10_000].join(", ")), 4096),
        (list(&|i| format!("proc.pid = {i}")).replace(", ", " or "), 4096),
    ] {
        let name = &filter[..filter.len().min(48)];
        let filter = timed(name, || good(&filter));
        let mut out = Bitmap::default();
        timed(name, || filter.select(&mut Verdicts::default(), &batch, 0..4096, &mut out));
        assert_eq!(out.count(), rows, "{name}");
    }
}
