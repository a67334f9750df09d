//! Texts that nobody sane writes.

use super::world::{good, parse};
use crate::filter::{MAX_DEPTH, MAX_LENGTH};

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
    // The one who counts takes the quote in the comment for the begin of a text.
    let hidden = |n: usize| format!("evt.failed#'\n and {}", nested(n));
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
    good(&list(32_000));
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
        let text = piece.repeat(MAX_LENGTH / piece.len());
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
